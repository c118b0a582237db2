"""Numbers that were 32 bits wide, as they were written."""

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from dashlight.records import Cell

_DIGITS: Final = 7
"""People and programs rarely write more, and 32 bits hold hardly more."""
_pack = struct.Struct("<f").pack
_FEW = 16
"""Up to here numpy takes longer than Python."""


def as_written(cells: Sequence[Cell]) -> list[Cell]:
    """*cells* with every float the shortest number that is the same 32-bit float.

    5.1, where a server prints 5.099999904632568. What is no float stays as it is.
    """
    floats = [cell for cell in cells if isinstance(cell, float)]
    if len(floats) <= _FEW:
        return [_short(cell) if isinstance(cell, float) else cell for cell in cells]
    short = _all_short(floats)
    if len(floats) == len(cells):
        return list(short)
    in_order = iter(short)
    return [next(in_order) if isinstance(cell, float) else cell for cell in cells]


def _all_short(floats: Sequence[float]) -> list[float]:
    numbers = np.array(floats, dtype=np.float64)
    with np.errstate(all="ignore"):
        places = _DIGITS - 1 - np.floor(np.log10(np.abs(numbers)))
        up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
        short = np.rint(numbers * up / down) * down / up
        is_same = short.astype(np.float32) == numbers.astype(np.float32)
    found: list[float] = np.where(is_same, short, numbers).tolist()
    return found


def _short(number: float) -> float:
    short = float(f"{number:.{_DIGITS}g}")
    try:
        return short if _pack(short) == _pack(number) else number
    except OverflowError:
        # 32 bits never held it.
        return number
