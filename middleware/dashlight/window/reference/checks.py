"""Whether what a file says of its columns can be true at all: a file may be made by other hands than ours."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.layout import BINS, VALUE_BINS
from dashlight.window.reference.categories import NAMED


def check_columns(columns: Sequence[ColumnReference]) -> None:
    """Raise ReferenceDataError, naming the column and what is wrong with it, at the first contradiction."""
    names: set[tuple[str, str]] = set()
    for column in columns:
        for problem in (
            _counts_problem(column),
            _edges_problem(column),
            _categories_problem(column),
            _variation_problem(column),
            _runs_problem(column),
            "occurs twice" if (column.role, column.name) in names else None,
        ):
            if problem:
                raise ReferenceDataError(f"says of the {column.role} {column.name!r} what cannot be: {problem}")
        names.add((column.role, column.name))
    if [column.role for column in columns] != sorted(column.role for column in columns):
        raise ReferenceDataError("holds an output before a feature")


def _counts_problem(column: ColumnReference) -> str | None:
    if column.counts.shape != (BINS,):
        return f"{column.counts.size} counts instead of {BINS}"
    if (column.counts < 0).any():
        return "a count below zero"
    if sum(column.counts.tolist()) != column.rows:
        return f"its counts do not add up to its {column.rows} rows"
    if not 0 <= column.single_block_rows <= column.rows:
        return "more rows in single blocks than rows"
    return None


def _edges_problem(column: ColumnReference) -> str | None:
    edges = column.edges
    if column.kind != "numeric":
        return "edges, though it is not numeric" if len(edges) else None
    if len(edges) >= VALUE_BINS:
        return f"{len(edges)} edges, more than {VALUE_BINS - 1}"
    if not all(lower < upper for lower, upper in pairwise([column.low, *edges.tolist()])):
        return "its lowest value and its edges do not ascend"
    if column.high < (edges[-1] if len(edges) else column.low):
        return "its highest value lies below its edges"
    return None


def _categories_problem(column: ColumnReference) -> str | None:
    named = frozenset(column.categories)
    if column.kind in {"numeric", "text"}:
        return "categories, though it has none" if named or column.known else None
    if len(column.categories) > NAMED:
        return f"{len(column.categories)} categories with bins of their own, more than {NAMED}"
    if len(named) < len(column.categories) or named & column.known:
        return "a category that occurs twice"
    return None


def _variation_problem(column: ColumnReference) -> str | None:
    for variation in column.variation:
        if variation.events.shape != (EVENT_COUNT,) or variation.functionals.shape != (FUNCTIONAL_COUNT,):
            return f"its variation is not of {EVENT_COUNT} events and {FUNCTIONAL_COUNT} functionals"
        if (np.concatenate([variation.events, variation.functionals]) < 0).any():
            return "a variation below zero"
    return None


def _runs_problem(column: ColumnReference) -> str | None:
    runs = column.runs
    if runs is None:
        return None
    if {runs.held.shape, runs.counts.shape, runs.bursts.shape} != {(EVENT_COUNT,)}:
        return f"its runs are not of {EVENT_COUNT} events"
    if (
        (runs.held > runs.rows).any()
        or (runs.counts > runs.held).any()
        or ((runs.counts == 0) != (runs.held == 0)).any()
    ):
        return "runs of no rows, or of more rows than there are"
    if not ((runs.bursts >= 0) & (runs.bursts <= runs.rows)).all():
        return "a burst of more rows than there are"
    return None


def decoded(file: bytes, format_name: str) -> dict[str, object]:
    """The content of the JSON object that *file* is; ReferenceDataError where it is none, or of another format."""
    foreign = f"is not a Dashlight reference: its format is not {format_name!r}"
    try:
        content = msgspec.json.decode(file, type=dict[str, object])
    except msgspec.ValidationError:
        raise ReferenceDataError(foreign) from None
    except msgspec.DecodeError as error:
        cut_short = "truncated" in str(error)
        raise ReferenceDataError(
            "ends in the middle" if cut_short else f"is not JSON, as `dashlight reference build` writes it: {error}"
        ) from None
    except RecursionError:  # thousands of brackets
        raise ReferenceDataError(foreign) from None
    if content.get("format") != format_name:
        raise ReferenceDataError(foreign)
    return content
