"""Figures that only grow: counters over all workers of this machine since the counters began.

`Totals` remembers them from pane to pane and across restarts, and joins them with the `gauges` of the moment into one set
of figures, no larger than what a metrics backend takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from dashlight.metrics.accounts import NOT_WANTED
from dashlight.metrics.endpoint_totals import EndpointTotals, EndpointTotalsState, NamedCounts
from dashlight.metrics.figures import Figure, Figures, HistogramFigure
from dashlight.metrics.gauges import (
    SOURCES,
    ShownScores,
    alert_figures,
    column_figures,
    machine_figures,
    model_figures,
    owed_figures,
)
from dashlight.metrics.genai import generation_figures
from dashlight.metrics.generations import GenerationKey, GenerationSums, GenerationTimes
from dashlight.metrics.instruments import figure, label
from dashlight.metrics.losses import SignalFate
from dashlight.metrics.machine_accounts import MachineAccounts, MachineAccountsState
from dashlight.metrics.segments import segment_figures
from dashlight.records import Alert, AlertSource, Outcome
from dashlight.window.fitting import moment, within
from dashlight.window.names import OTHER
from dashlight.window.outcomes import OutcomeCounts

MOST_SERIES = 1800
"""In all, below the 2000 of OpenTelemetry's SDK; in Prometheus a histogram is as many series as it has bins, and two."""
MOST_COUNTED_SERIES = 1400
"""Of counters and histograms: those that came first, for ever, so that none disappears. The rest is for gauges."""
MOST_ENDPOINTS = 33
"""Those with statistics of their own, and the one that stands for the others."""
MOST_COUNTS = 64
"""Kinds of other things that are counted under their names."""
_ABOUT_FIGURES = 2
"""Series that are always there, about the figures themselves."""
_Key: TypeAlias = tuple[str, ...]
_NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True, eq=False)
class TotalsState:
    """What Totals hold."""

    started_at: float
    endpoints: Mapping[str, EndpointTotalsState]
    counts: Mapping[SignalFate, int]
    fired: Mapping[AlertSource, int]
    generations: Mapping[GenerationKey, GenerationTimes]
    admitted: tuple[_Key, ...]
    admitted_count: int
    """In how many series they are shown: a histogram is many."""
    accounts: MachineAccountsState = MachineAccountsState()


