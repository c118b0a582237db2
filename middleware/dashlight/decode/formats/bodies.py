"""From bytes to values: JSON, JSON by lines and msgpack, depth bounded, every failure a DecodeError."""

import json
from collections.abc import Iterable
from typing import Final, cast

import msgspec

from dashlight.decode.formats.attachments import cell_of_bytes, with_attachments
from dashlight.decode.formats.msgpack_keys import check_packed_keys
from dashlight.decode.formats.slow_numbers import has_slow_numbers
from dashlight.decode.rows.budget import (
    BYTES_PER_NODE_LENIENTLY,
    MAX_CELLS,
    MAX_LEVELS,
    MAX_ROWS,
    BodyBudget,
    check_keys,
    check_nodes,
)
from dashlight.decode.rows.jsonvalue import NESTED_TYPES, NUMBER_TYPES, is_list, is_object
from dashlight.decode.rows.reasons import undecodable
from dashlight.errors import DecodeError

MAX_DEPTH: Final = MAX_LEVELS
"""Lists and objects inside one another."""
MAX_NESTED: Final = 1 << 14
"""Lists and objects of one body in msgpack, where they may take a byte each."""
MAX_RENAMED: Final = 1 << 15
"""Keys of one body in msgpack that are no texts: rows of numbers under numbers have fewer."""

_BEGINNINGS = bytes([*range(0x80, 0xA0), *range(0xDC, 0xE0)])
"""Of the lists and objects of msgpack: https://github.com/msgpack/msgpack/blob/master/spec.md#formats"""
_MAX_BEGINNINGS = 1 << 16
_SCALAR_TYPES = NUMBER_TYPES | {bool, str}
_KNOWN_TYPES = _SCALAR_TYPES | NESTED_TYPES
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse_json(body: bytes, budget: BodyBudget | None = None) -> object:
    """The JSON value of *body*; NaN and Infinity are accepted, lone surrogates replaced, the last of equal keys wins.

    Images that it holds as base64 or data URLs are Attachments; as many as *budget* lets in are looked into.

    Raises:
        DecodeError: empty_body, truncated, too_complex, too_deep, number_too_long or invalid_json.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body or body.isspace():
        raise undecodable("empty_body")
    check_nodes(body)
    if has_slow_numbers(body):
        return with_attachments(_parsed_leniently(body), body, budget)
    try:
        value: object = msgspec.json.decode(body)
    except RecursionError:
        raise undecodable("too_deep") from None
    except (ValueError, msgspec.MsgspecError) as error:  # up to msgspec 0.20 it is none
        value = _parsed_leniently(body, is_cut="truncated" in str(error))
    else:
        _check_depth(value, body)
    return with_attachments(value, body, budget)


def parse_lines(body: bytes, budget: BodyBudget | None = None) -> list[object]:
    """The JSON values of the lines of *body*, blank ones skipped; those beyond MAX_ROWS are counted only.

    Raises:
        DecodeError: as parse_json does.
    """
    pieces = body.removeprefix(_BYTE_ORDER_MARK).rstrip().split(b"\n", MAX_ROWS)
    beyond = pieces.pop().count(b"\n") + 1 if len(pieces) > MAX_ROWS else 0
    lines = [line for line in pieces if line and not line.isspace()]
    if not lines:
        raise undecodable("empty_body")
    try:
        value = parse_json(b"[" + b",".join(lines) + b"]", budget)
    except DecodeError as error:
        if error.reason == "invalid_json":
            # The brackets are ours: where the end is missing, the last line alone says so.
            parse_json(lines[-1])
        raise
    # A line that holds two values, or half a one, would shift all that follow.
    if not is_list(value) or len(value) != len(lines):
        raise undecodable("invalid_json", "a line that is not one value")
    return counted(value, beyond)


def parse_msgpack(body: bytes, budget: BodyBudget | None = None) -> object:
    """The value of *body* as JSON would have it: keys are texts, bytes are Attachments, moments are texts.

    Raises:
        DecodeError: empty_body, truncated, too_deep, too_large, too_complex or invalid_body.
    """
    if not body:
        raise undecodable("empty_body")
    check_packed_keys(body)
    # Bytes within texts and numbers may look like the beginning of a list too, but not so many of them.
    if len(body) - len(body.translate(None, _BEGINNINGS)) > _MAX_BEGINNINGS:
        raise undecodable("too_large", "more lists and objects than rows have")
    try:
        value: object = msgspec.msgpack.decode(body)
    except RecursionError:
        raise undecodable("too_deep") from None
    except (ValueError, TypeError, msgspec.MsgspecError) as error:  # TypeError: a key that cannot be one, up to 0.20
        raise undecodable("truncated" if "truncated" in str(error) else "invalid_body") from None
    return _as_json(value, budget)


def counted(rows: list[object], beyond: int) -> list[object]:
    """*rows*, longer by *beyond* that were not read: the last one again, for whoever counts them.

    At most MAX_ROWS and MAX_CELLS more: somebody may copy them one by one.
    """
    last = rows[-1] if rows else None
    width = max(1, len(last)) if is_list(last) or is_object(last) else 1
    return rows + rows[-1:] * min(beyond, MAX_ROWS, MAX_CELLS // width)


def without_surrogates(value: object) -> object:
    """*value* with a mark in place of every half of a character, which no text may hold."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if is_list(value):
        return [without_surrogates(child) for child in value]
    if is_object(value):
        return {str(without_surrogates(key)): without_surrogates(child) for key, child in value.items()}
    return value


