import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.formats.blobs import blob, holds_blob, without_blobs


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_the_size_is_that_of_the_bytes(body: bytes, is_for_urls: bool, is_padded: bool) -> None:  # noqa: FBT001
    text = (base64.urlsafe_b64encode if is_for_urls else base64.b64encode)(body).decode()

    assert blob(text if is_padded else text.rstrip("=")) == {"bytes": len(body)}


def test_line_breaks_in_base64_do_not_count() -> None:
    assert blob("aGVs\r\nbG8=\n") == {"bytes": 5}


@pytest.mark.parametrize("text", ["no base64!", "a=b", "===="])
def test_a_text_that_is_no_base64_stays(text: str) -> None:
    assert blob(text) == text


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ({"b64": "aGk="}, True),
        ([[{"b64": "aGk="}], [{"b64": "aGk="}]], True),
        ([{"x": 1, "image": {"b64": "aGk="}}], True),
        ([{"x": {"y": [{"b64": "aGk="}]}}], True),
        ({"b64": "aGk=", "x": 1}, False),
        ({"b64": 3}, False),
        ([1, {"b64": "aGk="}], False),
        ([], False),
        ("aGk=", False),
    ],
    ids=str,
)
def test_an_object_of_nothing_but_base64_stands_for_bytes(value: object, *, holds: bool) -> None:
    assert holds_blob(value) is holds


def test_sizes_take_the_place_of_bytes() -> None:
    value = [{"x": 1, "image": {"b64": "aGk="}}, {"x": {"b64": 3}, "image": [{"b64": "aGVsbG8="}, "s"]}]

    assert without_blobs(value) == [
        {"x": 1, "image": {"bytes": 2}},
        {"x": {"b64": 3}, "image": [{"bytes": 5}, "s"]},
    ]


def test_what_holds_no_bytes_is_returned_as_it_is() -> None:
    value = [[1.0, 2.0]]

    assert without_blobs(value) is value


@pytest.mark.parametrize(
    "text", ["a" + " " * 24_000 + "!", "a" + "=" * 24_000, "caf\u00e9"], ids=["spaces", "signs", "no ASCII"]
)
def test_what_is_no_base64_is_told_so_at_once(text: str) -> None:
    assert blob(text) == text


def test_spaces_are_no_digits() -> None:
    assert blob(" aGVs\nbG8= \t") == {"bytes": 5}
