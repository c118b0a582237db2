import gzip
from collections.abc import Mapping

import pytest

from dashlight.decode.formats.content import MAX_QUERY_PARAMETERS, content_of, header, is_json, query_content
from dashlight.decode.rows.reading import ABSENT
from dashlight.errors import DecodeError
from dashlight.records import Headers

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
CSV = {"content-type": "text/csv"}
NPY = b"\x93NUMPY\x01\x00\x3b\x00" + b"{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }\n\n" + b"\x01\x02"
GIF = b"GIF89a\x05\x00\x04\x00..."
GIF_CELL = {"format": "gif", "bytes": 13, "width": 5, "height": 4}
PARTS = {"content-type": "multipart/form-data; boundary=b"}
FORM_OF_PARTS = (
    b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % part
        for part in (
            (b"a", b"", b"0.7"),
            (b"f", b'; filename="f.gif"', GIF),
            (b"g", b"\r\nContent-Type: text/csv", b"1,2"),
            (b"h", b"\r\nContent-Type: application/gzip", b"\x1f\x8b"),
            (b"k", b"\r\nContent-Type: application/json", b'{"b": 1}'),
        )
    )
    + b"--b--"
)
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
        pytest.param(b'{"a": 1}', {"content-type": "application/vnd.foo"}, {"a": 1}, True, id="JSON of a strange type"),
        pytest.param(gzip.compress(b"[1]"), JSON, [1], True, id="JSON that is compressed and does not say so"),
        pytest.param(b"a,b\n1,x\n", CSV, [{"a": 1, "b": "x"}], False, id="CSV"),
        pytest.param(b"1,2\n", CSV, [[1, 2]], False, id="CSV without a header"),
        pytest.param(
            b"a\nb\n", {"content-type": "text/csv; header=present"}, [{"a": "b"}], False, id="CSV, header said"
        ),
        pytest.param(b"1\n2\n", {"content-type": 'text/csv; header="absent"'}, [[1], [2]], False, id="CSV, none said"),
        pytest.param(b"1\t2,5\n", {"content-type": "text/tab-separated-values"}, [[1, 2.5]], False, id="tabs"),
        pytest.param(b"\xe4,1", {"content-type": "text/csv; charset=ISO-8859-1"}, [["\u00e4", 1]], False, id="Latin 1"),
        pytest.param(
            b"\xef\xbb\xbf1,2", {"content-type": "text/csv; charset=odd"}, [[1, 2]], False, id="a mark in CSV"
        ),
        pytest.param(b'{"a": 1}\n[2]\n', {"content-type": "application/x-ndjson"}, [{"a": 1}, [2]], False, id="lines"),
        pytest.param(b"1 2:3", {"content-type": "text/x-libsvm"}, [{"1": 0, "2": 3}], False, id="libsvm"),
        pytest.param(b"\x81\xa1a\x01", {"content-type": "application/x-msgpack"}, {"a": 1}, False, id="msgpack"),
        pytest.param(
            b"\x81\xa1a\x01", {"content-type": "application/foo+msgpack"}, {"a": 1}, False, id="a suffix of msgpack"
        ),
        pytest.param(NPY, {"content-type": "application/x-npy"}, [1, 2], False, id="an array"),
        pytest.param(NPY, {}, [1, 2], True, id="an array without a type"),
        pytest.param(NPY, JSON, [1, 2], True, id="an array that is said to be JSON"),
        pytest.param(GIF, {"content-type": "image/gif"}, {"image": GIF_CELL}, False, id="an image"),
        pytest.param(GIF, {}, {"image": GIF_CELL}, True, id="an image without a type"),
        pytest.param(
            b"BM..", {"content-type": "image/bmp"}, {"image": {"format": "bmp", "bytes": 4}}, False, id="a bitmap"
        ),
        pytest.param(
            b"xx", {"content-type": "application/pdf"}, {"file": {"bytes": 2}}, False, id="a document that is none"
        ),
        pytest.param(
            FORM_OF_PARTS,
            PARTS,
            {"a": "0.7", "f": GIF_CELL, "g": [[1, 2]], "h": {"bytes": 2}, "k": {"b": 1}},
            False,
            id="a form of parts",
        ),
        pytest.param(b"\0\1", {"inference-header-content-length": "0"}, {"bytes": 2}, False, id="a bare tensor"),
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
        pytest.param(b"1,2\n3,4\n", {}, "unsupported_media_type", id="CSV without a type"),
        pytest.param(b"<html>", {"content-type": "text/html"}, "unsupported_media_type", id="a page"),
        pytest.param(b"", {"content-type": "text/csv"}, "empty_body", id="no CSV"),
        pytest.param(b"", {"content-type": "image/png"}, "empty_body", id="no image"),
        pytest.param(b"--b\r\n", {"content-type": "multipart/form-data"}, "invalid_body", id="multipart unbounded"),
        pytest.param(b"\x93NUMPY\x01\x00", JSON, "invalid_body", id="an array that is said to be JSON"),
        pytest.param(
            b"no array", {"content-type": "application/x-npy"}, "invalid_body", id="text that is said to be an array"
        ),
        pytest.param(b"\x80\x04\x95", {}, "opaque_body", id="a pickle"),
        pytest.param(
            b"x", {"content-type": "application/vnd.bentoml+pickle"}, "opaque_body", id="a pickle by its type"
        ),
        pytest.param(b"PK\x03\x04", {}, "invalid_body", id="an archive"),
        pytest.param(b"\x01\x00\x00\x00", {}, "binary_body", id="bytes"),
        pytest.param(b"\xe4\xf6", TEXT, "binary_body", id="text in an unknown encoding"),
        pytest.param(b"\xe4", {"content-type": "text/csv"}, "binary_body", id="CSV in an unknown encoding"),
        pytest.param(b"{x", {}, "invalid_json", id="no JSON without a type"),
        pytest.param(b"{x", FORM, "invalid_json", id="no JSON as a form"),
        pytest.param(b"{x", JSON, "invalid_json", id="no JSON"),
        pytest.param(b"[" * 50 + b"]" * 50, {}, "too_deep", id="deep JSON without a type"),
        pytest.param(b"", JSON, "empty_body", id="nothing"),
        pytest.param(b"", {}, "empty_body", id="nothing without a type"),
        pytest.param(b"[1]", {**JSON, "content-encoding": "rot13"}, "unsupported_encoding", id="rot13"),
        pytest.param(
            b'{"inputs": []}',
            {"inference-header-content-length": "15"},
            "invalid_body",
            id="binary tensors without JSON",
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
        pytest.param(b"1,2\n3,", CSV, id="CSV"),
        pytest.param(b'{"a": 1}\n', {"content-type": "application/jsonlines"}, id="lines"),
        pytest.param(FORM_OF_PARTS, PARTS, id="a form of parts"),
        pytest.param(NPY[:-1], {"content-type": "application/x-npy"}, id="an array"),
        pytest.param(b"\x92\x01", {"content-type": "application/msgpack"}, id="msgpack"),
    ],
)
def test_a_body_of_which_a_part_is_missing_is_truncated(body: bytes, headers: Mapping[str, str]) -> None:
    with pytest.raises(DecodeError) as error:
        content_of(body, as_bytes(headers), is_truncated=True)

    assert error.value.reason == "truncated"


