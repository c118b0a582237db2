"""From a body and its headers to a Content: coding undone, the kind told by type or by bytes."""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from dashlight.decode.formats.arrow_body import read_arrow, read_parquet
from dashlight.decode.formats.attachments import attached, sized
from dashlight.decode.formats.bodies import parse_json, parse_lines, parse_msgpack
from dashlight.decode.formats.compression import EXPANDED_BYTES, expand
from dashlight.decode.formats.csv_body import read_csv
from dashlight.decode.formats.kinds import FORM, MULTIPART, Kind, kind_of
from dashlight.decode.formats.libsvm_body import read_libsvm
from dashlight.decode.formats.multipart import read_multipart
from dashlight.decode.formats.npy_body import read_npy, read_npz
from dashlight.decode.formats.v2_tensors import HEAD_LENGTH, with_tensors
from dashlight.decode.rows.budget import BodyBudget, check_nodes
from dashlight.decode.rows.jsonvalue import is_list
from dashlight.decode.rows.reading import ABSENT, Content
from dashlight.decode.rows.reasons import Reason, undecodable
from dashlight.errors import DecodeError
from dashlight.records import Headers

MAX_QUERY_PARAMETERS: Final = 1000

_QUERY: Final = "query"
UNTYPED: Final = frozenset({FORM, MULTIPART, _QUERY})
"""Media types, ours among them, in which numbers are text."""

_BROKEN_WHERE_CUT = frozenset({"invalid_json", "invalid_body", "invalid_encoding", "truncated"})
_WHOLE_OR_NOTHING = frozenset({"lines", "csv", "libsvm", "form", "multipart", "text"})
"""Kinds of which a part looks like a whole."""
_READ_AS_JSON = frozenset({"json", "lines", "unsaid", "form", "text"})
_JSON_WHERE_SNIFFED = frozenset({"unsaid", "form", "text", ""})
_HEADER = re.compile(r"(?i);\s*header=\"?(present|absent)")
_CHARSET = re.compile(r"(?i);\s*charset=\"?([a-z0-9_-]{1,20})")
_CHARSETS = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252", "utf-16"}
)
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def header(headers: Headers, name: bytes) -> str:
    """The first value of the header *name* (lower case), or empty."""
    for found, value in headers:
        if found == name:
            return value.decode("latin-1")
    return ""


def content_of(body: bytes, headers: Headers, *, is_truncated: bool) -> Content:
    """The content of *body* as JSON would have it: rows of a table are objects or lists, files are Attachments.

    Raises:
        DecodeError: Where it cannot be read; `truncated` where that is because we kept only a part of it.
    """
    content_type = header(headers, b"content-type")
    media_type = _media_type(content_type)
    kind: Kind = ""
    broken: Reason = "invalid_encoding"
    try:
        expanded = expand(body, header(headers, b"content-encoding"))
        broken = "invalid_body"
        budget = BodyBudget(len(body), most_bytes=EXPANDED_BYTES)
        head_length = header(headers, HEAD_LENGTH)
        if head_length:
            return Content(expanded, media_type, headers, with_tensors(expanded, head_length, budget))
        kind, is_sniffed = kind_of(expanded, media_type)
        if kind in {"gzip", "zstd"}:
            # Compressed, and not said to be.
            expanded = expand(expanded, kind)
            kind, _ = kind_of(expanded, media_type)
        size_bytes = _length(headers) if is_truncated else None
        value, kind, is_told = _value(expanded, kind, content_type, budget, size_bytes)
    except DecodeError as error:
        if is_truncated and error.reason in _BROKEN_WHERE_CUT:
            raise _truncated() from None
        if error.reason == "truncated":
            # All of it is here: the sender made half a body.
            raise undecodable("invalid_json" if kind in _READ_AS_JSON else broken, "it ends early") from None
        raise
    if is_truncated and kind in _WHOLE_OR_NOTHING:
        raise _truncated()
    return Content(
        expanded,
        media_type,
        headers,
        value,
        is_sniffed or is_told,
        is_sparse=kind == "libsvm",
        is_separated=kind in {"csv", "libsvm"},
    )


def query_content(query: bytes) -> Content:
    """The content of a query: its parameters as text, those that occur more than once as lists.

    Raises:
        DecodeError: too_large.
    """
    return Content(query, _QUERY, (), _form(query))


def is_json(content: Content) -> bool:
    """Whether *content* came as JSON, said to be so or not."""
    kind, _ = kind_of(content.body, content.media_type)
    return kind == "json" or (content.is_sniffed and kind in _JSON_WHERE_SNIFFED)


