"""Attributes as nearly all are, written in one go: short names with short texts, numbers, or an object of these.

What stands before a value is the same in every event: it is made once, and of fractions that follow each other the whole
row is written at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, repeat
from struct import Struct
from typing import Final, cast

from dashlight.deliver.encoding.plain import Budget
from dashlight.deliver.encoding.varint import ONE_BYTE, varint

MOST_LAYOUTS: Final = 128
"""Sets of names that are remembered; of more all are forgotten: clients may choose names."""
MOST_BEGINNINGS: Final = 8192
"""Likewise of what stands before values, and of whole fields."""
_RECURRING_TEXT, _RECURRING_NUMBER = 32, 1000
"""Below such sizes texts and whole numbers come again and again, such as categories: their fields are remembered."""
_SHORTEST_RUN = 3
_FRACTIONS: Final = {float}
_TEXT, _NAME, _NAMES_BYTES, _ROOMY_BYTES = 100, 200, 2**12, 2**15
"""What is usual: the bytes of a text, of a name and of all names; and what must be left of a budget, more than these take."""
_MOST_VALUES = 256
_DOUBLE = Struct("<d").pack
_IS_NULL, _IS_BOOL, _IS_DOUBLE, _IS_INT = -1, -2, -3, -4
_SINGLES = {_IS_NULL: (0, b""), _IS_BOOL: (2, b"\x10"), _IS_DOUBLE: (9, b"\x21")}


@dataclass(frozen=True, slots=True)
class _Part:
    """Fields that follow each other, from *begin* to *end*."""

    begin: int
    end: int
    names: tuple[str, ...]
    struct: Struct | None = None
    """Writes a run, where all were fractions; None where they were not."""
    pieces: Sequence[object] = ()
    """Of a run: what stands before each, and room for it."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How values of one set of names are written."""

    parts: tuple[_Part, ...]
    cost_bytes: int
    """Of names and values, the content of texts apart."""


class _Beginnings(dict[tuple[str, int], bytes]):
    """What stands before a value in a KeyValue of one field, by the name and, of a text, its length.

    Instead of a length one of _SINGLES, or for a whole number _IS_INT less the bytes that it takes.
    """

    def __init__(self, field: int) -> None:
        super().__init__()
        self.tag = varint(field << 3 | 2)
        self.layouts: dict[tuple[str, ...], _Layout] = {}
        self.written: dict[tuple[str, str | int], bytes] = {}
        """Whole fields, by name and value."""

    def text(self, name: str, text: str) -> bytes | None:
        """The field of a *text*; None where it is unusual."""
        size = len(text)
        if size > _TEXT or not text.isascii():
            return None
        made = self[name, size] + text.encode()
        return self._remembered(name, text, made) if size < _RECURRING_TEXT else made

    def whole(self, name: str, number: int) -> bytes | None:
        """The field of a whole *number*; None where it is unusual."""
        if not -(2**63) <= number < 2**63:
            return None
        written = varint(number)
        made = self[name, _IS_INT - len(written)] + written
        return self._remembered(name, number, made) if 0 <= number < _RECURRING_NUMBER else made

    def _remembered(self, name: str, value: str | int, made: bytes) -> bytes:
        if len(self.written) >= MOST_BEGINNINGS:
            self.written.clear()
        self.written[name, value] = made
        return made

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
        if len(self) >= MOST_BEGINNINGS:
            self.clear()
        self[asked] = made
        return made

    def layout(self, names: tuple[str, ...], kinds: Sequence[type]) -> _Layout | None:
        """A new one for *names*, with a run wherever *kinds* are those of fractions; None where the names are unusual."""
        whole = "".join(names)
        if len(whole) > _NAMES_BYTES or not whole.isascii() or max(map(len, names), default=0) > _NAME:
            return None
        parts: list[_Part] = []
        begin = 0
        for is_run, found in groupby(_in_runs(kinds)):
            end = begin + len(list(found))
            parts.append((self._run if is_run else _Part)(begin, end, names[begin:end]))
            begin = end
        if len(self.layouts) >= MOST_LAYOUTS:
            self.layouts.clear()
        made = self.layouts[names] = _Layout(tuple(parts), len(whole) + 8 * len(names))
        return made

    def _run(self, begin: int, end: int, names: tuple[str, ...]) -> _Part:
        heads = [self[name, _IS_DOUBLE] for name in names]
        struct = Struct("<" + "".join(f"{len(head)}sd" for head in heads))
        return _Part(begin, end, names, struct, [piece for head in heads for piece in (head, 0.0)])