def test_json_that_is_whole_is_read_although_white_space_behind_it_is_missing() -> None:
    assert content_of(b"[1] ", as_bytes(JSON), is_truncated=True).value == [1]


def test_a_stream_of_events_has_no_value_of_its_own() -> None:
    content = content_of(b"data: {}\n\n", [(b"content-type", b"text/event-stream")], is_truncated=False)

    assert content.value is ABSENT


def test_of_an_image_of_which_a_part_is_missing_the_whole_size_is_told() -> None:
    headers = [(b"content-type", b"image/gif"), (b"content-length", b"123456")]

    assert content_of(GIF, headers, is_truncated=True).value == {"image": {**GIF_CELL, "bytes": 123456}}
    assert content_of(GIF, headers[:1], is_truncated=True).value == {"image": GIF_CELL}


@pytest.mark.parametrize(
    ("body", "headers", "is_it"),
    [
        (b"[1]", JSON, True),
        (b"[1]", {}, True),
        (b"[1]", TEXT, True),
        (b"fine", TEXT, False),
        (b"1,2", CSV, False),
        (GIF, {}, False),
    ],
    ids=["JSON", "without a type", "as text", "text", "CSV", "an image"],
)
def test_json_is_known_from_what_is_not(body: bytes, headers: Mapping[str, str], *, is_it: bool) -> None:
    assert is_json(content_of(body, as_bytes(headers), is_truncated=False)) is is_it


def test_another_reason_than_the_missing_part_stays_the_reason() -> None:
    with pytest.raises(DecodeError) as error:
        content_of(b"<a>", [(b"content-type", b"text/html")], is_truncated=True)

    assert error.value.reason == "unsupported_media_type"


def test_the_parameters_of_a_query_are_text() -> None:
    content = query_content(b"sl=5.1&kind=a&kind=b&empty=")

    assert content.value == {"sl": "5.1", "kind": ["a", "b"], "empty": ""}
    assert content.media_type == "query"


def test_a_query_of_too_many_parameters_is_refused() -> None:
    with pytest.raises(DecodeError) as error:
        query_content(b"&".join(b"a%d=1" % at for at in range(MAX_QUERY_PARAMETERS + 1)))

    assert error.value.reason == "too_large"
