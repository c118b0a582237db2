"""The reference of whole rows as something that JSON can hold, for the reference file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import DirectionReference
from dashlight.window.layout import BLOCK_ROWS
from dashlight.window.normal_scores import MOST_DIMENSIONS
from dashlight.window.reference.directions import in_single
from dashlight.window.reference.packed import packed, unpacked

MOST_BYTES = 4_000_000
"""Of one array, unpacked; what the meter makes stays well below."""

_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class _DirectionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    width: _Count
    ordered: bool
    total_rows: _Count
    mean_rows: _Count
    centre: str
    spread: str
    covariance: str
    mean: str
    rows: str
    block_means: list[str]


def direction_content(reference: DirectionReference) -> dict[str, object]:
    """*reference* as plain values; arrays are `packed`."""
    return {
        "name": reference.name,
        "width": int(reference.width),
        "ordered": bool(reference.ordered),
        "total_rows": int(reference.total_rows),
        "mean_rows": int(reference.mean_rows),
        "centre": packed(reference.centre, "<f8"),
        "spread": packed(reference.spread, "<f8"),
        "covariance": packed(reference.covariance, "<f4"),
        "mean": packed(reference.mean, "<f4"),
        "rows": packed(reference.rows, "<f2"),
        "block_means": [packed(means, "<f2") for means in reference.block_means],
    }


def parsed_direction(content: Mapping[str, object]) -> DirectionReference:
    """The reference that *content* holds; ReferenceDataError, in one sentence, where it holds none."""
    try:
        file = msgspec.convert(content, _DirectionFile)
    except msgspec.ValidationError as error:
        raise ReferenceDataError(f"holds no reference of whole rows: {error}") from None
    dims = min(file.width, MOST_DIMENSIONS)
    if len(file.block_means) != len(BLOCK_ROWS):
        raise _nonsense(file.name, f"has block means of {len(file.block_means)} lengths, not of {len(BLOCK_ROWS)}")
    reference = DirectionReference(
        name=file.name,
        width=file.width,
        centre=_unpacked(file, file.centre, "<f8", (dims,)).astype(np.float64),
        spread=_unpacked(file, file.spread, "<f8", (dims,)).astype(np.float64),
        total_rows=file.total_rows,
        covariance=in_single(_unpacked(file, file.covariance, "<f4", (dims, dims))),
        mean=in_single(_unpacked(file, file.mean, "<f4", (dims,))),
        mean_rows=file.mean_rows,
        rows=_unpacked(file, file.rows, "<f2", (-1, dims)).astype(np.float16),
        block_means=tuple(_unpacked(file, means, "<f2", (-1, dims)).astype(np.float16) for means in file.block_means),
        ordered=file.ordered,
    )
    if not (reference.spread > 0).all():
        raise _nonsense(file.name, "has a spread that is not positive")
    if not len(reference.rows):
        raise _nonsense(file.name, "holds no rows")
    return reference


def _unpacked(file: _DirectionFile, text: str, kind: str, shape: Sequence[int]) -> NDArray[Any]:
    """The finite array of *shape*, in which -1 stands for any number of rows."""
    try:
        numbers = unpacked(text, kind, most_bytes=MOST_BYTES)
    except ValueError as error:
        raise _nonsense(file.name, f"holds {error}") from None
    row = int(np.prod([length for length in shape if length > 0]))
    if len(numbers) % row or (shape[0] > 0 and len(numbers) != row):
        raise _nonsense(file.name, "holds an array of the wrong length")
    array = numbers.reshape(*shape)
    if not np.isfinite(array).all():
        raise _nonsense(file.name, "holds a number that is not finite")
    return array


def _nonsense(name: str, what: str) -> ReferenceDataError:
    return ReferenceDataError(f"cannot be used: its reference of {name or 'joint rows'} {what}")
