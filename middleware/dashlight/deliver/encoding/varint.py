"""Numbers of variable length, as protocol buffers write them."""

from typing import Final

ONE_BYTE: Final = tuple(bytes((number,)) for number in range(128))
"""The numbers that take one byte, by themselves."""
_SMALL = (*ONE_BYTE, *(bytes((number & 127 | 128, number >> 7)) for number in range(128, 2048)))
"""Sizes of nearly all that is written."""
_LOW_64_BITS = 2**64 - 1


def varint(number: int) -> bytes:
    """*number* in groups of seven bits, lowest first; of a negative one its 64 bits of two's complement."""
    if 0 <= number < 2048:
        return _SMALL[number]
    if 0 <= number < 16384:
        return bytes((number & 127 | 128, number >> 7))
    number &= _LOW_64_BITS
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)
