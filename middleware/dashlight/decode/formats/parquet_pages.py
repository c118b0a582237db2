"""How much the pages of a Parquet file expand to, read from their headers before anything is expanded.

https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from dashlight.decode.rows.reasons import undecodable

MAX_PAGES: Final = 1024
MAX_VALUES: Final = 1 << 20
"""Values of all pages: a run of equal ones takes a few bytes, whatever its length."""

_MAX_NESTING = 8
_DICTIONARY_PAGE = 2
# PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, RLE_DICTIONARY, BYTE_STREAM_SPLIT. Those of the family DELTA say themselves
# how many values they hold, and are believed.
_BOUNDED_ENCODINGS = frozenset({0, 2, 3, 4, 8, 9})
_BOOLEANS, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _STRUCT = {1, 2}, 3, {4, 5, 6}, 7, 8, 12


@dataclass(slots=True)
class _Cursor:
    """A place in a body that holds Thrift's compact protocol."""

    body: bytes
    at: int

    def byte(self) -> int:
        if not 0 <= self.at < len(self.body):
            raise undecodable("truncated", "a page beyond the end of the file")
        self.at += 1
        return self.body[self.at - 1]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise undecodable("invalid_body", "no header of a page")

    def integer(self) -> int:
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def fields(self, depth: int = 0) -> dict[int, object]:
        """The integers and structs of a struct by their ids; what else it holds is passed over."""
        found: dict[int, object] = {}
        last = 0
        while (head := self.byte()) != 0:
            last = last + (head >> 4) if head >> 4 else self.integer()
            found[last] = self.value(head & 15, depth)
        return found

    def value(self, kind: int, depth: int) -> object:
        if kind in _BOOLEANS:
            # The type is the value.
            return None
        if kind == _BYTE:
            return self.byte()
        if kind in _INTEGERS:
            return self.integer()
        if kind == _DOUBLE:
            self.at += 8
        elif kind == _BINARY:
            length = self.varint()
            self.at += length
        elif kind == _STRUCT and depth < _MAX_NESTING:
            return self.fields(depth + 1)
        else:
            # Lists and maps stand in no header of a page.
            raise undecodable("invalid_body", "no header of a page")
        return None


def check_pages(body: bytes, chunks: Sequence[tuple[int, int]], *, limit_bytes: int) -> int:
    """The bytes to which the pages of *chunks* expand: at most *limit_bytes*, and they hold at most MAX_VALUES.

    Args:
        body: The file.
        chunks: For each column of each row group where its first page begins, and how many values it has.
        limit_bytes: Of all pages together.

    Raises:
        DecodeError: too_large, truncated, invalid_body, or unknown_layout for encodings that are not bounded.
    """
    expanded = values = pages = 0
    for start, wanted in chunks:
        cursor = _Cursor(body, start)
        held = 0
        while held < wanted:
            header = cursor.fields()
            kind, size, packed = (_count(header, field) for field in (1, 2, 3))
            own = header.get(5, header.get(8))
            if kind != _DICTIONARY_PAGE:
                count, encoding = (_count(own, field) for field in ((1, 2) if 5 in header else (1, 4)))
                if encoding not in _BOUNDED_ENCODINGS:
                    raise undecodable("unknown_layout", f"pages in the encoding {encoding}")
                held += count
            elif _count(header.get(7), 2) not in _BOUNDED_ENCODINGS:
                raise undecodable("unknown_layout", "a dictionary in another encoding")
            expanded += size
            pages += 1
            if expanded > limit_bytes or pages > MAX_PAGES:
                raise undecodable("too_large", f"pages that expand beyond {limit_bytes} bytes")
            cursor.at += packed
        values += held
        if values > MAX_VALUES:
            raise undecodable("too_large", f"more than {MAX_VALUES} values")
    return expanded


def _count(fields: object, field: int) -> int:
    value = cast("dict[int, object]", fields).get(field, 0) if isinstance(fields, dict) else 0
    if type(value) is not int or value < 0:
        raise undecodable("invalid_body", "no header of a page")
    return value
