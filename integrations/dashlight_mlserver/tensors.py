"""The tensors of a V2 message as rows, read by whoever asks for them: the analysis, not the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from math import prod
from typing import Any, Final, Protocol, overload

import numpy as np
from numpy.typing import NDArray

_TYPES: Final = {
    "BOOL": "?",
    **{f"{sign}INT{bits}": f"<{sign.lower() or 'i'}{bits // 8}" for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_LENGTH_BYTES: Final = 4
"""Before each element of a raw tensor of BYTES, least significant byte first."""
_ELEMENT_BYTES: Final = 8
_MOST_DIMENSIONS: Final = 16
"""A shape of thousands of large ones is multiplied for seconds."""


class Tensor(Protocol):
    """What `InferInputTensor` and `InferOutputTensor` of the V2 protocol have in common."""

    name: str
    datatype: str
    shape: Any
    contents: Any


class Rows(Sequence[dict[str, object]]):
    """Rows that nobody reads before somebody asks for one: the analysis, on its own thread."""

    def __init__(self, read: Callable[[], list[dict[str, object]]], nbytes: int) -> None:
        """*read* gives them; what it reads them from takes about *nbytes* bytes."""
        self._read = read
        self._found: list[dict[str, object]] | None = None
        self.nbytes = nbytes

    @property
    def _rows(self) -> list[dict[str, object]]:
        if self._found is None:
            self._found = self._read()
        return self._found

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> dict[str, object]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[dict[str, object]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, object] | Sequence[dict[str, object]]:
        return self._rows[place]

    def __iter__(self) -> Iterator[dict[str, object]]:
        return iter(self._rows)


def rows_of(messages: Sequence[tuple[Sequence[Tensor], Sequence[bytes]]], asked: Rows | None = None) -> Rows:
    """Rows of the tensors of *messages*: one for each step of the first dimension, message after message.

    The first tensor of a message tells its number of rows; one row of another stands for all, and missing ones are
    None, as are elements that are neither numbers nor text.

    Args:
        messages: For each the tensors, and their contents where they travel as bytes, in the same order; empty where
            each tensor has its own.
        asked: For responses, the rows of the requests: of one row the answer may be a vector without a dimension for it.
    """

    def read() -> list[dict[str, object]]:
        is_one_asked = asked is not None and len(asked) == 1
        return [row for tensors, raw in messages for row in _rows(tensors, raw, is_one_asked=is_one_asked)]

    nbytes = sum(sum(map(len, raw)) if raw else _ELEMENT_BYTES * _count(tensors) for tensors, raw in messages)
    return Rows(read, nbytes)


def _count(tensors: Sequence[Tensor]) -> int:
    return sum(len(values) for tensor in tensors for _, values in tensor.contents.ListFields())


def _rows(tensors: Sequence[Tensor], raw: Sequence[bytes], *, is_one_asked: bool) -> list[dict[str, object]]:
    columns = {
        tensor.name: _cells(_elements(tensor, own), list(tensor.shape), is_one_asked=is_one_asked)
        for tensor, own in zip(tensors, raw or repeat(None), strict=False)
    }
    count = len(next(iter(columns.values()), ()))
    fitted = [_fitted(cells, count) for cells in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*fitted, strict=True)]


def _elements(tensor: Tensor, raw: bytes | None) -> list[object]:
    """All elements of a tensor, in order."""
    numbers = _TYPES.get(tensor.datatype)
    if raw is not None:
        elements: Any = (
            _texts(raw) if numbers is None else np.frombuffer(raw, numbers, len(raw) // np.dtype(numbers).itemsize)
        )
    else:
        elements = [element for _, values in tensor.contents.ListFields() for element in values]
    if tensor.datatype == "FP32":
        return _as_written(np.asarray(elements, np.float32))
    listed: list[object] = elements.tolist() if isinstance(elements, np.ndarray) else elements
    return [_text(element) if isinstance(element, bytes) else element for element in listed]


def _texts(raw: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while at + _LENGTH_BYTES <= len(raw):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(raw[at:start], "little")
        found.append(raw[start:at])
    return found


def _text(element: bytes) -> str | None:
    try:
        return element.decode()
    except UnicodeDecodeError:
        return None


def _as_written(numbers: NDArray[np.float32]) -> list[object]:
    """0.1 where the nearest float of 32 bits is, which as one of 64 bits is 0.10000000149: as in a body of JSON."""
    written: list[object] = numbers.astype(str).astype(np.float64).tolist()
    return written


def _cells(elements: list[object], shape: Sequence[int], *, is_one_asked: bool) -> Sequence[object]:
    """One cell a row: an element, or a list of them."""
    if len(shape) > _MOST_DIMENSIONS:
        return elements
    width = prod(shape[1:])
    if len(elements) != prod(shape) or width < 1:
        # What is there counts, not what was declared.
        return elements
    if is_one_asked and len(shape) == 1 and len(elements) > 1:
        return [elements]
    return elements if width == 1 else [elements[at : at + width] for at in range(0, len(elements), width)]


def _fitted(cells: Sequence[object], count: int) -> Sequence[object]:
    if len(cells) == 1:
        return [*cells] * count
    return [*cells[:count], *[None] * (count - len(cells))]
