"""What is said of two versions, for people."""

from __future__ import annotations

from math import isfinite

from dashlight.judge.versions.evidence import Decision
from dashlight.judge.words import number, percent, printable, span

_OF_SECONDS = "latency_"
_OF_NUMBERS = frozenset({"mae", "log_loss", "brier", "mrr", "auc"})
SHOWN_ONLY = "shown, does not decide"


def quantity(name: str, value: float) -> str:
    """A value of the figure *name* in its unit."""
    if not isfinite(value):
        return "unknown"
    if name.startswith(_OF_SECONDS):
        return f"-{span(-value)}" if value < 0 else span(value) if value else "0 s"
    if name in _OF_NUMBERS:
        return number(value)
    return f"-{percent(-value)}" if value < 0 else percent(value)


def signed(name: str, value: float) -> str:
    """A difference, with its sign."""
    return f"+{quantity(name, value)}" if value > 0 else quantity(name, value)


def figure_words(
    name: str,
    *,
    values: tuple[float, float],
    difference: float,
    bounds: tuple[float, float],
    is_deciding: bool,
    is_asymptotic: bool,
    is_distance: bool,
) -> str:
    """One sentence on a figure: *values* of stable and candidate, and where the *difference* lies at every look."""
    low, high = bounds
    if isfinite(low) and isfinite(high):
        within = f"between {signed(name, low)} and {signed(name, high)}"
    elif isfinite(low):
        within = f"above {signed(name, low)}"
    elif isfinite(high):
        within = f"below {signed(name, high)}"
    else:
        within = "not bounded yet: too few"
    if isfinite(low) and isfinite(high) and low <= 0 <= high:
        within += f", so no difference larger than {quantity(name, max(-low, high))}"
    if is_distance:
        told = f"{printable(name)}: the distributions are {quantity(name, difference)} apart ({within})"
    else:
        of = f"candidate {quantity(name, values[1])}, stable {quantity(name, values[0])}"
        told = f"{printable(name)}: {of}: {signed(name, difference)} ({within})"
    notes = (["asymptotic: for many rows only"] if is_asymptotic else []) + ([] if is_deciding else [SHOWN_ONLY])
    return f"{told}; {'; '.join(notes)}" if notes else told


def report_words(
    decision: Decision,
    *,
    versions: tuple[str, str],
    figure: str,
    max_loss: float,
    rows: tuple[int, int],
    is_simultaneous: bool,
    unknown: str = "",
) -> str:
    """What is decided of stable and candidate, or what is missing; *unknown* says why nothing can be."""
    stable, candidate = map(printable, versions)
    loss = quantity(figure, max_loss)
    if unknown:
        told = f"{candidate} cannot be compared with {stable}: {unknown}"
    elif decision == "worse":
        told = f"{candidate} is worse than {stable}: its {figure} is more than {loss} worse"
    elif decision == "no_worse":
        told = f"{candidate} is no worse than {stable}: its {figure} is at most {loss} worse"
    else:
        told = (
            f"too few to decide whether {candidate} is worse than {stable} by more than {loss} in {figure}: "
            f"{rows[1]:,} and {rows[0]:,} so far"
        )
    when = "" if is_simultaneous else "; before and after, not at the same time: the traffic may be another"
    return f"{told}{when}"
