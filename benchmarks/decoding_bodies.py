"""Bodies of one exchange of each format, their values drawn anew for each."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from random import Random

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import ipc, parquet

NUMBERS = tuple(f"amount_{place}" for place in range(30))
TEXTS = ("country", "channel", "device", "plan", "segment")
COLUMNS = NUMBERS + TEXTS
"""The 35 columns of a row, wherever the format has columns."""
EMBEDDING_WIDTH = 384
IMAGE_SIDE = 32
_WORDS = ("the", "parcel", "came", "late", "again", "but", "your", "people", "were", "kind", "and", "quick")


def row(rng: Random) -> dict[str, float | str]:
    """One row of COLUMNS: thirty numbers and five texts."""
    numbers: dict[str, float | str] = {name: round(rng.gauss(50, 20), 3) for name in NUMBERS}
    return numbers | {name: rng.choice(("north", "south", "east", "west")) for name in TEXTS}


def vector(rng: Random, width: int = len(COLUMNS)) -> list[float]:
    """As many numbers as a row has columns."""
    return [round(rng.gauss(0, 1), 4) for _ in range(width)]


def as_json(value: object) -> bytes:
    """*value* as most clients write it."""
    return json.dumps(value).encode()


def text(rng: Random, words: int = 40) -> str:
    """A few sentences."""
    return " ".join(rng.choice(_WORDS) for _ in range(words)).capitalize() + "."


def float32(values: Sequence[float]) -> bytes:
    """*values* as tensors and embeddings travel: little-endian, four bytes each."""
    return struct.pack(f"<{len(values)}f", *values)


def npy(values: Sequence[Sequence[float]]) -> bytes:
    """A matrix as numpy writes it."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values, np.float64), allow_pickle=False)
    return buffer.getvalue()


def msgpack(value: object) -> bytes:
    """*value* in msgpack."""
    return msgspec.msgpack.encode(value)


def arrow(values: Mapping[str, object]) -> bytes:
    """A table of one row as a stream of Arrow."""
    buffer, table = pa.BufferOutputStream(), pa.Table.from_pylist([dict(values)])
    with ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def parquet_file(values: Mapping[str, object]) -> bytes:
    """A table of one row as a Parquet file."""
    buffer = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist([dict(values)]), buffer)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def png(rng: Random) -> bytes:
    """A picture of random colours."""
    head = struct.pack(">IIBBBBB", IMAGE_SIDE, IMAGE_SIDE, 8, 2, 0, 0, 0)
    lines = b"".join(b"\0" + rng.randbytes(3 * IMAGE_SIDE) for _ in range(IMAGE_SIDE))
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def in_base64(body: bytes) -> str:
    """*body* as JSON carries bytes."""
    return base64.b64encode(body).decode()


def form(boundary: str, *, file: bytes, fields: Mapping[str, str]) -> bytes:
    """A form with one picture and some fields."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{said}\r\n'.encode()
        for name, said in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
    parts.append(head.encode() + b"Content-Type: image/png\r\n\r\n" + file + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def event(value: object, *, name: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(value)}\n\n".encode()
