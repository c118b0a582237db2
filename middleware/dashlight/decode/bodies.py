"""From bytes to a JSON value: coding undone, size and depth bounded, every failure a DecodeError."""

import json
import zlib
from collections.abc import Iterable
from typing import Final

import msgspec

from dashlight.decode.jsonvalue import NESTED_TYPES, is_list, is_object
from dashlight.decode.reasons import undecodable
from dashlight.errors import DecodeError

EXPANDED_BYTES: Final = 1 << 19
"""Most that a compressed body may expand to: twice the body that is kept by default."""
MAX_DEPTH: Final = 32
"""Lists and objects inside one another; no model is asked in deeper ones."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP_OR_ZLIB = 47
_RAW_DEFLATE = -15


def expand(body: bytes, encoding: str, *, limit_bytes: int = EXPANDED_BYTES) -> bytes:
    """*body* with its Content-Encoding undone: one layer of gzip or deflate.

    Raises:
        DecodeError: unsupported_encoding, invalid_encoding, truncated or too_large.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name in {"gzip", "x-gzip"}:
        return _inflated(body, _GZIP_OR_ZLIB, limit_bytes)
    if name == "deflate":
        # RFC 9110 8.4.1.2 means the zlib wrapper; some senders leave it away.
        try:
            return _inflated(body, _GZIP_OR_ZLIB, limit_bytes)
        except DecodeError as error:
            if error.reason != "invalid_encoding":
                raise
            return _inflated(body, _RAW_DEFLATE, limit_bytes)
    raise undecodable("unsupported_encoding", name[:40])


def parse_json(body: bytes) -> object:
    """The JSON value of *body*; NaN and Infinity are accepted, lone surrogates replaced, the last of equal keys wins.

    Raises:
        DecodeError: empty_body, truncated, too_deep, number_too_long or invalid_json.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body or body.isspace():
        raise undecodable("empty_body")
    try:
        value: object = msgspec.json.decode(body)
    except RecursionError:
        raise undecodable("too_deep") from None
    except ValueError as error:
        return _parsed_leniently(body, is_cut="truncated" in str(error))
    _check_depth(value, body)
    return value


def _inflated(body: bytes, window_bits: int, limit_bytes: int) -> bytes:
    inflater = zlib.decompressobj(window_bits)
    try:
        expanded = inflater.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise undecodable("invalid_encoding", str(error)) from None
    if len(expanded) > limit_bytes:
        raise undecodable("too_large", f"expands beyond {limit_bytes} bytes")
    if not inflater.eof:
        raise undecodable("truncated", "the compressed body ends early")
    return expanded


def _parsed_leniently(body: bytes, *, is_cut: bool) -> object:
    # What msgspec refuses and the applications that we watch accept, because Python's json does: NaN, Infinity,
    # numbers beyond a float, lone surrogates, UTF-16.
    try:
        value: object = json.loads(body)
    except RecursionError:
        raise undecodable("too_deep") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise undecodable("truncated" if is_cut else "invalid_json", type(error).__name__) from None
    except ValueError:
        # https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
        raise undecodable("number_too_long") from None
    _check_depth(value, body)
    return _without_surrogates(value)


def _check_depth(value: object, body: bytes) -> None:
    # Counting brackets, those in texts too, gives an upper bound that spares most bodies the walk.
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node) if type(child) in NESTED_TYPES]
        if not level:
            return
    raise undecodable("too_deep", f"more than {MAX_DEPTH} levels")


def _children(node: object) -> Iterable[object]:
    if is_object(node):
        return node.values()
    return node if is_list(node) else ()


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if is_list(value):
        return [_without_surrogates(child) for child in value]
    if is_object(value):
        return {str(_without_surrogates(key)): _without_surrogates(child) for key, child in value.items()}
    return value
