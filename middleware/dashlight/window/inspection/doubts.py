"""What is doubtful about the columns of a reference, from its first pass and what was counted. Pure.

A doubt changes nothing: whoever made the file may know better.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal, Protocol, TypeAlias

from dashlight.records import Kind
from dashlight.window.columns import ColumnReference, Reference
from dashlight.window.inspection.facts import SHOWN_CHARACTERS, ColumnFacts, FirstPass
from dashlight.window.inspection.left_out import is_id_name, is_kept, pairs_expected
from dashlight.window.layout import NULL, STRUCTURAL_BINS, TYPE_ERROR

DoubtKind: TypeAlias = Literal[
    "empty",
    "odd_cells",
    "mixed",
    "constant",
    "nearly_constant",
    "id",
    "rising",
    "label",
    "duplicate",
    "dates",
    "repeated",
]
REPEATED_SHARE = 0.05
"""Of the rows: a single one of which more are copies is told."""
NEARLY = 0.99
"""Share of the rows from which one value is nearly all."""
MIXED_SHARE = 0.01
"""Share of the values that are of another type than most, from which they are no odd cells any more."""
_FEWEST_EXPECTED = 3.0
"""So many pairs of equal numbers should be there by chance; of fewer it says little that there is none."""
_NAMED_ID_SHARE = 0.5
_VALUED: frozenset[Kind] = frozenset({"numeric", "categorical", "boolean"})
_FEWEST_ID_ROWS = 500
_LABEL = re.compile(
    r"(?i)(?:.*[^a-z])?(?:labels?|targets?|outcomes?|class|ground_?truth|y|y_?true|truth|answer|default(?:ed)?|churn(?:ed)?"
    r"|survived|converted|is_?fraud|fraud(?:ulent)?|clicked|cancelled|canceled|returned)"
)


class Minority(Protocol):
    """Cells of a column that are not like the others."""

    @property
    def count(self) -> int:
        """How many."""
        ...

    @property
    def row(self) -> int:
        """Of the first of them, counted from 0."""
        ...

    @property
    def text(self) -> str:
        """What it says."""
        ...


_NONE_MIXED: Mapping[str, Minority] = {}


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that may be meant otherwise."""

    kind: DoubtKind
    column: str = ""
    """Empty for whole rows."""
    other: str = ""
    """The column that a duplicate equals."""
    text: str = ""
    """What the odd cell says, or the one value."""
    row: int = 0
    """The first row that it is about, from 1."""
    rows: int = 0
    """How many rows it is about."""
    share: float = 0.0
    """Of the rows that have a value."""


def doubts(
    seen: FirstPass,
    reference: Reference,
    *,
    has_time: bool,
    said: Collection[str] = (),
    open_dates: Collection[str] = (),
    mixed: Mapping[str, Minority] = _NONE_MIXED,
) -> list[Doubt]:
    """All of them, column by column in the order of the rows, those of whole rows last.

    Args:
        seen: The first pass over the rows of *reference*.
        reference: What was made of them.
        has_time: Whether a column of moments orders the rows.
        said: Globs of columns of which somebody said that they are features: that is not doubted.
        open_dates: Columns of dates that do not tell their days from their months.
        mixed: Columns of words and numbers that all count as words, with the fewer of both.
    """
    columns = {(column.role, column.name): column for column in reference.columns if not column.of}
    by_place = {(facts.role, facts.name): facts for facts in seen.columns}
    kept = [by_place[place] for place in columns if place in by_place]
    equal = _equal(kept)
    found: list[Doubt] = []
    for facts in kept:
        column = columns[facts.role, facts.name]
        found += _of_values(facts, column)
        if facts.name in mixed:
            fewer = mixed[facts.name]
            found.append(_mixed(facts, fewer.row + 1, fewer.text, fewer.count))
        if facts.name in equal:
            found.append(Doubt("duplicate", facts.name, other=equal[facts.name]))
        if facts.role == "feature" and not is_kept(facts.name, said):
            if _may_be_id(facts):
                found.append(Doubt("id", facts.name, share=facts.distinct_share))
            elif reference.ordered and not has_time and facts.is_sorted and facts.only_rises:
                found.append(Doubt("rising", facts.name))
            if is_label_name(facts.name):
                found.append(Doubt("label", facts.name))
    found += [Doubt("dates", facts.name, rows=facts.texts) for facts in seen.columns if facts.name in open_dates]
    if seen.repeated is not None:
        rows = max((facts.rows for facts in seen.columns), default=1)
        shares = [
            _share_of(column, seen.repeated.values[column.name])
            for column in columns.values()
            if column.role == "feature" and column.name in seen.repeated.values
        ]
        beyond = _beyond_chance(seen.repeated.rows / rows, shares)
        if beyond > REPEATED_SHARE:
            found.append(
                Doubt("repeated", row=seen.repeated.row, rows=seen.repeated.rows, share=seen.repeated.rows / rows)
            )
    return found


