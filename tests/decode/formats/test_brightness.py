import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.decode.formats.brightness import brightness_and_contrast
from dashlight.decode.rows.budget import BodyBudget

RNG = np.random.default_rng(3)
COLOURED = RNG.integers(0, 256, (9, 7, 3), np.uint8)


def budget() -> BodyBudget:
    return BodyBudget(1000, most_bytes=0)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + b"\0\0\0\0"


def png(pixels: NDArray[np.uint8], filters: list[int], colour: int = 2, depth: int = 8, interlace: int = 0) -> bytes:
    """A file written after https://www.w3.org/TR/png-3/#9Filters, filter by filter and byte by byte."""
    height, width, channels = pixels.shape
    packed = bytearray()
    above = [0] * (width * channels)
    for row, kind in zip(pixels.reshape(height, -1).tolist(), filters, strict=True):
        packed.append(kind)
        for at, value in enumerate(row):
            left = row[at - channels] if at >= channels else 0
            corner = above[at - channels] if at >= channels else 0
            nearest = min((left, above[at], corner), key=lambda it: abs(left + above[at] - corner - it))
            guess = (0, left, above[at], (left + above[at]) // 2, nearest)[min(kind, 4)]
            packed.append((value - guess) & 255)
        above = row
    data = zlib.compress(bytes(packed))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    half = len(data) // 2
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", data[:half]) + chunk(b"IDAT", data[half:]) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4])
def test_every_filter_is_undone(kind: int) -> None:
    luma = COLOURED @ np.array([0.299, 0.587, 0.114]) / 255

    found = brightness_and_contrast(png(COLOURED, [kind] * 9), budget())

    assert found == pytest.approx((luma.mean(), luma.std()), abs=1e-4)


def test_grey_is_its_own_brightness() -> None:
    grey = np.array([[[0], [255]], [[255], [0]]], np.uint8)

    assert brightness_and_contrast(png(grey, [0, 2], colour=0), budget()) == (0.5, 0.5)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(png(COLOURED, [0] * 9, interlace=1), id="interlaced"),
        pytest.param(png(COLOURED, [0] * 9, depth=16), id="16 bits"),
        pytest.param(png(COLOURED, [0] * 9, colour=3), id="a palette"),
        pytest.param(png(np.zeros((80, 80, 3), np.uint8), [0] * 80), id="too large"),
        pytest.param(png(COLOURED, [5] * 9), id="an unknown filter"),
        pytest.param(png(COLOURED, [0] * 9)[:60], id="cut"),
        pytest.param(png(COLOURED, [0] * 9)[:20], id="cut in the header"),
        pytest.param(png(COLOURED, [0] * 9).replace(b"IDAT", b"JDAT"), id="without pixels"),
    ],
)
def test_what_would_cost_much_or_is_broken_has_no_brightness(body: bytes) -> None:
    assert brightness_and_contrast(body, budget()) is None