def _in_runs(kinds: Sequence[type]) -> Iterator[bool]:
    """For each of *kinds* whether it stands among as many of fractions as make a run."""
    for kind, found in groupby(kinds):
        count = len(list(found))
        yield from repeat(kind is float and count >= _SHORTEST_RUN, count)


_BY_FIELD: dict[int, _Beginnings] = {}


def usual_attributes(field: int, values: Mapping[str, object], budget: Budget) -> bytes | None:
    """A field of type KeyValue for each of *values*, for which *budget* is charged as `plain` does it.

    None, and nothing charged, where one of them is none of the usual or the budget may run out.
    """
    written = _fields(field, values, budget.left_bytes, is_inner=False)
    if written is None:
        return None
    budget.left_bytes -= written[1]
    return written[0]


def _fields(field: int, values: Mapping[str, object], left_bytes: int, *, is_inner: bool) -> tuple[bytes, int] | None:
    """The fields, and what they cost of *left_bytes*; None as above."""
    beginnings = _BY_FIELD.get(field)
    if beginnings is None:
        beginnings = _BY_FIELD[field] = _Beginnings(field)
    names, listed = tuple(values), list(values.values())
    layout = beginnings.layouts.get(names)
    if layout is None:
        if len(names) > _MOST_VALUES or not {str}.issuperset(map(type, names)):
            return None
        layout = beginnings.layout(names, tuple(map(type, listed)))
    if layout is None or layout.cost_bytes + _ROOMY_BYTES > left_bytes:
        return None
    pieces: list[bytes] = []
    cost_bytes = layout.cost_bytes
    for part in layout.parts:
        found = listed[part.begin : part.end]
        # Whole numbers may stand among them this time.
        if part.struct is not None and set(map(type, found)) == _FRACTIONS:
            packed = list(part.pieces)
            packed[1::2] = found
            pieces.append(part.struct.pack(*packed))
            continue
        more_bytes = _add(pieces, beginnings, part.names, found, left_bytes=left_bytes - cost_bytes, is_inner=is_inner)
        if more_bytes is None:
            return None
        cost_bytes += more_bytes
    return (b"".join(pieces), cost_bytes)


def _add(
    pieces: list[bytes],
    beginnings: _Beginnings,
    names: Sequence[str],
    values: Sequence[object],
    *,
    left_bytes: int,
    is_inner: bool,
) -> int | None:
    """Adds fields to *pieces*; what the content of texts, lists and objects costs. None as above."""
    cost_bytes = 0
    known = beginnings.written.get
    for name, value in zip(names, values, strict=True):
        # A cast for each value would cost more than what is done with it.
        if type(value) is str:
            piece = known((name, value)) or beginnings.text(name, value)
            if piece is None:
                return None
            pieces.append(piece)
            cost_bytes += len(value)
        elif type(value) is float:
            pieces += (beginnings[name, _IS_DOUBLE], _DOUBLE(value))
        elif type(value) is int:
            piece = known((name, value)) or beginnings.whole(name, value)
            if piece is None:
                return None
            pieces.append(piece)
        elif type(value) is bool:
            pieces += (beginnings[name, _IS_BOOL], ONE_BYTE[value])
        elif value is None:
            pieces.append(beginnings[name, _IS_NULL])
        else:
            inner = None if is_inner and type(value) is dict else _composite(value, left_bytes - cost_bytes)
            if inner is None:
                return None
            tag, content, inner_bytes = inner
            key, size = _key(name), varint(len(content))
            whole = varint(1 + len(size) + len(content))
            before = varint(len(key) + 2 + len(whole) + len(size) + len(content))
            pieces += (beginnings.tag, before, key, b"\x12", whole, tag, size, content)
            cost_bytes += inner_bytes
    return cost_bytes if cost_bytes + _ROOMY_BYTES <= left_bytes else None


def _composite(value: object, left_bytes: int) -> tuple[bytes, bytes, int] | None:
    """Of the AnyValue of an object, or of a list of fractions, the tag and the content, and what that costs."""
    if type(value) is dict:
        found = _fields(1, cast("dict[str, object]", value), left_bytes, is_inner=True)
        return None if found is None else (b"\x32", *found)
    if type(value) is list and value and set(map(type, cast("list[object]", value))) == _FRACTIONS:
        numbers = cast("list[float]", value)
        if len(numbers) <= _MOST_VALUES and 8 * len(numbers) + _ROOMY_BYTES <= left_bytes:
            written = b"".join([b"\x0a\x09\x21" + _DOUBLE(number) for number in numbers])
            return (b"\x2a", written, 8 * len(numbers))
    return None


@lru_cache(maxsize=64)
def _key(name: str) -> bytes:
    return b"\x0a" + varint(len(name)) + name.encode()
