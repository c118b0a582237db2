"""The reference as a person gives it: columns in memory with their kinds, or a reference file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import cast, get_args

import numpy as np

from dashlight.decode.cells.known_columns import KnownColumn, as_known, time_columns, typed_columns
from dashlight.decode.frames import Columns, columns_of
from dashlight.errors import CallError, ReferenceDataError
from dashlight.offline.tables import is_matrix, table_of
from dashlight.records import Cell, Kind
from dashlight.store.hash_key import given_hash_key
from dashlight.window.columns import Reference, Writing
from dashlight.window.facets.facets import FACETED, facets_of
from dashlight.window.facets.list_kinds import kind_of_lists
from dashlight.window.facets.list_names import is_forecast_name
from dashlight.window.facets.vector_facets import LEAST_WIDTH, MOST_WIDTH, width_of
from dashlight.window.reference.build import LEAST_ROWS, build_reference
from dashlight.window.reference.file import load
from dashlight.window.tables import Column
from dashlight.window.values import WRONG, text_of

_SEED = 0
"""The same rows give the same reference."""
_THE_REFERENCE = "the reference"
_NAMES_SHOWN = 10
_VECTORS = f"lists of {LEAST_WIDTH} to {MOST_WIDTH:,} numbers"
LISTED: frozenset[Kind] = FACETED - {"text", "image"}
"""Kinds of columns whose cells are lists."""
_WHOLE: frozenset[Kind] = FACETED - {"text"}
_WANTED: Mapping[Kind, str] = {
    "vector": _VECTORS,
    "image": "objects with a format, a width, a height and bytes",
    "ranking": "lists of items",
    "forecast": "lists of numbers",
}
_KINDS = cast("tuple[Kind, ...]", get_args(Kind))


def reference_of(
    given: object, kinds: Mapping[str, str] | None, *, ordered: bool, created_at: float, cluster: str | None = None
) -> Reference:
    """The reference that *given* is: a mapping of names to arrays, a frame, a reference file (path or bytes), a Reference.

    *kinds* says of what kind columns are where that should not be left to their values. *ordered* says that rows in
    memory are in time order. *cluster* is the column by whose value rows hang together.

    Raises:
        CallError: *given* or *kinds* is not what it should be.
        ReferenceDataError: a file cannot be used.
    """
    declared = _checked_kinds(kinds)
    if isinstance(given, Reference):
        return _agreeing(given, declared, cluster)
    if isinstance(given, str | bytes | bytearray | os.PathLike):
        return _agreeing(_loaded(cast("str | bytes | os.PathLike[str]", given)), declared, cluster)
    columns = columns_of(given, _THE_REFERENCE)
    if cluster is not None and cluster not in columns.values:
        asked = suggestion(cluster, columns.values)
        raise CallError(f"cluster is {cluster!r}{asked}, which the reference lacks: it has {listed(columns.values)}")
    return _built(columns, declared, cluster or "", ordered=ordered, created_at=created_at)


def listed(names: Iterable[str]) -> str:
    """The first of *names*, and how many more there are."""
    names = list(names)
    more = len(names) - _NAMES_SHOWN
    return ", ".join(map(repr, names[:_NAMES_SHOWN])) + (f" and {more} more" if more > 0 else "")


def suggestion(name: str, names: Collection[str]) -> str:
    """A question that follows a *name* that is none of *names*, or nothing where none of them comes near."""
    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _checked_kinds(kinds: Mapping[str, str] | None) -> Mapping[str, Kind]:
    if kinds is None:
        return {}
    if not isinstance(kinds, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # whoever calls may not check types
        raise CallError(f"kinds is of type {type(kinds).__name__}: expected a mapping of names of columns to kinds")
    for name, kind in kinds.items():
        if kind not in _KINDS:
            raise CallError(f"kinds says of column {name!r} that it is {kind!r}: expected one of {listed(_KINDS)}")
    # As texts, for that is what the names of columns are made.
    return {str(name): cast("Kind", kind) for name, kind in kinds.items()}


def _check_names(kinds: Mapping[str, Kind], names: Collection[str]) -> None:
    for name in kinds:
        if name not in names:
            asked = suggestion(name, names)
            raise CallError(f"kinds names column {name!r}{asked}, which the reference lacks: it has {listed(names)}")


def _loaded(given: str | bytes | os.PathLike[str]) -> Reference:
    if isinstance(given, bytes | bytearray):
        try:
            return load(bytes(given), given_hash_key(os.environ))
        except ReferenceDataError as error:
            raise ReferenceDataError(f"the reference file {error}") from None
    try:
        return load(Path(given).read_bytes(), given_hash_key(os.environ))
    except ReferenceDataError as error:
        raise ReferenceDataError(f"{os.fspath(given)} {error}") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        reason = getattr(error, "strerror", None) or error
        raise ReferenceDataError(f"{os.fspath(given)} cannot be read as a reference file: {reason}") from None


def _agreeing(reference: Reference, declared: Mapping[str, Kind], cluster: str | None) -> Reference:
    if cluster is not None and cluster != reference.cluster:
        made = f"by {reference.cluster!r}" if reference.cluster else "of independent rows"
        raise CallError(f"cluster is {cluster!r}: the reference was made {made}")
    found = {column.name: column.kind for column in reference.columns}
    if not found:
        raise CallError("the reference has no columns: expected at least one")
    _check_names(declared, found)
    for name, kind in declared.items():
        if found[name] != kind:
            raise CallError(
                f"kinds says of column {name!r} that it is {kind!r}: in the reference file it is {found[name]!r}"
            )
    return reference


def _built(
    columns: Columns, declared: Mapping[str, Kind], cluster: str, *, ordered: bool, created_at: float
) -> Reference:
    names = columns.values.keys()
    _check_names(declared, names)
    if columns.rows < LEAST_ROWS:
        raise CallError(f"the reference has {columns.rows} rows: expected at least {LEAST_ROWS}")
    coded: dict[str, Kind] = dict.fromkeys(columns.coded, "categorical")
    kinds = _with_lists(columns, coded | dict(declared))
    values = {name: _as_texts(each) if kinds.get(name) == "text" else each for name, each in columns.values.items()}
    table = table_of(values, columns.rows)
    times = {name: each for name, each in time_columns(table).items() if kinds.get(name, "numeric") == "numeric"}
    written = {name: KnownColumn(writing, may_be_time=True) for name, writing in times.items()} | typed_columns(table)
    table = as_known(table, written)
    try:
        reference = build_reference(
            lambda: [{"feature": table}],
            rng=np.random.default_rng(_SEED),
            created_at=created_at,
            ordered=ordered,
            categorical=[name for name, kind in kinds.items() if kind == "categorical"],
            kinds={name: kind for name, kind in kinds.items() if kind in FACETED},
            order=list(columns.values),
            keep=[*declared, *coded],
            writings=dict.fromkeys(columns.moments, Writing("time"))
            | {name: column.writing for name, column in written.items()},
            cluster=cluster,
        )
    except ReferenceDataError as error:
        raise CallError(f"{_THE_REFERENCE} {error}") from None
    _check_kinds_found(reference, declared)
    return reference


def _with_lists(columns: Columns, declared: Mapping[str, Kind]) -> Mapping[str, Kind]:
    """Kinds as *declared*, and of columns of lists or images besides; every other column must hold single values."""
    kinds = dict(declared)
    for name, values in columns.values.items():
        kind = declared.get(name, _kind_of_lists(name, values))
        if kind in _WHOLE:
            if not _holds(kind, values):
                raise CallError(f"column {name!r} of the reference holds no {kind}s: expected {_WANTED[kind]}")
            kinds[name] = kind
        else:
            _check_single_values(name, values)
    return kinds


def _kind_of_lists(name: str, values: Column) -> Kind | None:
    """What most of *values* are as lists or images; None where most are neither."""
    if not is_matrix(values) and (isinstance(values, np.ndarray) or _wrong_share(values) <= 0.5):
        return None
    kind = kind_of_lists(name, values)
    # An array of few columns is more likely a mistake than short forecasts.
    return None if is_matrix(values) and kind == "forecast" and not is_forecast_name(name) else kind


def _holds(kind: Kind, values: Column) -> bool:
    """Whether any of *values* is of a *kind* whose cells are no single values."""
    if kind == "vector":
        return width_of(values) is not None
    left = facets_of("", kind, values, embedded=False).cells
    return any(cell is not None and cell is not WRONG for cell in left)


def _check_single_values(name: str, values: Column) -> None:
    if is_matrix(values):
        found = f"is an array of shape {values.shape}"
    elif not isinstance(values, np.ndarray) and _wrong_share(values) > 0.5:
        types = sorted({type(cell).__name__ for cell in values if text_of(cell) is WRONG})
        found = f"holds values of type {listed(types)}"
    else:
        return
    raise CallError(f"column {name!r} of the reference {found}: expected one value in each row, or {_VECTORS}")


def _as_texts(values: Column) -> Column:
    """*values* with numbers and truths as the texts that they are written as."""
    cells: Iterable[Cell] = values.tolist() if isinstance(values, np.ndarray) else values
    return [text_of(cell) if isinstance(cell, bool | int | float) else cell for cell in cells]


def _wrong_share(cells: Iterable[Cell]) -> float:
    """Share of *cells*, those that are null left out, that are no single values."""
    wrong = [text is WRONG for text in map(text_of, cells) if text is not None]
    return sum(wrong) / max(len(wrong), 1)


def _check_kinds_found(reference: Reference, declared: Mapping[str, Kind]) -> None:
    for column in reference.columns:
        kind = declared.get(column.name)
        # A column that was always null has no kind of its own.
        if kind in {"numeric", "boolean"} and column.kind not in {kind, "text"}:
            raise CallError(
                f"kinds says of column {column.name!r} that it is {kind!r}: its values in the reference are {column.kind!r}"
            )
