"""The reference as a file: versioned JSON that a person can read, with a checksum of its content.

`{"format": "dashlight.reference", "version": 1, "checksum": "sha256:...", ..., "columns": [...]}`. JSON has no
infinity and no NaN: a column without values has null for *low* and *high*, a variation that could not be measured is
null. Everything else is kept to the last digit.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Literal, TypeAlias, cast

import msgspec

from dashlight.errors import ReferenceDataError
from dashlight.privacy.hashing import HashKey
from dashlight.records import Role
from dashlight.window.columns import (
    LargestCluster,
    LeftOutColumn,
    LeftOutReason,
    Reference,
)
from dashlight.window.payloads.payloads_file import parsed_payloads, payloads_content
from dashlight.window.reference.checks import check_columns, decoded
from dashlight.window.reference.columns_file import ColumnFile, Count, column_content, parsed_column
from dashlight.window.reference.directions_file import direction_content, parsed_direction
from dashlight.window.reference.pairs_file import pairs_content, parsed_pairs
from dashlight.window.reference.performance.file import parsed_performance, performance_content
from dashlight.window.reference.row_sample import parsed_sample, sample_content

FORMAT = "dashlight.reference"
VERSION = 1
"""A later one has to be written under other names: what stands under a name of today's is today's to replace."""

_VERSION_CHARACTERS = 12
_CHECKSUM = "sha256:"


_Source: TypeAlias = Literal["file", "learned"]


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
    columns: list[ColumnFile]
    pairs: dict[str, object] | None = None
    directions: list[dict[str, object]] = []
    left_out: list[_LeftOutFile] = []
    payloads: dict[str, object] | None = None
    cluster: str = ""
    largest_cluster: tuple[Annotated[float, msgspec.Meta(ge=0, le=1)], Count] = (1.0, 0)
    sample: dict[str, object] | None = None
    performance: dict[str, object] | None = None
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
    columns = tuple(parsed_column(column, key) for column in parsed.columns)
    check_columns(columns)
    sample = None if parsed.sample is None else parsed_sample(parsed.sample, len(columns))
    sampled = 0 if sample is None else sample.shape[1]
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
        sample,
        None if parsed.performance is None else parsed_performance(parsed.performance, sampled),
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
        # A file from before has neither, and its checksum stays what it was.
        **({} if reference.sample is None else {"sample": sample_content(reference.sample)}),
        **({} if reference.performance is None else {"performance": performance_content(reference.performance)}),
        "columns": [column_content(column) for column in reference.columns],
    }


def _key_of(reference: Reference) -> HashKey | None:
    return next((column.hash_key for column in reference.columns if column.hash_key is not None), None)


def _checksum(content: Mapping[str, object]) -> str:
    canonical = msgspec.json.encode(content, order="sorted")
    return _CHECKSUM + hashlib.sha256(canonical).hexdigest()


def _version(checksum: str) -> str:
    return checksum.removeprefix(_CHECKSUM)[:_VERSION_CHARACTERS]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
