"""One endpoint as one process counts it, and as several do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashlight.counting.endpoint import (
    EndpointBrief,
    EndpointCounter,
    EndpointPane,
    merged_endpoints,
)
from dashlight.counting.exchanges.kinds import failure_kind
from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.memory import MOST_MODELS
from dashlight.counting.model import ModelBrief
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.judge.directions.bets import Direction, undirected
from dashlight.judge.traffic.events import Slow
from dashlight.records import Exchange, GenerationFacts, Prediction, Table
from dashlight.store.learned import LearnedReferences
from dashlight.window.columns import Reference
from dashlight.window.histogram import LATENCY
from dashlight.window.tables import Column
from dashlight.window.trace_ids import MOST_EACH, MOST_NAMES

Exchanges = Callable[..., Exchange]
Predictions = Callable[..., Prediction]
Columns = Callable[..., dict[str, Column]]


POLICY = Policy(reference_rows=1000)


def counter_of(
    reference: Reference | None = None, *, learned: LearnedReferences | None = None, most_models: int = MOST_MODELS
) -> EndpointCounter:
    references = References(learned or LearnedReferences(None), reference)
    return EndpointCounter("/predict", POLICY, references, LearningRoom(), most_models=most_models)


def bin_before(seconds: float) -> int:
    """The last bin of latencies that ends before so many seconds."""
    return next(bin_ for bin_ in range(LATENCY.bins) if LATENCY.edge(bin_ + 1) > seconds)


def traces_of(pane: EndpointPane) -> dict[str, list[int]]:
    return {name: [int.from_bytes(trace_id) for _, trace_id in kept] for name, kept in pane.traces.items()}


def test_rows_without_a_column_are_counted_and_make_no_model(exchange: Exchanges, prediction: Predictions) -> None:
    counter = counter_of()
    no_columns = Table(2, (), np.empty((0, 2)), (), (), np.zeros(2, np.intp))

    counter.add(replace(prediction({"age": np.zeros(2)}), features=no_columns), [exchange()])

    pane = counter.close(10.0)
    assert (pane.outcomes.rows, pane.models) == (2, {})
    assert not pane.has_predictions
    assert not counter.has_models


@pytest.mark.parametrize("most_models", [0, MOST_MODELS], ids=["several endpoints", "one endpoint"])
def test_a_failure_is_a_language_model_s_only_where_nothing_else_can_have_failed(
    most_models: int, exchange: Exchanges
) -> None:
    counter = counter_of(most_models=most_models)
    facts = GenerationFacts("chat", "openai_chat", "m", "m", "", {}, 1, 1, (), (), 0, 0, is_streamed=False)

    counter.add_generation(facts, exchange(), "")
    counter.count([exchange(503, "error")], {})

    answered, failed = ("chat", "openai_chat", "m", "m", ""), ("chat", "openai_chat", "", "", "503")
    assert list(counter.close(10.0).generations) == ([answered, failed] if most_models else [answered])


@pytest.mark.parametrize(
    ("status", "outcome", "error", "kind"),
    [
        (200, "ok", "", ""),
        (404, "ok", "", ""),
        (503, "error", "", "http_503"),
        (500, "error", "KeyError", "exception:KeyError"),
        (200, "client_disconnect", "", "client_disconnect"),
        (0, "cancelled", "CancelledError", "cancelled"),
    ],
    ids=["went well", "asked wrongly", "status", "raised", "client left", "cancelled"],
)
def test_the_kind_of_a_failure_says_what_happened(
    exchange: Exchanges, status: int, outcome: str, error: str, kind: str
) -> None:
    assert failure_kind(exchange(status, outcome, error)) == kind


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    exchanges=st.lists(
        st.tuples(st.sampled_from(["ok", "error", "cancelled", "inside"]), st.integers(0, 3), st.integers(1, 2000)),
        max_size=40,
    ),
    workers=st.integers(1, 5),
    deal=st.randoms(use_true_random=False),
)
def test_however_exchanges_are_dealt_to_processes_their_panes_add_up_to_that_of_one(
    exchange: Exchanges, exchanges: list[tuple[str, int, int]], workers: int, deal: object
) -> None:
    alone, several = counter_of(), [counter_of() for _ in range(workers)]
    for kind, status, milliseconds in exchanges:
        outcome = "ok" if kind == "inside" else kind
        made = exchange(500 + status if kind == "error" else 200, outcome, seconds=milliseconds / 1000)
        failures = {made.id: "model"} if kind == "inside" else {}
        for each in (alone, deal.choice(several)):  # type: ignore[attr-defined]
            each.count([made], failures)
            each.add_analysed(1, undecodable=["cut"] * (status == 1))

    whole, merged = alone.close(10.0), merged_endpoints([each.close(10.0) for each in several])

    one, all_ = whole.outcomes, merged.outcomes
    assert (all_.outcomes, dict(all_.failures), dict(all_.undecodable)) == (
        one.outcomes,
        dict(one.failures),
        dict(one.undecodable),
    )
    assert (all_.exchanges, all_.failed, all_.rows, all_.analysed) == (
        len(exchanges),
        one.failed,
        one.rows,
        len(exchanges),
    )
    for name in ("durations", "first_bytes", "request_sizes", "response_sizes"):
        assert getattr(all_, name).tolist() == getattr(one, name).tolist()
    assert traces_of(merged).keys() == traces_of(whole).keys()
    assert all(len(kept) <= MOST_EACH for kept in merged.traces.values())


def test_rows_are_counted_by_model(
    exchange: Exchanges, prediction: Predictions, reference: Reference, columns: Columns
) -> None:
    counter, rng = counter_of(reference), np.random.default_rng(1)
    for model, rows in (("a", 3), ("b", 4), ("a", 5)):
        counter.add(prediction(columns(rng, rows), model=model), [exchange() for _ in range(rows)])

    pane = counter.close(10.0)

    assert {key: model.compared[0].counts[0].sum() for key, model in pane.models.items()} == {
        ("a", "3"): 8,
        ("b", "3"): 4,
    }
    assert (pane.outcomes.rows, pane.unwatched_rows) == (12, 0)
    assert counter.close(20.0).models == {}


def test_rows_of_models_beyond_the_bound_are_counted_as_unwatched(exchange: Exchanges, prediction: Predictions) -> None:
    counter = counter_of(most_models=2)
    for number in range(4):
        counter.add(prediction({"age": np.zeros(5)}, model=f"m{number}"), [exchange() for _ in range(5)])

    pane = counter.close(10.0)

    assert {model for model, _ in pane.models} == {"m0", "m1"}
    assert (pane.unwatched_rows, pane.outcomes.rows) == (10, 20)
    assert counter.close(20.0).unwatched_rows == 0


def test_failures_are_shown_by_kind_and_those_that_are_nobody_s_fault_are_not(exchange: Exchanges) -> None:
    counter = counter_of()
    counter.count(
        [
            exchange(500, "error", number=11),
            exchange(0, "cancelled", number=12),
            exchange(200, "client_disconnect", number=13),
            exchange(200, number=14),
            exchange(200, number=15),
        ],
        {15: "model"},
    )

    assert traces_of(counter.close(10.0)) == {
        "error_rate": [11, 15],
        "error_kind http_500": [11],
        "error_kind model": [15],
    }


def test_once_the_judge_says_which_failures_are_known_others_are_shown_as_new(exchange: Exchanges) -> None:
    counter = counter_of()
    counter.follow(EndpointBrief(known_kinds=frozenset({"http_500"})))

    counter.count([exchange(500, "error", number=21), exchange(503, "error", number=22)], {})

    assert traces_of(counter.close(10.0))["new_failure"] == [22]


def test_what_is_slow_is_as_the_judge_says(exchange: Exchanges) -> None:
    counter = counter_of()
    slow = (Slow("latency", "p50", bin_before(0.2), 0.5), Slow("first_byte", "p99", bin_before(0.5), 0.01))
    counter.follow(EndpointBrief(known_kinds=frozenset(), slow=slow))

    counter.count(
        [
            exchange(seconds=0.1, first_byte=0.05, number=31),
            exchange(seconds=0.3, first_byte=0.05, number=32),
            exchange(seconds=0.9, first_byte=0.8, number=33),
            exchange(seconds=0.1, first_byte=None, number=34),
        ],
        {},
    )

    assert traces_of(counter.close(10.0)) == {"latency p50": [32, 33], "first_byte p99": [33]}


def test_what_could_not_be_decoded_is_shown_by_the_last(exchange: Exchanges) -> None:
    counter = counter_of()
    unread = [exchange(number=number) for number in range(41, 50)]

    counter.add_analysed(20, undecodable=["cut"] * 9, exchanges=unread)
    pane = counter.close(10.0)

    assert traces_of(pane) == {"undecodable_rate": [45, 46, 47, 48, 49]}
    assert (pane.outcomes.analysed, pane.outcomes.undecodable) == (20, {"cut": 9})


def test_of_all_processes_the_newest_traces_are_kept_and_no_more_names_than_of_one(exchange: Exchanges) -> None:
    panes: list[EndpointPane] = []
    for worker in range(4):
        counter = counter_of()
        for number in range(4):
            at = 1000.0 + 10 * number + worker
            counter.count(
                [exchange(500, "error", f"E{worker}{number}", number=100 + 10 * worker + number, started_at=at)], {}
            )
            counter.count([exchange(500, "error", f"F{worker}{each}") for each in range(20)], {})
        panes.append(counter.close(10.0))

    merged = merged_endpoints(panes)

    assert len(merged.traces) == MOST_NAMES
    assert all(len(kept) <= MOST_EACH for kept in merged.traces.values())
    began = [started_at for started_at, _ in merged.traces["error_rate"]]
    assert began == sorted(began)
    assert min(began) == max(at for pane in panes for at, _ in pane.traces["error_rate"])


def test_one_pane_is_what_it_is(exchange: Exchanges) -> None:
    counter = counter_of()
    counter.count([exchange()], {})
    pane = counter.close(10.0)

    assert merged_endpoints([pane]) is pane


@pytest.mark.parametrize("briefed_first", [True, False], ids=["before its first row", "after it"])
def test_a_model_counts_along_what_the_judge_learned(
    exchange: Exchanges, prediction: Predictions, reference: Reference, columns: Columns, *, briefed_first: bool
) -> None:
    learned = LearnedReferences(None)
    learned.save(reference, "/predict", "risk", "3")
    counter, rng = counter_of(learned=learned), np.random.default_rng(2)
    directed = counter_of(learned=learned)
    brief = brief_of(reference, prediction, columns, exchange)

    def add(rows: int) -> None:
        counter.add(prediction(columns(rng, rows)), [exchange() for _ in range(rows)])

    if briefed_first:
        counter.follow(brief)
        add(10)
    else:
        add(10)
        counter.close(0.0)
        counter.follow(brief)
        add(10)
    numbers = directions_of(counter.close(10.0))

    assert directions_of(directed.close(10.0)) == []
    assert numbers == [5, 5, 5]


def directions_of(pane: EndpointPane) -> list[int]:
    return [
        along.direction
        for model in pane.models.values()
        for rows in model.compared
        for along in rows.joint.directions.values()
    ]


def brief_of(reference: Reference, prediction: Predictions, columns: Columns, exchange: Exchanges) -> EndpointBrief:
    """What a judge would say that has renewed each of its directions five times."""
    counter = counter_of(reference)
    counter.add(prediction(columns(np.random.default_rng(3), 5)), [exchange() for _ in range(5)])
    ((rows,),) = [model.compared for model in counter.close(0.0).models.values()]

    def fifth(dims: int) -> Direction:
        known = undirected(dims)
        values: Sequence[object] = [getattr(known, name) for name in Direction.__slots__]
        return Direction(5, *values[1:])  # type: ignore[arg-type]

    directions = {name: fifth(along.total.shape[0]) for name, along in rows.joint.directions.items()}
    return EndpointBrief(models={("risk", "3"): ModelBrief((reference.version,), {reference.version: directions})})


def test_a_model_that_nobody_asked_for_lately_makes_room_and_one_with_rows_does_not(
    exchange: Exchanges, prediction: Predictions
) -> None:
    counter = counter_of(most_models=2)

    def rows_of(*models: str) -> None:
        for model in models:
            counter.add(prediction({"age": np.zeros(5)}, model=model), [exchange() for _ in range(5)])

    rows_of("a", "b")
    counter.close(0.0)
    for place in range(1, 101):
        rows_of("b")
        counter.close(36.0 * place)

    rows_of("c", "d")
    pane = counter.close(3700.0)

    assert {model for model, _ in pane.models} == {"c"}
    assert pane.unwatched_rows == 5
    for place in range(1, 101):
        rows_of("c")
        counter.close(3700.0 + 36.0 * place)
    rows_of("b", "d")
    pane = counter.close(8000.0)
    assert ({model for model, _ in pane.models}, pane.unwatched_rows) == ({"b"}, 5)


def test_an_endpoint_was_asked_where_there_was_anything_of_an_exchange(
    exchange: Exchanges, prediction: Predictions
) -> None:
    counter = counter_of()
    assert not counter.close(10.0).was_asked

    counter.count([exchange()], {})
    assert counter.close(20.0).was_asked

    counter.add_analysed(1, undecodable=["cut"])
    assert counter.close(30.0).was_asked

    counter.add(prediction({"age": np.zeros(1)}), [exchange()])
    assert counter.close(40.0).was_asked


def test_a_refusal_counts_for_every_field_that_it_names(exchange: Exchanges) -> None:
    counter = counter_of()
    several, one, none = (exchange(422, "refused", number=at) for at in (1, 2, 3))

    counter.count([several, one, none], {}, {1: ("age missing", "zip missing"), 2: ("age missing",), 3: ()})
    outcomes = counter.close(0.0).outcomes

    assert outcomes.refusals == {"http_422 age missing": 2, "http_422 zip missing": 1, "http_422": 1}
    assert (outcomes.refused, outcomes.exchanges) == (3, 3)
