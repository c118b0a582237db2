"""The first look at reference rows: of what kind each column is, and where its bins will be."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Kind, Role, Table
from dashlight.window.columns import ColumnReference
from dashlight.window.facets.list_kinds import ListSurvey
from dashlight.window.inspection.facts import ColumnFacts, RepeatedRow
from dashlight.window.inspection.facts_meter import FactsMeter
from dashlight.window.layout import BINS, VALUE_BINS
from dashlight.window.reference.categories import CategoryLayout, CategorySurvey
from dashlight.window.reference.edges import numeric_edges, value_bins
from dashlight.window.reference.items import ItemSurvey
from dashlight.window.reference.reservoir import Reservoir
from dashlight.window.values import as_shortest, number_texts, numbers_of, texts_of, types_among

_RESERVOIR = 50_000
"""Values kept for the quantiles: their shares are then within half a percent, and the counts exact anyway."""
_CLEAR_MAJORITY = 0.9
"""A column is numeric, or boolean, if this share of its values is; what remains are type errors that it had already."""
_TRUTHS = frozenset({"true", "false"})
_NESTED = (list, tuple, np.ndarray, dict)
_NO_KINDS: Mapping[str, Kind] = {}


class TableSurvey:
    """Looks through the tables of one role, in order, and lays out their columns."""

    def __init__(
        self,
        role: Role,
        rng: np.random.Generator,
        categorical: Collection[str] = (),
        kinds: Mapping[str, Kind] = _NO_KINDS,
    ) -> None:
        """*categorical* names the columns whose numbers are codes, not quantities; *kinds* says which hold rankings."""
        self.rows = 0
        self._role: Role = role
        self._rng = rng
        self._categorical = frozenset(categorical)
        self._kinds = kinds
        self._columns: dict[str, _ColumnSurvey] = {}
        self._facts = FactsMeter(role)

    def add(self, table: Table) -> None:
        """Look at the next rows."""
        for name, numbers in zip(table.number_names, table.numbers, strict=True):
            self._column(name).add_numbers(numbers, self.rows)
        for name, cells in zip(table.cell_names, table.cells, strict=True):
            self._column(name).add_cells(cells, self.rows)
        self._facts.add(table)
        self.rows += table.rows

    def facts(self) -> dict[str, ColumnFacts]:
        """What the rows showed of each column beside its bins, by name."""
        return self._facts.facts({name: survey.distinct_texts for name, survey in self._columns.items()})

    def repeated_row(self, least_share: float) -> RepeatedRow | None:
        """The one row that makes up more than *least_share* of all, where others mostly differ."""
        return self._facts.repeated_row(least_share)

    def has_values(self, name: str) -> bool:
        """Whether any row had a value in the column *name*, a list too."""
        survey = self._columns.get(name)
        return survey is not None and survey.has_values

    def items(self, name: str) -> ItemSurvey:
        """The items of the rankings in the column *name*."""
        return self._columns[name].items

    def layout(self) -> tuple[ColumnReference, ...]:
        """The columns in order of appearance, with their bins laid out and nothing counted yet."""
        return tuple(survey.layout(self._role) for survey in self._columns.values())

    def _column(self, name: str) -> "_ColumnSurvey":
        survey = self._columns.get(name)
        if survey is None:
            survey = self._columns[name] = _ColumnSurvey(
                name,
                self._rng,
                is_categorical=name in self._categorical,
                is_ranking=self._kinds.get(name) == "ranking",
            )
        return survey


class _ColumnSurvey:
    def __init__(self, name: str, rng: np.random.Generator, *, is_categorical: bool, is_ranking: bool) -> None:
        self._name = name
        self._is_categorical = is_categorical
        self._numbers = _NumberSurvey(rng)
        self._categories = CategorySurvey(free_text_allowed=not is_categorical)
        self._truth_count = 0
        self._text_count = 0
        self._lists = ListSurvey(name)
        self._is_ranking = is_ranking
        self.items = ItemSurvey()
        self.has_values = False

    def add_numbers(self, numbers: NDArray[np.float64], first_row: int) -> None:
        self.has_values |= not np.isnan(numbers).all()
        if self._is_categorical:
            self._categories.add(number_texts(numbers), first_row)
        else:
            self._numbers.add(numbers)

    def add_cells(self, cells: Sequence[Cell], first_row: int) -> None:
        types = types_among(cells)
        self.has_values |= len(cells) > types[type(None)]
        if any(issubclass(each, _NESTED) for each in types):
            self._lists.add(cells)
            if self._is_ranking or self._lists.may_be_rankings:
                self.items.add(cells, first_row)
        self._truth_count += types[bool]
        self._text_count += types[str]
        if types[int] or types[float]:
            self._numbers.add(numbers_of(cells)[0])
        self._categories.add(texts_of(cells), first_row)

    @property
    def distinct_texts(self) -> float:
        """Share of the texts that differ from those before them."""
        return self._categories.distinct_share

    def layout(self, role: Role) -> ColumnReference:
        kind = self._kind()
        numbers, categories = _NO_NUMBERS, _NO_CATEGORIES
        if kind == "numeric":
            numbers = self._numbers.layout()
        elif kind == "boolean":
            categories = self._categories.layout(_TRUTHS)
        elif kind == "categorical":
            categories = self._categories.layout()
        return ColumnReference(
            name=self._name,
            role=role,
            kind=kind,
            rows=0,
            counts=np.zeros(BINS, np.int64),
            edges=numbers.edges,
            low=numbers.low,
            high=numbers.high,
            categories=categories.categories,
            known=categories.known,
            single_block_rows=categories.single_block_rows,
        )

    def _kind(self) -> Kind:
        if self._is_categorical:
            return "categorical"
        number_count = self._numbers.count
        value_count = number_count + self._truth_count + self._text_count
        if self._lists.count > value_count:
            kind = self._lists.kind()
            if kind is not None:
                return kind
        if value_count == 0:  # of a column that was always null only null and type errors can be judged
            return "text"
        if number_count >= _CLEAR_MAJORITY * value_count:
            return "numeric"
        if self._truth_count >= _CLEAR_MAJORITY * value_count:
            return "boolean"
        return "text" if self._categories.is_free_text else "categorical"


@dataclass(frozen=True, slots=True, eq=False)
class _NumberLayout:
    edges: NDArray[np.float64]
    low: float
    high: float


_NO_NUMBERS = _NumberLayout(np.zeros(0), float("-inf"), float("inf"))
_NO_CATEGORIES = CategoryLayout((), frozenset(), 0)


class _NumberSurvey:
    def __init__(self, rng: np.random.Generator) -> None:
        self.count = 0
        self._low = float("inf")
        self._high = float("-inf")
        self._few: NDArray[np.float64] | None = np.zeros(0)
        self._reservoir = Reservoir(_RESERVOIR, rng)

    def add(self, numbers: NDArray[np.float64]) -> None:
        self.count += int(np.count_nonzero(~np.isnan(numbers)))
        finite = numbers[np.isfinite(numbers)]
        if not len(finite):
            return
        self._low = min(self._low, float(finite.min()))
        self._high = max(self._high, float(finite.max()))
        self._reservoir.add(finite)
        if self._few is not None:
            few = np.union1d(self._few, finite)
            self._few = few if len(few) <= VALUE_BINS else None

    def layout(self) -> _NumberLayout:
        if not self._reservoir.seen:
            return _NO_NUMBERS
        # Rare ones among few distinct values could be missing from the reservoir.
        bins = value_bins(self._reservoir.seen)
        values = self._reservoir.values if self._few is None or len(self._few) > bins else self._few
        # What lies within the noise of a format is one value.
        return _NumberLayout(numeric_edges(as_shortest(values), self._reservoir.seen), self._low, self._high)
