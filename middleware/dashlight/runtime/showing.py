"""Makes, of what was judged in a pane, what is shown of it: figures for metrics, and the view for people and pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashlight.counting.policy import Policy
from dashlight.page.status import Moment, status_of
from dashlight.page.versions import versions_of
from dashlight.page.view import view_of
from dashlight.watching.endpoint import Snapshot
from dashlight.watching.machine import MachineWatch
from dashlight.workers.member import Sharing

LATE_SECONDS: Final = 3600.0
"""How long what was lost is told as lost of late."""


@dataclass(frozen=True, slots=True)
class Shows:
    """What is made once a pane: whatever somebody can read."""

    figures: bool = False
    segments: bool = False
    """Whether the figures are of segments as well."""
    view: bool = False


NOTHING_SHOWN: Final = Shows()


class Showing:
    """What one process shows of the machine while it judges for it."""

    def __init__(self, shows: Shows, policy: Policy, sharing: Sharing) -> None:
        self._shows = shows
        self._policy = policy
        self._figures, self._view = sharing.figures, sharing.view
        self._losses = LateLosses()
        self._owed: Mapping[str, int] = {}
        """At the pane before: what is owed for one pane alone is on its way."""

    @property
    def is_wanted(self) -> bool:
        """Whether something is shown after every pane."""
        return self._shows.figures or self._shows.view

    def show(
        self,
        watch: MachineWatch,
        snapshots: Sequence[tuple[str, Snapshot]],
        at: float,
        *,
        owed: Mapping[str, int],
        wants_figures: bool,
    ) -> None:
        """Shows what *watch* judged at the pane that ended *at*: its *snapshots*, and its alerts.

        *owed* are alerts that each route has not answered for; figures are made also where somebody else *wants_figures*.
        """
        processes, alerts = watch.processes, watch.in_force
        if self._shows.figures or wants_figures:
            gauges = {
                "workers": len(processes),
                "in_flight": processes.in_flight_count,
                "analysed_rate": processes.rate,
            }
            self._figures.keep(
                watch.totals.figures(
                    at=at,
                    snapshots=snapshots,
                    alerts=alerts,
                    gauges=gauges,
                    owed=owed,
                    has_segments=self._shows.segments,
                )
            )
        if self._shows.view:
            moment = Moment(
                at=at,
                pane_seconds=self._policy.pane_seconds,
                window_seconds=self._policy.window_seconds,
                workers=len(processes),
                analysed_rate=processes.rate,
                owed={route: min(count, self._owed.get(route, 0)) for route, count in owed.items()},
                lost=self._losses.late(watch.totals.losses(), at),
            )
            versions = versions_of(watch.versions.reports(), at=at, pane_seconds=self._policy.pane_seconds)
            self._owed = dict(owed)
            self._view.keep(view_of(status_of(snapshots, alerts, moment), versions))


class LateLosses:
    """Which of the counts of what was lost have risen of late."""

    def __init__(self) -> None:
        self._seen: dict[str, int] | None = None
        self._risen: dict[str, tuple[int, float]] = {}
        """How many, and when the last."""

    def late(self, counts: Mapping[str, int], at: float) -> dict[str, int]:
        """How many were lost since the last LATE_SECONDS without a loss, by reason; *counts* are those since ever."""
        seen, self._seen = self._seen, dict(counts)
        if seen is None:  # what was lost before this process judged is old
            return {}
        for reason, count in counts.items():
            if count > seen.get(reason, 0):
                before, _ = self._risen.get(reason, (0, at))
                self._risen[reason] = before + count - seen.get(reason, 0), at
        self._risen = {reason: each for reason, each in self._risen.items() if 0 <= at - each[1] < LATE_SECONDS}
        return {reason: count for reason, (count, _) in self._risen.items()}
