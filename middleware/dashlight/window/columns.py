"""The nouns of a reference: the frozen counts that a window is compared with, one column at a time, in pairs, in rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.privacy.hashing import HashKey
from dashlight.records import Kind, Role
from dashlight.window.layout import BINS
from dashlight.window.payload_reference import PayloadReference
from dashlight.window.performance_reference import PerformanceReference

Tally: TypeAlias = NDArray[np.float32]
Floats: TypeAlias = NDArray[np.float64]
SingleFloats: TypeAlias = NDArray[np.float32]
HalfFloats: TypeAlias = NDArray[np.float16]
DecimalMark: TypeAlias = Literal[".", ","]
WrittenKind: TypeAlias = Literal["number", "boolean", "time", "text"]
DateOrder: TypeAlias = Literal["ymd", "dmy", "mdy"]
LeftOutReason: TypeAlias = Literal["index", "row_number", "counter", "id", "time", "memory"]

MOST_SAMPLED = 20_000
"""Rows of a reference whose bins are kept side by side."""


@dataclass(frozen=True, slots=True, eq=False)
class Variation:
    """How much shares moved between blocks of consecutive reference rows of one length.

    A ratio of 1 is what independent rows would give: variance of the block's statistic times block rows,
    divided by the variance of one row. NaN where it could not be measured (too rare, or constant).
    """

    block_rows: int
    blocks: int
    """How many whole blocks the reference holds."""
    events: NDArray[np.float64]
    """Shape (EVENT_COUNT,): of 2 asin sqrt(share) of every event of window.events."""
    functionals: NDArray[np.float64]
    """Shape (FUNCTIONAL_COUNT,): of the mean of every functional of window.events."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """How the rows of every event of window.events followed one another in the reference; all of shape (EVENT_COUNT,).

    Blocks are too long, or too few, to tell of a value that is rare; that it came in runs shows from one row to the next.
    """

    rows: int
    """Rows looked at."""
    held: NDArray[np.int64]
    """How many of them the event holds."""
    counts: NDArray[np.int64]
    """In how many runs of consecutive rows."""
    bursts: NDArray[np.float64]
    """The most rows by which a block of the shortest of layout.BLOCK_ROWS held more of them than the event's share makes
    expected; of an event that holds more than half of the rows, by which it lacked more."""


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """How the shares of one column follow the time of day and of the week."""

    harmonics: NDArray[np.int64]
    """Shape (harmonics,), ascending: so many waves a week each, 1 to HIGHEST_HARMONIC."""
    waves: NDArray[np.float64]
    """Shape (1 + 2 harmonics, BINS): the mean shares, then what the cosine and the sine of each harmonic add."""
    hour_rows: NDArray[np.float64]
    """Shape (HOURS,): independent rows that would show the shares of that hour as precisely; at most the column's."""
    variation: tuple[Variation, ...]
    """Like that of the column, of what is left when the season is taken off."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a reference says of one column besides its bins."""

    rows: int
    """Rows seen, null ones too."""
    types: tuple[float, ...]
    """Share of each of TYPES among the rows."""
    precisions: tuple[float, ...] = ()
    """Share of the numbers other than 0 that need at most so many decimals, for each of PRECISIONS; empty without any."""
    roundest: tuple[float, ...] = ()
    """The largest that each of *precisions* was in a block of 100 rows."""
    quantiles: tuple[float, ...] = ()
    """QUANTILES numbers at even shares, from the smallest kept to the largest; empty where there was none."""
    values: tuple[float, ...] = ()
    """All distinct numbers, ascending, where there were at most FEW_VALUES."""
    shares: tuple[float, ...] = ()
    """Share of each of *values* among the numbers."""
    frequent: tuple[tuple[str, float], ...] = ()
    """The most frequent values, written as categories are, each with its share of the values that are not null."""
    repeat_share: float = 0.0
    """Share of the rows whose value is that of the row before."""
    longest_run: int = 0
    """Rows of the longest run of one value."""
    spellings: Mapping[str, str] = field(default_factory=dict[str, str])
    """`spelling` of a category -> the category."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How one column writes its values. What a cell says by itself (`1.234,5`, `31/12/2024`) counts before it."""

    kind: WrittenKind
    """`text`: cells are what they are. Of the other three, a cell that is none of the kind stays a text, of wrong type."""
    decimal: DecimalMark = "."
    """Of a number: what `1,250` and `1.250` mean, which alone leave it open."""
    dates: DateOrder = "ymd"
    """Of a time: what `3/4/2024` means; `ymd`: nothing."""
    has_currency: bool = False
    """Of a number: whether a sign or code of a currency stood beside any. It is no part of the number."""
    has_percent: bool = False
    """Likewise a percent sign. Numbers stay as they are written: `12.5 %` is 12.5."""
    nulls: tuple[str, ...] = ()
    """The spellings of null that occurred, ascending, without outer blanks. Of a text column `""` alone, if it held more."""


