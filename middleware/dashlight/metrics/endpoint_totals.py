"""The part of `totals` about one endpoint: what became of its exchanges, as counters and histograms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from dashlight.metrics.buckets import SECONDS, in_buckets, total
from dashlight.metrics.figures import Figure, HistogramFigure
from dashlight.metrics.instruments import HISTOGRAMS, REQUEST_DURATION, TIME_TO_FIRST_BYTE, figure, label
from dashlight.records import Outcome
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within
from dashlight.window.histogram import LATENCY, SIZE, Scale
from dashlight.window.names import OTHER
from dashlight.window.outcomes import ANSWER_LIMIT, KIND_LIMIT, NOT_FAILURES, OUTCOMES, REASON_LIMIT, OutcomeCounts

_OTHER_ANSWERS = "_OTHER 0 other"
"""What stands for the methods and statuses beyond ANSWER_LIMIT."""
_Name = TypeVar("_Name", bound=Hashable)


class NamedCounts(Generic[_Name]):
    """Counts by name, of at most so many names; those of further ones under one that stands for them."""

    def __init__(self, most: int, *, other: _Name) -> None:
        self._most = most
        self._other = other
        self._counts: dict[_Name, int] = {}

    @property
    def state(self) -> Mapping[_Name, int]:
        """The counts by name, in the order in which the names came."""
        return self._counts

    def restore(self, state: Mapping[_Name, int]) -> None:
        """Goes on from *state*; ValueError where there are too many names, or no counts."""
        within("names that are counted", len(state), 0, self._most + 1)
        self._counts = {name: within("a count", count) for name, count in state.items()}

    def add(self, counts: Mapping[_Name, int]) -> None:
        """Adds *counts*."""
        for name, count in counts.items():
            has_place = name in self._counts or len(self._counts) < self._most
            shown_name = name if has_place else self._other
            self._counts[shown_name] = self._counts.get(shown_name, 0) + count

    def count(self, name: _Name) -> int:
        """What was counted under *name*."""
        return self._counts.get(name, 0)

    def items(self) -> Iterator[tuple[_Name, int]]:
        """(name, count) in the order in which the names came."""
        yield from self._counts.items()


@dataclass(frozen=True, slots=True, eq=False)
class EndpointTotalsState:
    """What EndpointTotals hold."""

    outcomes: Mapping[Outcome, int]
    failures: Mapping[str, int]
    undecodable: Mapping[str, int]
    answers: Mapping[str, int]
    """Exchanges by method, status and outcome, as in OutcomeCounts."""
    rows: int
    analysed: int
    durations: NDArray[np.int64]
    """Shape (LATENCY.bins,)."""
    first_bytes: NDArray[np.int64]
    request_sizes: NDArray[np.int64]
    """Shape (SIZE.bins,)."""
    response_sizes: NDArray[np.int64]
    excluded_rows: int = 0


class EndpointTotals:
    """Sums of the panes of one endpoint. They only grow."""

    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._failures = NamedCounts(KIND_LIMIT, other=OTHER)
        self._undecodable = NamedCounts(REASON_LIMIT, other=OTHER)
        self._answers = NamedCounts(ANSWER_LIMIT, other=_OTHER_ANSWERS)
        self._rows = self._excluded_rows = self._analysed = 0
        self._durations = np.zeros(LATENCY.bins, np.int64)
        self._first_bytes = np.zeros(LATENCY.bins, np.int64)
        self._request_sizes = np.zeros(SIZE.bins, np.int64)
        self._response_sizes = np.zeros(SIZE.bins, np.int64)

    @property
    def state(self) -> EndpointTotalsState:
        """All that they hold, in arrays that the next pane changes."""
        return EndpointTotalsState(
            self._outcomes,
            self._failures.state,
            self._undecodable.state,
            self._answers.state,
            self._rows,
            self._analysed,
            self._durations,
            self._first_bytes,
            self._request_sizes,
            self._response_sizes,
            self._excluded_rows,
        )

    def restore(self, state: EndpointTotalsState) -> None:
        """Goes on from *state*, whose arrays are taken over; ValueError where it does not fit."""
        self._outcomes = Counter({outcome: within("exchanges", count) for outcome, count in state.outcomes.items()})
        self._failures.restore(state.failures)
        self._undecodable.restore(state.undecodable)
        refuse(
            "an answer: expected method, status and outcome",
            where=any(len(answer.split(" ")) != 3 for answer in state.answers),
        )
        self._answers.restore(state.answers)
        self._rows, self._analysed = within("rows", state.rows), within("analysed exchanges", state.analysed)
        self._excluded_rows = within("excluded rows", state.excluded_rows)
        self._durations = _histogram(state.durations, LATENCY)
        self._first_bytes = _histogram(state.first_bytes, LATENCY)
        self._request_sizes = _histogram(state.request_sizes, SIZE)
        self._response_sizes = _histogram(state.response_sizes, SIZE)

    def add(self, pane: OutcomeCounts) -> None:
        """Adds the counts of a pane."""
        self._outcomes.update(pane.outcomes)
        self._failures.add({kind: count for kind, count in pane.failures.items() if kind not in NOT_FAILURES})
        self._undecodable.add(pane.undecodable)
        self._answers.add(pane.answers)
        self._rows += pane.rows
        self._excluded_rows += pane.excluded_rows
        self._analysed += pane.analysed
        self._durations += pane.durations
        self._first_bytes += pane.first_bytes
        self._request_sizes += pane.request_sizes
        self._response_sizes += pane.response_sizes

    def add_requests(self, outcomes: Mapping[Outcome, int]) -> None:
        """Adds exchanges of which only the outcomes are known."""
        self._outcomes.update(outcomes)

    def essentials(self, route: str) -> Iterator[Figure | HistogramFigure]:
        """What every endpoint has, from its first exchange on."""
        named = {"http.route": label(route)}
        for outcome in OUTCOMES:
            yield figure("dashlight.requests", self._outcomes[outcome], {**named, "dashlight.outcome": outcome})
        yield _seconds(REQUEST_DURATION, self._durations, route)
        yield figure("dashlight.rows", self._rows, named)
        yield figure("dashlight.analysed", self._analysed, named)
        yield figure("dashlight.request.io", round(total(self._request_sizes, SIZE)), named)
        yield figure("dashlight.response.io", round(total(self._response_sizes, SIZE)), named)

    def details(self, route: str) -> Iterator[Figure | HistogramFigure]:
        """What there is to tell where it has happened at all."""
        named = {"http.route": label(route)}
        for kind, count in self._failures.items():
            yield figure("dashlight.errors", count, {**named, "error.type": error_type(kind)})
        if self._excluded_rows:
            yield figure("dashlight.rows.excluded", self._excluded_rows, named)
        for answer, count in self._answers.items():
            yield figure("dashlight.responses", count, {**named, **_answer_attributes(answer)})
        for reason, count in self._undecodable.items():
            yield figure("dashlight.undecodable", count, {**named, "dashlight.reason": label(reason)})
        if self._first_bytes.any():
            yield _seconds(TIME_TO_FIRST_BYTE, self._first_bytes, route)


def error_type(kind: str) -> str:
    """A kind of failure as OpenTelemetry names it: `http_503` is `503`, `exception:ValueError` is `ValueError`.

    Other kinds, those found inside answers, keep their names; `other` is `_OTHER`.
    """
    if kind == OTHER:
        return "_OTHER"
    return label(kind.removeprefix("exception:").removeprefix("http_"))


def _answer_attributes(answer: str) -> dict[str, str]:
    """Of `POST 200 ok`, by the names of OpenTelemetry; without a status where no answer began."""
    method, status, outcome = answer.split(" ")
    told = {"http.response.status_code": status} if status != "0" else {}
    return {"http.request.method": label(method), **told, "dashlight.outcome": outcome}


def _histogram(counts: NDArray[np.int64], on: Scale) -> NDArray[np.int64]:
    """*counts* on a scale; ValueError where what is shown of them would not fit into 64 bits."""
    fitting = fitted("counts of a histogram", counts, like=np.zeros(on.bins, np.int64), least=0, most=MOST_COUNT)
    within("values in a histogram", float(fitting.sum(dtype=np.float64)))
    within("sum of a histogram", total(fitting, on))
    return fitting


def _seconds(name: str, counts: NDArray[np.int64], route: str) -> HistogramFigure:
    unit, description = HISTOGRAMS[name]
    return HistogramFigure(
        name,
        unit,
        description,
        bounds=SECONDS,
        counts=in_buckets(counts, LATENCY, SECONDS),
        sum=total(counts, LATENCY),
        attributes={"http.route": label(route)},
    )
