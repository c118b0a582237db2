"""Silences: alerts that are judged, counted and shown as ever, and told to nobody for a while. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dashlight.records import Alert
from dashlight.window.fitting import moment, refuse

MOST_SILENCES = 100
LONGEST_SECONDS = 366 * 86400.0
"""A silence longer than a year is a column to ignore."""
MOST_CHARACTERS = 200
"""Of each of its texts."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts to tell nobody of, by globs; an empty one stands for any."""

    id: str
    made_at: float
    until_at: float
    why: str
    column: str = ""
    endpoint: str = ""
    source: str = ""
    """`drift`, `performance`, `traffic`, `break` or `threshold`."""

    def covers(self, alert: Alert, at: float) -> bool:
        """Whether nobody is to be told of *alert* at the moment *at*. One that is about no column is covered by no glob of columns."""
        if not self.made_at <= at < self.until_at:
            return False
        return (
            (not self.column or (alert.column is not None and _fits(alert.column, self.column)))
            and (not self.endpoint or _fits(alert.endpoint, self.endpoint))
            and (not self.source or alert.source == self.source)
        )


def _fits(name: str, wanted: str) -> bool:
    """Whether *name* is what is *wanted*, or fits it as a glob: `data[0]` is a name as well as a glob of `data0`."""
    return name == wanted or fnmatchcase(name, wanted)


def audible(alerts: Iterable[Alert], silences: Sequence[Silence], *, told: Collection[str], at: float) -> list[Alert]:
    """Those of *alerts* that no silence covers. What was *told* of, by key, is told of to its end: else nobody learns of it."""
    return [
        alert for alert in alerts if alert.key in told or not any(silence.covers(alert, at) for silence in silences)
    ]


def check_silences(silences: Sequence[Silence]) -> None:
    """Raises ValueError where *silences* are too many, too long, or say nothing."""
    refuse(f"{len(silences)} silences: expected {MOST_SILENCES} at most", where=len(silences) > MOST_SILENCES)
    refuse("two silences of one id", where=len({each.id for each in silences}) < len(silences))
    for each in silences:
        moment("beginning of a silence", each.made_at)
        moment("end of a silence", each.until_at)
        spans = each.until_at - each.made_at
        refuse(
            f"a silence of {spans:.0f} s: expected more than none and a year at most",
            where=not 0 < spans <= LONGEST_SECONDS,
        )
        texts = (each.id, each.why, each.column, each.endpoint, each.source)
        refuse(f"a text of more than {MOST_CHARACTERS} characters", where=max(map(len, texts)) > MOST_CHARACTERS)
        refuse("a silence without a reason", where=not each.why.strip())
        refuse("a silence of nothing in particular", where=not (each.column or each.endpoint or each.source))