def _parsed_leniently(body: bytes, *, is_cut: bool = False) -> object:
    # What msgspec refuses and the applications that we watch accept, because Python's json does: NaN, Infinity,
    # numbers beyond a float, lone surrogates, UTF-16.
    check_nodes(body, bytes_per_node=BYTES_PER_NODE_LENIENTLY)
    try:
        value: object = json.loads(body)
    except RecursionError:
        raise undecodable("too_deep") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        is_cut = is_cut or (isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc))
        raise undecodable("truncated" if is_cut else "invalid_json", type(error).__name__) from None
    except ValueError:
        # https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
        raise undecodable("number_too_long") from None
    _check_depth(value, body)
    return without_surrogates(value)


def _check_depth(value: object, body: bytes) -> None:
    # Counting brackets, those in texts too, gives an upper bound that spares most bodies the walk.
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    level = cast("list[dict[str, object] | list[object]]", [value] if type(value) in NESTED_TYPES else [])
    for _ in range(MAX_DEPTH):
        inner = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in NESTED_TYPES
        ]
        if not inner:
            return
        check_keys(level, nested=len(inner))
        level = cast("list[dict[str, object] | list[object]]", inner)
    raise undecodable("too_deep", f"more than {MAX_DEPTH} levels")


def _children(node: object) -> Iterable[object]:
    if is_object(node):
        return node.values()
    return node if is_list(node) else ()


def _as_json(value: object, budget: BodyBudget | None) -> object:
    """*value*, changed in place, without what only msgpack knows."""
    whole = [value]
    level: list[dict[str, object] | list[object]] = [whole]
    nested = renamed = 0
    for _ in range(MAX_DEPTH + 1):
        for node in level:
            if is_object(node) and set(map(type, node)) - {str}:
                renamed += len(node)
                if renamed > MAX_RENAMED:
                    raise undecodable("too_complex", f"more than {MAX_RENAMED} keys that are no texts")
                named = {_name(key): child for key, child in node.items()}
                node.clear()
                node.update(named)
        nested += len(level) + sum(map(_bytes_count, level))
        if nested > MAX_NESTED:
            raise undecodable("too_large", f"more than {MAX_NESTED} lists, objects and pieces of bytes")
        inner = [child for node in level for child in _converted(node, budget)]
        if not inner:
            return whole[0]
        check_keys(level, nested=len(inner))
        level = inner
    raise undecodable("too_deep", f"more than {MAX_DEPTH} levels")


def _bytes_count(node: dict[str, object] | list[object]) -> int:
    return sum(type(child) is bytes for child in _children(node))


def _converted(
    node: dict[str, object] | list[object], budget: BodyBudget | None
) -> Iterable[dict[str, object] | list[object]]:
    """Those children of *node* that hold others; the rest is converted."""
    if isinstance(node, dict):
        pairs = [(key, child) for key, child in node.items() if type(child) not in _SCALAR_TYPES]
        node.update((key, _cell(child, budget)) for key, child in pairs)
        return [child for _, child in pairs if is_object(child) or is_list(child)]
    if _SCALAR_TYPES.issuperset(map(type, node)):
        return ()
    for at, child in enumerate(node):
        node[at] = _cell(child, budget)
    return [child for child in node if is_object(child) or is_list(child)]


def _name(key: object) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _cell(child: object, budget: BodyBudget | None) -> object:
    if type(child) in _KNOWN_TYPES:
        return child
    if isinstance(child, bytes):
        return cell_of_bytes(child, budget)
    # What else there is are moments, and extensions that may be anything.
    return None if isinstance(child, msgspec.msgpack.Ext) else str(child)
