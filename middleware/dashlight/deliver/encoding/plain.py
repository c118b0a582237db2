"""Values as they may leave the process: plain, bounded and valid in any format."""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, time
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import Any, TypeAlias, cast
from uuid import UUID

Plain: TypeAlias = bool | int | float | str | bytes | list["Plain"] | dict[str, "Plain"] | None

MOST_DEPTH = 16
MOST_ITEMS = 1000
MOST_STRING_BYTES = 8 * 1024
# An event may be 256 KiB long: the rest is for its ids, its body and what the format puts around values.
MOST_VALUE_BYTES = 224 * 1024
TOO_DEEP = "(nested too deep)"

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Beyond these digits CPython refuses to write an integer in decimal.
_MOST_DECIMAL_BITS = 4096
_WRITTEN_OUT = date | time | Decimal | UUID


class Budget:
    """Bytes that one event may still hold, and whether anything had to be left out."""

    __slots__ = ("cut", "left_bytes")

    def __init__(self, left_bytes: int = MOST_VALUE_BYTES) -> None:
        self.left_bytes = left_bytes
        self.cut = False


def plain(value: object, budget: Budget, *, depth: int = 0) -> Plain:
    """*value* in the types that every format knows, cut to the bounds above and to *budget*.

    Lone surrogates become U+FFFD, integers outside 64 bits their digits, NumPy's scalars and arrays Python's own;
    NaN and the infinities stay. Of a container too long the first items are kept.

    Raises:
        TypeError: a type that has no plain form.
    """
    budget.left_bytes -= 8
    kind = type(value)
    if kind is float or kind is bool or value is None:
        return cast("float | bool | None", value)
    if isinstance(value, str):
        return plain_text(value, budget)
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _octets(bytes(cast("bytes", value)), budget)
    if isinstance(value, Mapping):
        return _mapping(cast("Mapping[object, object]", value), budget, depth)
    if isinstance(value, Sequence | AbstractSet):
        return _sequence(cast("Sequence[object]", value), budget, depth)
    if isinstance(value, _WRITTEN_OUT):
        return str(value)
    return _from_numpy(value, budget, depth)


def plain_text(text: str, budget: Budget) -> str:
    """*text* without lone surrogates, at most 8 KiB of UTF-8 and no more than *budget* has left."""
    room = max(min(MOST_STRING_BYTES, budget.left_bytes), 0)
    if type(text) is str and text.isascii() and len(text) <= room:  # the usual case
        budget.left_bytes -= len(text)
        return text
    whole = _LONE_SURROGATE.sub("\ufffd", text[: room + 1])
    encoded = whole.encode()
    if len(encoded) > room:
        budget.cut = True
        encoded = encoded[:room]
        whole = encoded.decode(errors="ignore")
    budget.left_bytes -= len(encoded)
    return whole


def is_usual(values: Mapping[Any, object], budget: Budget) -> bool:
    """Whether *values* are as they may leave in any format: short texts and finite numbers under short names.

    Then *budget* is charged for them, as `plain` does it.
    """
    kinds = set(map(type, values.values()))
    if (
        not kinds <= {float, str, int, bool, type(None)}
        or not {str}.issuperset(map(type, values))
        or len(values) > MOST_ITEMS
    ):
        return False
    texts = "".join([text for text in values.values() if isinstance(text, str)])
    names = "".join(cast("dict[str, object]", values))
    size_bytes = len(texts) + len(names) + 8 + 8 * len(values)
    if size_bytes > min(MOST_STRING_BYTES, budget.left_bytes) or not texts.isascii() or not names.isascii():
        return False
    if int in kinds and not all(_is_short(number) for number in values.values() if type(number) is int):
        return False
    if not isfinite(sum([number for number in values.values() if isinstance(number, float)])):
        return False
    budget.left_bytes -= size_bytes
    return True


def _whole(value: int) -> int | str:
    if _is_short(value):
        return int(value)
    return str(int(value)) if value.bit_length() <= _MOST_DECIMAL_BITS else hex(value)[:MOST_STRING_BYTES]


def _is_short(value: int) -> bool:
    return -(2**63) <= value < 2**63


def _octets(value: bytes, budget: Budget) -> bytes:
    room = max(min(MOST_STRING_BYTES, budget.left_bytes), 0)
    budget.cut = budget.cut or len(value) > room
    budget.left_bytes -= min(len(value), room)
    return value[:room]


def _mapping(value: Mapping[object, object], budget: Budget, depth: int) -> Plain:
    if depth >= MOST_DEPTH:
        return _too_deep(budget)
    kept: dict[str, Plain] = {}
    for key in _first(value, budget):
        kept[plain_text(str(key), budget)] = plain(value[key], budget, depth=depth + 1)
    return kept


def _sequence(value: Iterable[object], budget: Budget, depth: int) -> Plain:
    if depth >= MOST_DEPTH:
        return _too_deep(budget)
    return [plain(each, budget, depth=depth + 1) for each in _first(value, budget)]


def _first(items: Iterable[object], budget: Budget) -> Iterable[object]:
    """The items that the bounds leave room for."""
    for place, each in enumerate(islice(items, MOST_ITEMS + 1)):
        if place == MOST_ITEMS or budget.left_bytes <= 0:
            budget.cut = True
            return
        yield each


def _too_deep(budget: Budget) -> str:
    budget.cut = True
    return TOO_DEEP


def _from_numpy(value: object, budget: Budget, depth: int) -> Plain:
    """A NumPy scalar or array, told by its shape so that NumPy need not be loaded."""
    dimensions = getattr(value, "ndim", None)
    if dimensions is None:
        raise TypeError(f"{type(value).__name__} has no plain form")
    if dimensions:
        return _sequence(cast("Iterable[object]", value), budget, depth)
    item: Any = cast("Any", value).item()
    if isinstance(item, bool | int | float | str | bytes | _WRITTEN_OUT):
        return plain(item, budget, depth=depth)
    # What Python has no type for, numpy.longdouble, gives itself; float() refuses the rest with a TypeError.
    return float(item)
