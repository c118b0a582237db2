"""Failures, refusals and latency of each segment, learned and judged as the traffic of an endpoint is. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import alert_key, check_alert, ended
from dashlight.judge.evidence.intervals import wilson_interval
from dashlight.judge.segments.others import EventShares, have_moved, is_clearly_more, others_in_words, shares_in
from dashlight.judge.traffic.course import TrafficCourse, TrafficCourseState
from dashlight.judge.traffic.events import Quantity
from dashlight.judge.traffic.judge import Recent, TrafficJudge
from dashlight.judge.words import percent, printable
from dashlight.records import Alert, Score
from dashlight.window.fitting import refuse
from dashlight.window.histogram import LATENCY, SIZE, quantile
from dashlight.window.outcomes import OutcomeCounts
from dashlight.window.parts.segments import Segmentation, SegmentPane
from dashlight.window.reference.steps import Steps
from dashlight.window.ring import Ring, RingState, Stretch

Counts = NDArray[np.int64]

LEARNED_PART = 0.25
"""Of the exchanges from which an endpoint is learned, so many do for a segment at first: its reference grows on."""
LEVELS, SLOTS = 8, 18
"""18 panes each of 1, 2, 4, ... 128."""
ROWS, EXCHANGES, FAILED, REFUSED = range(4)
"""Places of a segment's tallies; the histogram of latency follows on them."""
WIDTH = 4 + LATENCY.bins
QUANTILES = {"latency_p50": 0.5, "latency_p90": 0.9, "latency_p99": 0.99}
WORDS: Mapping[str, str] = {"error_rate": "error rate", "refusal_rate": "refusal rate", "latency": ""}
"""What is told of a segment: of what kind failures are is not counted apart."""
ALIKE: Mapping[str, frozenset[str]] = {
    "error_rate": frozenset({"error_rate", "error_kind", "new_failure"}),
    "refusal_rate": frozenset({"refusal_rate", "refusal_kind", "new_refusal"}),
    "latency": frozenset({"latency"}),
}
"""Quantities of the endpoint whose alerts say the same of all exchanges."""
BACK = "back to what the reference allows"
_A_STEP = 4
_NO_SIZES = np.zeros(SIZE.bins, np.int64)
_NO_TIMES = np.zeros(LATENCY.bins, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentTrafficState:
    """What a SegmentTraffic remembers between panes."""

    courses: tuple[TrafficCourseState, ...]
    """Of each segment."""
    ring: RingState
    in_force: tuple[Alert, ...]
    untold: tuple[str, ...]
    """Keys of alerts that are no news beside those of the endpoint."""


class SegmentTraffic:
    """Watches the exchanges of each segment of one model, pane by pane."""

    def __init__(
        self,
        segmentation: Segmentation,
        *,
        rows: int,
        panes: float,
        tolerance: float,
        share: float,
        model: str = "",
        version: str = "",
        endpoint: str = "",
    ) -> None:
        """*rows* is how many exchanges an endpoint is learned from; the others are those of TrafficJudge."""
        self._names = segmentation.names
        self._endpoint, self._model, self._version = endpoint, model, version
        self._courses = [
            TrafficCourse(
                rows=max(round(rows * LEARNED_PART), 1),
                panes=panes,
                share=share / len(self._names),
                tolerance=tolerance,
                endpoint=endpoint,
            )
            for _ in self._names
        ]
        self._beside = [
            [each for each in range(column.first, column.first + len(column.values)) if each != number]
            for column in segmentation.columns
            for number in range(column.first, column.first + len(column.values))
        ]
        """The other segments of each segment's column."""
        self._ring = Ring((len(self._names), WIDTH), LEVELS, slots=SLOTS)
        self._in_force: dict[str, Alert] = {}
        self._untold: set[str] = set()
        """Until it is over, or moved clearly further: that of the endpoint may be over first."""

    @property
    def state(self) -> SegmentTrafficState:
        """What is remembered: the arrays themselves."""
        courses = tuple(course.state for course in self._courses)
        return SegmentTrafficState(courses, self._ring.state, tuple(self._in_force.values()), tuple(self._untold))

    def restore(self, state: SegmentTrafficState) -> None:
        """Go on from *state*; ValueError where it does not fit these segments. Throw it away then."""
        count = len(state.courses)
        refuse(f"traffic of {count} segments: expected {len(self._courses)}", where=count != len(self._courses))
        self._ring.restore(state.ring)
        for course, of_segment in zip(self._courses, state.courses, strict=True):
            course.restore(of_segment)
        keys = {self._key(name, number) for name in WORDS for number in range(count)}
        for alert in state.in_force:
            check_alert(alert)
            refuse("an alert of another segment", where=alert.key not in keys)
            self._in_force[alert.key] = alert
        refuse("an alert of another segment", where=not keys >= set(state.untold))
        self._untold.update(state.untold)

    def update(self, pane: SegmentPane, at: float, *, told: Collection[str]) -> Steps[list[Alert]]:
        """In steps: takes the *pane* that ended *at*; *told* are quantities of the endpoint with an alert in force.

        Beside one of them a segment is no news unless it moved clearly further. The alerts whose state changed.
        """
        tallies = tallies_of(pane)
        self._ring.add(tallies, at)
        news: list[Alert] = []
        for number in np.flatnonzero(pane.exchanges).tolist():
            course = self._courses[number]
            recent = Recent(partial(self._since, number), _no_traces)
            for alert in course.update(outcomes_of(tallies[number], 1, at, at), at, recent):
                news += self._told(number, alert, told)
            if number % _A_STEP == _A_STEP - 1:
                yield
        return news

    @property
    def in_force(self) -> Collection[str]:
        """Keys of the alerts that are pending or firing."""
        return self._in_force.keys()

    def withdraw(self, at: float, reason: str) -> list[Alert]:
        """The alerts in force, ended for this *reason*."""
        withdrawn = [ended(alert, at, reason) for alert in self._in_force.values()]
        self._in_force.clear()
        self._untold.clear()
        return withdrawn

    def scores(self, panes: int, *, all_rows: int) -> list[Score]:
        """Of each segment what came in the last *panes*, of a model with so many rows in all: none where nothing came.

        `rows`, `traffic_share`, `failure_rate`, `refusal_rate`, `latency_p50`, `latency_p90` and `latency_p99`.
        """
        window = self._ring.last(panes).counts
        found: list[Score] = []
        for name, tallies in zip(self._names, window, strict=True):
            rows, exchanges = int(tallies[ROWS]), int(tallies[EXCHANGES])
            if rows:
                found.append(Score(None, None, "rows", rows, rows, rows, rows, segment=name))
                found.append(_rate("traffic_share", rows, max(all_rows, rows), name))
            if exchanges:
                found.append(_rate("failure_rate", int(tallies[FAILED]), exchanges, name))
                found.append(_rate("refusal_rate", int(tallies[REFUSED]), exchanges, name))
            times = tallies[WIDTH - LATENCY.bins :]
            if times.any():
                for statistic, share in QUANTILES.items():
                    at = quantile(times, LATENCY, share)
                    found.append(Score(None, None, statistic, at.value, at.low, at.high, exchanges, segment=name))
        return found

    def _told(self, number: int, alert: Alert, told: Collection[str]) -> list[Alert]:
        """*alert* of one segment's course in the words of segments; nothing where it is no news."""
        judge = self._courses[number].judge
        quantity = next((each for each in WORDS if alert.key == alert_key("traffic", self._endpoint, each)), "")
        if not quantity or judge is None:
            return []
        key = self._key(quantity, number)
        if alert.state not in {"pending", "firing"}:
            self._untold.discard(key)
            known = self._in_force.pop(key, None)
            return [] if known is None else [ended(known, alert.at, f"{printable(self._names[number])}: {BACK}")]
        segment, others, moved = self._beside_of(number, quantity, alert, judge)
        is_told = key in self._untold or not ALIKE[quantity].isdisjoint(told)
        is_alike = moved or np.isnan(others.distance)
        is_news = not (is_told and is_alike) or is_clearly_more(segment.distance, others.distance)
        if key not in self._in_force and not is_news:
            self._untold.add(key)
            return []
        self._untold.discard(key)
        words, cause = WORDS[quantity], alert.causes[0]
        said = f"{words} rose from {percent(cause.reference)} to {percent(cause.current)} of exchanges"
        self._in_force[key] = replace(
            alert,
            key=key,
            model=self._model,
            version=self._version,
            segment=self._names[number],
            summary=f"{printable(self._names[number])}: {said if words else alert.summary}"
            + others_in_words(others, moved=moved, of="exchanges"),
            causes=(replace(cause, bins=()),),
        )
        return [self._in_force[key]]

    def _key(self, quantity: str, number: int) -> str:
        return alert_key("traffic", self._endpoint, self._model, quantity, self._names[number])

    def _beside_of(
        self, number: int, quantity: str, alert: Alert, judge: TrafficJudge
    ) -> tuple[EventShares, EventShares, bool]:
        """The shares of the segment, those of the other segments of its column, and whether these moved."""
        cause, events = alert.causes[0], judge.events
        known: Quantity = next(each for each in events.quantities if each.name == quantity and not each.kind)
        place, first = known.places[0], 0
        if quantity == "latency":
            slow = [events.slow_at(each) for each in known.places]
            among = next((at for at, each in enumerate(slow) if each and each.share == cause.reference), 0)
            place, which = known.places[among], slow[among]
            first = 0 if which is None else which.bin_ + 1
        beside = self._beside[number]
        references = [self._courses[each].judge for each in beside]
        learned = [each.reference.total for each in references if each is not None]
        before = _held(np.array([_tallied(each) for each in learned]).reshape(-1, WIDTH).sum(axis=0), quantity, first)
        window = self._ring.last(self._ring.panes_since(alert.since_at))
        after = _held(window.counts[beside].sum(axis=0), quantity, first)
        others = shares_in(before, after)
        moved = have_moved(
            others,
            (before[1], after[1]),
            phi=float(judge.expected.phi[place]),
            gate=float(judge.gates[place]),
        )
        return EventShares(cause.reference, cause.current), others, moved

    def _since(self, number: int, at: float) -> OutcomeCounts:
        stretch: Stretch = self._ring.last(self._ring.panes_since(at))
        return outcomes_of(stretch.counts[number], stretch.panes, stretch.first_ended_at, stretch.last_ended_at)


def tallies_of(pane: SegmentPane) -> Counts:
    """What *pane* counted of each segment beside its columns, shape (segments, WIDTH)."""
    rows = pane.rows.sum(axis=2, dtype=np.int64).max(axis=1, initial=0)
    counted = np.stack([rows, pane.exchanges, pane.failed, pane.refused], axis=1)
    return np.concatenate([counted, pane.durations], axis=1).astype(np.int64)


def outcomes_of(tallies: Counts, panes: int, first_ended_at: float, last_ended_at: float) -> OutcomeCounts:
    """The *tallies* of one segment, shape (WIDTH,), as those of an endpoint."""
    rows, exchanges, failed, refused = tallies[:4].tolist()
    return OutcomeCounts(
        outcomes={"ok": max(exchanges - failed - refused, 0), "refused": refused, "error": failed},
        failures={"error": failed} if failed else {},
        rows=rows,
        durations=tallies[WIDTH - LATENCY.bins :],
        first_bytes=_NO_TIMES,
        request_sizes=_NO_SIZES,
        response_sizes=_NO_SIZES,
        panes=panes,
        first_ended_at=first_ended_at,
        last_ended_at=last_ended_at,
        refusals={"refused": refused} if refused else {},
    )


def _tallied(counts: OutcomeCounts) -> Counts:
    """*counts* of a segment as they were counted."""
    numbers = [counts.rows, counts.exchanges, counts.failed, counts.refused]
    return np.concatenate([np.array(numbers, np.int64), counts.durations])


def _held(tallies: Counts, quantity: str, first: int) -> tuple[float, int]:
    """Exchanges that a quantity is about, of so many; of latency those in bins from *first* on."""
    if quantity == "latency":
        times = tallies[WIDTH - LATENCY.bins :]
        return float(times[first:].sum()), int(times.sum())
    return float(tallies[FAILED if quantity == "error_rate" else REFUSED]), int(tallies[EXCHANGES])


def _rate(statistic: str, count: int, total: int, segment: str) -> Score:
    held = wilson_interval(np.array([count]), np.array([total]))
    value, low, high = (float(part[0]) for part in (held.value, held.low, held.high))
    return Score(None, None, statistic, value, low, high, total, segment=segment)


def _no_traces(_quantity: Quantity, _since_at: float) -> tuple[str, ...]:
    """Panes by segment hold none."""
    return ()
