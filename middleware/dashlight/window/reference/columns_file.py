"""One column of a reference as plain values that fit into JSON, and back."""

import math
from dataclasses import asdict
from typing import Annotated, TypeAlias

import msgspec
import numpy as np

from dashlight.privacy.hashing import HashKey
from dashlight.records import Kind, Role
from dashlight.window.columns import ColumnReference, DateOrder, DecimalMark, Runs, Variation, Writing, WrittenKind
from dashlight.window.profile import parsed_profile, profile_content
from dashlight.window.reference.seasons.file import parsed_season, season_content

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

_MOST_NULLS = 256
"""Spellings of null; there are not as many."""


class _VariationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    block_rows: Count
    blocks: Count
    events: list[float | None]
    functionals: list[float | None]


class _WritingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: WrittenKind
    decimal: DecimalMark
    dates: DateOrder
    has_currency: bool
    has_percent: bool
    nulls: Annotated[tuple[str, ...], msgspec.Meta(max_length=_MOST_NULLS)]


class _RunsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rows: Count
    held: list[Count]
    counts: list[Count]
    bursts: list[float]


class ColumnFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column as it stands in a file, of which nothing but the types is sure."""

    name: str
    role: Role
    kind: Kind
    rows: Count
    counts: list[Count]
    edges: list[float]
    low: float | None
    high: float | None
    categories: list[str]
    known: list[str]
    single_block_rows: Count
    variation: list[_VariationFile]
    of: str = ""
    season: dict[str, object] | None = None
    runs: _RunsFile | None = None
    profile: dict[str, object] | None = None
    writing: _WritingFile | None = None
    shown: bool = False
    hashed: bool = False


def column_content(column: ColumnReference) -> dict[str, object]:
    """*column* as plain values: null stands for an infinity, or for what could not be measured."""
    runs = column.runs
    return {
        "name": column.name,
        "role": column.role,
        "kind": column.kind,
        "rows": int(column.rows),
        "counts": column.counts.tolist(),
        "edges": column.edges.tolist(),
        "low": _finite(column.low),
        "high": _finite(column.high),
        "categories": list(column.categories),
        "known": sorted(column.known),
        "single_block_rows": int(column.single_block_rows),
        "variation": [
            {
                "block_rows": variation.block_rows,
                "blocks": variation.blocks,
                "events": [_finite(ratio) for ratio in variation.events.tolist()],
                "functionals": [_finite(ratio) for ratio in variation.functionals.tolist()],
            }
            for variation in column.variation
        ],
        "of": column.of,
        "season": None if column.season is None else season_content(column.season),
        "runs": runs
        and {name: np.asarray(getattr(runs, name)).tolist() for name in ("rows", "held", "counts", "bursts")},
        "profile": None if column.profile is None else profile_content(column.profile),
        "writing": None if column.writing is None else asdict(column.writing),
        **({"shown": True} if column.shown else {}),
        **({"hashed": True} if column.hash_key is not None else {}),
    }


def parsed_column(column: ColumnFile, key: HashKey | None) -> ColumnReference:
    """The column that *column* describes; *key* is that of its hashes. Whether it can be true: `check_columns`."""
    return ColumnReference(
        name=column.name,
        role=column.role,
        kind=column.kind,
        rows=column.rows,
        counts=np.array(column.counts, np.int64),
        edges=np.array(column.edges, np.float64),
        low=-math.inf if column.low is None else column.low,
        high=math.inf if column.high is None else column.high,
        categories=tuple(column.categories),
        known=frozenset(column.known),
        single_block_rows=column.single_block_rows,
        variation=tuple(
            Variation(
                part.block_rows,
                part.blocks,
                *(
                    np.array([math.nan if ratio is None else ratio for ratio in each], np.float64)
                    for each in (part.events, part.functionals)
                ),
            )
            for part in column.variation
        ),
        of=column.of,
        season=None if column.season is None else parsed_season(column.season),
        runs=None if column.runs is None else _runs(column.runs),
        profile=None if column.profile is None else parsed_profile(column.profile),
        writing=None if column.writing is None else Writing(**msgspec.structs.asdict(column.writing)),
        shown=column.shown,
        hash_key=key if column.hashed else None,
    )


def _runs(runs: _RunsFile) -> Runs:
    held, counts = np.array(runs.held, np.int64), np.array(runs.counts, np.int64)
    return Runs(runs.rows, held, counts, np.array(runs.bursts, np.float64))


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
