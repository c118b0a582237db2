"""Forms of several parts: fields and files, https://www.rfc-editor.org/rfc/rfc7578."""

import re
from collections.abc import Callable
from typing import Final

from dashlight.decode.formats.attachments import sized
from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.rows.budget import BodyBudget
from dashlight.decode.rows.jsonvalue import is_list
from dashlight.decode.rows.reasons import undecodable
from dashlight.errors import DecodeError

MAX_PARTS: Final = 256
MAX_PART_HEADER_BYTES: Final = 4096

_BOUNDARY = re.compile(r"(?i);\s*+boundary=(?:\"([^\"\r\n]{1,200})\"|([^\s;,\"]{1,200}))")
_NAME = re.compile(r"(?i)(?:^|[;\s])name=(?:\"((?:[^\"\\]++|\\.)*+)\"|([^\s;]+))")
_FILE_NAME = re.compile(r"(?i)(?:^|[;\s])filename\*?=")
_DISPOSITION = re.compile(r"(?im)^content-disposition:[ \t]*+(.*+)$")
_TYPE = re.compile(r"(?im)^content-type:[ \t]*+([^;\s]*+)")
_PLAIN = "text/plain"


def read_multipart(
    body: bytes, content_type: str, read_file: Callable[[bytes, str], object], budget: BodyBudget | None = None
) -> dict[str, object]:
    """The fields and files of *body* by name; those that occur more than once as lists.

    Fields are texts, save those that hold an object, a list or a text in JSON. Of files that cannot be read only the
    size is kept.

    Args:
        body: The whole body.
        content_type: The header, with its boundary.
        read_file: What is to be made of the bytes and the media type of a file; may raise DecodeError.
        budget: What may be made of all fields.

    Raises:
        DecodeError: empty_body, invalid_body, truncated or too_large.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise undecodable("invalid_body", "a form without a boundary")
    if not body:
        raise undecodable("empty_body")
    # RFC 2046 5.1.1 wants CR LF; some write LF alone.
    line_end = b"\r\n" if b"\r\n" in body else b"\n"
    mark = line_end + b"--" + (found[1] or found[2]).encode("latin-1", "replace")
    parts = (line_end + body).split(mark, MAX_PARTS + 2)
    if len(parts) > MAX_PARTS + 2:
        raise undecodable("too_large", f"more than {MAX_PARTS} parts")
    if len(parts) < 2:
        raise undecodable("invalid_body", "no part behind a boundary")
    fields: dict[str, object] = {}
    for part in parts[1:]:
        if part.startswith(b"--"):
            return fields
        _add(fields, part, line_end, read_file, budget)
    raise undecodable("truncated", "a form without its end")


def _add(
    fields: dict[str, object],
    part: bytes,
    line_end: bytes,
    read_file: Callable[[bytes, str], object],
    budget: BodyBudget | None,
) -> None:
    head, _, value = part.partition(line_end * 2)
    if len(head) > MAX_PART_HEADER_BYTES:
        raise undecodable("too_large", f"a part with more than {MAX_PART_HEADER_BYTES} bytes of headers")
    headers = head.decode("utf-8", "replace")
    disposition = _DISPOSITION.search(headers)
    named = None if disposition is None else _NAME.search(disposition[1])
    if disposition is None or named is None:
        raise undecodable("invalid_body", "a part without a name")
    typed = _TYPE.search(headers)
    media_type = "" if typed is None else typed[1].lower()
    is_file = _FILE_NAME.search(disposition[1]) is not None or media_type not in {"", _PLAIN}
    cell = _file(value, media_type, read_file) if is_file else _field(value, budget)
    name = named[2] if named[1] is None else named[1].replace('\\"', '"')
    before = fields.get(name)
    if name not in fields:
        fields[name] = cell
    elif is_list(before):
        before.append(cell)
    else:
        fields[name] = [before, cell]


def _file(body: bytes, media_type: str, read_file: Callable[[bytes, str], object]) -> object:
    try:
        return read_file(body, media_type)
    except DecodeError as error:
        if error.reason == "too_complex":
            raise
        return sized(body)


def _field(body: bytes, budget: BodyBudget | None) -> object:
    text = body.decode("utf-8", "replace")
    if not text.lstrip().startswith(("{", "[", '"')):
        return text
    try:
        return parse_json(body, budget)
    except DecodeError:
        return text
