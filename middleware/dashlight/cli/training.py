"""Training data as a stream of tables: which columns are wanted of a file, and its rows in the order of time."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import chain, repeat
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dashlight.cli.progress import Report
from dashlight.decode.rows.columns import LeftOut, apart
from dashlight.errors import ReferenceDataError
from dashlight.records import Table
from dashlight.window.reference.build import Chunk
from dashlight.window.tables import joined, selected, taken

SORTABLE_ROWS = 2_000_000
"""More than these are not sorted in memory."""
CHUNK_ROWS = 6400
MOMENTS_KEPT = 20_000_000
"""Of more rows than these it is not remembered when they were: 160 MB."""

_NAMES_SHOWN = 30
_UNITS = (1.0, 1e3, 1e6, 1e9)
"""How many of what a column may count the epoch in make a second."""
_EARLIEST, _LATEST = 1e8, 1e11
"""Seconds since the epoch, 1973 to 5138: in these bounds no unit is taken for another."""
_STROKES = re.compile(r"\d{4}/\d{2}/\d{2}(?!\d)")
_REASONS: dict[LeftOut, str] = {
    "id": "it names a row",
    "credential": "it tells of a credential or a person",
    "parameter": "it is a parameter, no feature",
    "answer": "it describes the answer",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What a first reading of a file tells."""

    rows: int
    backward_row: int | None
    """The first row, counted from 1, that is earlier than the one before it; None where all are in order."""
    moments: NDArray[np.float64] | None = field(default=None, compare=False)
    """The column by which it is ordered, shape (rows,), as `moments` gives it; None without one or of too many rows."""


class TrainingFile(Protocol):
    """A file of named columns that can be read as often as needed."""

    @property
    def names(self) -> Sequence[str]:
        """Its columns."""
        ...

    @property
    def unusable(self) -> Collection[str]:
        """Columns that hold no single values."""
        ...

    def look(self, names: Sequence[str], time: str | None, report: Report) -> Look:
        """Read it once: of what kind the columns *names* are, and whether the column *time* ascends."""
        ...

    def tables(self, names: Sequence[str], report: Report) -> Iterator[Table]:
        """The columns *names*, some rows at a time, once they were looked at."""
        ...

    def moments(self, time: str) -> NDArray[np.float64]:
        """The column *time* as numbers, shape (rows,)."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns that make the reference."""

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]
    """What a person should know of the choice, a sentence each."""

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return self.features + self.outputs


def wanted_columns(
    file: TrainingFile,
    *,
    predictions: Sequence[str],
    labels: Sequence[str],
    ignored: Sequence[str],
    categorical: Sequence[str],
    time: str | None,
) -> Wanted:
    """Which columns of *file* are features and which outputs; ReferenceDataError for a name that it does not have."""
    times = [] if time is None else [time]
    for option, named in (
        ("--prediction", predictions),
        ("--label", labels),
        ("--categorical", categorical),
        ("--time", times),
    ):
        for name in named:
            if name not in file.names:
                raise ReferenceDataError(f"has no column {name!r} ({option}); it has {_listed(file.names)}")
    for name in predictions:
        if name in labels or name in times:
            raise ReferenceDataError(f"cannot have column {name!r} both as --prediction and as --label or --time")
    spoken_for = {*predictions, *labels, *times, *file.unusable}
    features = [name for name in file.names if name not in spoken_for]
    # What decoding never makes a column of would be missing in every row of traffic.
    never = apart(dict.fromkeys(features), "feature")
    features = [name for name in features if name not in never]
    features = [name for name in features if not any(fnmatchcase(name, glob) for glob in ignored)]
    outputs = [name for name in file.names if name in predictions and name not in file.unusable]
    if not features and not outputs:
        raise ReferenceDataError("leaves no column for the reference: all are labels, times or ignored")
    notes = [
        f"No column fits --ignore {glob}." for glob in ignored if not any(fnmatchcase(n, glob) for n in file.names)
    ]
    notes += [
        f"Column {name!r} holds no single values and is left out." for name in file.names if name in file.unusable
    ]
    notes += [f"Column {name!r} is left out, as in traffic: {_REASONS[why]}." for name, why in never.items()]
    return Wanted(tuple(features), tuple(outputs), tuple(notes))


def chunks_in_order(
    file: TrainingFile, wanted: Wanted, *, time: str | None, look: Look, step: Callable[[str], Report]
) -> Callable[[], Iterable[Chunk]]:
    """The rows of *file*, as often as they are asked for, in ascending order of its column *time*.

    *step* is told what each reading is for. Rows that are not in order are sorted in memory.

    Raises:
        ReferenceDataError: they are not in order, and too many to sort.
    """
    if time is None or look.backward_row is None:
        steps = chain(("Laying out the bins",), repeat("Counting"))  # texts and vectors take a third reading
        return lambda: (_parted(table, wanted) for table in file.tables(wanted.names, step(next(steps))))
    if look.rows > SORTABLE_ROWS:
        raise ReferenceDataError(
            f"goes back in {time!r} at row {look.backward_row} and is too long to be sorted here "
            f"({look.rows} rows, at most {SORTABLE_ROWS}): sort it first"
        )
    whole = joined(list(file.tables(wanted.names, step(f"Sorting by {time}"))))
    order = np.argsort(file.moments(time), kind="stable")
    return lambda: (_parted(table, wanted) for table in _slices(whole, order))


def moments_in_order(look: Look) -> NDArray[np.float64] | None:
    """When each row was that `chunks_in_order` gives, shape (rows,), in seconds since the epoch.

    The unit of plain numbers (seconds, or thousandths, millionths, billionths) shows in their size. None where they are
    no moments but only an order, or nobody named a column.
    """
    if look.moments is None or not len(look.moments):
        return None
    moments = look.moments if look.backward_row is None else np.sort(look.moments)
    for unit in _UNITS:
        if _EARLIEST * unit <= moments[0] and moments[-1] < _LATEST * unit:
            return moments / unit
    return None


def iso_moment(text: str, time: str) -> float:
    """Seconds since the epoch of *text*, which stands in column *time*; UTC where it names no zone.

    ISO 8601 in all its forms, a blank for its T, and strokes between year, month and day. What puts the day or the
    month first is refused: nobody can tell which of the two it was.
    """
    try:
        moment = datetime.fromisoformat(_dashed(text))
    except ValueError:
        raise ReferenceDataError(
            f"has {text!r} in column {time!r}, which is no number and no ISO 8601 moment"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _dashed(text: str) -> str:
    return text.replace("/", "-", 2) if _STROKES.match(text) else text


def _slices(table: Table, order: NDArray[np.intp]) -> Iterator[Table]:
    for start in range(0, table.rows, CHUNK_ROWS):
        yield taken(table, order[start : start + CHUNK_ROWS])


def _parted(table: Table, wanted: Wanted) -> Chunk:
    return {"feature": selected(table, wanted.features), "output": selected(table, wanted.outputs)}


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown} and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else shown
