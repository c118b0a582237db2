"""Quantiles of numbers of either sign, in bounded memory and with a bounded relative error, that add up.

Source: DDSketch, Masson et al. (2019), PVLDB 12, 2195-2205; coarsened evenly as in UDDSketch, Epicoco et al. (2020),
IEEE Access 8, 147604-147617.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within

RELATIVE_ERROR = 0.01
"""Of a quantile, while the numbers fill no more than MOST_ERROR_CELLS."""
MOST_ERROR_CELLS = 2048
"""About 18 powers of ten, both signs together."""
MOST_LEVEL = 12
_LOG_RATIO = np.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR))
_SMALLEST = 1e-100
"""What is nearer to 0 counts as 0."""
_OFFSET = 1 << 16
"""Added to the exponent, so that it is positive and the sign of a code is that of the number."""


@dataclass(frozen=True, slots=True, eq=False)
class ErrorCells:
    """Counts of numbers in cells whose ends are the powers of one ratio; sums are the same in whatever order they are made.

    Cells are joined two by two where more than MOST_ERROR_CELLS are filled, which doubles the relative error of all.
    """

    level: int
    """How often cells were joined."""
    codes: NDArray[np.int64]
    """Shape (cells,), ascending: sign of the number times (exponent + offset); 0 for 0."""
    counts: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Numbers in it."""
        return int(self.counts.sum())

    @property
    def relative_error(self) -> float:
        """By which a quantile may be off, as a share of it."""
        ratio = np.exp(_LOG_RATIO * 2.0**self.level)
        return float((ratio - 1) / (ratio + 1))

    @property
    def values(self) -> Floats:
        """Shape (cells,): the number that stands for each cell."""
        width = _LOG_RATIO * 2.0**self.level
        exponents = np.abs(self.codes) - (_OFFSET >> self.level)
        # 2 / (1 + ratio) times the upper end is equally far from both ends, relatively.
        sizes = np.exp(exponents * width) * 2 / (1 + np.exp(width))
        return np.where(self.codes == 0, 0.0, np.sign(self.codes) * sizes)

    def __add__(self, other: "ErrorCells") -> "ErrorCells":
        """Those of both."""
        return joined_errors([self, other])

    def magnitudes(self) -> "ErrorCells":
        """Those of the same numbers without their signs."""
        return _fewer_errors(self.level, np.abs(self.codes), self.counts)

    def quantile(self, share: float) -> float:
        """The number below which so large a *share* lies, within `relative_error`; NaN where there is none."""
        total = self.count
        if not total:
            return float("nan")
        rank = min(max(share, 0.0), 1.0) * (total - 1)
        place = int(np.searchsorted(np.cumsum(self.counts), rank, side="right"))
        return float(self.values[place])

    def checked(self) -> "ErrorCells":
        """Itself, as read from a state; ValueError where no numbers lead to it."""
        level = within("level of error cells", self.level, 0, MOST_LEVEL)
        size = within("error cells", self.codes.size, 0, MOST_ERROR_CELLS)
        like = np.zeros(size, np.int64)
        most = 2.0 * _OFFSET
        codes = fitted("codes of error cells", self.codes, like=like, least=-most, most=most)
        refuse("error cells that do not ascend", where=bool((np.diff(codes) <= 0).any()))
        counts = fitted("counts of error cells", self.counts, like=like, least=1, most=MOST_COUNT)
        return ErrorCells(level, codes, counts)


def no_errors() -> ErrorCells:
    """Of no numbers."""
    return ErrorCells(0, np.zeros(0, np.int64), np.zeros(0, np.int64))


def errors_of(numbers: Floats) -> ErrorCells:
    """Those of *numbers*, which are finite."""
    sizes = np.abs(numbers)
    is_zero = sizes < _SMALLEST
    exponents = np.ceil(np.log(np.where(is_zero, 1.0, sizes)) / _LOG_RATIO).astype(np.int64)
    codes = np.where(is_zero, 0, np.sign(numbers).astype(np.int64) * (exponents + _OFFSET))
    return _fewer_errors(0, codes, np.ones(codes.size, np.int64))


def joined_errors(parts: Sequence[ErrorCells]) -> ErrorCells:
    """The sum of *parts*, at least one."""
    level = max(part.level for part in parts)
    codes = np.concatenate([_coarser(part.codes, level - part.level) for part in parts])
    return _fewer_errors(level, codes, np.concatenate([part.counts for part in parts]))


def _coarser(codes: NDArray[np.int64], times: int) -> NDArray[np.int64]:
    """*codes* after joining neighbours so many *times*: a cell (a, b] with b = ratio^k goes to exponent ceil(k / 2)."""
    sizes = np.abs(codes)
    for _ in range(times):
        sizes = (sizes + 1) >> 1
    return np.sign(codes) * sizes


def _fewer_errors(level: int, codes: NDArray[np.int64], counts: NDArray[np.int64]) -> ErrorCells:
    while True:
        held, place = np.unique(codes, return_inverse=True)
        if held.size <= MOST_ERROR_CELLS or level >= MOST_LEVEL:
            break
        codes, level = _coarser(codes, 1), level + 1
    sums = np.zeros(held.size, np.int64)
    np.add.at(sums, place, counts)
    return ErrorCells(level, held, sums)
