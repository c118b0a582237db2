"""What bodies of labels hold."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.errors import DecodeError
from dashlight.labels.body import FORMS, MOST_BYTES, Form, Read, form_of, read_labels
from dashlight.labels.entry import MOST_LABELS
from dashlight.labels.label import Label

NOW = 1_790_000_000.0


def read(body: str | bytes, form: Form = "json") -> Read:
    return read_labels(body.encode() if isinstance(body, str) else body, form, now=NOW)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ('[{"id": "a", "label": "1"}, {"id": "b", "label": "0"}]', "json"),
        ('{"labels": [{"id": "a", "label": "1"}, {"id": "b", "label": "0"}]}', "json"),
        ('{"id": "a", "label": "1"}\n{"id": "b", "label": "0"}', "ndjson"),
        ('{"id": "a", "label": "1"}\r\n{"id": "b", "label": "0"}\r\n', "ndjson"),
        ("id,label\na,1\nb,0", "csv"),
        ("\ufeffPrediction_ID , Label\r\na,1\r\nb,0\r\n", "csv"),
        ("label;note;id\n1;x, y;a\n0;;b\n", "csv"),
        ('value\tid\n1\t"a"\n0\tb\n', "csv"),
        ("id, label\na, 1\nb, 0", "csv"),
    ],
    ids=["list", "object of a list", "lines", "lines of Windows", "table", "by Excel", "semicolons", "tabs", "spaces"],
)
def test_two_labels_are_read_however_they_are_written(body: str, form: Form) -> None:
    found = read(body, form)

    assert found == Read((Label("a", "1"), Label("b", "0")), (1, 2), ())


def test_one_object_is_one_label() -> None:
    assert read('{"prediction_id": "a", "label": 1}').labels == (Label("a", 1),)


def test_every_label_of_a_batch_stands_at_the_place_of_its_entry() -> None:
    found = read('[{"id": "a", "label": 1}, {"id": "b", "labels": [1, 0]}]')

    assert found.places == (1, 2, 2)


@pytest.mark.parametrize(
    ("body", "form", "place"),
    [
        ('[{"id": "a", "label": 1}, 7]', "json", 2),
        ('{"id": "a", "label": 1}\n\n{"id": "b"', "ndjson", 3),
        ('{"id": "a", "label": 1}\n[]', "ndjson", 2),
        ("id,label\na,1\n\nb", "csv", 2),
        ("id,label\na,1\nb,2,3", "csv", 2),
    ],
    ids=["number", "half a line", "list in a line", "short row", "long row"],
)
def test_one_bad_entry_costs_itself_alone_and_is_told_by_its_place(body: str, form: Form, place: int) -> None:
    found = read(body, form)

    assert len(found.labels) == 1
    assert [each for each, _ in found.refused] == [place]


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"\xff", "json"),
        (b"[" * 100_000, "json"),
        (b'{"a":' * 100_000, "json"),
        (b'{"id": ' + b"9" * 100_000 + b', "label": 1}', "json"),
        (b"", "csv"),
        (b"\xff\xfe", "csv"),
        (b"a,b\n1,2", "csv"),
        (b"id,row\n1,2", "csv"),
        (b"label,row\n1,2", "csv"),
        (b"id,id,label\n1,2,3", "csv"),
        (b'id,label\n"a,1', "csv"),
        (b"id,label\n" + b"a" * 200_000 + b",1", "csv"),
    ],
    ids=[
        *("empty", "cut", "not UTF-8", "deep lists", "deep objects", "a number of 100,000 digits", "empty table"),
        *("UTF-16", "no column of ours", "no label", "no id", "one name twice", "open quote", "a cell too long"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused_as_a_whole(body: bytes, form: Form) -> None:
    with pytest.raises(DecodeError):
        read(body, form)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ("[" + "{}," * MOST_LABELS + "{}]", "json"),
        ('{"id": "a", "labels": [' + "1," * MOST_LABELS + "1]}", "json"),
        ("{}\n" * (MOST_LABELS + 1), "ndjson"),
        ("id,label\n" + "a,1\n" * (MOST_LABELS + 1), "csv"),
    ],
    ids=["list", "batch", "lines", "table"],
)
def test_too_many_labels_are_refused_as_a_whole(body: str, form: Form) -> None:
    with pytest.raises(DecodeError) as caught:
        read(body, form)

    assert caught.value.reason == "too_many"


def test_no_reason_tells_what_was_found() -> None:
    secret = "4929123456781234"
    entries = [
        {"id": {secret: secret}, "label": 1},
        {"id": "a", "label": [secret]},
        {"id": "a", "label": 1, "at": secret},
    ]

    found = read(json.dumps(entries))

    assert len(found.refused) == 3
    assert secret not in repr(found.refused)


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        *FORMS.items(),
        ("Application/JSON; charset=UTF-8", "json"),
        ('text/csv;charset="utf-8"', "csv"),
        ("text/csv; header=present", "csv"),
        ("text/csv; charset=utf-16", None),
        ("application/x-www-form-urlencoded", None),
        ("text/plain", None),
        ("", None),
    ],
)
def test_a_content_type_says_how_to_read(content_type: str, form: Form | None) -> None:
    assert form_of(content_type) == form


@pytest.mark.parametrize("form", ["json", "ndjson", "csv"])
def test_reading_grows_no_faster_than_a_body(form: Form) -> None:
    worst = {
        "json": [b'[{"id":"a","label":1,"at":"' + b"7" * 30 + b'"},', b"[[", b'"\\u0000'],
        "ndjson": [b"\n", b'"\n', b"{}\n"],
        "csv": [b",", b'"', b'""', b"\n", b"id,label\n", b";\t,"],
    }

    for piece in worst[form]:
        for begin in (b"", b"id,label\n"):
            body = (begin + piece * MOST_BYTES)[:MOST_BYTES]
            # Ends at all within the patience of the test: what is worse than linear would take hours for a MiB.
            with suppress(DecodeError):
                read(body, form)


@given(
    body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    form=st.sampled_from(["json", "ndjson", "csv"]),
)
def test_nothing_but_a_decode_error_is_raised(body: bytes, form: Form) -> None:
    try:
        read(body, form)
    except DecodeError:
        return


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "label", "labels", "at", "row", "within", "entity"]), inner),
    max_leaves=12,
)  # fmt: skip


@given(value=_JSON)
def test_no_value_of_json_raises_anything_but_a_decode_error(value: object) -> None:
    try:
        read(json.dumps(value))
    except DecodeError:
        return
