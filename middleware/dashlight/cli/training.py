"""Training data as a stream of tables: the columns to use, and the rows in time order."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import chain, repeat
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dashlight.cli.progress import Report
from dashlight.decode.cells.shapes import CellCounts
from dashlight.decode.rows.flattening import apart
from dashlight.decode.rows.number_texts import NumberTexts
from dashlight.errors import ReferenceDataError
from dashlight.records import Table
from dashlight.window.columns import Writing
from dashlight.window.inspection.left_out import is_index, is_kept
from dashlight.window.reference.chunks import Chunk
from dashlight.window.tables import selected

CHUNK_ROWS = 6400
MOMENTS_KEPT = 20_000_000
"""Times are kept for at most this many rows: 160 MB."""

_NAMES_SHOWN = 30
_UNITS = (1.0, 1e3, 1e6, 1e9)
"""Units per second in which a column may count time since the epoch."""
_EARLIEST, _LATEST = 1e8, 1e11
"""Seconds since the epoch, 1973 to 5138: within these bounds the unit is unambiguous."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a first read of a file shows."""

    rows: int
    backward_row: int | None
    """The first row, counted from 1, that is earlier than the one before it; None if all are in order."""
    moments: NDArray[np.float64] | None = field(default=None, compare=False)
    """The column that orders the rows, shape (rows,), in the order of the file: numbers as they are, times as seconds since
    the epoch. None without one, or with too many rows."""
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

    @property
    def writings(self) -> Mapping[str, Writing]:
        """How those columns are written of which `look` or the file itself tells it."""
        ...

    @property
    def counts(self) -> Mapping[str, CellCounts]:
        """After `look`: of each column of texts its cells by their shape."""
        ...

    def look(self, names: Sequence[str], time: str | None, report: Report) -> Look:
        """Reads it once, to learn the types of the columns *names* and whether the column *time* ascends."""
        ...

    def tables(self, names: Sequence[str], report: Report) -> Iterator[Table]:
        """The columns *names*, some rows at a time, in the order of the time that `look` was given; call it first."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns of the reference."""

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]
    """Remarks on what was asked for, a sentence each."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Columns whose names or types say that they are none of traffic, and why: a word."""

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
    keep: Sequence[str] = (),
    score: str = "",
) -> Wanted:
    """Chooses features and outputs among the columns of *file*; ReferenceDataError for a name that it lacks.

    *keep* are globs of columns that are features although they look like an index or an id; *score* is an output as well.
    """
    predictions = [*predictions, score] if score and score not in predictions else predictions
    times = [] if time is None else [time]
    for option, named in (
        ("--prediction", predictions),
        ("--label", labels),
        ("--categorical", categorical),
        ("--time", times),
    ):
        for name in named:
            if name not in file.names:
                raise ReferenceDataError(f"has no column {name!r} ({option}); it has {listed(file.names)}")
    for name in predictions:
        if name in labels or name in times:
            option = "--score" if name == score else "--prediction"
            raise ReferenceDataError(f"cannot have column {name!r} both as {option} and as --label or --time")
    spoken_for = {*predictions, *labels, *times, *file.unusable}
    features = [name for name in file.names if name not in spoken_for]
    features = [name for name in features if not any(fnmatchcase(name, glob) for glob in ignored)]
    # Names that decoding never makes a column would be missing in every row of traffic.
    never = {
        name: why
        for name, why in apart(dict.fromkeys(features), "feature").items()
        if why == "credential" or not is_kept(name, keep)
    }
    indices = [name for name in features if is_index(name) and not is_kept(name, keep)]
    features = [name for name in features if name not in never and name not in indices]
    outputs = [name for name in file.names if name in predictions and name not in file.unusable]
    if not features and not outputs:
        raise ReferenceDataError("has no column left for the reference: all are labels, times or ignored")
    notes = [
        f"No column matches {option} {glob}."
        for option, globs in (("--ignore", ignored), ("--keep", keep))
        for glob in globs
        if not any(is_kept(name, [glob]) for name in file.names)
    ]
    left_out: dict[str, str] = dict(never)
    left_out |= dict.fromkeys(indices, "index")
    left_out |= dict.fromkeys((name for name in file.names if name in file.unusable), "unusable")
    return Wanted(
        tuple(features),
        tuple(outputs),
        tuple(notes),
        tuple((name, left_out[name]) for name in file.names if name in left_out),
    )


def with_cluster(file: TrainingFile, wanted: Wanted, cluster: str) -> Wanted:
    """*wanted* with the column *cluster*, by which rows hang together, last; ReferenceDataError where *file* lacks it."""
    if cluster not in file.names:
        raise ReferenceDataError(f"has no column {cluster!r} (--cluster); it has {listed(file.names)}")
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
    file: TrainingFile, wanted: Wanted, *, step: Callable[[str], Report]
) -> Callable[[], Iterable[Chunk]]:
    """A function that reads the rows of *file*, after its `look`, each time it is called; *step* gets a name for each read."""
    steps = chain(("Choosing bins",), repeat("Counting"))  # texts and vectors take a third read
    numbers = NumberTexts()
    return lambda: (_parted(table, wanted, numbers) for table in file.tables(wanted.names, step(next(steps))))


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


def _parted(table: Table, wanted: Wanted, numbers: NumberTexts) -> Chunk:
    # Outputs in text that are numbers are some in traffic too.
    outputs = numbers.read_table(selected(table, wanted.outputs))
    return {"feature": selected(table, wanted.features), "output": outputs}


def listed(names: Sequence[str]) -> str:
    """The first of *names* between commas, and how many more there are."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown} and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else shown
