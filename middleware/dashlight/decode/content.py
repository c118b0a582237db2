"""From a body and its headers to a Content: coding undone, the kind told by type or by bytes."""

import re
from typing import Final
from urllib.parse import parse_qsl

from dashlight.decode.bodies import expand, parse_json
from dashlight.decode.jsonvalue import is_list
from dashlight.decode.reading import Content
from dashlight.decode.reasons import undecodable
from dashlight.errors import DecodeError
from dashlight.records import Headers

MAX_QUERY_PARAMETERS: Final = 1000

_FORM: Final = "application/x-www-form-urlencoded"
_QUERY: Final = "query"
UNTYPED: Final = frozenset({_FORM, _QUERY})
"""Media types, ours among them, in which numbers are text."""

_JSON = re.compile(r"(?:application|text)/(?:.*\+)?json")
# Types that senders name without looking: clients of curl send JSON as a form.
_CARELESS = frozenset({"", _FORM, "text/plain", "application/octet-stream"})
# Images, numpy, Parquet, Arrow (stream and file), gzip, zstd, pickle, zip, PDF.
_MAGIC = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"\x93NUMPY", b"PAR1"),
    *(b"\xff\xff\xff\xff", b"ARROW1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x80\x04", b"PK\x03\x04", b"%PDF"),
)
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


def header(headers: Headers, name: bytes) -> str:
    """The first value of the header *name* (lower case), or empty."""
    for found, value in headers:
        if found == name:
            return value.decode("latin-1")
    return ""


def content_of(body: bytes, headers: Headers, *, is_truncated: bool) -> Content:
    """The content of *body*: a JSON value, the fields of a form, or text.

    Raises:
        DecodeError: Where it is neither; `truncated` where it cannot be read because a part is missing.
    """
    media_type = header(headers, b"content-type").partition(";")[0].strip().lower()
    if header(headers, b"inference-header-content-length"):
        raise undecodable("binary_body", "the binary extension of Open Inference")
    try:
        expanded = expand(body, header(headers, b"content-encoding"))
        value, is_sniffed = _value(expanded, media_type)
    except DecodeError as error:
        if is_truncated and error.reason in {"invalid_json", "invalid_encoding", "truncated"}:
            raise undecodable("truncated", "the body is longer than what is kept") from None
        raise
    if is_truncated and (isinstance(value, str) or (media_type == _FORM and not is_sniffed)):
        raise undecodable("truncated", "the body is longer than what is kept")
    return Content(expanded, media_type, headers, value, is_sniffed)


def query_content(query: bytes) -> Content:
    """The content of a query: its parameters as text, those that occur more than once as lists.

    Raises:
        DecodeError: too_large.
    """
    return Content(query, _QUERY, (), _form(query))


def _value(body: bytes, media_type: str) -> tuple[object, bool]:
    """The value of *body*, and whether its bytes told the kind."""
    if not _JSON.fullmatch(media_type) and media_type not in _CARELESS:
        raise undecodable("unsupported_media_type", media_type[:80])
    if body.startswith(_MAGIC) or (b"\0" in body[:256] and not body.startswith(_BYTE_ORDER_MARKS)):
        raise undecodable("binary_body")
    if media_type not in _CARELESS:
        return (parse_json(body), False)
    if media_type == _FORM and body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in {b"{", b"["}:
        return (_form(body), False)
    try:
        return (parse_json(body), True)
    except DecodeError as error:
        if error.reason not in {"invalid_json", "truncated"}:
            raise
        if media_type == "text/plain":
            return (_text(body), False)
        if body.lstrip()[:1] in {b"{", b"["}:
            raise
        raise undecodable("unsupported_media_type", media_type or "no type, and no JSON") from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise undecodable("binary_body", "text that is not UTF-8") from None


def _form(body: bytes) -> dict[str, object]:
    try:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_QUERY_PARAMETERS)
    except ValueError:
        raise undecodable("too_large", f"more than {MAX_QUERY_PARAMETERS} parameters") from None
    fields: dict[str, object] = {}
    for name, text in pairs:
        before = fields.get(name)
        if before is None:
            fields[name] = text
        elif is_list(before):
            before.append(text)
        else:
            fields[name] = [before, text]
    return fields
