"""Training data as a stream of tables: the columns to use, and the rows in time order."""

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
from dashlight.decode.rows.number_texts import NumberTexts
from dashlight.errors import ReferenceDataError
from dashlight.records import Table
from dashlight.window.reference.build import Chunk
from dashlight.window.tables import joined, selected, taken

SORTABLE_ROWS = 2_000_000
"""Longer files are not sorted in memory."""
CHUNK_ROWS = 6400
MOMENTS_KEPT = 20_000_000
"""Times are kept for at most this many rows: 160 MB."""

_NAMES_SHOWN = 30
_UNITS = (1.0, 1e3, 1e6, 1e9)
"""Units per second in which a column may count time since the epoch."""
_EARLIEST, _LATEST = 1e8, 1e11
"""Seconds since the epoch, 1973 to 5138: within these bounds the unit is unambiguous."""
_INDEX = re.compile(r"|Unnamed: [0-9]+|__index_level_[0-9]+__")
"""What pandas calls a column that is its index: nothing in CSV, which it reads as `Unnamed: 0`."""
_STROKES = re.compile(r"\d{4}/\d{2}/\d{2}(?!\d)")
_REASONS: dict[LeftOut, str] = {
    "id": "it identifies a row",
    "credential": "it suggests a credential or personal data",
    "parameter": "it is a parameter, not a feature",
    "answer": "it describes the answer",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What a first read of a file shows."""

    rows: int
    backward_row: int | None
    """The first row, counted from 1, that is earlier than the one before it; None if all are in order."""
    moments: NDArray[np.float64] | None = field(default=None, compare=False)
    """The column that orders the rows, shape (rows,), as `moments` gives it; None without one or with too many rows."""
    notes: tuple[str, ...] = ()
    """Remarks on what was read, a sentence each."""


class TrainingFile(Protocol):
    """A file of named columns that can be read several times."""

    @property
    def names(self) -> Sequence[str]:
        """Its columns."""
        ...

    @property
    def unusable(self) -> Collection[str]:
        """Columns whose cells are not single values."""
        ...

    @property
    def moments_in(self) -> Collection[str]:
        """Columns of moments, which count as seconds since the epoch."""
        ...

    def look(self, names: Sequence[str], time: str | None, report: Report) -> Look:
        """Reads it once, to learn the types of the columns *names* and whether the column *time* ascends."""
        ...

    def tables(self, names: Sequence[str], report: Report) -> Iterator[Table]:
        """The columns *names*, some rows at a time; call `look` first."""
        ...

    def moments(self, time: str) -> NDArray[np.float64]:
        """The column *time* as numbers, shape (rows,)."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns of the reference."""

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]
    """Remarks on the choice for the user, a sentence each."""

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
    """Chooses features and outputs among the columns of *file*; ReferenceDataError for a name that it lacks."""
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
    # Names that decoding never makes a column would be missing in every row of traffic.
    never = apart(dict.fromkeys(features), "feature")
    features = [name for name in features if name not in never]
    indices = [name for name in features if _INDEX.fullmatch(name)]
    features = [name for name in features if name not in indices]
    features = [name for name in features if not any(fnmatchcase(name, glob) for glob in ignored)]
    outputs = [name for name in file.names if name in predictions and name not in file.unusable]
    if not features and not outputs:
        raise ReferenceDataError("has no column left for the reference: all are labels, times or ignored")
    notes = [
        f"No column matches --ignore {glob}." for glob in ignored if not any(fnmatchcase(n, glob) for n in file.names)
    ]
    notes += [
        f"Column {name!r} does not hold single values and is left out." for name in file.names if name in file.unusable
    ]
    notes += [f"Column {name!r} is left out, as in traffic: {_REASONS[why]}." for name, why in never.items()]
    notes += [
        f"Column {name!r} is left out: it is the index that pandas wrote, which no request has." for name in indices
    ]
    notes += [
        f"Column {name!r} holds moments, as seconds since the epoch. If it is when the row was, later rows are out of its"
        f" range: use --time {name} or --ignore {name}."
        for name in file.moments_in
        if name in features
    ]
    return Wanted(tuple(features), tuple(outputs), tuple(notes))


