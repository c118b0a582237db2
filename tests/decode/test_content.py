import gzip
from collections.abc import Mapping

import pytest

from dashlight.decode.content import MAX_QUERY_PARAMETERS, content_of, header, query_content
from dashlight.errors import DecodeError
from dashlight.records import Headers

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
TEXT = {"content-type": "text/plain; charset=utf-8"}


def as_bytes(headers: Mapping[str, str]) -> Headers:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def test_the_first_header_of_a_name_counts() -> None:
    headers = [(b"a", b"1"), (b"b", b"2"), (b"b", b"3")]

    assert header(headers, b"b") == "2"
    assert header(headers, b"c") == ""


@pytest.mark.parametrize(
    ("body", "headers", "value", "is_sniffed"),
    [
        pytest.param(b'{"a": 1}', JSON, {"a": 1}, False, id="JSON"),
        pytest.param(b"4.5", {"content-type": "application/json; charset=utf-8"}, 4.5, False, id="a JSON number"),
        pytest.param(b"[1]", {"content-type": "application/vnd.api+json"}, [1], False, id="a suffix of JSON"),
        pytest.param(b"[1]", {"content-type": "text/json"}, [1], False, id="an old name of JSON"),
        pytest.param(b'{"a": 1}', {}, {"a": 1}, True, id="JSON without a type"),
        pytest.param(b' [{"a": 1}]', FORM, [{"a": 1}], True, id="JSON as curl sends it"),
        pytest.param(b"0.92", {"content-type": "application/octet-stream"}, 0.92, True, id="a number as bytes"),
        pytest.param(b"0.92", TEXT, 0.92, True, id="a number as text"),
        pytest.param(b"setosa", TEXT, "setosa", False, id="text"),
        pytest.param(b"{oh no", TEXT, "{oh no", False, id="text that begins like JSON"),
        pytest.param(b"a=1&b=x%20y&a=2&a=3", FORM, {"a": ["1", "2", "3"], "b": "x y"}, False, id="a form"),
        pytest.param(gzip.compress(b"[1]"), {**JSON, "content-encoding": "gzip"}, [1], False, id="JSON, compressed"),
        pytest.param("[1]".encode("utf-16"), JSON, [1], False, id="JSON in UTF-16"),
    ],
)
def test_a_content_is_what_its_type_or_its_bytes_say(
    body: bytes, headers: Mapping[str, str], value: object, *, is_sniffed: bool
) -> None:
    content = content_of(body, as_bytes(headers), is_truncated=False)

    assert content.value == value
    assert content.is_sniffed is is_sniffed


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        pytest.param(b"1,2\n3,4\n", {"content-type": "text/csv"}, "unsupported_media_type", id="CSV"),
        pytest.param(b"1,2\n3,4\n", {}, "unsupported_media_type", id="CSV without a type"),
        pytest.param(b"data: {}\n\n", {"content-type": "text/event-stream"}, "unsupported_media_type", id="a stream"),
        pytest.param(b"--b\r\n", {"content-type": "multipart/form-data"}, "unsupported_media_type", id="multipart"),
        pytest.param(b"\x89PNG\r\n\x1a\n", {"content-type": "image/png"}, "unsupported_media_type", id="an image"),
        pytest.param(b"\x89PNG\r\n\x1a\n", {}, "binary_body", id="an image without a type"),
        pytest.param(b"\x93NUMPY\x01\x00", JSON, "binary_body", id="an array that is said to be JSON"),
        pytest.param(b"\x01\x00\x00\x00", {}, "binary_body", id="bytes"),
        pytest.param(b"\xe4\xf6", TEXT, "binary_body", id="text in an unknown encoding"),
        pytest.param(b"{x", {}, "invalid_json", id="no JSON without a type"),
        pytest.param(b"{x", FORM, "invalid_json", id="no JSON as a form"),
        pytest.param(b"{x", JSON, "invalid_json", id="no JSON"),
        pytest.param(b"[" * 50 + b"]" * 50, {}, "too_deep", id="deep JSON without a type"),
        pytest.param(b"", JSON, "empty_body", id="nothing"),
        pytest.param(b"", {}, "empty_body", id="nothing without a type"),
        pytest.param(b"[1]", {**JSON, "content-encoding": "br"}, "unsupported_encoding", id="brotli"),
        pytest.param(
            b'{"inputs": []}\x00', {"inference-header-content-length": "14"}, "binary_body", id="binary tensors"
        ),
        pytest.param(b"&".join([b"a=1"] * 2000), FORM, "too_large", id="a form of 2,000 fields"),
    ],
)
def test_a_content_that_is_not_read_says_why(body: bytes, headers: Mapping[str, str], reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        content_of(body, as_bytes(headers), is_truncated=False)

    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(b'{"a": [1, 2', JSON, id="JSON"),
        pytest.param(b'{"a": tru', JSON, id="JSON, cut in a word"),
        pytest.param(gzip.compress(b"[1]")[:-3], {**JSON, "content-encoding": "gzip"}, id="compressed JSON"),
        pytest.param(b"the beginning of", TEXT, id="text"),
        pytest.param(b"a=1&b=", FORM, id="a form"),
    ],
)
def test_a_body_of_which_a_part_is_missing_is_truncated(body: bytes, headers: Mapping[str, str]) -> None:
    with pytest.raises(DecodeError) as error:
        content_of(body, as_bytes(headers), is_truncated=True)

    assert error.value.reason == "truncated"


def test_json_that_is_whole_is_read_although_white_space_behind_it_is_missing() -> None:
    assert content_of(b"[1] ", as_bytes(JSON), is_truncated=True).value == [1]


def test_another_reason_than_the_missing_part_stays_the_reason() -> None:
    with pytest.raises(DecodeError) as error:
        content_of(b"1,2", [(b"content-type", b"text/csv")], is_truncated=True)

    assert error.value.reason == "unsupported_media_type"


def test_the_parameters_of_a_query_are_text() -> None:
    content = query_content(b"sl=5.1&kind=a&kind=b&empty=")

    assert content.value == {"sl": "5.1", "kind": ["a", "b"], "empty": ""}
    assert content.media_type == "query"


def test_a_query_of_too_many_parameters_is_refused() -> None:
    with pytest.raises(DecodeError) as error:
        query_content(b"&".join(b"a%d=1" % at for at in range(MAX_QUERY_PARAMETERS + 1)))

    assert error.value.reason == "too_large"
