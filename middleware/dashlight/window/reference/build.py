"""The reference of a model, from rows that stream by again and again: to lay out the bins, then to count."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.records import Kind, Role, Table
from dashlight.window.columns import ColumnReference, LargestCluster, Reference
from dashlight.window.facets.facets import (
    FACETED,
    category_names,
    collisions,
    described,
    expanded,
    facet_names,
    faceted,
)
from dashlight.window.payloads.clusters import Clusters, effective
from dashlight.window.payloads.hashing import payload_key
from dashlight.window.reference.file import with_version
from dashlight.window.reference.items import ItemSurvey
from dashlight.window.reference.payload_meter import PayloadMeter
from dashlight.window.reference.survey import TableSurvey
from dashlight.window.reference.tally import JointTally, RoleTally
from dashlight.window.tables import Column, selected, table_of_columns

LEAST_ROWS = 200
"""With fewer, chance alone moves a share of one half by more than a tenth."""

LEAST_ORDERED = 400
"""Rows chosen by a key whose order says how much shares move by themselves."""

Chunk: TypeAlias = Mapping[Role, Table]
"""The next rows of the features, of the outputs, or of both."""
Chunks: TypeAlias = Callable[[], Iterable[Chunk]]
_Items: TypeAlias = Mapping[Role, Mapping[str, ItemSurvey]]
"""Of every ranking, by role and name."""

_ROLES: tuple[Role, ...] = ("feature", "output")
_NO_KINDS: Mapping[str, Kind] = {}


def build_reference(
    chunks: Chunks,
    *,
    rng: np.random.Generator,
    created_at: float,
    ordered: bool = True,
    source: Literal["file", "learned"] = "file",
    model: str = "",
    categorical: Collection[str] = (),
    kinds: Mapping[str, Kind] = _NO_KINDS,
    moments: NDArray[np.float64] | None = None,
    least_rows: int = LEAST_ROWS,
    order: Sequence[str] = (),
    cluster: str = "",
) -> Reference:
    """The reference of the rows that *chunks* gives, the same ones each of the two or three times it is called.

    Args:
        chunks: Rows in order.
        rng: Chooses among the values of columns of more than 50,000 which ones set the edges, and among rows which
            ones are kept.
        created_at: Seconds since the epoch.
        ordered: Whether the rows come in time order, so that they tell how much shares move by themselves.
        source: Where the rows come from.
        model: Name of the model.
        categorical: Columns whose numbers are codes.
        kinds: Which columns are texts, vectors, images, rankings or forecasts, where that should not be left to their
            values.
        moments: When each row was, seconds since the epoch, shape (rows,): shows the rhythm of the day and the week.
        least_rows: With fewer it is refused.
        order: Names of columns in the order in which the reference holds them: unnamed traffic is matched by it. Others,
            and all where it is empty, stand in the order in which they were met.
        cluster: Column by whose value rows hang together, a session or a user: as many rows count as they are worth.

    Raises:
        ReferenceDataError: there are fewer than *least_rows* rows, or a column has the name of a facet of another.
    """
    largest = LargestCluster()
    if cluster:
        chunks, moments, largest = _effective(chunks, cluster, moments)
    surveys: dict[Role, TableSurvey] = {role: TableSurvey(role, rng, categorical, kinds) for role in _ROLES}
    for chunk in chunks():
        for role, table in chunk.items():
            surveys[role].add(table)
    rows = max(survey.rows for survey in surveys.values())
    if rows < least_rows:
        raise ReferenceDataError(f"holds too few rows: found {rows}, a reference needs at least {least_rows}")
    layouts: dict[Role, tuple[ColumnReference, ...]] = {role: survey.layout() for role, survey in surveys.items()}
    wanted: dict[Role, dict[str, Kind]] = {
        role: _with_facets(layout, surveys[role], kinds) for role, layout in layouts.items()
    }
    items: dict[Role, dict[str, ItemSurvey]] = {role: _items(surveys[role], held) for role, held in wanted.items()}
    if any(wanted.values()):
        layouts = _laid_out(layouts, wanted, items, chunks, rng)
    places = {name: at for at, name in enumerate(order)}
    layouts = {
        role: tuple(sorted(layout, key=lambda column: places.get(column.of or column.name, len(places))))
        for role, layout in layouts.items()
    }
    # Rows of different keys are independent, and of fewer it could not be seen that they are not.
    ordered = ordered and not (cluster and rows < LEAST_ORDERED)
    whole = tuple(column for layout in layouts.values() for column in layout if not column.of)
    # The same rows give the same reference.
    said = [(column.name, column.kind, column.low, column.high, column.categories) for column in whole]
    payloads = PayloadMeter(whole, payload_key(rows, *said))
    counted = _counted(chunks, layouts, items, payloads, moments if ordered else None, ordered=ordered, rng=rng)
    return with_version(
        replace(counted, source=source, created_at=created_at, model=model, cluster=cluster, largest_cluster=largest)
    )


def build_reference_from_columns(
    columns: Mapping[str, Column],
    roles: Mapping[str, Role],
    *,
    rng: np.random.Generator,
    created_at: float,
    ordered: bool = True,
    model: str = "",
    categorical: Collection[str] = (),
    cluster: str = "",
) -> Reference:
    """The reference of *columns* in memory: name -> values, of which *roles* says what each is.

    A column without a role is a feature. Raises as `build_reference` does.
    """
    chunk: Chunk = {
        role: table_of_columns({name: values for name, values in columns.items() if roles.get(name, "feature") == role})
        for role in _ROLES
    }
    return build_reference(
        lambda: [chunk],
        rng=rng,
        created_at=created_at,
        ordered=ordered,
        model=model,
        categorical=categorical,
        cluster=cluster,
    )


def _effective(
    chunks: Chunks, cluster: str, moments: NDArray[np.float64] | None
) -> tuple[Chunks, NDArray[np.float64] | None, LargestCluster]:
    """The rows that count where rows hang together by the column *cluster*, their moments, and what one key has at most."""
    kept: list[NDArray[np.bool_]] = []
    clusters = Clusters()
    for _ in effective(chunks(), cluster, kept, clusters):
        pass
    if moments is not None and kept:
        moments = moments[np.concatenate(kept)]
    return lambda: effective(chunks(), cluster, [], Clusters()), moments, clusters.largest


def _with_facets(
    layout: tuple[ColumnReference, ...], survey: TableSurvey, kinds: Mapping[str, Kind]
) -> dict[str, Kind]:
    """The columns that have facets; one that was always null has none."""
    found: dict[str, Kind] = {}
    for column in layout:
        kind = kinds.get(column.name, column.kind)
        if kind in FACETED and survey.has_values(column.name):
            found[column.name] = kind
    taken = sorted(collisions([column.name for column in layout], found))
    if taken:
        raise ReferenceDataError(f"has a column {taken[0]!r}, which is the name of what is measured of another column")
    return found


def _items(survey: TableSurvey, wanted: Mapping[str, Kind]) -> dict[str, ItemSurvey]:
    """The items of those of the columns *wanted* that are rankings."""
    return {name: survey.items(name) for name, kind in wanted.items() if kind == "ranking"}


def _laid_out(
    layouts: Mapping[Role, tuple[ColumnReference, ...]],
    wanted: Mapping[Role, Mapping[str, Kind]],
    items: _Items,
    chunks: Chunks,
    rng: np.random.Generator,
) -> dict[Role, tuple[ColumnReference, ...]]:
    """*layouts* with the facets of the columns *wanted*, and these as what is left of them to count."""
    surveys = {
        role: TableSurvey(role, rng, {facet for name, kind in held.items() for facet in category_names(name, kind)})
        for role, held in wanted.items()
    }
    repeated = {role: {name: each.repeated for name, each in held.items()} for role, held in items.items()}
    names = {
        role: {*held, *(facet for name, kind in held.items() for facet in facet_names(name, kind))}
        for role, held in wanted.items()
    }
    for chunk in chunks():
        for role, table in chunk.items():
            seen, _ = expanded(table, wanted[role], widths=repeated[role], embedded=False)
            surveys[role].add(selected(seen, names[role]))
    return {
        role: described(
            [
                *(column for column in layout if column.name not in wanted[role]),
                *surveys[role].layout(),
            ],
            wanted[role],
            {name: each.known for name, each in items[role].items()},
        )
        for role, layout in layouts.items()
    }


def _counted(
    chunks: Chunks,
    layouts: Mapping[Role, tuple[ColumnReference, ...]],
    items: _Items,
    payloads: PayloadMeter,
    moments: NDArray[np.float64] | None,
    *,
    ordered: bool,
    rng: np.random.Generator,
) -> Reference:
    seen = {role: faceted(layout) for role, layout in layouts.items()}
    repeated = {role: {name: each.repeated for name, each in held.items()} for role, held in items.items()}
    tallies = {
        role: RoleTally(layout, ordered=ordered, timed=moments is not None, rng=rng) for role, layout in layouts.items()
    }
    joint = JointTally([column for layout in layouts.values() for column in layout], ordered=ordered, rng=rng)
    sizes: dict[Role, int] = {role: len(layout) for role, layout in layouts.items()}
    begun = 0
    for chunk in chunks():
        rows = max((table.rows for table in chunk.values()), default=0)
        codes: dict[Role, NDArray[np.uint8]] = {}
        for role, table in chunk.items():
            kinds, widths = seen[role]
            whole, matrices = expanded(table, kinds, widths={**widths, **repeated[role]})
            held = None if moments is None else moments[begun : begun + table.rows]
            codes[role] = tallies[role].add(whole, matrices, moments=held)
        if payloads.role in chunk:
            payloads.add(chunk[payloads.role])
        joint.add(codes, sizes)
        begun += rows
    columns = tuple(column for tally in tallies.values() for column in tally.columns())
    pairs, rows_reference = joint.references(columns)
    directions = [rows_reference] if rows_reference is not None else []
    directions += [direction for tally in tallies.values() for direction in tally.directions()]
    return Reference(columns, "file", ordered, "", 0.0, "", pairs, tuple(directions), payloads.reference())
