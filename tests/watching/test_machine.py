"""The watch of a machine: what several processes counted, judged as one, and by one process after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from dashlight.counting.machine import (
    OTHER_ENDPOINTS,
    MachineCounter,
    MachinePane,
    ProcessStatus,
    merged,
)
from dashlight.counting.memory import MOST_ENDPOINTS
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.judge.alerts import Alerts
from dashlight.judge.traffic.rules import parse_rules
from dashlight.metrics.losses import INBOX_FULL, TOO_MANY_ALERTS, SignalFate
from dashlight.records import Alert, Exchange, Outcome, Prediction, Score, Table
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch
from dashlight.watching.state import MachineState, WholeState
from dashlight.window.columns import Reference
from dashlight.window.reference import steps
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns, taken
from dashlight.workers.checkpoints import Checkpoint, CheckpointLayout

BEGAN_AT, PANE_SECONDS = 1_700_000_000.0, 10.0
ROWS = 60
CITIES = ["Bonn", "Kiel", "Ulm"]
WORDS = {
    "weather": ["rain", "sun", "wind", "cloud", "storm", "warm", "cold", "front", "air", "north", "south", "snow"],
    "sports": ["ball", "goal", "team", "match", "coach", "score", "play", "win", "lose", "cup", "league", "season"],
}
NOTHING: Mapping[str, Column] = {}
numbers = count(1)


def an_exchange(outcome: Outcome = "ok", error: str = "", *, seconds: float = 0.1, at: float = BEGAN_AT) -> Exchange:
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
        status=500 if outcome == "error" else 200,
        error=error,
        outcome=outcome,
        started_at=at,
        first_byte_seconds=seconds / 2,
        duration_seconds=seconds,
        request_bytes=100,
        response_bytes=200,
        request_chunks=(),
        response_chunks=(),
        trace_id=number,
        span_id=1,
        trace_flags=1,
        own_span=None,
    )


@dataclass(frozen=True)
class Turn:
    """What is different of the rows and exchanges of a pane."""

    age: float = 40.0
    together: float = 0.0
    moved: float = 0.0
    topic: str = "weather"
    unit: float = 1.0
    first_film: str = ""
    failing: float = 0.0
    slow: float = 1.0
    vector: float = 0.0
    rows: int = ROWS


def columns_of(rng: np.random.Generator, turn: Turn) -> dict[str, Column]:
    rows = turn.rows
    normal = rng.standard_normal((6, rows))
    normal[1] = turn.together * normal[0] + np.sqrt(1 - turn.together**2) * normal[1]
    films = [[f"film {place}" for place in rng.permutation(30)[:5].tolist()] for _ in range(rows)]
    if turn.first_film:
        films = [[turn.first_film, *each[1:]] for each in films]
    return {
        **{f"c{place}": values + turn.moved for place, values in enumerate(normal)},
        "age": rng.normal(turn.age, 10, rows),
        "height": rng.normal(170.0, 10.0, rows) * turn.unit,
        "city": [CITIES[place] for place in rng.integers(0, 3, rows)],
        "comment": [" ".join(rng.choice(WORDS[turn.topic], 8)) for _ in range(rows)],
        "embedding": (rng.normal(0, 1, (rows, 16)) + turn.vector).tolist(),
        "films": films,
        "score": rng.random(rows),
    }


OUTPUTS = ("films", "score")


@lru_cache
def reference_of(seed: int = 1, age: float = 40.0) -> Reference:
    rng = np.random.default_rng(seed)
    held = columns_of(rng, Turn(rows=2500, age=age))
    return build_reference_from_columns(held, dict.fromkeys(OUTPUTS, "output"), rng=rng, created_at=float(seed))


@dataclass(frozen=True)
class Served:
    """The exchanges of a pane, one row each."""

    features: Table
    outputs: Table
    exchanges: Sequence[Exchange]

    def part(self, places: Sequence[int]) -> Served:
        at = np.array(places, np.intp)
        return Served(taken(self.features, at), taken(self.outputs, at), [self.exchanges[place] for place in places])


def served(rng: np.random.Generator, turn: Turn, at: float) -> Served:
    held = columns_of(rng, turn)
    features = table_of_columns({name: values for name, values in held.items() if name not in OUTPUTS})
    outputs = table_of_columns({name: held[name] for name in OUTPUTS})
    times = turn.slow * np.exp(rng.normal(-2, 0.3, turn.rows))
    failing = rng.random(turn.rows) < turn.failing
    exchanges = [
        an_exchange("error" if fails else "ok", "KeyError" if fails else "", seconds=seconds, at=at)
        for seconds, fails in zip(times.tolist(), failing.tolist(), strict=True)
    ]
    return Served(features, outputs, exchanges)


POLICY = Policy(
    pane_seconds=PANE_SECONDS,
    rules=parse_rules("error_rate>30%, in_flight>50"),
    panes_between_false_alarms=1000.0,
    reference_rows=600,
)


def references_of(reference: Reference | None = None, *, learned: LearnedReferences | None = None) -> References:
    return References(learned or LearnedReferences(None), reference)


def kept(watch: MachineWatch) -> WholeState:
    """The state of *watch* as it comes out of a checkpoint."""
    checkpoint = CheckpointLayout().thaw(b"".join(CheckpointLayout().freeze(Checkpoint(watch.state, {}))))
    assert checkpoint.lost == ()
    return checkpoint.state


def restored(
    watch: MachineWatch, policy: Policy, references: References, at: float
) -> tuple[MachineWatch, list[Alert]]:
    """The watch of another process that goes on where *watch* left off, and the alerts that end with that."""
    other = MachineWatch(policy, references, at=at)
    lost: list[tuple[str, Exception]] = []
    ended = steps.finished(other.restore(kept(watch), at, lose=lambda part, error: lost.append((part, error))))
    assert lost == []
    return other, ended


class Machine:
    """Processes that count, and the watch that judges what they counted."""

    def __init__(
        self,
        reference: Reference | None = None,
        *,
        policy: Policy = POLICY,
        learned: LearnedReferences | None = None,
        processes: int = 1,
        freezes: bool = False,
    ) -> None:
        self.policy, self._freezes = policy, freezes
        self.references = references_of(reference, learned=learned)
        self.counters = [MachineCounter(f"process {place}", policy, self.references) for place in range(processes)]
        self.watch = MachineWatch(policy, self.references, at=BEGAN_AT)
        self.alerts: list[tuple[int, Alert]] = []
        self.panes = 0

    def serve(self, pane: Served, deal: Callable[[int, int], int] | None = None) -> Machine:
        """A pane; *deal* says which process is asked, of the place of an exchange and their number."""
        processes = len(self.counters)
        rows = pane.features.rows
        asked = [0 if deal is None else deal(place, rows) for place in range(rows)]
        for process in range(processes):
            places = [place for place in range(rows) if asked[place] == process]
            if places:
                part = pane.part(places)
                endpoint = self.counters[process].endpoint("/predict")
                features, outputs = (
                    replace(table, exchange=np.arange(table.rows)) for table in (part.features, part.outputs)
                )
                endpoint.add(Prediction("/predict", "risk", "3", "plain", features, outputs), part.exchanges)
                endpoint.add_analysed(len(places), undecodable=())
                endpoint.count(part.exchanges, {})
        return self.end_pane()

    def end_pane(self, *, in_flight: int = 0) -> Machine:
        self.panes += 1
        at = BEGAN_AT + self.panes * PANE_SECONDS
        panes = [counter.close(at, ProcessStatus(in_flight, 1.0), {}) for counter in self.counters]
        self.alerts += [(self.panes, alert) for alert in self.watch.close_pane(merged(panes), at)]
        if self._freezes:
            self.watch, ended = restored(self.watch, self.policy, self.references, at)
            assert ended == []
        for counter in self.counters:
            counter.follow(self.watch.briefing)
        return self

    @property
    def told(self) -> list[tuple[int, str, str, str | None, str]]:
        """What the alerts say of what, in which pane."""
        return [(pane, alert.key, alert.source, alert.column, alert.state) for pane, alert in self.alerts]

    @property
    def fired(self) -> set[str]:
        return {alert.key for _, alert in self.alerts if alert.state == "firing"}

    def scores(self) -> dict[tuple[str, str | None, str], Score]:
        return {
            (snapshot.model, score.column, score.statistic): score
            for _, snapshot in self.watch.snapshots()
            for score in snapshot.scores
        }

    def states(self) -> list[object]:
        return [snapshot.state for _, snapshot in self.watch.snapshots()]


def in_full(found: object, *, slices: bool = True) -> str:
    """As text to the last digit: a NaN is what it was. Without *slices* of alerts: sampled rows are in no checkpoint."""
    if slices:
        return repr(found)
    alerts: list[tuple[int, Alert]] = list(found)  # type: ignore[call-overload]
    # That a slice was found in one of them alone is news in that one: a notice changed.
    told = [(pane, alert) for pane, alert in alerts if alert.slice is None or alert.slice.state != "found"]
    return repr(
        [
            (
                pane,
                replace(
                    alert, slice=None, summary=alert.summary.removesuffix(alert.slice.summary if alert.slice else "")
                ),
            )
            for pane, alert in told
        ]
    )


USUAL = Turn()
TROUBLES = [
    *[Turn(rows=30)] * 64,
    *[Turn(age=55.0)] * 6,
    *[USUAL] * 10,
    *[Turn(together=0.95)] * 8,
    *[USUAL] * 4,
    *[Turn(moved=0.35)] * 10,
    *[USUAL] * 4,
    *[Turn(unit=0.01)] * 4,
    *[USUAL] * 4,
    *[Turn(topic="sports", vector=0.5)] * 6,
    *[Turn(first_film="film 7")] * 6,
    *[Turn(failing=0.5, slow=8.0)] * 6,
    *[USUAL] * 4,
]


@lru_cache
def troubled_panes() -> tuple[Served, ...]:
    rng = np.random.default_rng(11)
    return tuple(served(rng, turn, BEGAN_AT + PANE_SECONDS * place) for place, turn in enumerate(TROUBLES))


def finished(machine: Machine, panes: Sequence[Served], *, deal: Callable[[int, int], int] | None = None) -> Machine:
    for pane in panes:
        machine.serve(pane, deal)
    for _ in range(25):
        machine.end_pane(in_flight=100 // len(machine.counters))
    return machine.serve(panes[0], deal)


def unevenly(place: int, rows: int) -> int:
    """Half of the exchanges go to the first process, the others in turn to the next three."""
    return 0 if 2 * place < rows else 1 + place % 3


@pytest.fixture(scope="module")
def never_frozen() -> Machine:
    return finished(Machine(reference_of()), troubled_panes())


def test_of_every_kind_something_fires(never_frozen: Machine) -> None:
    ends = {key.removeprefix("drift/risk/%2Fpredict/") for key in never_frozen.fired}

    assert {"feature/age", "joint", "direction/", "direction/comment", "direction/embedding"} <= ends
    assert any("films" in end for end in ends)
    assert {alert.source for _, alert in never_frozen.alerts} >= {"drift", "traffic", "threshold"}
    assert any("silen" in key for key in never_frozen.fired)
    assert any("in_flight" in key for key in never_frozen.fired)
    assert any(alert.state == "resolved" for _, alert in never_frozen.alerts)


def test_a_watch_that_is_frozen_and_thawed_after_every_pane_says_what_one_says_that_never_was(
    never_frozen: Machine,
) -> None:
    frozen = finished(Machine(reference_of(), freezes=True), troubled_panes())

    assert in_full(frozen.alerts, slices=False) == in_full(never_frozen.alerts, slices=False)
    assert in_full(frozen.scores()) == in_full(never_frozen.scores())
    assert in_full([(0, each) for each in frozen.watch.in_force], slices=False) == in_full(
        [(0, each) for each in never_frozen.watch.in_force], slices=False
    )
    assert frozen.states() == never_frozen.states()


def test_four_processes_fire_and_score_as_one_does(never_frozen: Machine) -> None:
    four = finished(Machine(reference_of(), processes=4), troubled_panes(), deal=unevenly)

    assert four.told == never_frozen.told
    expected, found = never_frozen.scores(), four.scores()
    assert found.keys() == expected.keys()
    for key, score in expected.items():
        assert found[key].value == pytest.approx(score.value, abs=1e-9, nan_ok=True), key
        assert found[key].rows == score.rows


LEARNING = [*[USUAL] * 18, *[Turn(age=60.0, topic="sports")] * 8, *[USUAL] * 4]


@lru_cache
def panes_to_learn() -> tuple[Served, ...]:
    rng = np.random.default_rng(12)
    return tuple(served(rng, turn, BEGAN_AT + PANE_SECONDS * place) for place, turn in enumerate(LEARNING))


def test_a_watch_that_is_frozen_while_it_learns_learns_the_same() -> None:
    never, always = (finished(Machine(freezes=freezes), panes_to_learn()) for freezes in (False, True))

    assert "drift/risk/%2Fpredict/feature/age" in never.fired
    assert in_full(always.alerts, slices=False) == in_full(never.alerts, slices=False)
    assert in_full(always.scores()) == in_full(never.scores())


def test_four_processes_learn_what_one_learns() -> None:
    alone = finished(Machine(), panes_to_learn())
    four = finished(Machine(processes=4), panes_to_learn(), deal=lambda place, rows: 4 * place // rows)

    assert four.told == alone.told
    assert {key: score.rows for key, score in four.scores().items()} == {
        key: score.rows for key, score in alone.scores().items()
    }


@pytest.mark.parametrize("panes", [3, 9, 12], ids=["learning", "just learned", "watching"])
def test_a_watch_says_how_far_it_is_after_a_thaw(panes: int) -> None:
    machine, frozen = (Machine(freezes=freezes) for freezes in (False, True))
    for pane in panes_to_learn()[:panes]:
        machine.serve(pane)
        frozen.serve(pane)

    assert in_full(frozen.scores()) == in_full(machine.scores())
    assert frozen.states() == machine.states()


def drifting(*, panes: int = 8) -> Machine:
    rng, machine = np.random.default_rng(13), Machine(reference_of())
    for _ in range(panes):
        machine.serve(served(rng, Turn(age=80.0), BEGAN_AT))
    assert "drift/risk/%2Fpredict/feature/age" in machine.fired
    return machine


def test_alerts_of_a_reference_file_that_is_another_by_now_are_withdrawn() -> None:
    machine = drifting()

    watch, ended = restored(machine.watch, POLICY, references_of(reference_of(2, 80.0)), BEGAN_AT + 500.0)

    assert {(alert.column, alert.state) for alert in ended if alert.source == "drift"} >= {("age", "resolved")}
    assert all(alert.summary.startswith("the reference was replaced; it was: ") for alert in ended)
    assert [alert for alert in watch.in_force if alert.source == "drift"] == []


def test_with_the_same_reference_file_alerts_stay_in_force() -> None:
    machine = drifting()

    watch, ended = restored(machine.watch, POLICY, references_of(reference_of()), BEGAN_AT + 500.0)

    assert ended == []
    assert in_full(watch.in_force) == in_full(machine.watch.in_force) != "()"


@pytest.mark.parametrize("is_there", [True, False], ids=["still there", "gone"])
def test_what_was_learned_is_compared_with_as_long_as_it_is_there(tmp_path: Path, *, is_there: bool) -> None:
    machine = Machine(learned=LearnedReferences(tmp_path))
    rng = np.random.default_rng(14)
    for turn in (*[USUAL] * 12, *[Turn(age=80.0)] * 6):
        machine.serve(served(rng, turn, BEGAN_AT))
    assert "drift/risk/%2Fpredict/feature/age" in machine.fired
    if not is_there:
        next(tmp_path.glob("reference-*.json")).unlink()

    references = references_of(learned=LearnedReferences(tmp_path))
    _, ended = restored(machine.watch, POLICY, references, BEGAN_AT + 500.0)

    assert ("age" in {alert.column for alert in ended}) is not is_there


@pytest.mark.parametrize(
    "other",
    [
        replace(POLICY, pane_seconds=20.0),
        replace(POLICY, rules=parse_rules("error_rate>10%")),
        replace(POLICY, panes_between_false_alarms=2000.0),
        replace(POLICY, tolerance=0.1),
        replace(POLICY, reference_rows=99),
        replace(POLICY, ignored=("age",)),
        replace(POLICY, importance={"age": 2.0}),
    ],
    ids=["pane", "thresholds", "false alarms", "tolerance", "rows to learn", "ignored", "importance"],
)
def test_under_another_policy_a_watch_does_not_go_on(other: Policy) -> None:
    with pytest.raises(ValueError, match="another policy"):
        restored(Machine().watch, other, references_of(), BEGAN_AT)


def test_another_window_of_scores_is_no_other_policy() -> None:
    machine = Machine(reference_of()).serve(troubled_panes()[0])

    watch, _ = restored(machine.watch, replace(POLICY, window_seconds=60.0), machine.references, BEGAN_AT)

    assert watch.pane_count == 1


LostPart = Literal["totals", "endpoints", "comparisons"]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("endpoints", "the statistics behind it could not be taken over; it was: "),
        ("comparisons", "the statistics behind it could not be taken over; it was: "),
        ("totals", None),
    ],
)
def test_a_part_that_is_missing_begins_anew_and_ends_its_alerts(part: LostPart, reason: str | None) -> None:
    machine = drifting()
    missing: Any = None if part == "totals" else {}
    whole = replace(kept(machine.watch), **{part: missing})
    other = MachineWatch(POLICY, machine.references, at=BEGAN_AT)

    ended = steps.finished(
        other.restore(whole, BEGAN_AT + 500.0, lose=lambda part, error: pytest.fail(f"{part}: {error}"))
    )

    assert [alert.summary.startswith(reason or "") for alert in ended] == [True] * len(ended)
    assert bool(ended) is (reason is not None)
    assert {alert.key for alert in other.in_force} == {alert.key for alert in machine.watch.in_force} - {
        alert.key for alert in ended
    }
    machine.watch = other
    assert machine.serve(troubled_panes()[0]).watch.pane_count == 9


MachineChange = Callable[[MachineState], MachineState]


@pytest.mark.parametrize(
    "change",
    [
        lambda state: replace(state, pane_count=-1),
        lambda state: replace(state, pane_count=2**63),
        lambda state: replace(state, endpoints={}),
        lambda state: replace(state, endpoints={**state.endpoints, "/other": 2}),
        lambda state: replace(state, endpoints=dict.fromkeys(state.endpoints, 0)),
        lambda state: replace(state, statuses={"process": ProcessStatus(-1, 1.0)}),
        lambda state: replace(state, statuses={"process": ProcessStatus(0, float("nan"))}),
        lambda state: replace(state, statuses={"process": ProcessStatus(0, 1.0, float("inf"))}),
    ],
    ids=[
        *("panes below none", "panes beyond all", "no endpoints", "one endpoint more", "no place", "in flight"),
        *("no rate", "at no moment"),
    ],
)
def test_the_state_of_a_machine_that_cannot_be_is_refused_whole(change: MachineChange) -> None:
    machine = Machine(reference_of()).serve(troubled_panes()[0])
    whole = kept(machine.watch)
    other = MachineWatch(POLICY, machine.references, at=BEGAN_AT)

    with pytest.raises(ValueError, match=r"panes|place|flight|share|moment|end of"):
        steps.finished(
            other.restore(
                replace(whole, machine=change(whole.machine)),
                BEGAN_AT,
                lose=lambda part, error: pytest.fail(f"{part} {error}"),
            )
        )


@pytest.mark.parametrize("part", ["endpoint", "comparison"])
def test_a_part_that_does_not_fit_is_lost_alone_and_handed_over(part: str) -> None:
    machine = drifting()
    whole = kept(machine.watch)
    if part == "endpoint":
        whole = replace(whole, endpoints={name: replace(of, unwatched_rows=-1) for name, of in whole.endpoints.items()})
    else:
        comparisons = {of: replace(state, rows=state.rows[:-1]) for of, state in whole.comparisons.items()}
        whole = replace(whole, comparisons=comparisons)
    other, lost = MachineWatch(POLICY, machine.references, at=BEGAN_AT), list[tuple[str, Exception]]()

    ended = steps.finished(other.restore(whole, BEGAN_AT + 500.0, lose=lambda name, error: lost.append((name, error))))

    assert [(name, type(error)) for name, error in lost] == [(part, ValueError)]
    assert "drift/risk/%2Fpredict/feature/age" in {alert.key for alert in ended}
    assert other.close_pane(MachinePane({}, {}), BEGAN_AT + 510.0) == []
    assert kept(other).machine.pane_count == 9


def test_a_reference_that_is_replaced_while_it_runs_withdraws_its_alerts() -> None:
    machine = drifting()

    ended = machine.watch.replace_reference(reference_of(2, 80.0), BEGAN_AT + 500.0)

    assert ("age", "resolved") in {(alert.column, alert.state) for alert in ended}
    assert [alert for alert in machine.watch.in_force if alert.source == "drift"] == []


def test_in_flight_is_the_sum_of_all_processes_and_its_limit_is_the_host_s() -> None:
    machine = Machine(policy=replace(POLICY, rules=parse_rules("in_flight>50")), processes=4)

    machine.end_pane(in_flight=12).end_pane(in_flight=13).end_pane(in_flight=1)

    assert [(pane, alert.state) for pane, alert in machine.alerts] == [(2, "firing"), (3, "resolved")]
    assert (machine.watch.processes.in_flight_count, tuple(machine.watch.processes)) == (
        4,
        ("process 0", "process 1", "process 2", "process 3"),
    )


def test_the_rate_of_analysis_is_the_mean_of_the_processes() -> None:
    watch = MachineWatch(POLICY, references_of(), at=BEGAN_AT)
    assert watch.processes.rate == 1.0

    watch.close_pane(MachinePane({}, {"a": ProcessStatus(0, 0.5), "b": ProcessStatus(0, 1.0)}), BEGAN_AT + 10)

    assert (watch.processes.rate, watch.pane_count) == (0.75, 1)


def test_endpoints_beyond_the_bound_are_judged_together_without_their_models() -> None:
    machine = Machine(processes=4)
    rng = np.random.default_rng(15)
    for number in range(4 * 20):
        pane = served(rng, Turn(rows=3, failing=1.0 if number == 79 else 0.0, age=80.0), BEGAN_AT)
        endpoint = machine.counters[number % 4].endpoint(f"/{number}")
        endpoint.add(Prediction(f"/{number}", "risk", "3", "plain", pane.features, pane.outputs), pane.exchanges)
        endpoint.count(pane.exchanges, {})
    machine.end_pane()

    scores = {endpoint: snapshot for endpoint, snapshot in machine.watch.snapshots() if not snapshot.model}

    assert len(scores) == MOST_ENDPOINTS + 1
    own = {score.statistic: score.value for score in scores[OTHER_ENDPOINTS].scores}
    assert (own["rows"], own["unwatched_rows"]) == (3 * 48, 3 * 48)
    assert {endpoint for endpoint, snapshot in machine.watch.snapshots() if snapshot.model} == set(scores) - {
        OTHER_ENDPOINTS
    }


def test_models_beyond_the_bound_of_all_processes_are_counted_as_unwatched() -> None:
    machine = Machine(processes=3)
    rng = np.random.default_rng(16)
    for number in range(3 * 6):
        pane = served(rng, Turn(rows=2), BEGAN_AT)
        counter = machine.counters[number % 3].endpoint("/predict")
        counter.add(Prediction("/predict", f"m{number}", "", "plain", pane.features, pane.outputs), pane.exchanges)
        counter.count(pane.exchanges, {})
    machine.end_pane()

    (own,) = [snapshot for _, snapshot in machine.watch.snapshots() if not snapshot.model]

    assert {score.statistic: score.value for score in own.scores}["unwatched_rows"] == 10 * 2
    assert len([snapshot for _, snapshot in machine.watch.snapshots() if snapshot.model]) == 8


def outdated(machine: Machine) -> Iterator[MachinePane]:
    """Panes of a process that compares with another reference."""
    counter, rng = MachineCounter("outdated", POLICY, references_of(reference_of(3))), np.random.default_rng(17)
    while True:
        pane = served(rng, Turn(age=95.0), BEGAN_AT)
        counter.endpoint("/predict").add(
            Prediction("/predict", "risk", "3", "plain", pane.features, pane.outputs), pane.exchanges
        )
        yield counter.close(BEGAN_AT, ProcessStatus(0, 1.0), {})


def test_rows_of_a_process_that_compares_with_another_reference_are_left_out_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine = Machine(reference_of())
    rng, other = np.random.default_rng(18), outdated(machine)

    for place in range(5):
        pane = served(rng, USUAL, BEGAN_AT)
        machine.counters[0].endpoint("/predict").add(
            Prediction("/predict", "risk", "3", "plain", pane.features, pane.outputs), pane.exchanges
        )
        own = machine.counters[0].close(BEGAN_AT, ProcessStatus(0, 1.0), {})
        machine.watch.close_pane(merged([own, next(other)]), BEGAN_AT + 10 * place)

    refused = f"refused_pane_count[{reference_of(3).version}]"
    assert machine.scores()["risk", None, refused].value == 5
    assert machine.scores()["risk", "age", "missing_rate"].rows == 5 * ROWS
    assert machine.watch.in_force == ()
    assert len([record for record in caplog.records if "which is not the one in force" in record.getMessage()]) == 1


DAY = 86_400.0


class Routes:
    """Endpoints of one process, asked over a long time; the watch is frozen and thawed after every so many panes."""

    def __init__(self, *, exchanges: int = 40, panes_a_life: int = 1) -> None:
        """*exchanges* is how many come when a route is asked."""
        self._exchanges, self._panes_a_life = exchanges, panes_a_life
        self.policy, self.references = replace(POLICY, rules=parse_rules("error_rate>30%")), references_of()
        self.watch = MachineWatch(self.policy, self.references, at=BEGAN_AT)
        self.counter = MachineCounter("process", self.policy, self.references)
        self.at = BEGAN_AT

    def ask(
        self,
        *routes: str,
        after: float = PANE_SECONDS,
        failing: str = "",
        counts: Mapping[SignalFate, int] | None = None,
    ) -> list[Alert]:
        for route in routes:
            outcome: Outcome = "error" if route == failing else "ok"
            self.counter.endpoint(route, "provisional").count(
                [an_exchange(outcome) for _ in range(self._exchanges)], {}
            )
        return self.end_pane(after=after, counts=counts)

    def predict(self, *routes: str) -> None:
        """A row of a model at each."""
        for route in routes:
            pane = served(np.random.default_rng(1), Turn(rows=1), self.at)
            made = Prediction(route, "risk", "3", "plain", pane.features, pane.outputs)
            self.counter.endpoint(route).add(made, pane.exchanges)
            self.counter.endpoint(route).count(pane.exchanges, {})

    def end_pane(self, *, after: float = PANE_SECONDS, counts: Mapping[SignalFate, int] | None = None) -> list[Alert]:
        self.at += after
        changed = self.watch.close_pane(self.counter.close(self.at, ProcessStatus(0, 1.0), counts or {}), self.at)
        if self.watch.pane_count % self._panes_a_life == 0:
            self.watch, ended = restored(self.watch, self.policy, self.references, self.at)
            assert ended == []
        return changed

    @property
    def watched(self) -> set[str]:
        return set(self.watch.briefing.endpoints)


def test_silence_of_a_route_that_was_removed_is_told_and_ends_after_a_week_and_a_day() -> None:
    routes = Routes()
    for _ in range(80):
        routes.ask("/v1")
    changed = [alert for _ in range(150) for alert in routes.ask("/v2")]
    assert [(alert.key, alert.state) for alert in changed] == [
        ("traffic/%2Fv1/silence", "pending"),
        ("traffic/%2Fv1/silence", "firing"),
    ]

    assert routes.ask("/v2", after=8 * DAY - 1510.0) == []
    assert routes.watched == {"/v1", "/v2"}
    routes.ask("/v2")
    (ended,) = routes.ask("/v2")

    assert (ended.key, ended.state, ended.at) == ("traffic/%2Fv1/silence", "resolved", routes.at)
    assert ended.summary.startswith("the endpoint is no longer asked; it was: no exchange for ")
    assert (routes.watched, routes.watch.in_force) == ({"/v2"}, ())
    routes.ask("/v2", "/v3")
    assert routes.watch._places.endpoints == 2


def test_the_endpoint_unseen_for_longest_makes_room_and_all_its_alerts_end() -> None:
    routes = Routes(exchanges=2, panes_a_life=20)
    first = [f"/{number}" for number in range(MOST_ENDPOINTS)]
    (fired,) = routes.ask(*first, failing="/0")
    assert (fired.key, fired.state) == ("threshold//%2F0/error_rate%3E30%25", "firing")
    for _ in range(100):
        routes.ask(*first[1:], after=36.0)

    assert {alert.endpoint for alert in routes.watch.in_force} == {"/0"}

    ended = routes.ask(*first[1:], "/new", "/newer")

    assert (fired.key, "resolved") in {(alert.key, alert.state) for alert in ended}
    assert ({alert.endpoint for alert in ended}, routes.watch.in_force) == ({"/0"}, ())
    assert routes.watched == {*first[1:], "/new", OTHER_ENDPOINTS}
    # The process goes on telling of what it knows; that alone brings nothing back.
    assert routes.ask(*first[1:]) == []
    assert "/0" not in routes.watched


def test_an_endpoint_that_fails_from_its_first_request_alarms_without_a_prediction() -> None:
    routes = Routes()

    (fired,) = routes.ask("/broken", failing="/broken")

    assert (fired.endpoint, fired.state) == ("/broken", "firing")


def test_predictions_take_the_places_of_endpoints_that_have_none_whose_alerts_end() -> None:
    routes = Routes()
    failing = [f"/failing/{number}" for number in range(MOST_ENDPOINTS)]
    (fired,) = routes.ask(*failing, failing="/failing/0")
    models = [f"/{number}" for number in range(MOST_ENDPOINTS - 1)]

    routes.predict(*models)
    ended = routes.ask(*failing, failing="/failing/0")

    assert [(alert.key, alert.state) for alert in ended] == [(fired.key, "resolved")]
    assert ended[0].summary.startswith("the endpoint made room for one with predictions; it was: ")
    assert routes.watched == {*models, failing[-1], OTHER_ENDPOINTS}
    routes.predict(*models, "/last")
    routes.end_pane()
    routes.ask(*failing, failing="/failing/1")
    assert routes.watched == {*models, "/last", OTHER_ENDPOINTS}
    # All were counted, by whatever name.
    counts = routes.watch.totals._endpoints
    assert sum(sum(each._outcomes.values()) for each in counts.values()) == 3 * 40 * MOST_ENDPOINTS + 2 * 31 + 1


def test_what_stands_for_all_others_is_counted_and_alarms_nobody() -> None:
    routes = Routes(exchanges=2, panes_a_life=50)

    changed = [alert for _ in range(5) for alert in routes.ask(OTHER_ENDPOINTS, failing=OTHER_ENDPOINTS)]

    scores = dict(routes.watch.snapshots())[OTHER_ENDPOINTS].scores
    assert changed == []
    assert {score.statistic: score.value for score in scores}["error_rate"] == 1.0
    assert routes.watch._places.endpoints == 0
    for _ in range(102):
        routes.ask("/later", after=DAY / 10)
    assert (routes.watched, routes.watch._places.endpoints) == ({"/later"}, 1)


def test_alerts_beyond_those_that_are_kept_are_counted_as_lost() -> None:
    routes = Routes(panes_a_life=100)
    routes.watch.alerts = Alerts(most=1)
    for place in range(60):
        route = f"/{place % 2}"
        routes.ask(route, failing=route)

    assert len(routes.watch.in_force) == 1
    assert routes.watch.totals.count(TOO_MANY_ALERTS) > 0
    assert routes.watch.alerts.take_refused() == 0


def test_what_found_no_room_in_the_inbox_is_in_the_scores() -> None:
    routes = Routes()
    routes.ask("/a", counts={INBOX_FULL: 3})
    routes.ask("/a", counts={INBOX_FULL: 4})

    (snapshot,) = [snapshot for _, snapshot in routes.watch.snapshots()]

    assert {score.statistic: score.value for score in snapshot.scores}["dropped_count"] == 7


def test_every_new_version_is_watched_however_many_there_were_and_whoever_judges() -> None:
    routes = Routes(exchanges=1)
    rows = replace(table_of_columns({"age": np.full(5, 40.0)}), exchange=np.arange(5))
    for version in range(12):
        for _ in range(15):
            prediction = Prediction("/predict", "risk", str(version), "plain", rows, table_of_columns(NOTHING))
            routes.counter.endpoint("/predict").add(prediction, [an_exchange() for _ in range(5)])
            routes.ask("/predict", after=600.0)

    watched = {snapshot.version for _, snapshot in routes.watch.snapshots() if snapshot.model}

    assert watched == {str(version) for version in range(4, 12)}
    assert routes.watch._places.models == 8
