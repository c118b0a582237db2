"""A column of cells as numbers into its distinct values: what is asked of a value is asked once for all its rows."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell


class Coded(Sequence[Cell]):
    """Cells in order, of which few differ."""

    __slots__ = ("codes", "values")

    def __init__(self, codes: NDArray[np.intp], values: Sequence[Cell]) -> None:
        """*codes*, shape (rows,), are places in *values*; a value may stand there twice, or stand for no row."""
        self.codes = codes
        self.values = values

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> Cell: ...
    @overload
    def __getitem__(self, place: slice) -> "Coded": ...
    def __getitem__(self, place: int | slice) -> "Cell | Coded":
        if isinstance(place, slice):
            return Coded(self.codes[place], self.values)
        return self.values[int(self.codes[place])]

    def __iter__(self) -> Iterator[Cell]:
        return map(self.values.__getitem__, self.codes.tolist())