def is_json_body(body: bytes, headers: Headers) -> bool:
    """Whether *body* is one JSON document, as far as its first bytes and *headers* tell: lines of JSON are not."""
    kind, _ = kind_of(body, _media_type(header(headers, b"content-type")))
    return kind == "json" or (kind in _JSON_WHERE_SNIFFED and body[:1] in {b"{", b"["})


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _length(headers: Headers) -> int | None:
    digits = header(headers, b"content-length").strip()
    return int(digits) if digits.isdecimal() and len(digits) < 19 else None


def _value(
    body: bytes, kind: Kind, content_type: str, budget: BodyBudget, size_bytes: int | None = None
) -> tuple[object, Kind, bool]:
    """The value of *body*, its kind, and whether a type that says something else is wrong."""
    if kind in {"unsaid", "form", "text"} or (not kind and _is_likely_json(body)):
        return _looked_at(body, kind, content_type, budget)
    return (_read(body, kind, content_type, budget, size_bytes), kind, False)


def _read(body: bytes, kind: Kind, content_type: str, budget: BodyBudget, size_bytes: int | None) -> object:
    if kind == "json":
        return parse_json(body, budget)
    if kind == "file":
        return _file(body, _media_type(content_type), budget, size_bytes)
    if kind == "events":
        # No value: whoever knows the words of the protocol puts the pieces together.
        return ABSENT
    if not body:
        raise undecodable("empty_body")
    if kind == "csv":
        said = _HEADER.search(content_type)
        return read_csv(
            _text(body, content_type),
            has_header=None if said is None else said[1].lower() == "present",
            separator="\t" if "t" in _media_type(content_type).partition("/")[2][:1] else "",
        )
    if kind == "libsvm":
        return read_libsvm(_text(body, content_type))
    if kind == "multipart":
        check_nodes(body)
        return read_multipart(body, content_type, lambda part, said: _part(part, said, budget), budget)
    read = _READERS.get(kind)
    if read is not None:
        return read(body, budget)
    if kind == "pickle":
        raise undecodable("opaque_body", "pickled objects, which are never loaded")
    if kind == "binary":
        raise undecodable("binary_body")
    raise undecodable("unsupported_media_type", _media_type(content_type)[:80])


def _looked_at(body: bytes, kind: Kind, content_type: str, budget: BodyBudget) -> tuple[object, Kind, bool]:
    """The value of a body whose type is one that senders name without looking: most of them are JSON."""
    is_likely_json = _is_likely_json(body)
    if kind == "form" and not is_likely_json:
        return (_form(body), kind, False)
    try:
        return (parse_json(body, budget), "json", True)
    except DecodeError as error:
        if error.reason not in {"invalid_json", "truncated"}:
            raise
        if kind == "text":
            return (_text(body, content_type), kind, False)
        if is_likely_json:
            raise
        raise undecodable("unsupported_media_type", _media_type(content_type) or "no type, and no JSON") from None


def _is_likely_json(body: bytes) -> bool:
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}


def _file(body: bytes, media_type: str, budget: BodyBudget, size_bytes: int | None) -> dict[str, object]:
    if not body:
        raise undecodable("empty_body")
    found = attached(body, media_type, budget, size_bytes=size_bytes)
    return dict([("file", sized(body)) if found is None else found])


def _part(body: bytes, media_type: str, budget: BodyBudget) -> object:
    """What a file within a form is: a table, a value, or the cell of a file."""
    kind, _ = kind_of(body, media_type)
    if kind == "file":
        return next(iter(_file(body, media_type, budget, None).values()))
    if kind in {"multipart", "gzip", "zstd"}:
        return sized(body)
    return _value(body, kind, media_type, budget)[0]


def _text(body: bytes, content_type: str) -> str:
    said = _CHARSET.search(content_type)
    charset = said[1].lower() if said is not None and said[1].lower() in _CHARSETS else "utf-8"
    try:
        return body.decode(charset).removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        raise undecodable("binary_body", f"text that is not {charset}") from None


def _truncated() -> DecodeError:
    return undecodable("truncated", "the body is longer than what is kept")


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


_READERS: Final[Mapping[Kind, Callable[[bytes, BodyBudget], object]]] = {
    "lines": parse_lines,
    "npy": read_npy,
    "npz": read_npz,
    "arrow": read_arrow,
    "parquet": read_parquet,
    "msgpack": parse_msgpack,
}
