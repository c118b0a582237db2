"""Attributes as nearly all are, written in one go: short names with short texts, numbers, or an object of these.

What stands before a value is the same in every event: it is made once.
"""

from collections.abc import Mapping
from struct import Struct
from typing import Final, cast

from dashlight.deliver.encoding.plain import Budget
from dashlight.deliver.encoding.varint import ONE_BYTE, varint

MOST_KEPT: Final = 8192
"""Beginnings that are remembered; of more all are forgotten: clients may choose names."""
_TEXT, _NAME, _NAMES_BYTES, _ROOMY_BYTES = 100, 200, 2**12, 2**15
"""What is usual: the bytes of a text, of a name and of all names; and what must be left of a budget, more than these take."""
_MOST_VALUES = 256
_DOUBLE = Struct("<d").pack
_IS_NULL, _IS_BOOL, _IS_DOUBLE, _IS_INT = -1, -2, -3, -4
_SINGLES = {_IS_NULL: (0, b""), _IS_BOOL: (2, b"\x10"), _IS_DOUBLE: (9, b"\x21")}


class _Beginnings(dict[tuple[str, int], bytes]):
    """What stands before a value in a KeyValue of one field, by the name and, of a text, its length.

    Instead of a length one of _SINGLES, or for a whole number _IS_INT less the bytes that it takes.
    """

    def __init__(self, field: int) -> None:
        super().__init__()
        self.tag = varint(field << 3 | 2)

    def __missing__(self, asked: tuple[str, int]) -> bytes:
        name, kind = asked
        if kind >= 0:
            size, before = kind + 2, b"\x0a" + ONE_BYTE[kind]
        elif kind <= _IS_INT:
            size, before = _IS_INT - kind + 1, b"\x18"
        else:
            size, before = _SINGLES[kind]
        key = _key(name)
        made = b"".join((self.tag, varint(len(key) + 2 + size), key, b"\x12", ONE_BYTE[size], before))
        if len(self) >= MOST_KEPT:
            self.clear()
        self[asked] = made
        return made


_BY_FIELD: dict[int, _Beginnings] = {}


def usual_attributes(field: int, values: Mapping[str, object], budget: Budget) -> bytes | None:
    """A field of type KeyValue for each of *values*, for which *budget* is charged as `plain` does it.

    None, and nothing charged, where one of them is none of the usual or the budget may run out.
    """
    written = _written(field, values, budget.left_bytes, is_inner=False)
    if written is None:
        return None
    budget.left_bytes -= written[1]
    return written[0]


def _written(field: int, values: Mapping[str, object], left_bytes: int, *, is_inner: bool) -> tuple[bytes, int] | None:
    """The fields, and what they cost of *left_bytes*; None as above."""
    if not _has_usual_names(values):
        return None
    beginnings = _BY_FIELD.get(field)
    if beginnings is None:
        beginnings = _BY_FIELD[field] = _Beginnings(field)
    pieces: list[bytes] = []
    taken_bytes = sum(map(len, values)) + 8 * len(values)
    for name, value in values.items():
        kind = type(value)
        if kind is float:
            pieces += (beginnings[name, _IS_DOUBLE], _DOUBLE(value))
        elif kind is str:
            text = cast("str", value)
            if len(text) > _TEXT or not text.isascii():
                return None
            pieces += (beginnings[name, len(text)], text.encode())
            taken_bytes += len(text)
        elif kind is int:
            number = cast("int", value)
            if not -(2**63) <= number < 2**63:
                return None
            written = varint(number)
            pieces += (beginnings[name, _IS_INT - len(written)], written)
        elif kind is bool:
            pieces += (beginnings[name, _IS_BOOL], ONE_BYTE[cast("bool", value)])
        elif value is None:
            pieces.append(beginnings[name, _IS_NULL])
        else:
            inner = None if is_inner and kind is dict else _composite(value, left_bytes - taken_bytes)
            if inner is None:
                return None
            content, inner_bytes = inner
            key = _key(name) + b"\x12" + varint(len(content))
            pieces += (beginnings.tag, varint(len(key) + len(content)), key, content)
            taken_bytes += inner_bytes
        if taken_bytes + _ROOMY_BYTES > left_bytes:
            return None
    return (b"".join(pieces), taken_bytes)


def _composite(value: object, left_bytes: int) -> tuple[bytes, int] | None:
    """The AnyValue of an object, or of a list of fractions, and what is in it costs."""
    if type(value) is dict:
        found = _written(1, cast("dict[str, object]", value), left_bytes, is_inner=True)
        return None if found is None else (b"\x32" + varint(len(found[0])) + found[0], found[1])
    if type(value) is list and value and set(map(type, cast("list[object]", value))) == {float}:
        numbers = cast("list[float]", value)
        if len(numbers) <= _MOST_VALUES:
            written = b"".join([b"\x0a\x09\x21" + _DOUBLE(number) for number in numbers])
            return (b"\x2a" + varint(len(written)) + written, 8 * len(numbers))
    return None


def _has_usual_names(values: Mapping[str, object]) -> bool:
    if len(values) > _MOST_VALUES or not {str}.issuperset(map(type, values)):
        return False
    whole = "".join(values)
    return len(whole) <= _NAMES_BYTES and whole.isascii() and max(map(len, values), default=0) <= _NAME


def _key(name: str) -> bytes:
    return b"\x0a" + varint(len(name)) + name.encode()
