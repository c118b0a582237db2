"""Where it hurts, from the rows of several processes to the sentence of the alert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.machine import MachineCounter, ProcessStatus, merged
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.judge.notices import notices
from dashlight.judge.traffic.rules import parse_rules
from dashlight.metrics.losses import SignalFate
from dashlight.records import Alert, Exchange, Outcome, Prediction, Slice
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch
from dashlight.watching.slices.searches import SliceSearches
from dashlight.window.columns import Reference
from dashlight.window.parts.sampled_rows import FAILED, FINE
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

BEGAN_AT, PANE = 1_700_000_000.0, 10.0
CARRIERS = ["UA", "AA", "DL", "B6", "EV"]
numbers = count(1)


def columns_of(rng: np.random.Generator, rows: int, *, more: int = 4) -> dict[str, Column]:
    return {
        "carrier": [CARRIERS[place] for place in rng.choice(5, rows, p=[0.25, 0.25, 0.2, 0.2, 0.1])],
        "hour": rng.integers(0, 24, rows).astype(float),
        "distance": rng.gamma(4.0, 250.0, rows),
        **{f"x{place}": rng.normal(0, 1, rows) for place in range(more)},
    }


def reference_of(more: int = 4, *, shown: bool = True) -> Reference:
    rng = np.random.default_rng(1)
    held = columns_of(rng, 4000, more=more) | {"delay": rng.random(4000)}
    reference = build_reference_from_columns(held, {"delay": "output"}, rng=rng, created_at=0.0)
    columns = [replace(each, shown=shown) if each.name == "carrier" else each for each in reference.columns]
    return replace(reference, columns=tuple(columns))


def an_exchange(outcome: Outcome, at: float) -> Exchange:
    number = next(numbers)
    return Exchange(
        id=number,
        route="/predict",
        method="POST",
        path="/predict",
        query=b"",
        scheme="http",
        server=None,
        http_version="1.1",
        request_headers=(),
        response_headers=(),
        status={"ok": 200, "error": 500, "refused": 422}[outcome],
        error="",
        outcome=outcome,
        started_at=at,
        first_byte_seconds=0.01,
        duration_seconds=0.02,
        request_bytes=100,
        response_bytes=200,
        request_chunks=(),
        response_chunks=(),
        trace_id=number,
        span_id=1,
        trace_flags=1,
        own_span=None,
    )


Break = Callable[[dict[str, Column], np.random.Generator], tuple[dict[str, Column], NDArray[np.int64]]]
"""Rows as they come, and the outcome of each: 0 fine, 1 failed, 2 refused."""


class Flights:
    """An app in three processes, one row an exchange, and the judge of its machine."""

    def __init__(self, *, more: int = 4, shown: bool = True, seed: int = 11) -> None:
        self.policy = Policy(
            pane_seconds=PANE,
            rules=parse_rules("failure_rate>60%"),
            panes_between_false_alarms=100_000.0,
            reference_rows=1500,
        )
        self._references = References(LearnedReferences(None), reference_of(more, shown=shown))
        self._counters = [MachineCounter(f"p{place}", self.policy, self._references) for place in range(3)]
        self.watch = MachineWatch(self.policy, self._references, at=BEGAN_AT)
        self._rng, self._more, self.panes = np.random.default_rng(seed), more, 0
        self.changed: list[Alert] = []
        self.failing: dict[int, bool] = {}
        """By trace id, whether an exchange failed as UA at night."""

    def serve(self, panes: int, broken: Break | None = None, rows: int = 150) -> Flights:
        for _ in range(panes):
            self.panes += 1
            at = BEGAN_AT + self.panes * PANE
            for counter in self._counters:
                self._batch(counter, broken, rows // 3, at - 5)
            panes_of = [counter.close(at, ProcessStatus(0, 1.0), {}) for counter in self._counters]
            self.changed += self.watch.close_pane(merged(panes_of), at)
            for counter in self._counters:
                counter.follow(self.watch.briefing)
        return self

    def _batch(self, counter: MachineCounter, broken: Break | None, rows: int, at: float) -> None:
        rng = self._rng
        held, became = columns_of(rng, rows, more=self._more), np.where(rng.random(rows) < 0.01, 1, 0)
        if broken is not None:
            held, worse = broken(held, rng)
            became = np.maximum(became, worse)
        kinds: list[Outcome] = ["ok", "error", "refused"]
        exchanges = [an_exchange(kinds[each], at) for each in became.tolist()]
        night = is_ua_at_night(held)
        self.failing |= {each.trace_id: bool(bad) for each, bad in zip(exchanges, night & (became == 1), strict=True)}
        endpoint = counter.endpoint("/predict")
        for outcome in (0, 1):
            places = np.flatnonzero(became == 0 if outcome == 0 else became != 0)
            if not len(places):
                continue
            features = replace(
                table_of_columns({name: _at(each, places) for name, each in held.items()}), exchange=places
            )
            outputs = table_of_columns({"delay": rng.random(len(places))})
            if outcome == 0:
                outputs = replace(outputs, exchange=places)
                endpoint.add(Prediction("/predict", "delays", "1", "plain", features, outputs), exchanges)
            else:
                nothing = replace(table_of_columns({}), exchange=np.empty(0, np.intp))
                asked = Prediction("/predict", "delays", "1", "plain", features, nothing)
                endpoint.add_failed(asked, exchanges, became.astype(np.uint8))
        endpoint.add_analysed(rows, undecodable=())
        endpoint.count(exchanges, {})

    def slices(self) -> list[tuple[Alert, Slice]]:
        return [(each, each.slice) for each in self.watch.in_force if each.slice is not None]

    @property
    def fired(self) -> list[Alert]:
        return [each for each in self.changed if each.state == "firing"]


def _at(values: Column, places: NDArray[np.intp]) -> Column:
    if isinstance(values, np.ndarray):
        chosen: NDArray[np.float64] = values[places]
        return chosen
    return [values[place] for place in places.tolist()]


def is_ua_at_night(held: dict[str, Column]) -> NDArray[np.bool_]:
    night: NDArray[np.bool_] = (np.array(held["carrier"]) == "UA") & (np.asarray(held["hour"], float) >= 19)
    return night


def failing_at_night(held: dict[str, Column], rng: np.random.Generator) -> tuple[dict[str, Column], NDArray[np.int64]]:
    """Six of ten of UA after 19 o'clock fail: about 5 % of the rows."""
    return held, (is_ua_at_night(held) & (rng.random(len(held["hour"])) < 0.6)).astype(int) * FAILED


