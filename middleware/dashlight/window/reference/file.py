"""The reference as a file: versioned JSON that a person can read, with a checksum of its content.

`{"format": "dashlight.reference", "version": 1, "checksum": "sha256:...", ..., "columns": [...]}`. JSON has no
infinity and no NaN: a column without values has null for *low* and *high*, a variation that could not be measured is
null. Everything else is kept to the last digit.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Literal, TypeAlias, cast

import msgspec
import numpy as np

from dashlight.errors import ReferenceDataError
from dashlight.privacy.hashing import HashKey
from dashlight.records import Kind, Role
from dashlight.window.columns import (
    ColumnReference,
    DateOrder,
    DecimalMark,
    LargestCluster,
    LeftOutColumn,
    LeftOutReason,
    Reference,
    Runs,
    Variation,
    Writing,
    WrittenKind,
)
from dashlight.window.payloads.payloads_file import parsed_payloads, payloads_content
from dashlight.window.profile import parsed_profile, profile_content
from dashlight.window.reference.checks import check_columns, decoded
from dashlight.window.reference.directions_file import direction_content, parsed_direction
from dashlight.window.reference.pairs_file import pairs_content, parsed_pairs
from dashlight.window.reference.seasons.file import parsed_season, season_content

FORMAT = "dashlight.reference"
VERSION = 1
"""A later one has to be written under other names: what stands under a name of today's is today's to replace."""

_VERSION_CHARACTERS = 12
_CHECKSUM = "sha256:"
_MOST_NULLS = 256
"""Spellings of null; there are not as many."""


_Source: TypeAlias = Literal["file", "learned"]
_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _VariationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    block_rows: _Count
    blocks: _Count
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
    rows: _Count
    held: list[_Count]
    counts: list[_Count]
    bursts: list[float]


class _ColumnFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    role: Role
    kind: Kind
    rows: _Count
    counts: list[_Count]
    edges: list[float]
    low: float | None
    high: float | None
    categories: list[str]
    known: list[str]
    single_block_rows: _Count
    variation: list[_VariationFile]
    of: str = ""
    season: dict[str, object] | None = None
    runs: _RunsFile | None = None
    profile: dict[str, object] | None = None
    writing: _WritingFile | None = None
    shown: bool = False
    hashed: bool = False


class _LeftOutFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Role
    name: str
    why: LeftOutReason


class _ReferenceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    version: int
    checksum: str
    created_at: float
    source: _Source
    model: str
    ordered: bool
    columns: list[_ColumnFile]
    pairs: dict[str, object] | None = None
    directions: list[dict[str, object]] = []
    left_out: list[_LeftOutFile] = []
    payloads: dict[str, object] | None = None
    cluster: str = ""
    largest_cluster: tuple[Annotated[float, msgspec.Meta(ge=0, le=1)], _Count] = (1.0, 0)
    hash_key: str = ""
    """Name of the key of the hashes in it."""


def dump(reference: Reference, *, with_key: bool = False) -> bytes:
    """The file of *reference*: one line for each thing said of a column.

    *with_key*, the key of its hashes travels with it, so that others can compare with it: no key that an operator gave.
    """
    content = _content(reference)
    key = _key_of(reference)
    secret = {"secret": key.secret.hex()} if with_key and key is not None and not key.is_given else {}
    head = {"format": FORMAT, "version": VERSION, "checksum": _checksum(content)} | secret | content
    columns = cast("list[dict[str, object]]", head.pop("columns"))
    lines = [f" {_json(key)}: {_json(value)}," for key, value in head.items()]
    lines_of = (",\n".join(f"   {_json(key)}: {_json(value)}" for key, value in each.items()) for each in columns)
    written = ",\n".join(f"  {{\n{column}\n  }}" for column in lines_of)
    return "\n".join(["{", *lines, ' "columns": [', written, " ]", "}", ""]).encode()


def load(file: bytes, key: HashKey | None = None, *, to_compare: bool = True) -> Reference:
    """The reference that *file* holds; ReferenceDataError, in one sentence, where it holds none that can be trusted.

    Without the *key* of its hashes nothing can be compared with it: then it is refused, unless it is only to be shown.
    """
    content = decoded(file, FORMAT)
    version = content.get("version")
    if isinstance(version, int) and version > VERSION:
        sentence = f"was made by a newer Dashlight: its version is {version}, this one reads {VERSION}"
        raise ReferenceDataError(sentence, is_newer=True)
    secret = content.pop("secret", None)
    checksum = _checksum({key: value for key, value in content.items() if key != "checksum"})
    if content.get("checksum") != checksum:
        raise ReferenceDataError("was edited or damaged: its checksum does not fit its content; build it anew")
    try:
        parsed = msgspec.convert(content, _ReferenceFile)
    except msgspec.ValidationError as error:
        raise ReferenceDataError(f"is no reference of version {VERSION}: {error}") from None
    keys = [key, HashKey.travelling(secret)]
    key = next((each for each in keys if parsed.hash_key and each is not None and each.name == parsed.hash_key), None)
    if parsed.hash_key and key is None and to_compare:
        raise ReferenceDataError("holds hashes: set DASHLIGHT_HASH_KEY to what it was when the file was made")
    columns = tuple(_column(column, key) for column in parsed.columns)
    check_columns(columns)
    return Reference(
        columns,
        parsed.source,
        parsed.ordered,
        _version(checksum),
        parsed.created_at,
        parsed.model,
        None if parsed.pairs is None else parsed_pairs(parsed.pairs, columns),
        tuple(map(parsed_direction, parsed.directions)),
        tuple(LeftOutColumn(each.role, each.name, each.why) for each in parsed.left_out),
        None if parsed.payloads is None else parsed_payloads(parsed.payloads, key),
        parsed.cluster,
        LargestCluster(*parsed.largest_cluster),
    )


def with_version(reference: Reference) -> Reference:
    """*reference* with the version that follows from its content, which its file will have too."""
    return replace(reference, version=_version(_checksum(_content(reference))))


def _content(reference: Reference) -> dict[str, object]:
    key = _key_of(reference)
    named: dict[str, object] = {} if key is None else {"hash_key": key.name}
    return named | {
        "format": FORMAT,
        "version": VERSION,
        "created_at": float(reference.created_at),
        "source": reference.source,
        "model": reference.model,
        "ordered": reference.ordered,
        "pairs": None if reference.pairs is None else pairs_content(reference.pairs),
        "directions": list(map(direction_content, reference.directions)),
        "left_out": [asdict(each) for each in reference.left_out],
        "cluster": reference.cluster,
        "largest_cluster": [float(reference.largest_cluster.share), int(reference.largest_cluster.rows)],
        "payloads": None if reference.payloads is None else payloads_content(reference.payloads, key),
        "columns": [_column_content(column) for column in reference.columns],
    }


def _key_of(reference: Reference) -> HashKey | None:
    return next((column.hash_key for column in reference.columns if column.hash_key is not None), None)


def _column_content(column: ColumnReference) -> dict[str, object]:
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


def _checksum(content: Mapping[str, object]) -> str:
    canonical = msgspec.json.encode(content, order="sorted")
    return _CHECKSUM + hashlib.sha256(canonical).hexdigest()


def _version(checksum: str) -> str:
    return checksum.removeprefix(_CHECKSUM)[:_VERSION_CHARACTERS]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _column(column: _ColumnFile, key: HashKey | None) -> ColumnReference:
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
