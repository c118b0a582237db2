"""Numbers that msgspec reads slowly: where it has to compute exactly, one with a long exponent takes 20 us and more."""

import re
from typing import Final

_SLOW: Final = re.compile(rb"[0-9.][eE][+-]?[0-9]{3}")
"""Exponents of one and two digits are fast, save one."""
_HALFWAY: Final = (b"e23", b"E23", b"e+23", b"E+23")
"""The exponent of 1e23, 2e23, 4e23, 8e23: halfway between two floats, they are computed exactly too, in 0.4 us each."""
_MOST_HALFWAY: Final = 1 << 12


def has_slow_numbers(body: bytes) -> bool:
    """Whether *body*, JSON or numbers in CSV, may hold a number that msgspec would take long for: `1e304`.

    A body of such numbers would keep the interpreter for a second. Python's own parser has no such numbers.
    """
    # Looked for in this way, what most bodies do not hold costs next to nothing.
    is_possible = (
        b"e0" in body
        or b"e1" in body
        or b"e2" in body
        or b"e3" in body
        or b"e+" in body
        or b"e-" in body
        or b"E" in body
    )
    return is_possible and (_SLOW.search(body) is not None or sum(map(body.count, _HALFWAY)) > _MOST_HALFWAY)