def failing_everywhere(
    held: dict[str, Column], rng: np.random.Generator
) -> tuple[dict[str, Column], NDArray[np.int64]]:
    return held, (rng.random(len(held["hour"])) < 0.2).astype(int) * FAILED


def refusing_far(held: dict[str, Column], rng: np.random.Generator) -> tuple[dict[str, Column], NDArray[np.int64]]:
    return held, (np.asarray(held["distance"], float) > 1600).astype(int) * 2


def longer_for_delta(held: dict[str, Column], rng: np.random.Generator) -> tuple[dict[str, Column], NDArray[np.int64]]:
    of_delta = np.array(held["carrier"]) == "DL"
    far = np.asarray(held["distance"], float) * np.where(of_delta, 1.609, 1.0)
    return held | {"distance": far}, np.full(len(of_delta), FINE)


@pytest.fixture(scope="module")
def night() -> Flights:
    """UA fails at night, from the hundredth pane on."""
    return Flights().serve(100).serve(40, failing_at_night)


def test_failures_of_two_conditions_are_found_in_the_rows_of_three_processes(night: Flights) -> None:
    [(alert, found)] = night.slices()

    assert alert.source == "traffic"
    assert found.state == "found", found
    assert {(each.column, each.bin) for each in found.conditions} >= {("carrier", "UA")}
    assert {each.column for each in found.conditions} == {"carrier", "hour"}
    assert found.rate > 0.4
    assert found.usual_rate < 0.1
    assert alert.summary.endswith(found.summary)
    assert "carrier=UA" in alert.summary


def test_the_examples_of_the_alert_are_exchanges_of_the_slice(night: Flights) -> None:
    [(alert, found)] = night.slices()

    assert found.exemplars
    assert alert.exemplars[: len(found.exemplars)] == found.exemplars
    assert all(night.failing[int(trace, 16)] for trace in found.exemplars)


def test_the_slice_is_searched_once_and_stays_when_the_alert_is_described_anew(night: Flights) -> None:
    [(alert, found)] = night.slices()
    night.serve(9, failing_at_night)

    [(later, same)] = night.slices()

    assert later.key == alert.key
    assert same == found
    assert later.summary.endswith(found.summary)
    assert later.summary.count("carrier=UA") == 1


def test_a_notice_has_the_slice_in_its_sentence(night: Flights) -> None:
    firing = [each for each in night.watch.in_force if each.state == "firing"]

    [notice] = notices(firing, incidents=night.watch.alerts.incidents, in_force=firing, told={}, at=firing[0].at)

    assert "carrier=UA" in notice.summary


def test_failures_everywhere_are_told_as_that() -> None:
    flights = Flights(seed=5).serve(100).serve(25, failing_everywhere)

    assert [found.state for _, found in flights.slices()] == ["everywhere"]


def test_refusals_of_a_range_are_found() -> None:
    flights = Flights(seed=6).serve(100).serve(40, refusing_far)

    [(alert, found)] = [each for each in flights.slices() if each[1].state == "found"]

    assert "refusal" in alert.key
    assert [each.column for each in found.conditions] == ["distance"]
    assert found.rate > 0.8


def test_a_drift_of_one_carrier_is_found_in_the_rows_whose_bins_rose() -> None:
    flights = Flights(seed=7).serve(100).serve(40, longer_for_delta)

    found = {alert.column: found for alert, found in flights.slices()}

    assert list(found) == ["distance"]
    assert ("carrier", "DL") in [(each.column, each.bin) for each in found["distance"].conditions]
    assert found["distance"].rate > 2 * found["distance"].usual_rate


def test_a_value_that_may_not_be_told_is_not_told() -> None:
    flights = Flights(seed=7, shown=False).serve(100).serve(40, longer_for_delta)

    [(alert, found)] = flights.slices()

    assert [each.bin for each in found.conditions if each.column == "carrier"] == ["value #4 (of 5 known)"]
    assert "value #4" in alert.summary
    assert "DL" not in alert.summary
    assert "DL" not in repr(found)


def test_nothing_is_searched_where_nothing_fires() -> None:
    flights = Flights(seed=8).serve(130)

    assert flights.fired == []
    assert flights.slices() == []


def test_a_search_that_fails_is_counted_and_costs_the_slice_alone() -> None:
    searches = SliceSearches()
    searches.mistakes["ValueError"] = 2

    assert searches.take_losses() == {SignalFate("slices", "mistake", "ValueError"): 2}
    assert searches.take_losses() == {}
