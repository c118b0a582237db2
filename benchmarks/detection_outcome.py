"""What a run of alarms was worth: how often without a reason, and how soon with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

Alarms = NDArray[np.bool_]
"""Shape (evaluations, columns): what is in alarm after each pane; ours has one more column, for joint alarms."""

ONSETS_PER = 3_000
"""Evaluations for which false alarms are told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run."""

    quiet_evaluations: int
    """Evaluations before any change."""
    false_onsets: int
    """Alarms that began before any change, each column's for itself."""
    false_evaluations: int
    """Evaluations before any change with something in alarm."""
    delay_rows: int | None
    """Rows from the change, or the beginning where nothing changes, to the first alarm that begins after it; None where none did."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Several runs of one method on streams of one kind."""

    runs: int
    onsets: float
    """False alarms per ONSETS_PER evaluations."""
    alarm_share: float
    """Share of evaluations in false alarm, 0 to 1."""
    delay_rows: float | None
    """Median, where a missed change counts as later than any; None where most were missed."""
    missed_share: float
    mostly_false: bool
    """Whether most runs were in false alarm before the change, so that the delay proves nothing."""


def outcome(alarms: Alarms, *, change: int | None, pane_rows: int) -> Outcome:
    """What *alarms* were worth on a stream that changes at row *change*, or never where it is None."""
    before = len(alarms) if change is None else change // pane_rows
    since = 0 if change is None else before
    began = alarms.copy()
    began[1:] &= ~alarms[:-1]
    quiet, noticed = alarms[:before].any(axis=1), np.flatnonzero(began[since:].any(axis=1))
    return Outcome(
        quiet_evaluations=before,
        false_onsets=int(began[:before].sum()),
        false_evaluations=int(quiet.sum()),
        delay_rows=int(noticed[0] + 1) * pane_rows if len(noticed) else None,
    )


def summary(outcomes: Sequence[Outcome]) -> Summary:
    """The runs together; at least one."""
    quiet = max(sum(each.quiet_evaluations for each in outcomes), 1)
    delays = [np.inf if each.delay_rows is None else float(each.delay_rows) for each in outcomes]
    middle = median(delays)
    return Summary(
        runs=len(outcomes),
        onsets=ONSETS_PER * sum(each.false_onsets for each in outcomes) / quiet,
        alarm_share=sum(each.false_evaluations for each in outcomes) / quiet,
        delay_rows=middle if np.isfinite(middle) else None,
        missed_share=float(np.mean(np.isinf(delays))),
        mostly_false=2 * sum(each.false_evaluations > 0 for each in outcomes) > len(outcomes),
    )
