"""The last rows of arrays that go together, always side by side."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_FEWEST = 32
"""Rows for which there is room at first: fewer are not worth growing for."""
_SPARE = 4
"""Of so many rows that are kept there is room for one more: full arrays are shifted that often, and hold little else."""


class LastRows:
    """The last *most* rows of several arrays, of which a row is one place of the last axis.

    They lie in arrays that are a little longer: full ones are shifted once in *most* / 4 rows, and where few rows come
    little is allocated.
    """

    def __init__(self, *arrays: NDArray[Any], most: int) -> None:
        """*arrays* give the types, the other axes, and the rows to begin with: at most *most*."""
        self._most = most
        self._arrays = arrays
        self._end = arrays[0].shape[-1]

    def room(self, rows: int) -> tuple[NDArray[Any], ...]:
        """Where the next *rows*, at most *most*, are to be written; what stands there is arbitrary."""
        if self._end + rows > self._arrays[0].shape[-1]:
            self._make_room(rows)
        start = self._end
        self._end += rows
        return tuple(array[..., start : self._end] for array in self._arrays)

    def rows(self) -> tuple[NDArray[Any], ...]:
        """The last *most* rows, oldest first, fewer while there are fewer: views that later rows overwrite."""
        start = max(self._end - self._most, 0)
        return tuple(array[..., start : self._end] for array in self._arrays)

    def copies(self) -> tuple[NDArray[Any], ...]:
        """The same, in arrays that hold nothing else."""
        return tuple(array.copy() for array in self.rows())

    def _make_room(self, rows: int) -> None:
        last_rows = self.rows()
        end = last_rows[0].shape[-1]
        size = max(min(max(2 * (end + rows), _FEWEST), self._most + self._most // _SPARE), end + rows)
        if size > self._arrays[0].shape[-1]:
            self._arrays = tuple(np.empty((*array.shape[:-1], size), array.dtype) for array in self._arrays)
        for array, last in zip(self._arrays, last_rows, strict=True):
            array[..., :end] = last
        self._end = end
