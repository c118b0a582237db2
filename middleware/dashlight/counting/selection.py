"""Which columns of a reference are looked at: the same for whoever counts rows and whoever judges them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dashlight.counting.policy import Policy
from dashlight.judge.alert_budget import Shares, shares
from dashlight.records import Role
from dashlight.window.columns import ColumnReference, DirectionReference, Reference, columns_of
from dashlight.window.normal_scores import joint_places

LEAST_PAIR_ROWS = 2000
"""On a shorter reference the memory of a pair is not known well enough to be relied on."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched of a reference."""

    columns: tuple[ColumnReference, ...]
    """Those that matter."""
    hidden: frozenset[str]
    """Names of those that are ignored."""
    importance: Mapping[str, float]
    """Columns and what they are facets of, with so many times the budget of others; 0 leaves one out."""
    parts: Shares
    """How the budget of false alarms is parted."""
    has_pairs: bool
    directions: tuple[DirectionReference, ...]
    """Of the joint rows (name `""`) and of vector and text columns."""

    @property
    def kept_as_they_came(self) -> tuple[ColumnReference, ...]:
        """Those whose last values are kept as they came, to find what broke upstream."""
        return tuple(each for each in self.columns if each.profile is not None and not each.of)


def watched_of(reference: Reference, policy: Policy) -> Watched:
    """What is watched of *reference* under *policy*."""
    columns = reference.columns
    hidden = frozenset(column.name for column in columns if _is_ignored(column, policy.ignored))
    names = {column.name for column in columns} | {column.of for column in columns if column.of}
    weights = {name: weight for name, weight in policy.importance.items() if name in names} | dict.fromkeys(hidden, 0.0)
    watched = tuple(column for column in columns if _weight(column, weights) > 0)
    paired = {column.name for column in watched}
    parts = shares(
        pairs=reference.pairs is not None and len(paired.intersection(reference.pairs.names)) > 1,
        directions=bool(reference.directions),
        breaks=any(column.profile is not None for column in watched),
        performance=policy.labels,
        segments=bool(policy.segments),
    )
    return Watched(
        columns=watched,
        hidden=hidden,
        importance=weights,
        parts=parts,
        has_pairs=reference.pairs is not None and parts.pairs > 0 and reference.rows >= LEAST_PAIR_ROWS,
        directions=tuple(each for each in reference.directions if _is_watched(each, reference, watched)),
    )


def unknown_weights(reference: Reference, policy: Policy) -> tuple[str, ...]:
    """Names that have an importance, and that no column of *reference* has."""
    names = {column.name for column in reference.columns} | {column.of for column in reference.columns}
    return tuple(name for name in policy.importance if name not in names)


def unmatched_globs(
    reference: Reference, policy: Policy, *, columns: Mapping[str, str]
) -> Iterator[tuple[Role, tuple[str, ...]]]:
    """Globs of the only features and the only outputs that mean no column of *reference*, where there are any.

    Of a role of which the reference holds nothing, nothing can be said. *columns* are other names, old to new, as the
    globs mean the old ones.
    """
    asked: tuple[tuple[Role, tuple[str, ...]], ...] = (("feature", policy.features), ("output", policy.prediction))
    for role, globs in asked:
        of_role = columns_of(reference, role)
        names = {column.name for column in of_role} | {column.of for column in of_role if column.of}
        names |= {old for old, new in columns.items() if new in names}
        names |= {name.partition("[")[0] for name in names}
        unmatched = tuple(glob for glob in globs if not any(fnmatchcase(name, glob) or name == glob for name in names))
        if of_role and unmatched:
            yield role, unmatched


def _is_watched(direction: DirectionReference, reference: Reference, watched: Sequence[ColumnReference]) -> bool:
    if direction.name:
        return any(column.name == direction.name for column in watched)
    return direction.dims == len(joint_places(reference.columns)) > 1


def _weight(column: ColumnReference, importance: Mapping[str, float]) -> float:
    """How much *column* matters: a facet as much as what it is of, unless it is named itself."""
    return importance.get(column.name, importance.get(column.of, 1.0))


def _is_ignored(column: ColumnReference, ignored: Sequence[str]) -> bool:
    return any(fnmatchcase(name, each) for name in {column.name, column.of} - {""} for each in ignored)
