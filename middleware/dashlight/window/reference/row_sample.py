"""The rows of a reference whose bins are kept side by side: drawn uniformly, as numbers of bins, without their values."""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import MOST_SAMPLED
from dashlight.window.layout import BINS
from dashlight.window.reference.packed import packed, unpacked


class RowSample:
    """Draws at most *most_rows* of rows that stream by; every row is as likely to be among them.

    Source: algorithm R, Vitter (1985), ACM Transactions on Mathematical Software 11, 37-57.
    """

    def __init__(self, columns: int, *, rng: np.random.Generator, most_rows: int = MOST_SAMPLED) -> None:
        """*rng* is asked only once there are more rows than are kept."""
        self._rng, self._most_rows = rng, most_rows
        self._codes = np.zeros((columns, 0), np.uint8)
        self._rows: NDArray[np.intp] = np.zeros(0, np.intp)
        self._seen = 0

    def add(self, codes: NDArray[np.uint8]) -> None:
        """Take the bins of the next rows, shape (columns, rows)."""
        count = codes.shape[1]
        first = min(max(self._most_rows - self._seen, 0), count)
        numbers: NDArray[np.intp] = np.arange(self._seen, self._seen + count, dtype=np.intp)
        if first:
            self._codes = np.concatenate([self._codes, codes[:, :first]], axis=1)
            self._rows = np.concatenate([self._rows, numbers[:first]])
        if first < count:
            drawn: NDArray[np.int64] = self._rng.integers(0, numbers[first:] + 1)
            # Of two rows that take one place the later one stays: the first from behind.
            behind = np.flatnonzero(drawn < self._most_rows)[::-1]
            places, latest = np.unique(drawn[behind], return_index=True)
            self._codes[:, places] = codes[:, first + behind[latest]]
            self._rows[places] = numbers[first + behind[latest]]
        self._seen += count

    def sample(self) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
        """The bins of the rows drawn, shape (columns, rows), and their numbers from 0, both in the order in which they came."""
        order = np.argsort(self._rows)
        return self._codes[:, order], self._rows[order]


class _SampleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rows: Annotated[int, msgspec.Meta(ge=0, le=MOST_SAMPLED)]
    codes: str


def sample_content(sample: NDArray[np.uint8]) -> dict[str, object]:
    """*sample*, shape (columns, rows), as plain values."""
    return {"rows": sample.shape[1], "codes": packed(sample, "<u1")}


def parsed_sample(content: object, columns: int) -> NDArray[np.uint8]:
    """The sample of so many *columns* that *content* describes; ReferenceDataError where that cannot be."""
    try:
        file = msgspec.convert(content, _SampleFile)
    except msgspec.ValidationError as error:
        raise _impossible(str(error)) from None
    rows = file.rows
    try:
        held = unpacked(file.codes, "<u1", most_bytes=rows * columns)
    except ValueError as error:
        raise _impossible(str(error)) from None
    if len(held) != rows * columns:
        raise _impossible(f"{len(held)} codes of {rows} rows of {columns} columns")
    if held.max(initial=0) >= BINS:
        raise _impossible(f"a bin beyond the {BINS} that there are")
    return held.reshape(columns, rows)


def _impossible(what: str) -> ReferenceDataError:
    return ReferenceDataError(f"says of its sample of rows what cannot be: {what}")
