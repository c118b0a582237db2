"""Content codings undone, each layer with a hard limit on what it expands to."""

import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from dashlight.decode.rows.budget import MAX_RATIO
from dashlight.decode.rows.extras import optional_module
from dashlight.decode.rows.reasons import undecodable
from dashlight.errors import DecodeError

EXPANDED_BYTES: Final = 1 << 19
"""Most that a compressed body may expand to: twice the body that is kept by default."""
MAX_LAYERS: Final = 3
"""Codings on top of one another."""
MAX_MEMBERS: Final = 64
"""Streams one behind the other in one layer, as `cat a.gz b.gz` makes them."""
GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"

_GZIP_OR_ZLIB = 47
_RAW_DEFLATE = -15
_ZSTD_WINDOW_LOG = 23
"""8 MiB, which RFC 9659 makes the most that a zstd coding may ask for: the memory is taken before a byte is seen."""


class Inflater(Protocol):
    """What zlib and Python's zstd have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What stands behind the end."""
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most *max_length* bytes of what *data* expands to."""
        ...


def expand(body: bytes, encoding: str, *, limit_bytes: int = EXPANDED_BYTES) -> bytes:
    """*body* with its Content-Encoding undone: gzip, deflate, br, zstd, or some of them on top of one another.

    Raises:
        DecodeError: unsupported_encoding, invalid_encoding, truncated, too_large, or too_complex beyond MAX_RATIO.
    """
    ratio_bytes = MAX_RATIO * len(body)
    names = [name for part in encoding.lower().split(",") if (name := part.strip()) not in {"", "identity"}]
    if len(names) > MAX_LAYERS:
        raise undecodable("unsupported_encoding", f"{len(names)} codings on top of one another")
    for name in reversed(names):
        undo = _UNDO.get(name)
        if undo is None:
            raise undecodable("unsupported_encoding", name[:40])
        body = undo(body, limit_bytes)
        if len(body) > ratio_bytes:
            raise undecodable("too_complex", f"expands to more than {MAX_RATIO} times its size")
    return body


def drained(
    make: Callable[[], Inflater], body: bytes, *, magic: bytes, limit_bytes: int, error: type[Exception]
) -> bytes:
    """What *body* expands to, stream behind stream as long as the next begins with *magic*.

    Raises:
        DecodeError: invalid_encoding, truncated or too_large.
    """
    pieces: list[bytes] = []
    # One byte more than is allowed tells that there is more; a maximal length of 0 would mean none.
    room = limit_bytes + 1
    for _ in range(MAX_MEMBERS):
        inflater = make()
        try:
            piece = inflater.decompress(body, room)
        except error as problem:
            raise undecodable("invalid_encoding", str(problem)[:80]) from None
        room -= len(piece)
        if room <= 0:
            raise _too_large(limit_bytes)
        if not inflater.eof:
            raise undecodable("truncated", "the compressed body ends early")
        pieces.append(piece)
        body = inflater.unused_data
        if not body.startswith(magic):
            return b"".join(pieces)
    raise undecodable("too_large", f"more than {MAX_MEMBERS} compressed streams")


def _gunzipped(body: bytes, limit_bytes: int) -> bytes:
    return drained(
        lambda: zlib.decompressobj(_GZIP_OR_ZLIB), body, magic=GZIP_MAGIC, limit_bytes=limit_bytes, error=zlib.error
    )


def _inflated(body: bytes, limit_bytes: int) -> bytes:
    # RFC 9110 8.4.1.2 means the zlib wrapper; some senders leave it away.
    try:
        return _gunzipped(body, limit_bytes)
    except DecodeError as error:
        if error.reason != "invalid_encoding":
            raise
    return drained(
        lambda: zlib.decompressobj(_RAW_DEFLATE), body, magic=GZIP_MAGIC, limit_bytes=limit_bytes, error=zlib.error
    )


def _unbrotlied(body: bytes, limit_bytes: int) -> bytes:
    return unbrotlied(optional_module("brotli"), body, limit_bytes)


def unbrotlied(brotli: Any | None, body: bytes, limit_bytes: int) -> bytes:
    """What *body* expands to by the package *brotli*, None where it is missing.

    Raises:
        DecodeError: unsupported_encoding, invalid_encoding, truncated or too_large.
    """
    # Older than 1.2 it cannot be told to stop, and a kilobyte may become gigabytes.
    if brotli is None or not hasattr(brotli.Decompressor, "can_accept_more_data"):
        raise undecodable("unsupported_encoding", "br needs brotli 1.2: pip install 'dashlight[encodings]'")
    decompressor = brotli.Decompressor()
    try:
        expanded: bytes = decompressor.process(body, output_buffer_limit=limit_bytes + 1)
    except brotli.error as problem:
        raise undecodable("invalid_encoding", str(problem)[:80]) from None
    # It stops at the end of a block of its own, up to as much again behind the limit.
    if len(expanded) > limit_bytes:
        raise _too_large(limit_bytes)
    if not decompressor.is_finished():
        raise undecodable("truncated", "the compressed body ends early")
    return expanded


def _unzstd(body: bytes, limit_bytes: int) -> bytes:
    return unzstd(*zstd_modules(), body, limit_bytes)


def zstd_modules() -> tuple[Any | None, Any | None]:
    """What Python has of its own since 3.14, and the package zstandard; None where missing."""
    return optional_module("compression.zstd"), optional_module("zstandard")


def unzstd(own: Any | None, package: Any | None, body: bytes, limit_bytes: int) -> bytes:
    """What *body* expands to by *own*, which Python has since 3.14, or by *package*, zstandard; None where missing.

    Raises:
        DecodeError: unsupported_encoding, invalid_encoding, truncated or too_large.
    """
    if own is not None:
        options = {own.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        return drained(
            lambda: own.ZstdDecompressor(options=options),
            body,
            magic=ZSTD_MAGIC,
            limit_bytes=limit_bytes,
            error=own.ZstdError,
        )
    if package is None:
        raise undecodable("unsupported_encoding", "zstd needs zstandard: pip install 'dashlight[encodings]'")
    try:
        # -1 where the frame does not say it.
        declared: int = package.frame_content_size(body)
        decompressor = package.ZstdDecompressor(max_window_size=1 << _ZSTD_WINDOW_LOG)
        expanded: bytes = decompressor.stream_reader(body, read_across_frames=True).read(limit_bytes + 1)
    except package.ZstdError as problem:
        raise undecodable("invalid_encoding", str(problem)[:80]) from None
    if len(expanded) > limit_bytes:
        raise _too_large(limit_bytes)
    if len(expanded) < declared:
        raise undecodable("truncated", "the compressed body ends early")
    return expanded


def _too_large(limit_bytes: int) -> DecodeError:
    return undecodable("too_large", f"expands beyond {limit_bytes} bytes")


_UNDO: Final[Mapping[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "deflate": _inflated,
    "br": _unbrotlied,
    "zstd": _unzstd,
}
