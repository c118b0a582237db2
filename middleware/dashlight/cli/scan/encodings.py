"""Text files as UTF-8 without compression, which is what DuckDB reads: others are copied so, as a stream."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final, TypeAlias, cast

from dashlight.decode.formats.compression import zstd_modules
from dashlight.errors import MissingExtraError, ReferenceDataError

_PIECE_BYTES: Final = 2**20
_Unpack: TypeAlias = Callable[[IO[bytes]], Iterator[bytes]]

_WINDOWS: Final = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}
"""Where Windows-1252 differs from Latin-1; five bytes stand for nothing in it, and stay what they are."""
_NOTE: Final = "is not UTF-8: read as Windows-1252, of which Latin-1 is a part."
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def readable(path: Path, copy: Path) -> tuple[Path, str]:
    """A file of the text of *path* in UTF-8, *path* itself or *copy*, and a remark, empty where there is none.

    Text that is no UTF-8 and has no byte order mark is taken for Windows-1252, of which Latin-1 is a part.

    Raises:
        ReferenceDataError: it is damaged, or is UTF-8 only up to some place.
        MissingExtraError: it is compressed in a way that needs an extra.
    """
    with _pieces(path) as (is_packed, pieces):
        encoding = _encoding(next(pieces, b""))
    if encoding == "utf-8":
        if _is_utf8(path, copy if is_packed else None):
            return (copy if is_packed else path), ""
        encoding = "windows-1252"
    with copy.open("wb") as out, _pieces(path) as (_, pieces):
        try:
            for text in _decoded(pieces, encoding):
                out.write(text.encode())
        except UnicodeError as error:
            raise ReferenceDataError(f"is not the {encoding} text that its first bytes promise: {error}") from None
    return copy, _NOTE if encoding == "windows-1252" else ""


def _encoding(head: bytes) -> str:
    for mark, name in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return name
    start = head[: _PIECE_BYTES // 256]
    # Of UTF-16 in any Western language every other byte is 0.
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(start) > 1 and start[offset::2].count(0) > len(start) / 5 and not start[1 - offset :: 2].count(0):
            return name
    return "utf-8"


def _is_utf8(path: Path, copy: Path | None) -> bool:
    """Whether all of it is, and *copy* it then, unpacked. One that is up to some character beyond ASCII is damaged."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, is_beyond_ascii = 1, False
    with ExitStack() as stack:
        _, pieces = stack.enter_context(_pieces(path))
        out = None if copy is None else stack.enter_context(copy.open("wb"))
        for piece in pieces:
            if out is not None:
                out.write(piece)
            if piece.isascii() and not decoder.getstate()[0]:
                lines += piece.count(b"\n")
                continue
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                if is_beyond_ascii or not before.isascii():
                    line = lines + before.count(b"\n")
                    byte = error.object[error.start]
                    raise ReferenceDataError(f"is UTF-8 text up to line {line}, where 0x{byte:02x} is none") from None
                return False
            is_beyond_ascii = is_beyond_ascii or not text.isascii()
            lines += text.count("\n")
    if decoder.getstate()[0]:
        if is_beyond_ascii:
            raise ReferenceDataError(f"is UTF-8 text up to line {lines}, where its last character is cut off")
        return False
    return True


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[str]:
    if encoding == "windows-1252":
        for piece in pieces:
            yield piece.decode("latin-1").translate(_WINDOWS)
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


@contextmanager
def _pieces(path: Path) -> Generator[tuple[bool, Iterator[bytes]]]:
    """Whether *path* is packed, and its content piece by piece, unpacked."""
    with path.open("rb") as file:
        unpack = _unpacking(file.read(6))
        file.seek(0)

        def pieces() -> Iterator[bytes]:
            try:
                yield from _read(file) if unpack is None else unpack(file)
            except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, OSError, ValueError) as error:
                raise ReferenceDataError(f"is a damaged compressed file: {error}") from None

        yield unpack is not None, pieces()


def _unpacking(magic: bytes) -> _Unpack | None:
    if magic.startswith(b"\x1f\x8b"):
        return lambda file: _read(cast("IO[bytes]", gzip.GzipFile(fileobj=file)))
    if magic.startswith(b"BZh"):
        return lambda file: _read(cast("IO[bytes]", bz2.BZ2File(file)))
    if magic.startswith(b"\xfd7zXZ\x00"):
        return lambda file: _read(cast("IO[bytes]", lzma.LZMAFile(file)))
    return _unpacked_zst if magic.startswith(b"\x28\xb5\x2f\xfd") else None


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _unpacked_zst(file: IO[bytes]) -> Iterator[bytes]:
    own, package = zstd_modules()
    if own is not None:
        yield from _read(own.ZstdFile(file))
        return
    if package is None:
        raise MissingExtraError("zstandard", "encodings")
    frame = package.ZstdDecompressor().decompressobj()
    try:
        # A small piece, for what it unpacks to comes in one.
        while piece := file.read(_PIECE_BYTES // 16):
            while piece:
                if frame.eof:
                    frame = package.ZstdDecompressor().decompressobj()
                yield frame.decompress(piece)
                piece = frame.unused_data
    except package.ZstdError as error:
        raise ValueError(str(error)) from None
    if not frame.eof:
        raise EOFError("it ends before its end")
