"""Joint drift in words that an engineer can check. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dashlight.judge.words import percent, printable
from dashlight.records import Cause

CAUSES = 5
"""Pairs that are told one by one."""
NAMES = 4
"""Columns that are named in the summary."""
_TOGETHER, _AGAINST = 0.6, 0.4
"""Shares of agreement from which on columns count as rising together, or against each other."""


@dataclass(frozen=True, slots=True)
class MovedPair:
    """A pair that moved: its columns and the share of informative rows in which they agree."""

    first: str
    second: str
    reference: float
    current: float


def joint_causes(moved: Sequence[MovedPair]) -> tuple[Cause, ...]:
    """The first CAUSES of *moved*, which comes with the pair that moved most in front."""
    return tuple(Cause(_sentence(pair), pair.reference, pair.current) for pair in moved[:CAUSES])


def joint_summary(moved: Sequence[MovedPair]) -> str:
    """One sentence on *moved*, at least one pair: the columns, the one that is in most of the pairs, the first pair."""
    if len(moved) == 1:
        return _sentence(moved[0])
    places = Counter(name for pair in moved for name in (pair.first, pair.second))
    names = [printable(name) for name, _ in places.most_common()]
    more = len(names) - NAMES
    listed = f"{', '.join(names[:NAMES])} and {more} more" if more > 0 else f"{', '.join(names[:-1])} and {names[-1]}"
    most = places.most_common(1)[0][1]
    centre = f"; {names[0]} is in {most} of the {len(moved)} pairs that moved" if most > 1 else ""
    return f"{listed} no longer depend on one another as in the reference{centre}: {_sentence(moved[0])}"


def _sentence(pair: MovedPair) -> str:
    return (
        f"{printable(pair.first)} and {printable(pair.second)} {_manner(pair.reference, pair.current)}: they agree in "
        f"{percent(pair.current)} of the rows in which both are low or high, {percent(pair.reference)} in the reference"
    )


def _manner(reference: float, current: float) -> str:
    if current >= _TOGETHER and reference < _TOGETHER:
        return "now rise together"
    if current <= _AGAINST and reference > _AGAINST:
        return "now move against each other"
    if reference >= _TOGETHER:
        return f"rise together {'more' if current > reference else 'less'} than before"
    if reference <= _AGAINST:
        return f"move against each other {'more' if current < reference else 'less'} than before"
    return f"rise together {'more' if current > reference else 'less'} often"
