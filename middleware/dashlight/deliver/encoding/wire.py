"""Reads the protocol buffers' wire format, without a schema."""

from collections.abc import Iterator

_LONGEST_VARINT_BYTES = 10


class WireError(ValueError):
    """Bytes that are no protocol buffers message."""


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) in the order in which they stand.

    A varint, a fixed32 or a fixed64 is an int (the fixed ones as unsigned), anything else bytes.

    Raises:
        WireError: cut short, or not this format at all.
    """
    at = 0
    while at < len(message):
        tag, at = read_varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = read_varint(message, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = read_varint(message, at)
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
        else:
            raise WireError(f"wire type {kind} at byte {at}")
        if size > len(message) - at:
            raise WireError(f"cut short at byte {at}")
        content = message[at : at + size]
        at += size
        yield tag >> 3, content if kind == 2 else int.from_bytes(content, "little")


def read_varint(message: bytes, at: int) -> tuple[int, int]:
    """(number, first byte after it) of the varint that begins at byte *at*.

    Raises:
        WireError: cut short, or longer than 64 bits can be.
    """
    number = 0
    for place, byte in enumerate(message[at : at + _LONGEST_VARINT_BYTES]):
        number |= (byte & 127) << 7 * place
        if byte < 128:
            return number & (2**64 - 1), at + place + 1
    raise WireError(f"no end of the number at byte {at}")
