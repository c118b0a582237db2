"""One record of a segment: a batch that waits on disk, framed so that damage is seen."""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from dashlight.errors import StateError

MAGIC: Final = b"DL"
VERSION: Final = 1
MOST_RECORD_BYTES: Final = 64 * 2**20
"""Of a frame, and of what it unpacks to; what claims to be longer is damaged. An outbox holds half of it."""
_HEADER = struct.Struct("<2sBIII")
"""Magic, version, length of the content in bytes, CRC-32, number of entries."""
HEADER_BYTES: Final = _HEADER.size


@dataclass(frozen=True, slots=True)
class SpoolRecord:
    """A batch as it is kept."""

    key: str
    """The idempotency key with which it was tried, or would have been."""
    envelope: bytes
    """What stands around the entries in a request, where the format has that: it names the process that made them."""
    payloads: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where one record stands in its segment."""

    offset: int
    content_bytes: int
    checksum: int
    count: int
    """Entries."""

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + HEADER_BYTES + self.content_bytes


class Seal(Protocol):
    """Encrypts what is kept."""

    @property
    def id(self) -> str:
        """Tells this key from others, and nothing of it."""
        ...

    def close(self, content: bytes, *, label: bytes) -> bytes:
        """*content*, encrypted, bound to *label*."""
        ...

    def open(self, sealed: bytes, *, label: bytes) -> bytes:
        """What was sealed under the same *label*; StateError where it was not, or was changed since."""
        ...


def packed(record: SpoolRecord, *, seal: Seal | None, label: bytes) -> bytes:
    """The frame of *record*, ready to be written; encrypted where there is a *seal*."""
    told = msgspec.msgpack.encode((record.key, record.envelope, record.payloads))
    content = zlib.compress(told, 1)
    if seal is not None:
        content = seal.close(content, label=label)
    count = len(record.payloads)
    return _HEADER.pack(MAGIC, VERSION, len(content), _checksum(content, count), count) + content


def unpacked(content: bytes, *, seal: Seal | None, label: bytes) -> SpoolRecord:
    """What `packed` was given; StateError where *content* is nothing that it makes."""
    if seal is not None:
        content = seal.open(content, label=label)
    try:
        inflater = zlib.decompressobj()
        told = inflater.decompress(content, MOST_RECORD_BYTES)
        key, envelope, payloads = msgspec.msgpack.decode(told, type=tuple[str, bytes, list[bytes]])
    except (zlib.error, msgspec.MsgspecError) as error:
        raise StateError("corrupt", f"a record cannot be read: {error}") from None
    return SpoolRecord(key, envelope, payloads)


def frame_at(descriptor: int, offset: int) -> Frame | None:
    """The frame whose header stands at *offset*, None at the end of the file; StateError where there is none."""
    header = os.pread(descriptor, HEADER_BYTES, offset)
    if not header:
        return None
    if len(header) < HEADER_BYTES:
        raise StateError("corrupt", "the file ends within a header")
    magic, version, content_bytes, checksum, count = _HEADER.unpack(header)
    if magic != MAGIC or version != VERSION or content_bytes > MOST_RECORD_BYTES or not count:
        raise StateError("corrupt", "no record begins there")
    return Frame(offset, content_bytes, checksum, count)


def content_of(descriptor: int, frame: Frame) -> bytes:
    """The content of *frame*; StateError where it is damaged."""
    content = os.pread(descriptor, frame.content_bytes, frame.offset + HEADER_BYTES)
    if len(content) < frame.content_bytes or _checksum(content, frame.count) != frame.checksum:
        raise StateError("corrupt", "the content is damaged")
    return content


def frames(descriptor: int) -> Iterator[Frame]:
    """The frames of a segment by their headers alone, the last perhaps without all of its content.

    StateError where a header is damaged.
    """
    offset, size = 0, os.fstat(descriptor).st_size
    while offset < size and (frame := frame_at(descriptor, offset)) is not None:
        yield frame
        offset = frame.end


def _checksum(content: bytes, count: int) -> int:
    return zlib.crc32(content, count)