def is_label_name(name: str) -> bool:
    """Whether *name* is what people call the true answer."""
    return _LABEL.fullmatch(name[:200]) is not None


def _of_values(facts: ColumnFacts, column: ColumnReference) -> Iterable[Doubt]:
    if not facts.values:
        yield Doubt("empty", facts.name)
        return
    yield from _of_types(facts, column)
    text, share = _most_frequent(column) if column.kind in _VALUED else ("", 0.0)
    if share == 1:
        yield Doubt("constant", facts.name, text=text, share=1.0)
    elif share >= NEARLY:
        yield Doubt("nearly_constant", facts.name, text=text, share=share)


def _of_types(facts: ColumnFacts, column: ColumnReference) -> Iterable[Doubt]:
    counts = sorted((facts.numbers, facts.texts, facts.truths, facts.lists))
    odd = sum(counts[:-1])
    if not odd:
        return
    share = odd / facts.values
    if share > MIXED_SHARE or column.kind not in {"numeric", "boolean"}:
        yield _mixed(facts, facts.odd_row, facts.odd_text, odd)
    else:
        yield Doubt("odd_cells", facts.name, text=facts.odd_text, row=facts.odd_row, rows=odd, share=share)


def _mixed(facts: ColumnFacts, row: int, text: str, rows: int) -> Doubt:
    return Doubt("mixed", facts.name, text=text[:SHOWN_CHARACTERS], row=row, rows=rows, share=rows / facts.values)


def _share_of(column: ColumnReference, text: str | None) -> float:
    """Share of the rows of *column* that hold *text*, at most."""
    rows = max(column.rows, 1)
    if text is None:
        return float(column.counts[NULL]) / rows
    profile = column.profile
    if column.kind not in _VALUED or profile is None:
        return 0.0
    if text in column.categories:
        return float(column.counts[STRUCTURAL_BINS + column.categories.index(text)]) / rows
    return dict(profile.frequent).get(text, 0.0) * (1 - float(column.counts[NULL]) / rows)


def _beyond_chance(share: float, shares: Sequence[float]) -> float:
    """The part of *share*, that of one row, which columns whose values there have these *shares* do not bring together by chance.

    r of  r + (1 - r) prod((c - r) / (1 - r)) = share:  so many rows are copies, in the others columns are independent.
    """
    low, high = 0.0, share
    if prod(shares) >= share:
        return 0.0
    for _ in range(40):
        middle = (low + high) / 2
        rest = prod(max(each - middle, 0.0) / (1 - middle) for each in shares)
        low, high = (low, middle) if middle + (1 - middle) * rest >= share else (middle, high)
    return low


def _most_frequent(column: ColumnReference) -> tuple[str, float]:
    """The value that occurs the most, and its share of the rows with a value: 1 only where there is no other."""
    present = column.rows - int(column.counts[NULL])
    profile = column.profile
    if profile is None or not profile.frequent or not present:
        return "", 0.0
    text, share = profile.frequent[0]
    if column.counts[TYPE_ERROR]:
        return text, min(share, (present - int(column.counts[TYPE_ERROR])) / present)
    # The profile keeps some of the rows, the bins count them all.
    categories = len(column.categories) + len(column.known)
    is_only = column.low == column.high if column.kind == "numeric" else categories == 1
    return text, 1.0 if is_only else min(share, 1 - 1 / present)


def _may_be_id(facts: ColumnFacts) -> bool:
    if facts.values < _FEWEST_ID_ROWS or not (facts.is_whole or facts.token_share > NEARLY):
        return False
    if is_id_name(facts.name):
        return facts.distinct_share >= _NAMED_ID_SHARE
    return facts.is_distinct and facts.is_whole and pairs_expected(facts) >= _FEWEST_EXPECTED


def _equal(columns: Iterable[ColumnFacts]) -> Mapping[str, str]:
    """Of columns that hold the same in every row all but the first, by name, with that one."""
    first: dict[int, str] = {}
    equal: dict[str, str] = {}
    for facts in columns:
        if facts.values and facts.order_hash in first:
            equal[facts.name] = first[facts.order_hash]
        else:
            first.setdefault(facts.order_hash, facts.name)
    return equal
