"""Arrays as texts that JSON can hold: little-endian bytes, packed by zlib, in base64."""

import base64
import binascii
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEVEL = 6


def packed(array: NDArray[Any], kind: str) -> str:
    """*array* as numbers of *kind*, such as `<f8`."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array, kind).tobytes(), _LEVEL)).decode("ascii")


def unpacked(text: str, kind: str, *, most_bytes: int) -> NDArray[Any]:
    """The numbers of *kind* that *text* holds, in one row.

    ValueError, which says what *text* is instead: it is no such text, or of more than *most_bytes* unpacked.
    """
    unpacking = zlib.decompressobj()
    try:
        raw = unpacking.decompress(base64.b64decode(text, validate=True), most_bytes + 1)
    except (binascii.Error, ValueError, zlib.error):
        raise ValueError("an array that cannot be unpacked") from None
    if len(raw) > most_bytes or not unpacking.eof or len(raw) % np.dtype(kind).itemsize:
        raise ValueError("an array of the wrong length")
    return np.frombuffer(raw, kind)