@dataclass(frozen=True, slots=True, eq=False)
class ColumnReference:
    """The reference of one column."""

    name: str
    role: Role
    kind: Kind
    rows: int
    """Rows counted, null ones too."""
    counts: NDArray[np.int64]
    """Shape (BINS,): rows of the reference in each bin."""
    edges: NDArray[np.float64]
    """Ascending inner edges of the value bins of a numeric column; empty otherwise. Value bins are right-open."""
    low: float
    """Smallest finite value of a numeric column; -inf where there was none."""
    high: float
    """Largest finite value; +inf where there was none."""
    categories: tuple[str, ...]
    """Categories with a value bin of their own, most frequent first (at most 31). A boolean column's are `true`, `false`."""
    known: frozenset[str]
    """The other categories seen, counted together in the last value bin."""
    single_block_rows: int
    """Rows whose category occurs in one block of 100 rows only (Good-Turing mass of unseen categories)."""
    variation: tuple[Variation, ...] = ()
    """For each length of layout.BLOCK_ROWS; empty where the reference is not in time order."""
    of: str = ""
    """Name of the column (text, vector, image, ranking, forecast) that this one is a facet of; empty for a column itself."""
    season: Season | None = None
    """How the shares follow the time of day and of the week; None where they do not, or nobody knows when the rows were."""
    runs: Runs | None = None
    """How rows followed one another; None where the reference is not in time order, or too short for two blocks."""
    profile: Profile | None = None
    """What the bins do not hold: exact values, decimals, spellings; None for a facet."""
    writing: Writing | None = None
    """How its texts are read; None where nobody wrote it as text, or nobody said."""
    shown: bool = False
    """Whether the operator lets its categories be told by name."""
    hash_key: HashKey | None = None
    """Of the hashes that stand for values; None where all are in the clear."""


@dataclass(frozen=True, slots=True, eq=False)
class PairReference:
    """What the reference says of every pair of the paired columns; m pairs in the order of `pairs_of`."""

    names: tuple[str, ...]
    places: NDArray[np.intp]
    """Of the paired columns among all columns."""
    signs: NDArray[np.int8]
    """Shape (paired, BINS): -1, 0 or 1."""
    shares: Tally
    """Shape (m,): part of the informative rows in which the pair agreed."""
    trials: Tally
    """Shape (m,): informative rows."""
    phi: Tally
    """Shape (m,), at least 1: so many informative rows in a row are worth one independent row."""
    tau: Tally
    """Shape (m,): standard deviation of the slow movement, in Cohen's h."""


