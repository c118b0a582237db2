"""Random identifiers, drawn once per request."""

import random

# RFC 9562, section 5.7: below 48 bits of milliseconds, everything but version (7) and variant (binary 10) is random.
_RANDOM_BITS = (0xFFF << 64) | (1 << 62) - 1
_FIXED_BITS = (0x7 << 76) | (0b10 << 62)


def prediction_id(at: float) -> int:
    """The 128 bits of a UUIDv7 for the moment *at*."""
    return int(at * 1000) << 80 | random.getrandbits(76) & _RANDOM_BITS | _FIXED_BITS
