"""The reference of a model, from rows that stream by again and again: to lay out the bins, then to count."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.privacy.hashing import HashKey
from dashlight.records import Kind, Role
from dashlight.window.columns import ColumnReference, LargestCluster, Reference, Writing
from dashlight.window.facets.facets import (
    FACETED,
    category_names,
    collisions,
    described,
    expanded,
    facet_names,
)
from dashlight.window.inspection.doubts import REPEATED_SHARE
from dashlight.window.inspection.facts import FirstPass
from dashlight.window.inspection.left_out import left_out, left_out_words
from dashlight.window.payloads.clusters import Clusters, effective
from dashlight.window.payloads.hashing import payload_key
from dashlight.window.payloads.payload_meter import PayloadMeter
from dashlight.window.reference.chunks import Chunk, Chunks
from dashlight.window.reference.file import with_version
from dashlight.window.reference.items import Items, ItemSurvey
from dashlight.window.reference.performance.labelled_training import LabelledTraining
from dashlight.window.reference.performance.made import performance_reference
from dashlight.window.reference.steps import Steps, at_once
from dashlight.window.reference.survey import TableSurvey
from dashlight.window.reference.tally import counted
from dashlight.window.tables import Column, selected, table_of_columns

LEAST_ROWS = 200
"""With fewer, chance alone moves a share of one half by more than a tenth."""
LEAST_ORDERED = 400
"""Rows chosen by a key whose order says how much shares move by themselves."""

_ROLES: tuple[Role, ...] = ("feature", "output")
_NO_KINDS: Mapping[str, Kind] = {}
_NO_WRITINGS: Mapping[str, Writing] = {}


def reference_steps(
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
    writings: Mapping[str, Writing] = _NO_WRITINGS,
    keep: Collection[str] = ("*",),
    seen: Callable[[FirstPass], None] | None = None,
    cluster: str = "",
    columns_alone: bool = False,
    key: HashKey | None = None,
    training: LabelledTraining | None = None,
) -> Steps[Reference]:
    """The reference of the rows that *chunks* gives, the same ones each of the two or three times it is called; in steps.

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
        writings: How columns were written of which the values were read from texts, and `time` for columns of moments.
        keep: Globs of columns that stay whatever they hold: by default all. Of others those are left out that no traffic
            can be like, see `left_out`; of outputs only where they are learned, for those of a file somebody has named.
        seen: Told what the first pass showed.
        columns_alone: No pairs, no directions, no profiles and no sample of rows.
        cluster: Column by whose value rows hang together, a session or a user: as many rows count as they are worth.
        key: Without it nobody can tell by trying which rows the hashes of frequent payloads stand for.
        training: What was predicted in each row, and what was true, in the order of *chunks*.

    Raises:
        ReferenceDataError: there are fewer than *least_rows* rows, a column has the name of a facet of another, or none
            is left of a file.
    """
    largest = LargestCluster()
    if cluster:
        chunks, counting, largest = _effective(chunks, cluster)
        moments = None if moments is None else moments[counting]
        training = None if training is None else training.taken(counting)
    surveys: dict[Role, TableSurvey] = {role: TableSurvey(role, rng, categorical, kinds) for role in _ROLES}
    for chunk in chunks():
        for role, table in chunk.items():
            surveys[role].add(table)
            yield
    rows = max(survey.rows for survey in surveys.values())
    if rows < least_rows:
        raise ReferenceDataError(f"holds too few rows: found {rows}, a reference needs at least {least_rows}")
    facts = tuple(each for survey in surveys.values() for each in survey.facts().values())
    if seen is not None:
        seen(FirstPass(facts, surveys["feature"].repeated_row(REPEATED_SHARE)))
    is_learned = source == "learned"
    places = {name: at for at, name in enumerate(order)}
    facts = tuple(sorted(facts, key=lambda each: (each.role, places.get(each.name, len(places)))))
    apart = left_out(
        [each for each in facts if is_learned or each.role == "feature"],
        times=[name for name, writing in writings.items() if writing.kind == "time"],
        is_learned=is_learned,
        keep=keep,
    )
    layouts: dict[Role, tuple[ColumnReference, ...]] = {}
    without = {(each.role, each.name) for each in apart}
    for role, survey in surveys.items():
        layouts[role] = tuple(column for column in survey.layout() if (role, column.name) not in without)
        yield
    if apart and not is_learned and not any(layouts.values()):
        raise ReferenceDataError(
            f"has no column left for the reference: {left_out_words(apart)}; name what to keep: --keep, or kinds in Python"
        )
    wanted: dict[Role, dict[str, Kind]] = {
        role: _with_facets(layout, surveys[role], kinds) for role, layout in layouts.items()
    }
    items: dict[Role, dict[str, ItemSurvey]] = {
        role: {name: surveys[role].items(name) for name, kind in held.items() if kind == "ranking"}
        for role, held in wanted.items()
    }
    if any(wanted.values()):
        layouts = yield from _laid_out(layouts, wanted, items, chunks, rng)
    layouts = {
        role: tuple(sorted(layout, key=lambda column: places.get(column.of or column.name, len(places))))
        for role, layout in layouts.items()
    }
    # Rows of different keys are independent, and of fewer it could not be seen that they are not.
    ordered = ordered and not (cluster and rows < LEAST_ORDERED)
    whole = tuple(column for layout in layouts.values() for column in layout if not column.of)
    # The same rows give the same reference.
    said = [(column.name, column.kind, column.low, column.high, column.categories) for column in whole]
    made, sampled = yield from counted(
        chunks,
        layouts,
        items,
        PayloadMeter(whole, payload_key(rows, *said) if key is None else key.number(repr((rows, *said)))),
        moments if ordered else None,
        ordered=ordered,
        rng=rng,
        columns_alone=columns_alone,
    )
    columns = tuple(replace(each, writing=None if each.of else writings.get(each.name)) for each in made.columns)
    made = replace(made, columns=columns, source=source, created_at=created_at, model=model, left_out=tuple(apart))
    yield
    performance = None if training is None else performance_reference(training, sampled, rng)
    return with_version(replace(made, cluster=cluster, largest_cluster=largest, performance=performance))


build_reference = at_once(reference_steps)
"""As `reference_steps`, all at once."""


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


def _effective(chunks: Chunks, cluster: str) -> tuple[Chunks, NDArray[np.bool_], LargestCluster]:
    """The rows that count where rows hang together by the column *cluster*, which they are, and what one key has at most."""
    kept: list[NDArray[np.bool_]] = [np.zeros(0, np.bool_)]
    clusters = Clusters()
    for _ in effective(chunks(), cluster, kept, clusters):
        pass
    return lambda: effective(chunks(), cluster, [], Clusters()), np.concatenate(kept), clusters.largest


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


def _laid_out(
    layouts: Mapping[Role, tuple[ColumnReference, ...]],
    wanted: Mapping[Role, Mapping[str, Kind]],
    items: Items,
    chunks: Chunks,
    rng: np.random.Generator,
) -> Steps[dict[Role, tuple[ColumnReference, ...]]]:
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
            yield
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
