"""The reference of a model, from rows that stream by twice: once to lay out the bins, once to count."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from dashlight.errors import ReferenceDataError
from dashlight.records import Role, Table
from dashlight.window.bins import Binner
from dashlight.window.layout import BINS, UNSEEN
from dashlight.window.reference import ColumnReference, Reference
from dashlight.window.reference_file import with_version
from dashlight.window.survey import TableSurvey
from dashlight.window.tables import Column, table_of_columns
from dashlight.window.variation import VariationMeter

LEAST_ROWS = 200
"""With fewer, chance alone moves a share of one half by more than a tenth."""

Chunk: TypeAlias = Mapping[Role, Table]
"""The next rows of the features, of the outputs, or of both."""

_ROLES: tuple[Role, ...] = ("feature", "output")
_ROWS_AT_ONCE = 6400
"""Whole blocks of rows, and few enough that the counts of a step stay small."""


def build_reference(
    chunks: Callable[[], Iterable[Chunk]],
    *,
    rng: np.random.Generator,
    created_at: float,
    ordered: bool = True,
    source: Literal["file", "learned"] = "file",
    model: str = "",
    categorical: Collection[str] = (),
    least_rows: int = LEAST_ROWS,
) -> Reference:
    """The reference of the rows that *chunks* gives, the same ones each of the two times it is called.

    *rng* chooses among the values of columns of more than 50,000 which ones set the edges. *ordered* says that the rows
    come in time order, and so how much shares move by themselves. *categorical* names columns whose numbers are codes.

    Raises:
        ReferenceDataError: there are fewer than *least_rows* rows.
    """
    surveys = {role: TableSurvey(role, rng, categorical) for role in _ROLES}
    for chunk in chunks():
        for role, table in chunk.items():
            surveys[role].add(table)
    rows = max(survey.rows for survey in surveys.values())
    if rows < least_rows:
        raise ReferenceDataError(f"holds too few rows: found {rows}, a reference needs at least {least_rows}")
    tallies = {role: _Tally(survey.layout(), ordered=ordered) for role, survey in surveys.items()}
    for chunk in chunks():
        for role, table in chunk.items():
            tallies[role].add(table)
    columns = tuple(column for tally in tallies.values() for column in tally.columns())
    return with_version(Reference(columns, source, ordered, "", created_at, model))


def build_reference_from_columns(
    columns: Mapping[str, Column],
    roles: Mapping[str, Role],
    *,
    rng: np.random.Generator,
    created_at: float,
    ordered: bool = True,
    model: str = "",
    categorical: Collection[str] = (),
) -> Reference:
    """The reference of *columns* in memory: name -> values, of which *roles* says what each is.

    A column without a role is a feature. Raises as `build_reference` does.
    """
    chunk: Chunk = {
        role: table_of_columns({name: values for name, values in columns.items() if roles.get(name, "feature") == role})
        for role in _ROLES
    }
    return build_reference(
        lambda: [chunk], rng=rng, created_at=created_at, ordered=ordered, model=model, categorical=categorical
    )


class _Tally:
    """Counts the rows of one role."""

    def __init__(self, layout: tuple[ColumnReference, ...], *, ordered: bool) -> None:
        self._layout = layout
        self._binner = Binner(layout)
        self._meter = VariationMeter(layout) if ordered else None
        self._counts = np.zeros((len(layout), BINS), np.int64)
        self._rows = 0

    def add(self, table: Table) -> None:
        codes = self._binner.codes(table)
        self._rows += table.rows
        for start in range(0, table.rows, _ROWS_AT_ONCE):
            part = codes[:, start : start + _ROWS_AT_ONCE]
            self._counts += self._binner.count(part)
            if self._meter is not None:
                self._meter.add(part)

    def columns(self) -> list[ColumnReference]:
        counted = [self._counted(column, place) for place, column in enumerate(self._layout)]
        if self._meter is None:
            return counted
        variations = self._meter.variations(counted)
        return [replace(column, variation=parts) for column, parts in zip(counted, variations, strict=True)]

    def _counted(self, column: ColumnReference, place: int) -> ColumnReference:
        counts = self._counts[place]
        single = column.single_block_rows
        if column.kind == "categorical":  # categories too rare to be remembered are as good as new ones
            single += int(counts[UNSEEN])
        return replace(column, rows=self._rows, counts=counts, single_block_rows=single)
