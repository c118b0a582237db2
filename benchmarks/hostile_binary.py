"""Bytes of the binary formats, made to be expensive."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc, parquet

MERSENNE: Final = (1 << 61) - 1
"""Python's hash of an integer is its rest by this number: multiples of it all have the same."""


def npy(header: str, data: bytes) -> bytes:
    """An array with any header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def png(side: int) -> bytes:
    """A picture whose rows are predicted from their neighbours, in a few bytes."""
    rows = (b"\4" + bytes(side)) * side
    packed = zlib.compress(rows, 9)
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0) + b"\0\0\0\0"
    return head + struct.pack(">I", len(packed)) + b"IDAT" + packed + b"\0\0\0\0"


def npz(cells: int) -> bytes:
    """An archive of noughts."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.zeros((max(1, cells // 16), 16), np.int8))
    return buffer.getvalue()


def keys_with_one_hash(size_bytes: int) -> bytes:
    """An object in msgpack whose keys are lists; the hashes of their tuples are all the same."""
    count = size_bytes // 14
    first = np.arange(1, 8 * count, dtype=np.uint64)
    # The arithmetic of tuplehash in https://github.com/python/cpython/blob/main/Objects/tupleobject.c, backwards.
    one, two, five = (np.uint64(prime) for prime in (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x27D4EB2F165667C5))
    back = tuple(np.uint64(pow(int(prime), -1, 1 << 64)) for prime in (one, two))
    state = _rotated(five + first * two, 31) * one
    wanted = np.uint64(12345 - (2 ^ (int(five) ^ 3527539)) & (1 << 64) - 1)
    second = ((_rotated(np.array([wanted]) * back[0], 33) - state) * back[1]).view(np.int64)
    pairs = [pair for pair in zip(first.tolist(), second.tolist(), strict=True) if 1 < abs(pair[1]) < MERSENNE][:count]
    items = b"".join(msgspec.msgpack.encode(pair) + b"\1" for pair in pairs)
    return b"\xde" + struct.pack(">H", min(65_535, len(pairs))) + items


def _rotated(numbers: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    return numbers << np.uint64(bits) | numbers >> np.uint64(64 - bits)


def arrow_bytes(cells: int) -> bytes:
    """A stream of Arrow of 32 columns, a byte a cell."""
    table = pa.table({f"c{at}": np.zeros(max(1, cells // 32), np.int8) for at in range(32)})
    buffer = pa.BufferOutputStream()
    with ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def parquet_noughts(cells: int) -> bytes:
    """A Parquet file of 32 columns, hardly a byte for any number of cells."""
    table = pa.table({f"c{at}": np.zeros(max(1, cells // 32), np.int64) for at in range(32)})
    buffer = pa.BufferOutputStream()
    parquet.write_table(table, buffer)
    written: bytes = buffer.getvalue().to_pybytes()
    return written
