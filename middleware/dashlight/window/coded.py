"""A column of cells as numbers into its distinct values: what is asked of a value is asked once for all its rows."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", covariant=True)  # noqa: PLC0105  # named for what it is


class Coded(Sequence[Value], Generic[Value]):
    """Cells in order, of which few differ."""

    __slots__ = ("codes", "values")

    def __init__(self, codes: NDArray[np.intp], values: Sequence[Value]) -> None:
        """*codes*, shape (rows,), are places in *values*; a value may stand there twice, or stand for no row."""
        self.codes = codes
        self.values = values

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> Value: ...
    @overload
    def __getitem__(self, place: slice) -> "Coded[Value]": ...
    def __getitem__(self, place: int | slice) -> "Value | Coded[Value]":
        if isinstance(place, slice):
            return Coded(self.codes[place], self.values)
        return self.values[int(self.codes[place])]

    def __iter__(self) -> Iterator[Value]:
        return map(self.values.__getitem__, self.codes.tolist())

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each of *values*."""
        return np.bincount(self.codes, minlength=len(self.values)).astype(np.int64, copy=False)


def merged(codes: NDArray[np.intp], values: Sequence[Value]) -> Coded[Value]:
    """Cells of which no two *values*, which can be hashed, are equal."""
    places: dict[Value, int] = {}
    place_of = np.array([places.setdefault(value, len(places)) for value in values], np.intp)
    return Coded(place_of[codes] if len(places) < len(values) else codes, list(places))
