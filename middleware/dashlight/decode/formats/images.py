"""Format and size of an image from the first bytes of its file; the pixels are never decoded."""

import struct
from collections.abc import Callable, Mapping
from typing import Final

MAX_SEGMENTS: Final = 1000
"""Segments of a JPEG that are looked at for its size."""

_MAGIC = (
    ("png", b"\x89PNG\r\n\x1a\n"),
    ("jpeg", b"\xff\xd8\xff"),
    ("gif", b"GIF87a"),
    ("gif", b"GIF89a"),
    ("tiff", b"II*\0"),
    ("tiff", b"MM\0*"),
)
_BRANDS = {b"avif": "avif", b"avis": "avif", b"heic": "heic", b"heix": "heic", b"mif1": "heic"}
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Start of a frame, of any kind of coding; the three others are tables."""
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
"""Without a length behind them."""
_SCAN = 0xDA


def image_format(body: bytes) -> str:
    """`png`, `jpeg`, `gif`, `webp`, `tiff`, `avif` or `heic` by the first bytes of *body*; empty for anything else."""
    for name, magic in _MAGIC:
        if body.startswith(magic):
            return name
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "webp"
    return _BRANDS.get(body[8:12], "") if body[4:8] == b"ftyp" else ""


def image_size(body: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels as the header declares them; None where it does not, or is cut off."""
    read = _SIZES.get(image_format(body))
    try:
        return None if read is None else read(body)
    except (struct.error, IndexError):
        return None


def _png(body: bytes) -> tuple[int, int] | None:
    # https://www.w3.org/TR/png-3/#11IHDR
    width, height = struct.unpack_from(">II", body, 16)
    return (width, height) if body[12:16] == b"IHDR" else None


def _gif(body: bytes) -> tuple[int, int] | None:
    # https://www.w3.org/Graphics/GIF/spec-gif89a.txt, 18
    width, height = struct.unpack_from("<HH", body, 6)
    return (width, height)


def _jpeg(body: bytes) -> tuple[int, int] | None:
    # https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.1 and B.2.2
    at = 2
    for _ in range(MAX_SEGMENTS):
        if body[at] != 0xFF:
            return None
        marker = body[at + 1]
        if marker == 0xFF:
            # Any number of these may stand before a marker.
            at += 1
        elif marker in _BARE_MARKERS:
            at += 2
        elif marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", body, at + 5)
            return (width, height)
        elif marker == _SCAN:
            return None
        else:
            (length,) = struct.unpack_from(">H", body, at + 2)
            at += 2 + length
    return None


def _webp(body: bytes) -> tuple[int, int] | None:
    # https://developers.google.com/speed/webp/docs/riff_container and RFC 6386 9.1
    kind = body[12:16]
    if kind == b"VP8X":
        low_width, high_width, low_height, high_height = struct.unpack_from("<HBHB", body, 24)
        return (1 + low_width + (high_width << 16), 1 + low_height + (high_height << 16))
    if kind == b"VP8L" and body[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", body, 21)
        return (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if kind == b"VP8 " and body[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 26)
        return (width & 0x3FFF, height & 0x3FFF)
    return None


_SIZES: Final[Mapping[str, Callable[[bytes], tuple[int, int] | None]]] = {
    "png": _png,
    "gif": _gif,
    "jpeg": _jpeg,
    "webp": _webp,
}