def with_cluster(file: TrainingFile, wanted: Wanted, cluster: str) -> Wanted:
    """*wanted* with the column *cluster*, by which rows hang together, last; ReferenceDataError where *file* lacks it."""
    if cluster not in file.names:
        raise ReferenceDataError(f"has no column {cluster!r} (--cluster); it has {_listed(file.names)}")
    if cluster in wanted.outputs or cluster in file.unusable:
        raise ReferenceDataError(
            f"cannot have column {cluster!r} as --cluster: it is an output or holds no single values"
        )
    features = tuple(name for name in wanted.features if name != cluster)
    notes = tuple(note for note in wanted.notes if not note.startswith(f"Column {cluster!r} "))
    if not features and not wanted.outputs:
        raise ReferenceDataError(f"has no column left for the reference beside {cluster!r} (--cluster)")
    return Wanted((*features, cluster), wanted.outputs, notes)


def chunks_in_order(
    file: TrainingFile, wanted: Wanted, *, time: str | None, look: Look, step: Callable[[str], Report]
) -> Callable[[], Iterable[Chunk]]:
    """A function that reads the rows of *file* in ascending order of its column *time*, each time it is called.

    *step* gets the name of each read. Rows that are not in order are sorted in memory.

    Raises:
        ReferenceDataError: the rows are not in order, and too many to sort.
    """
    if time is None or look.backward_row is None:
        steps = chain(("Choosing bins",), repeat("Counting"))  # texts and vectors take a third read
        numbers = NumberTexts()
        return lambda: (_parted(table, wanted, numbers) for table in file.tables(wanted.names, step(next(steps))))
    if look.rows > SORTABLE_ROWS:
        raise ReferenceDataError(
            f"goes back in {time!r} at row {look.backward_row} and is too long to sort here "
            f"({look.rows} rows, at most {SORTABLE_ROWS}): sort it first"
        )
    whole = joined(list(file.tables(wanted.names, step(f"Sorting by {time}"))))
    order = np.argsort(file.moments(time), kind="stable")
    texts = NumberTexts()
    return lambda: (_parted(table, wanted, texts) for table in _slices(whole, order))


def moments_in_order(look: Look) -> NDArray[np.float64] | None:
    """The time of each row that `chunks_in_order` gives, shape (rows,), in seconds since the epoch.

    The unit of plain numbers (s, ms, us or ns) is recognised by their size. None if they are not times but only an
    order, or if no column was named.
    """
    if look.moments is None or not len(look.moments):
        return None
    moments = look.moments if look.backward_row is None else np.sort(look.moments)
    for unit in _UNITS:
        if _EARLIEST * unit <= moments[0] and moments[-1] < _LATEST * unit:
            return moments / unit
    return None


def iso_moment(text: str, time: str) -> float:
    """Seconds since the epoch of *text*, which is in column *time*; UTC if it names no zone.

    Accepts ISO 8601 in all its forms, a blank instead of its T, and slashes between year, month and day. Refuses dates
    that begin with the day or the month, which are ambiguous.
    """
    try:
        moment = datetime.fromisoformat(_dashed(text))
    except ValueError:
        raise ReferenceDataError(
            f"has {text!r} in column {time!r}, which is neither a number nor an ISO 8601 time"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _dashed(text: str) -> str:
    return text.replace("/", "-", 2) if _STROKES.match(text) else text


def _slices(table: Table, order: NDArray[np.intp]) -> Iterator[Table]:
    for start in range(0, table.rows, CHUNK_ROWS):
        yield taken(table, order[start : start + CHUNK_ROWS])


def _parted(table: Table, wanted: Wanted, numbers: NumberTexts) -> Chunk:
    # Outputs in text that are numbers are some in traffic too.
    outputs = numbers.read_table(selected(table, wanted.outputs))
    return {"feature": selected(table, wanted.features), "output": outputs}


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown} and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else shown
