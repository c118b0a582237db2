"""A state as a file: named parts of plain data, each with the version of its layout, under one checksum."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import msgspec

from dashlight.errors import StateError

Buffer: TypeAlias = bytes | memoryview
FORMAT = 3
"""Number of the layout below. Until 2 a state was a pickle, which is never read again."""
MOST_PARTS = 4096
"""Of one file."""

_MAGIC = b"DLst"
_START = struct.Struct("<4sH")
_HEADER = struct.Struct("<4sHxxII")
"""Magic, format, bytes of the table, checksum of all that follows: the table, the bodies of the parts, and their arrays,
each at a multiple of _ALIGNMENT. The table is in MessagePack: of each part its name, its version, the bytes of its body
and of each of its arrays."""
_ALIGNMENT = 64
_Size: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**40)]
_Entry: TypeAlias = tuple[
    Annotated[str, msgspec.Meta(max_length=256)], Annotated[int, msgspec.Meta(ge=0, le=2**31)], _Size, list[_Size]
]
_TABLE = msgspec.msgpack.Decoder(Annotated[list[_Entry], msgspec.Meta(max_length=MOST_PARTS)])


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part of a state: what its layout made of a value."""

    name: str
    version: int
    """Of its layout, from 1."""
    body: Buffer
    """In MessagePack, all but the large arrays."""
    arrays: Sequence[memoryview] = ()
    """Bytes of the large arrays, which stand apart: whoever writes and sums them lets other threads run."""


def sealed(parts: Sequence[Part]) -> list[Buffer]:
    """The file of *parts* in pieces, some of which are arrays of the values themselves: to be written before they change."""
    table = msgspec.msgpack.encode(
        [(part.name, part.version, len(part.body), [array.nbytes for array in part.arrays]) for part in parts]
    )
    pieces: list[Buffer] = [table, *(part.body for part in parts)]
    end = _HEADER.size + sum(map(len, pieces))
    for part in parts:
        for array in part.arrays:
            pieces += [bytes(-end % _ALIGNMENT), array]
            end += -end % _ALIGNMENT + array.nbytes
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    return [_HEADER.pack(_MAGIC, FORMAT, len(table), checksum), *pieces]


def unsealed(blob: bytes | bytearray | memoryview) -> list[Part]:
    """The parts that *blob* holds; their arrays lie in *blob* itself, where that is a bytearray.

    Raises:
        StateError: of kind `other_version` where the format is another one, else of kind `corrupt`: cut short, half
            written, or changed.
    """
    whole = memoryview(blob if isinstance(blob, bytearray) else bytearray(blob))
    if len(whole) < _START.size or bytes(whole[: len(_MAGIC)]) != _MAGIC:
        raise StateError("corrupt", "this is no state of Dashlight")
    _, number = _START.unpack_from(whole)
    if number != FORMAT:
        sentence = f"a state of format {number}: this Dashlight reads {FORMAT}"
        raise StateError("other_version", sentence, is_newer=number > FORMAT)
    if len(whole) < _HEADER.size:
        raise StateError("corrupt", f"{len(whole)} bytes are no state of Dashlight")
    _, _, table_bytes, checksum = _HEADER.unpack_from(whole)
    if zlib.crc32(whole[_HEADER.size :]) != checksum:
        raise StateError("corrupt", "the state does not match its checksum")
    try:
        table = _TABLE.decode(whole[_HEADER.size : _HEADER.size + table_bytes])
    except (msgspec.DecodeError, ValueError) as error:
        raise StateError("corrupt", f"the state has no table of its parts: {error}") from None
    end = _HEADER.size + table_bytes
    bodies: list[memoryview] = []
    for _, _, size, _ in table:
        bodies.append(whole[end : end + size])
        end += size
    parts: list[Part] = []
    for (name, version, _, sizes), body in zip(table, bodies, strict=True):
        arrays: list[memoryview] = []
        for size in sizes:
            begin = end + -end % _ALIGNMENT
            end = begin + size
            arrays.append(whole[begin:end])
        parts.append(Part(name, version, body, arrays))
    if end != len(whole):
        raise StateError("corrupt", f"{len(whole)} bytes of state, expected {end}")
    return parts