class Totals:
    """Counts that only grow. Lives in the process that judges for the machine, and in its checkpoint."""

    def __init__(self, *, started_at: float) -> None:
        self.started_at = started_at
        self._endpoints: dict[str, EndpointTotals] = {}
        self._counts = NamedCounts(MOST_COUNTS, other=SignalFate(OTHER, "dropped", OTHER))
        self._fired: dict[AlertSource, int] = dict.fromkeys(SOURCES, 0)
        self._generations = GenerationSums()
        self.accounts = MachineAccounts()
        """Where all spans and events are, and what became of them."""
        self._admitted: dict[_Key, None] = {}
        """Series of counters that are shown, and from then on always."""
        self._admitted_count = 0

    @property
    def state(self) -> TotalsState:
        """All that they hold, in arrays that the next pane changes."""
        return TotalsState(
            self.started_at,
            {route: endpoint.state for route, endpoint in self._endpoints.items()},
            self._counts.state,
            self._fired,
            self._generations.state,
            tuple(self._admitted),
            self._admitted_count,
            self.accounts.state,
        )

    def restore(self, state: TotalsState) -> None:
        """Goes on from *state*, whose arrays are taken over; ValueError where it holds too much, or no counts."""
        self.started_at = moment("begin of the counters", state.started_at)
        within("endpoints", len(state.endpoints), 0, MOST_ENDPOINTS)
        for route, endpoint in state.endpoints.items():
            self._endpoints[route] = EndpointTotals()
            self._endpoints[route].restore(endpoint)
        self._counts.restore(state.counts)
        self._fired |= {source: within("alerts that fired", count) for source, count in state.fired.items()}
        self._generations.restore(state.generations)
        self.accounts.restore(state.accounts)
        self._admitted_count = within("series", state.admitted_count, len(state.admitted), MOST_COUNTED_SERIES)
        self._admitted = dict.fromkeys(state.admitted)

    def add_outcomes(self, endpoint: str, pane: OutcomeCounts) -> None:
        """Adds what became of the exchanges of one pane, of one worker or of all of them together."""
        self._endpoint(endpoint).add(pane)

    def add_requests(self, endpoint: str, outcomes: Mapping[Outcome, int]) -> None:
        """Adds exchanges of which nothing else is known than how they ended."""
        self._endpoint(endpoint).add_requests(outcomes)

    def add_generations(self, pane: Mapping[GenerationKey, GenerationTimes]) -> None:
        """Adds how long language models took in one pane, at whichever endpoint."""
        self._generations.add_all(pane)

    def add_counts(self, counts: Mapping[SignalFate, int]) -> None:
        """Adds what was delivered and what was lost since the last call; what fell is passed over."""
        risen: Counter[SignalFate] = Counter()
        for key, count in counts.items():
            if count > 0:
                # Of alerts the part is their route.
                risen[key if key.signal == "alerts" else key._replace(part="")] += count
        self._counts.add(risen)

    def count(self, key: SignalFate) -> int:
        """How often it happened, whatever part it was of."""
        return self._counts.count(key)

    def losses(self) -> dict[str, int]:
        """What was lost since the counters began, by signal and reason."""
        found: Counter[str] = Counter()
        for key, count in self._counts.items():
            if key.is_loss and key.fate != "mistake":
                found[f"{key.signal} {key.reason or key.fate}"] += count
        for signal, account in self.accounts.accounts().items():
            for reason, count in {**account.dropped, "rejected": account.rejected}.items():
                if reason not in NOT_WANTED:
                    found[f"{signal} {reason}"] += count
        return {reason: count for reason, count in found.items() if count}

    def add_alerts(self, changed: Iterable[Alert]) -> None:
        """Counts those of the alerts whose state changed that fire now."""
        for alert in changed:
            if alert.state == "firing":
                self._fired[alert.source] += 1

    def _endpoint(self, route: str) -> EndpointTotals:
        if route not in self._endpoints and len(self._endpoints.keys() - {OTHER}) >= MOST_ENDPOINTS - 1:
            route = OTHER
        return self._endpoints.setdefault(route, EndpointTotals())

    def figures(
        self,
        *,
        at: float,
        snapshots: Iterable[tuple[str, ShownScores]],
        alerts: Sequence[Alert],
        gauges: Mapping[str, float],
        owed: Mapping[str, int] = _NOTHING,
        has_segments: bool = False,
    ) -> Figures:
        """All that is shown at the moment *at*.

        *snapshots* come with the name of their endpoint, *alerts* are those in force, *gauges* the machine's `workers`,
        `in_flight` and `analysed_rate`, *owed* the alerts that each route has not answered for. Segments are among them where it
        *has_segments*. No more than MOST_SERIES in all; how many more there were is a figure too.
        """
        shown = list(snapshots)
        columns, unshown_count = column_figures(shown)
        segments, unshown_segments = segment_figures(shown) if has_segments else ([], 0)
        room = _Room(MOST_SERIES - _ABOUT_FIGURES)
        room.skip(unshown_count + unshown_segments)
        # What adds up is shown whole or not at all: it takes the place of no other counter, and no other takes its.
        for each in chain(machine_figures(gauges), alert_figures(alerts), owed_figures(owed), self.accounts.figures()):
            room.take(each)
        for counted in self._counted():
            if self._admits(counted):
                room.take(counted)
            else:
                room.skip(_series_count(counted))
        for each in chain(model_figures(shown), segments, columns):
            room.take(each)
        of_themselves = (
            figure("dashlight.figures.made_at", at),
            figure("dashlight.metrics.skipped", room.skipped_count),
        )
        return Figures(at, self.started_at, (*of_themselves, *room.figures), tuple(room.histograms))

    def _counted(self) -> Iterator[Figure | HistogramFigure]:
        """All counters and histograms, what every endpoint has before the details of any."""
        for source, count in self._fired.items():
            yield figure("dashlight.alert.fired", count, {"dashlight.alert.source": source})
        for key, count in self._counts.items():
            yield _of_signal(key, count)
        for route, endpoint in self._endpoints.items():
            yield from endpoint.essentials(route)
        for route, endpoint in self._endpoints.items():
            yield from endpoint.details(route)
        for generation, times in self._generations.items():
            yield from generation_figures(generation, times)

    def _admits(self, each: Figure | HistogramFigure) -> bool:
        key = _key(each)
        if key not in self._admitted:
            count = _series_count(each)
            if self._admitted_count + count > MOST_COUNTED_SERIES:
                return False
            self._admitted[key] = None
            self._admitted_count += count
        return True


class _Room:
    """Takes figures for as long as there is room for them, and none twice: Prometheus refuses all for a pair of twins."""

    def __init__(self, most: int) -> None:
        self.figures: list[Figure] = []
        self.histograms: list[HistogramFigure] = []
        self.skipped_count = 0
        self._left = most
        self._keys: set[_Key] = set()

    def take(self, each: Figure | HistogramFigure) -> None:
        key, count = _key(each), _series_count(each)
        if key in self._keys or count > self._left:
            self.skip(count)
            return
        self._keys.add(key)
        self._left -= count
        if isinstance(each, Figure):
            self.figures.append(each)
        else:
            self.histograms.append(each)

    def skip(self, count: int) -> None:
        self.skipped_count += count


def _of_signal(key: SignalFate, count: int) -> Figure:
    if key.fate == "mistake":
        return figure("dashlight.mistakes", count, {"error.type": label(key.reason)})
    if key.signal == "labels" and key.fate == "delivered":
        return figure("dashlight.labels", count, {"dashlight.label.fate": label(key.reason)})
    named = {"dashlight.signal": key.signal}
    if key.part:
        named["dashlight.alert.route"] = label(key.part)
    if key.fate == "delivered":
        return figure("dashlight.delivered", count, named)
    return figure("dashlight.dropped", count, {**named, "dashlight.reason": label(key.reason or key.fate)})


def _key(each: Figure | HistogramFigure) -> _Key:
    return each.name, *(f"{name}={value}" for name, value in each.attributes.items())


def _series_count(each: Figure | HistogramFigure) -> int:
    """Series in OpenMetrics: a counter has one more for the moment at which it began."""
    if isinstance(each, Figure):
        return 2 if each.kind == "counter" else 1
    return len(each.counts) + 2
