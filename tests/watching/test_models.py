"""Which models are watched where there is no memory for all: those asked most, the same in every process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from dashlight.counting.machine import MachineCounter, ProcessStatus, merged
from dashlight.counting.memory import NO_ROOM
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.records import Alert, Exchange, Prediction, Table
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch
from dashlight.watching.memory import MEMORY_PANES, comparison_bytes
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import table_of_columns

COLUMNS, ROUTE = 8, "/predict"
NOTHING = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))


@pytest.fixture(scope="module")
def held() -> Reference:
    rng = np.random.default_rng(1)
    return build_reference_from_columns(columns(rng, 2000), {}, rng=rng, created_at=0.0)


def columns(
    rng: np.random.Generator, rows: int, shift: float = 0.0
) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    return {f"c{number}": rng.normal(shift, 1.0, rows) for number in range(COLUMNS)}


def exchanges(rows: int) -> list[Exchange]:
    one = Exchange(
        id=1, route=ROUTE, method="POST", path=ROUTE, query=b"", scheme="http", server=None, http_version="1.1",
        request_headers=(), response_headers=(), status=200, error="", outcome="ok", started_at=1.7e9,
        first_byte_seconds=0.05, duration_seconds=0.1, request_bytes=1, response_bytes=1, request_chunks=(),
        response_chunks=(), trace_id=7, span_id=1, trace_flags=1, own_span=None,
    )  # fmt: skip
    return [one] * rows


class Machine:
    """Two processes that count, and the judge of both."""

    def __init__(self, reference: Reference, *, models: float, counted: float = 100.0) -> None:
        judging = int(models * comparison_bytes(reference) * 12 / 7)
        policy = Policy(judging_bytes=judging, counting_bytes=int(counted * 340_000 * 4 / 3))
        references = References(LearnedReferences(None), reference)
        self.counters = [MachineCounter(name, policy, references) for name in ("a", "b")]
        self.watch = MachineWatch(policy, references, at=0.0)
        self.at = 1.7e9
        self.rng = np.random.default_rng(2)
        self.alerts: list[Alert] = []

    def pane(self, rows: Mapping[str, int], shift: Mapping[str, float] | None = None) -> None:
        """A pane with so many rows of each model in each process."""
        for counter in self.counters:
            for model, count in rows.items():
                table = table_of_columns(columns(self.rng, count, (shift or {}).get(model, 0.0)))
                table = replace(table, exchange=np.arange(count))
                made = Prediction(ROUTE, model, "1", "plain", table, NOTHING)
                counter.endpoint(ROUTE).add(made, exchanges(count))
        self.at += 10
        panes = [counter.close(self.at, ProcessStatus(0, 1.0), {}) for counter in self.counters]
        self.alerts += self.watch.close_pane(merged(panes), self.at)
        for counter in self.counters:
            counter.follow(self.watch.briefing)

    @property
    def watched(self) -> set[str]:
        return {model for model, _ in self.watch._endpoints[ROUTE].models}

    @property
    def counted(self) -> list[set[str]]:
        """What each process counts."""
        return [{model for model, _ in counter._endpoints[ROUTE]._models} for counter in self.counters]


def test_what_does_not_fit_is_counted_and_told_once_and_no_process_counts_its_columns(
    held: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(held, models=3.2)

    for _ in range(10):
        machine.pane({f"m{number}": 5 for number in range(6)})

    assert machine.watched == {"m0", "m1", "m2"}
    assert machine.counted == [{"m0", "m1", "m2"}] * 2
    # In the first pane nobody knew yet; that is told by the endpoint.
    assert machine.watch.totals.count(NO_ROOM) == 2 * 5 * 3 * 9
    assert machine.watch._endpoints[ROUTE].unwatched_rows == 2 * 5 * 3 * 10
    told = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 1
    assert "DASHLIGHT_MEMORY" in told[0].getMessage()


def test_a_model_that_is_asked_much_more_takes_the_room_of_those_asked_least_and_none_take_turns(
    held: Reference,
) -> None:
    machine = Machine(held, models=3.2)
    seen: list[set[str]] = []
    for _ in range(MEMORY_PANES):
        machine.pane({"m0": 9, "m1": 8, "m2": 1})

    for _ in range(3 * MEMORY_PANES):
        machine.pane({"m0": 9, "m1": 8, "m2": 1, "late": 12, "alike": 3})
        if not seen or seen[-1] != machine.watched:
            seen.append(machine.watched)

    assert seen == [{"m0", "m1", "m2"}, {"m0", "m1"}, {"m0", "m1", "late"}]
    assert machine.counted == [{"m0", "m1", "late"}] * 2


def test_models_asked_about_as_often_stay_as_they_came(held: Reference) -> None:
    machine = Machine(held, models=2.2)

    for pane in range(2 * MEMORY_PANES):
        machine.pane({"m0": 4, "m1": 5, "m2": 9 if pane % 7 else 2, "m3": 6})

    assert machine.watched == {"m0", "m1"}


def test_a_drift_of_what_is_watched_is_found_while_others_have_no_room(held: Reference) -> None:
    machine = Machine(held, models=1.2)

    for pane in range(40):
        machine.pane({"m0": 60, **{f"other{number}": 20 for number in range(5)}}, {"m0": 1.0 if pane >= 10 else 0.0})

    assert {alert.model for alert in machine.alerts if alert.state == "firing"} == {"m0"}


def test_the_alerts_of_a_model_that_makes_room_end_and_say_why(held: Reference) -> None:
    machine = Machine(held, models=1.2)
    for _ in range(MEMORY_PANES):
        machine.pane({"m0": 60}, {"m0": 1.0})

    for _ in range(2 * MEMORY_PANES):
        machine.pane({"m0": 2, "late": 60}, {"m0": 1.0})

    last = {alert.key: alert for alert in machine.alerts}
    ended = [alert for alert in last.values() if alert.model == "m0"]
    assert ended
    assert {alert.state for alert in ended} <= {"resolved", "inactive"}
    assert any("asked much more" in alert.summary for alert in ended)
    assert machine.watched == {"late"}


def test_a_process_without_memory_tells_how_much_a_model_is_asked(held: Reference) -> None:
    machine = Machine(held, models=9.0, counted=1.5)

    for _ in range(5):
        machine.pane({"m0": 5, "m1": 5})

    assert machine.watched == {"m0"}
    assert machine.watch.totals.count(NO_ROOM) == 2 * 5 * 5
