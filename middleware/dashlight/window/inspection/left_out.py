"""Which columns a reference does without unless somebody asks for them: those that no traffic can be like. Pure.

The values of an index, a counter, an id or a moment are new in every row to come. As columns they would be out of range,
or of a category that nobody knows, for ever.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from dashlight.window.columns import LeftOutColumn, LeftOutReason
from dashlight.window.facets.list_names import is_time_name
from dashlight.window.inspection.facts import ColumnFacts

WHY: Final[Mapping[LeftOutReason, str]] = {
    "index": "is the index that pandas wrote, which no request has",
    "row_number": "numbers the rows",
    "counter": "counts up from row to row",
    "id": "identifies a row",
    "time": "says when a row was, so that later rows are out of its range",
    "memory": "finds no room within DASHLIGHT_MEMORY",
}
"""In words that follow the name of the column."""
FEWEST_VALUES = 100
"""With fewer it is nothing unusual that all differ."""
FEWEST_EXPECTED = 30.0
"""So many pairs of equal numbers should be among those drawn from their range, whatever the distribution; an id has none."""
DENSE = 0.5
"""Share of the whole numbers between the smallest and the largest that a column holds, from which it numbers rows."""
MOSTLY = 0.95
_MOSTLY_DISTINCT = 0.9
_EPOCH_UNITS = (1.0, 1e3, 1e6, 1e9)
_EPOCH = (631_152_000.0, 4_102_444_800.0)
"""Seconds since the epoch in 1990 and in 2100: what lies between them may be moments."""
_NARROW = 1.2
"""Moments of ten years; amounts of that size that are all whole spread further."""
_INDEX = re.compile(r"|Unnamed: [0-9]+(?:_level_[0-9]+|\.[0-9]+)?|__index_level_[0-9]+__")
"""What pandas calls a column that is its index: nothing in CSV, which it reads as `Unnamed: 0`."""
_ID = re.compile(
    r"(?i:(?:.*[^a-z])?(?:ids?|u?uid|guid|pk|key|keys|no|nr|num|number|ref|reference|code|hash|token|serial|account|customer"
    r"|order|invoice|ticket|transaction|session|user))|.*[a-z](?:Id|ID|Uid|UID|Uuid|UUID|Guid|GUID|No|Nr|Key|Ref|Hash|Number)"
)


def left_out(
    facts: Iterable[ColumnFacts], *, times: Collection[str], is_learned: bool, keep: Collection[str]
) -> list[LeftOutColumn]:
    """Those of the columns of these *facts* that are left out, and why.

    Args:
        facts: Of all columns, the rows in the order in which they came.
        times: Names of columns that hold moments, whatever their numbers say.
        is_learned: Whether the rows are traffic: what only rises there is a counter, not rows that somebody sorted.
        keep: Globs of columns that stay.
    """
    found: list[LeftOutColumn] = []
    for each in facts:
        why = _reason(each, times=times, is_learned=is_learned)
        if why is not None and not is_kept(each.name, keep):
            found.append(LeftOutColumn(each.role, each.name, why))
    return found


def left_out_words(columns: Sequence[LeftOutColumn]) -> str:
    """Which *columns* are left out, and why, each as `'id' identifies a row`, between semicolons."""
    return "; ".join(f"{each.name!r} {WHY[each.why]}" for each in columns)


def is_kept(name: str, globs: Collection[str]) -> bool:
    """Whether *name* is one of *globs*."""
    # A bracket opens a set in a glob, and stands for itself in the name of a vector's element.
    return any(name == glob or fnmatchcase(name, glob) or fnmatchcase(name.partition("[")[0], glob) for glob in globs)


def is_index(name: str) -> bool:
    """Whether *name* is what pandas calls the index of a frame that it wrote."""
    return _INDEX.fullmatch(name) is not None


def is_id_name(name: str) -> bool:
    """Whether *name* is that of an id: `order_no`, `customerId`."""
    return _ID.fullmatch(name[:200]) is not None


def pairs_expected(facts: ColumnFacts) -> float:
    """Pairs of equal numbers among as many that are drawn from their range, at least: values/2 * values/width.

    The uniform distribution has the fewest. Source: the birthday problem; Bloom (1973), Amer. Math. Monthly 80, 1141.
    """
    return facts.numbers**2 / (2 * (facts.high - facts.low + 1))


def _reason(facts: ColumnFacts, *, times: Collection[str], is_learned: bool) -> LeftOutReason | None:
    if is_index(facts.name):
        return "index"
    if facts.name in times or _holds_moments(facts):
        return "time"
    if facts.values < FEWEST_VALUES:
        return None
    if facts.step and facts.is_whole:
        return "row_number" if facts.step == 1 and facts.low in {0.0, 1.0} else "counter"
    if facts.is_whole and facts.numbers == facts.values:
        if is_learned and facts.only_rises:
            return "counter"
        return "id" if _is_id(facts, is_learned=is_learned) else None
    return "id" if _is_text_id(facts) else None


def _holds_moments(facts: ColumnFacts) -> bool:
    if facts.texts > MOSTLY * facts.values:
        return facts.moment_share >= MOSTLY
    if facts.numbers < MOSTLY * facts.values or not facts.numbers:
        return False
    is_epoch = any(_EPOCH[0] * unit <= facts.low and facts.high <= _EPOCH[1] * unit for unit in _EPOCH_UNITS)
    if not is_epoch:
        return False
    is_narrow = facts.is_whole and facts.high < _NARROW * facts.low
    return is_time_name(facts.name) or facts.name[-3:] in {"_at", "_ts"} or facts.only_rises or is_narrow


def _is_id(facts: ColumnFacts, *, is_learned: bool) -> bool:
    if is_id_name(facts.name) and facts.distinct_share >= _MOSTLY_DISTINCT:
        return True
    if not facts.is_distinct:
        return False
    if facts.numbers >= DENSE * (facts.high - facts.low + 1):
        return True
    # Of rows that somebody sorted it is not said, for they may have been made distinct as well.
    return pairs_expected(facts) >= FEWEST_EXPECTED and (is_learned or not facts.is_sorted)


def _is_text_id(facts: ColumnFacts) -> bool:
    if facts.texts < MOSTLY * facts.values or facts.token_share < MOSTLY:
        return False
    return facts.distinct_share >= (_MOSTLY_DISTINCT if is_id_name(facts.name) else 0.99)