@dataclass(frozen=True, slots=True, eq=False)
class DirectionReference:
    """Rows of the reference, in deviations from the centre: (row - centre) / spread."""

    name: str
    """Name of the vector or text column; empty for the joint rows of the numeric columns."""
    width: int
    """Dimensions of the rows as they come; more than MOST_DIMENSIONS are projected."""
    centre: Floats
    """Shape (dims,): mean of the first half."""
    spread: Floats
    """Shape (dims,), positive: sqrt(variance + SPREAD_SHRINKAGE * mean variance) of the first half."""
    total_rows: int
    """Rows of both halves, finite ones."""
    covariance: SingleFloats
    """Shape (dims, dims): of all rows, in deviations."""
    mean: SingleFloats
    """Shape (dims,): of the second half, in deviations."""
    mean_rows: int
    """Rows of the second half, finite ones."""
    rows: HalfFloats
    """Shape (kept rows, dims): whole blocks of consecutive rows, spread evenly over the second half, in deviations."""
    block_means: tuple[HalfFloats, ...]
    """For each length of layout.BLOCK_ROWS the means of whole blocks of consecutive rows, spread evenly over the
    reference, shape (blocks, dims), in deviations and in time order."""
    ordered: bool
    """Whether the rows were in time order, so that natural variation can be seen."""

    @property
    def dims(self) -> int:
        """Dimensions after projection."""
        return len(self.centre)


@dataclass(frozen=True, slots=True)
class LeftOutColumn:
    """A column of the rows that the reference does without: its values are new in every row to come."""

    role: Role
    name: str
    why: LeftOutReason


@dataclass(frozen=True, slots=True)
class LargestCluster:
    """What rows of one key were at most, of those of a short stretch of the reference."""

    share: float = 1.0
    rows: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The references of all columns of one model, and where they come from."""

    columns: tuple[ColumnReference, ...]
    source: str
    """`file` or `learned`."""
    ordered: bool
    """Whether the rows were in time order, so that natural variation is known."""
    version: str
    """First 12 hexadecimal digits of the checksum of its content."""
    created_at: float
    model: str = ""
    """Name of the model it was made for; empty where nobody said."""
    pairs: PairReference | None = None
    """How its numeric columns move together; places are those of *columns*. None where there are not two."""
    directions: tuple[DirectionReference, ...] = ()
    """Whole rows: of the numeric features and outputs jointly (name `""`), and of each text and vector column."""
    left_out: tuple[LeftOutColumn, ...] = ()
    """Columns that it does without."""
    payloads: PayloadReference | None = None
    """How often its rows repeat; None where nobody looked."""
    cluster: str = ""
    """The column by whose value rows hang together, which is no feature; empty where there is none."""
    largest_cluster: LargestCluster = field(default_factory=LargestCluster)

    sample: NDArray[np.uint8] | None = None
    """Shape (columns, rows): bins of rows drawn uniformly, in the order of *columns*; at most MOST_SAMPLED. None in files of
    before."""
    performance: PerformanceReference | None = None
    """None where nobody said which column is the label."""

    @property
    def rows(self) -> int:
        """Rows of the longest column."""
        return max((column.rows for column in self.columns), default=0)


def columns_of(reference: Reference, role: Role) -> tuple[ColumnReference, ...]:
    """The columns of one role, in the reference's order. Names are unique within a role only."""
    return tuple(column for column in reference.columns if column.role == role)


def stacked_counts(columns: Sequence[ColumnReference]) -> NDArray[np.int64]:
    """Counts of *columns*, shape (len(columns), BINS)."""
    return np.array([column.counts for column in columns], np.int64).reshape(len(columns), BINS)


def is_numeric(columns: Sequence[ColumnReference]) -> NDArray[np.bool_]:
    """Which columns have an order, shape (len(columns),)."""
    return np.array([column.kind == "numeric" for column in columns], np.bool_)


def unseen_is_other(columns: Sequence[ColumnReference]) -> NDArray[np.bool_]:
    """Which columns have so many categories that an unseen one is no more than another rare one, shape (len(columns),)."""
    return np.array([bool(column.known) for column in columns], np.bool_)
