"""All kinds of breaks, looked for in one order over the columns that look odd. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from dashlight.judge.breaks.constant import constant
from dashlight.judge.breaks.encoding import recoded
from dashlight.judge.breaks.fill import filled
from dashlight.judge.breaks.hours import shifted
from dashlight.judge.breaks.presence import gone
from dashlight.judge.breaks.rounding import rounded
from dashlight.judge.breaks.sight import Finding, Sight
from dashlight.judge.breaks.swap import MISFIT, misfit, swapped
from dashlight.judge.breaks.units import converted

MOST_SWAPPED = 12
"""Columns among which swapped ones are looked for, those that fit the least."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A column that looks odd, over three stretches of recent rows."""

    newest: Sight
    dense: Sight
    sparse: Callable[[], Sight | None]
    """Over a longer span; None while that is too short."""
    absent_seconds: float
    """Since the column was last sent; NaN where it never was."""
    renamed: Sequence[str]
    """Columns that came when this one went."""


def find_breaks(candidates: Mapping[int, Candidate], least_nats: float) -> tuple[dict[int, Finding], set[int]]:
    """The break of each of *candidates* that shows one as certain as *least_nats*.

    Returns:
        Findings by place; and the places of the second columns of swapped pairs, which are told at their first.
    """
    found: dict[int, Finding] = {}
    partners: set[int] = set()
    for one, other in _pairs(candidates):
        if not {one, other} & (found.keys() | partners):
            finding = _swap(candidates[one], candidates[other], least_nats)
            if finding is not None:
                found[one] = finding
                partners.add(other)
    for place in candidates.keys() - found.keys() - partners:
        finding = _single(candidates[place], least_nats)
        if finding is not None:
            found[place] = finding
    return found, partners


def _pairs(candidates: Mapping[int, Candidate]) -> list[tuple[int, int]]:
    misfits = sorted((-misfit(candidate.dense), place) for place, candidate in candidates.items())
    strangest = [place for off, place in misfits[:MOST_SWAPPED] if -off >= MISFIT]
    return list(combinations(sorted(strangest), 2))


def _swap(one: Candidate, other: Candidate, least_nats: float) -> Finding | None:
    def sparse() -> Finding | None:
        first, second = one.sparse(), other.sparse()
        return None if first is None or second is None else swapped(first, second)

    return _best([swapped(one.newest, other.newest), swapped(one.dense, other.dense)], sparse, least_nats)


def _single(candidate: Candidate, least_nats: float) -> Finding | None:
    def is_gone(sight: Sight) -> Finding | None:
        return gone(sight, candidate.absent_seconds, candidate.renamed)

    for finder in (is_gone, recoded, filled, constant, shifted, converted, rounded):
        finding = _by(finder, candidate, least_nats)
        if finding is not None:
            return finding
    return None


def _by(finder: Callable[[Sight], Finding | None], candidate: Candidate, least_nats: float) -> Finding | None:
    def sparse() -> Finding | None:
        sight = candidate.sparse()
        return None if sight is None else finder(sight)

    return _best([finder(candidate.newest), finder(candidate.dense)], sparse, least_nats)


def _best(dense: Sequence[Finding | None], sparse: Callable[[], Finding | None], least_nats: float) -> Finding | None:
    """The most certain of what the stretches show; nothing where the rows that are dense do not show it."""
    found = [finding for finding in dense if finding is not None]
    if not found:
        return None
    best = max(found, key=lambda finding: finding.nats)
    if best.nats < 2 * least_nats:
        longer = sparse()
        best = best if longer is None or longer.nats <= best.nats else longer
    return best if best.nats >= least_nats else None
