"""What all processes of a machine counted in one pane."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashlight.counting.checks import check_pane
from dashlight.counting.endpoint import EndpointBrief
from dashlight.counting.machine import (
    NOT_LEARNED,
    OTHER_ENDPOINTS,
    Briefing,
    MachineCounter,
    MachinePane,
    ProcessStatus,
    lightened,
    merged,
)
from dashlight.counting.memory import MOST_ENDPOINTS
from dashlight.counting.model import ModelBrief
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.metrics.losses import SignalFate
from dashlight.records import Exchange, Prediction
from dashlight.store.layout import Layout
from dashlight.store.learned import LearnedReferences
from dashlight.window.columns import Reference
from dashlight.window.tables import Column

LOST, OTHER = SignalFate("exchanges", "dropped", "inbox_full"), SignalFate("events", "delivered")
NOTHING: Mapping[SignalFate, int] = {}
PANE: Layout[MachinePane] = Layout("pane", 1, MachinePane, check_pane)
Exchanges = Callable[..., Exchange]
Predictions = Callable[..., Prediction]
Columns = Callable[..., dict[str, Column]]


def counter_of(process: str = "a", reference: Reference | None = None) -> MachineCounter:
    return MachineCounter(process, Policy(reference_rows=1000), References(LearnedReferences(None), reference))


def closed(
    counter: MachineCounter, *, in_flight: int = 0, rate: float = 1.0, counts: Mapping[SignalFate, int] = NOTHING
) -> MachinePane:
    return counter.close(10.0, ProcessStatus(in_flight, rate), counts)


def exchanges_of(pane: MachinePane) -> dict[str, int]:
    return {route: endpoint.outcomes.exchanges for route, endpoint in pane.endpoints.items()}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    dealt=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["/a", "/b", "/c"]), st.integers(1, 6)), max_size=15),
    seed=st.integers(0, 100),
)
def test_however_exchanges_are_dealt_to_processes_their_panes_add_up_to_that_of_one(  # noqa: PLR0917 - fixtures
    exchange: Exchanges,
    prediction: Predictions,
    columns: Columns,
    reference: Reference,
    dealt: list[tuple[int, str, int]],
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    alone, several = counter_of("alone", reference), [counter_of(f"p{place}", reference) for place in range(4)]
    for process, route, rows in dealt:
        made, exchanges = prediction(columns(rng, rows)), [exchange() for _ in range(rows)]
        for each in (alone, several[process]):
            each.endpoint(route).add(made, exchanges)
            each.endpoint(route).count(exchanges, {})

    whole, together = closed(alone), merged([closed(each) for each in several])

    assert exchanges_of(together) == exchanges_of(whole)
    assert sum(exchanges_of(whole).values()) == sum(rows for _, _, rows in dealt)
    for route, endpoint in whole.endpoints.items():
        theirs = together.endpoints[route]
        assert theirs.outcomes.durations.tolist() == endpoint.outcomes.durations.tolist()
        assert theirs.models.keys() == endpoint.models.keys() == {("risk", "3")}
        (rows_alone,), (rows_together,) = (each.models["risk", "3"].compared for each in (endpoint, theirs))
        assert rows_together.counts.tolist() == rows_alone.counts.tolist()
        assert rows_together.joint.directions[""].total == pytest.approx(rows_alone.joint.directions[""].total)
    assert set(together.statuses) == {"p0", "p1", "p2", "p3"}


def test_endpoints_beyond_the_bound_are_counted_together_and_that_is_said_once(
    exchange: Exchanges, prediction: Predictions, caplog: pytest.LogCaptureFixture
) -> None:
    counter = counter_of()
    for number in range(MOST_ENDPOINTS + 3):
        counter.endpoint(f"/{number}").add(prediction({"age": np.zeros(2)}), [exchange(), exchange()])
        counter.endpoint(f"/{number}").count([exchange()], {})
    counter.endpoint("/0").count([exchange()], {})

    pane = closed(counter)

    assert len(pane.endpoints) == MOST_ENDPOINTS + 1
    assert (exchanges_of(pane)["/0"], exchanges_of(pane)[OTHER_ENDPOINTS]) == (2, 3)
    other = pane.endpoints[OTHER_ENDPOINTS]
    assert (other.models, other.unwatched_rows, other.outcomes.rows) == ({}, 6, 6)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_what_has_no_claim_is_counted_with_the_others_until_the_endpoint_has_a_place(exchange: Exchanges) -> None:
    counter = counter_of()
    for claim in ("none", "provisional", "none"):
        counter.endpoint("/a", claim).count([exchange()], {})
    counter.endpoint(OTHER_ENDPOINTS, "provisional").count([exchange()], {})

    assert exchanges_of(closed(counter)) == {"/a": 2, OTHER_ENDPOINTS: 2}


def test_predictions_take_the_places_of_endpoints_that_have_none_and_nothing_is_lost(
    exchange: Exchanges, prediction: Predictions, caplog: pytest.LogCaptureFixture
) -> None:
    counter = counter_of()
    for number in range(MOST_ENDPOINTS):
        counter.endpoint(f"/failing/{number}", "provisional").count([exchange(500, "error")], {})
    for number in range(MOST_ENDPOINTS):
        counter.endpoint(f"/{number}").add(prediction({"age": np.zeros(2)}), [exchange(), exchange()])
    counter.endpoint("/refused", "provisional").count([exchange()], {})

    pane = closed(counter)

    assert set(pane.endpoints) == {f"/{number}" for number in range(MOST_ENDPOINTS)} | {OTHER_ENDPOINTS}
    assert pane.endpoints[OTHER_ENDPOINTS].outcomes.failed == MOST_ENDPOINTS
    assert exchanges_of(pane)[OTHER_ENDPOINTS] == MOST_ENDPOINTS + 1
    assert len(caplog.records) == 1
    assert exchanges_of(closed(counter))[OTHER_ENDPOINTS] == 0


def test_an_endpoint_that_the_judge_has_seen_predictions_of_keeps_its_place_while_it_fails(
    exchange: Exchanges, prediction: Predictions
) -> None:
    counter = counter_of()
    counter.follow(Briefing({"/failing": EndpointBrief(models={("risk", "3"): ModelBrief(references=())})}))
    counter.endpoint("/failing", "provisional").count([exchange(500, "error")], {})
    for number in range(MOST_ENDPOINTS):
        counter.endpoint(f"/{number}").add(prediction({"age": np.zeros(2)}), [exchange(), exchange()])

    assert exchanges_of(closed(counter))["/failing"] == 1


def test_an_endpoint_that_begins_later_counts_what_the_judge_wants(exchange: Exchanges) -> None:
    counter = counter_of()
    counter.endpoint("/a").count([exchange()], {})
    briefs = dict.fromkeys(["/a", "/b"], EndpointBrief(known_kinds=frozenset()))
    counter.follow(Briefing(briefs))

    for route in ("/a", "/b", "/c"):
        counter.endpoint(route).count([exchange(500, "error")], {})
    pane = closed(counter)

    assert {route: "new_failure" in endpoint.traces for route, endpoint in pane.endpoints.items()} == {
        "/a": True,
        "/b": True,
        "/c": False,
    }


def test_a_pane_says_how_its_process_stood_and_what_else_happened() -> None:
    pane = closed(counter_of("b"), in_flight=7, rate=0.5, counts={LOST: 3})

    assert (pane.statuses, pane.counts) == ({"b": ProcessStatus(7, 0.5, ended_at=10.0)}, {LOST: 3})


def test_of_a_process_with_several_panes_the_last_status_counts_and_all_counts_add_up() -> None:
    a, b = counter_of("a"), counter_of("b")

    together = merged(
        [
            closed(a, in_flight=1, counts={LOST: 1}),
            closed(b, in_flight=5, counts={LOST: 2, OTHER: 4}),
            closed(a, in_flight=3, counts={LOST: 10}),
        ]
    )

    assert together.statuses == {"a": ProcessStatus(3, 1.0, 10.0), "b": ProcessStatus(5, 1.0, 10.0)}
    assert together.counts == {LOST: 13, OTHER: 4}


def test_one_pane_is_what_it_is() -> None:
    pane = closed(counter_of())

    assert merged([pane]) is pane


def test_a_pane_goes_to_another_process_and_back(
    exchange: Exchanges, prediction: Predictions, columns: Columns, reference: Reference
) -> None:
    counter = counter_of("a", reference)
    made = [exchange(500, "error"), exchange()]
    counter.endpoint("/a").add(prediction(columns(np.random.default_rng(1), 2)), made)
    counter.endpoint("/a").count(made, {})
    pane = closed(counter, in_flight=2)

    found = PANE.thaw(b"".join(PANE.freeze(pane)))

    assert found.statuses == pane.statuses
    assert found.endpoints["/a"].traces == pane.endpoints["/a"].traces
    (ours,), (theirs,) = (each.endpoints["/a"].models["risk", "3"].compared for each in (pane, found))
    assert theirs.counts.tolist() == ours.counts.tolist()
    both = merged([pane, found])
    assert both.endpoints["/a"].outcomes.exchanges == 4


def a_learning_pane(prediction: Predictions, exchange: Exchanges, *, rows: int, characters: int = 1000) -> MachinePane:
    """A pane of two endpoints whose models are not known yet, with a text in each of their rows."""
    counter = MachineCounter("a", Policy(reference_rows=100_000), References(LearnedReferences(None)))
    for route in ("/a", "/b"):
        made = prediction({"text": ["x" * characters] * rows, "score": np.zeros(rows)})
        counter.endpoint(route).add(made, [exchange()] * rows)
    return closed(counter, counts={LOST: 1})


def learned_from(pane: MachinePane) -> dict[str, int]:
    return {
        route: sum(kept.row_count for model in endpoint.models.values() for kept in model.rows)
        for route, endpoint in pane.endpoints.items()
    }


def test_what_one_process_keeps_to_learn_from_is_bounded_and_what_is_left_out_is_counted(
    prediction: Predictions, exchange: Exchanges
) -> None:
    pane = a_learning_pane(prediction, exchange, rows=3000, characters=4000)

    found = learned_from(pane)

    # 4,032 bytes a row, of the 8 MB.
    assert (found["/a"], found["/b"]) == (2080, 0)
    assert pane.counts == {LOST: 1, NOT_LEARNED: 6000 - 2080}
    assert sum(map(len, PANE.freeze(pane))) < 9 << 20


def test_each_pane_has_room_anew(prediction: Predictions, exchange: Exchanges) -> None:
    counter = MachineCounter("a", Policy(reference_rows=100_000), References(LearnedReferences(None)))
    for _ in range(2):
        made = prediction({"text": ["x" * 4000] * 3000})
        counter.endpoint("/a").add(made, [exchange()] * 3000)
        pane = closed(counter)
        assert learned_from(pane)["/a"] > 2000


def test_a_pane_is_lightened_of_rows_to_learn_from_and_of_nothing_else(
    prediction: Predictions, exchange: Exchanges
) -> None:
    pane = a_learning_pane(prediction, exchange, rows=10)
    (one,) = pane.endpoints["/a"].models.values()

    light, lighter, same = (
        lightened(pane),
        lightened(pane, most_bytes=one.rows[0].size_bytes),
        lightened(pane, most_bytes=1 << 20),
    )

    assert learned_from(light) == {"/a": 0, "/b": 0}
    assert learned_from(lighter) == {"/a": 10, "/b": 0}
    assert learned_from(same) == {"/a": 10, "/b": 10}
    assert (light.counts, lighter.counts, same.counts) == (
        {LOST: 1, NOT_LEARNED: 20},
        {LOST: 1, NOT_LEARNED: 10},
        {LOST: 1},
    )
    assert {route: endpoint.outcomes.rows for route, endpoint in light.endpoints.items()} == {"/a": 10, "/b": 10}


def test_an_endpoint_that_nobody_asked_lately_makes_room(exchange: Exchanges) -> None:
    counter = counter_of()

    def asked(at: float, *routes: str) -> MachinePane:
        for route in routes:
            counter.endpoint(route, "provisional").count([exchange()], {})
        return counter.close(at, ProcessStatus(0, 1.0), {})

    routes = [f"/{number}" for number in range(MOST_ENDPOINTS)]
    asked(0.0, *routes, "/late")
    for place in range(1, 101):
        asked(36.0 * place, *routes[2:])

    pane = asked(3700.0, *routes[2:], "/late", "/later", "/latest")

    assert set(routes) - pane.endpoints.keys() == {"/0", "/1"}
    found = {route: count for route, count in exchanges_of(pane).items() if route not in routes}
    assert found == {"/late": 1, "/later": 1, OTHER_ENDPOINTS: 1}
