"""Whether a state that was kept fits the object that takes it over: each check passes on what fits, or raises ValueError. Pure.

A state comes from a file. What follows from the reference and the settings is made anew; what was seen is taken from the
state, once its shapes, types and ranges are such that no later step can break or go wrong for ever.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item", bound=np.generic)
Number = TypeVar("Number", int, float)

MOST_COUNT = 2**60
"""Of rows or panes in any life: adding another pane to it does not overflow 64 bits."""
LATEST_AT = 2.0**34
"""Moments lie within so many seconds of the epoch: in nanoseconds they fit into 64 bits."""
_LARGEST = float(np.finfo(np.float64).max)


def fitted(
    what: str, array: NDArray[Any], *, like: NDArray[Item], least: float = -_LARGEST, most: float = _LARGEST
) -> NDArray[Item]:
    """*array*, which has the shape and the type of *like* and whose numbers lie from *least* to *most*.

    A NaN never does; an infinity does only where *least* or *most* is one. What is no number is not looked at.
    """
    # What was read is little-endian whatever the machine.
    if array.shape != like.shape or array.dtype.newbyteorder("=") != like.dtype:
        raise ValueError(
            f"{what} of shape {array.shape} and type {array.dtype}: expected {like.shape} and {like.dtype}"
        )
    if array.size and array.dtype.kind in "biuf":
        # As numbers of Python's, which compare exactly. The smallest of those among which there is a NaN is NaN.
        lowest, highest = array.min().item(), array.max().item()
        if not (lowest >= least and highest <= most):
            raise ValueError(f"{what} from {lowest} to {highest}: expected {least} to {most}")
    return array.astype(like.dtype, copy=False)


def within(what: str, number: Number, least: float = 0, most: float = MOST_COUNT) -> Number:
    """*number*, which lies from *least* to *most*; a NaN never does."""
    if not least <= number <= most:
        raise ValueError(f"{what} of {number}: expected {least} to {most}")
    return number


def moment(what: str, at: float) -> float:
    """*at*, which is a moment in seconds since the epoch that can be told to others."""
    return within(what, at, -LATEST_AT, LATEST_AT)


def refuse(wrong: str, *, where: bool | np.bool_) -> None:
    """Raises ValueError, which says what is *wrong*, where it is."""
    if where:
        raise ValueError(wrong)
