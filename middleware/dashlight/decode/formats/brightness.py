"""Brightness and contrast of small PNG images, for which undoing the filters of their rows costs little."""

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.decode.rows.budget import BodyBudget

MAX_SAMPLES: Final = 1 << 14
"""Values of all channels: 128 x 128 grey ones, 64 x 64 coloured ones. Larger images are not looked into."""

_FIRST_CHUNK = 8
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""By colour type: grey, colour, and both with transparency; palettes are not looked into."""
_LUMA = np.array([0.299, 0.587, 0.114])
"""Share of red, green and blue in brightness: ITU-R BT.601."""


def brightness_and_contrast(body: bytes, budget: BodyBudget) -> tuple[float, float] | None:
    """Mean and standard deviation of the luma of the PNG *body*, each as a share of white.

    None where that would cost much (beyond MAX_SAMPLES, other than 8 bits, interlaced, a palette), *body* is broken, or
    nothing is left of *budget*.
    """
    try:
        pixels = _pixels(body, budget)
    except (struct.error, zlib.error, ValueError):
        return None
    if pixels is None:
        return None
    luma = pixels[..., :3] @ _LUMA if pixels.shape[-1] >= 3 else pixels[..., 0]
    return (round(float(luma.mean()) / 255, 4), round(float(luma.std()) / 255, 4))


def _pixels(body: bytes, budget: BodyBudget) -> NDArray[np.float64] | None:
    """Shape (height, width, channels)."""
    width, height, depth, colour, _, _, interlace = struct.unpack_from(">IIBBBBB", body, 16)
    channels = _CHANNELS.get(colour, 0)
    if not (0 < width * height * channels <= MAX_SAMPLES) or depth != 8 or interlace:
        return None
    if not budget.take_pixels(width * height * channels):
        return None
    stride = width * channels
    inflater = zlib.decompressobj()
    # One byte before each row names its filter.
    packed = inflater.decompress(_image_data(body), height * (stride + 1))
    rows = np.frombuffer(packed, np.uint8).reshape(height, stride + 1)
    return _unfiltered(rows, channels).reshape(height, width, channels).astype(np.float64)


def _image_data(body: bytes) -> bytes:
    # A chunk takes 12 bytes at least, so this ends; those behind the cut of a body are not there.
    found: list[bytes] = []
    at = _FIRST_CHUNK
    while at + 8 <= len(body):
        length, kind = struct.unpack_from(">I4s", body, at)
        if kind == b"IDAT":
            found.append(body[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(found)


def _unfiltered(rows: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    # https://www.w3.org/TR/png-3/#9Filter-types; sums of bytes wrap around at 256, as the standard wants them.
    stride = rows.shape[1] - 1
    out = np.zeros((len(rows), stride), np.uint8)
    above = np.zeros(stride, np.uint8)
    for at, row in enumerate(rows):
        kind, filtered = int(row[0]), row[1:]
        if kind == 1:
            out[at] = filtered.reshape(-1, channels).cumsum(axis=0, dtype=np.uint8).reshape(-1)
        elif kind == 2:
            out[at] = filtered + above
        elif kind in {3, 4}:
            out[at] = _by_neighbours(filtered.tolist(), above.tolist(), channels, is_paeth=kind == 4)
        elif kind == 0:
            out[at] = filtered
        else:
            raise ValueError("no such filter")
        above = out[at]
    return out


def _by_neighbours(filtered: list[int], above: list[int], channels: int, *, is_paeth: bool) -> list[int]:
    """A row of which each byte hangs on the one before it."""
    out = [0] * channels
    corner = [0] * channels + above
    for value, up, left_up in zip(filtered, above, corner, strict=False):
        left = out[-channels]
        out.append((value + (_paeth(left, up, left_up) if is_paeth else (left + up) // 2)) & 255)
    return out[channels:]


def _paeth(left: int, up: int, left_up: int) -> int:
    to_left, to_up, to_corner = abs(up - left_up), abs(left - left_up), abs(left + up - 2 * left_up)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else left_up
