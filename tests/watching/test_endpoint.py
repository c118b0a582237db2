"""One endpoint: exact counts of all exchanges, thresholds on them, and its models."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.endpoint import EndpointCounter
from dashlight.counting.exchanges.kinds import failure_kind
from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.memory import MOST_MODELS
from dashlight.counting.model import ModelBrief, ModelPane
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.judge.alert_budget import Places
from dashlight.judge.traffic.rules import parse_rules
from dashlight.records import Alert, Exchange, Outcome, Prediction, Score
from dashlight.store.learned import LearnedReferences
from dashlight.watching.endpoint import WatchedEndpoint
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

PANE_SECONDS = 10.0
NO_FAILURES: Mapping[int, str] = {}


def an_exchange(
    status: int = 200, outcome: Outcome = "ok", error: str = "", *, seconds: float = 0.1, number: int = 1
) -> Exchange:
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
        status=status,
        error=error,
        outcome=outcome,
        started_at=1_700_000_000.0,
        first_byte_seconds=seconds / 2 if status == 200 else None,
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


OK = an_exchange()
FAILED = an_exchange(500, "error")


def rows_of(columns: Mapping[str, Column], *, model: str = "risk") -> Prediction:
    """One row an exchange."""
    features = table_of_columns(columns)
    features = replace(features, exchange=np.arange(features.rows))
    return Prediction("/predict", model, "", "plain", features, table_of_columns({}))


class Watched:
    """An endpoint under watch, its clock, and the alerts so far."""

    def __init__(
        self,
        thresholds: str = "",
        *,
        reference: Reference | None = None,
        pane_seconds: float = PANE_SECONDS,
    ) -> None:
        self.policy = Policy(pane_seconds=pane_seconds, window_seconds=60.0, rules=parse_rules(thresholds))
        self.references = References(LearnedReferences(None), reference)
        self.places = Places()
        self.endpoint = self.anew()
        self.counter = EndpointCounter("/predict", self.policy, self.references, LearningRoom())
        self.changes: list[Alert] = []
        self.panes = 0
        self._pane_seconds = pane_seconds

    def anew(self) -> WatchedEndpoint:
        """A watch of the endpoint that has seen nothing."""
        place = self.places.next_endpoint()
        return WatchedEndpoint("/predict", self.policy, self.references, place=place, places=self.places)

    def serve(self, *exchanges: Exchange, panes: int = 1, failures: Mapping[int, str] = NO_FAILURES) -> Watched:
        """The same exchanges in each of some panes; the states that alerts change to are kept."""
        for _ in range(panes):
            if exchanges:
                self.counter.count(exchanges, failures)
            self.end_pane()
        return self

    def end_pane(self) -> None:
        self.panes += 1
        at = self.panes * self._pane_seconds
        states = {alert.key: alert.state for alert in self.changes}
        for alert in filter(None, self.endpoint.close_pane(self.counter.close(at), at)):
            if states.get(alert.key) != alert.state:
                self.changes.append(alert)
        self.counter.follow(self.endpoint.brief)

    @property
    def states(self) -> list[str]:
        return [alert.state for alert in self.changes]

    def scores(self, model: str = "") -> dict[str, Score]:
        """Scores of the endpoint itself, or of columns of a model as `column statistic`."""
        snapshots = self.endpoint.snapshots(in_flight_count=4, dropped_count=2, rate=0.5)
        return {
            f"{score.column} {score.statistic}" if score.column else score.statistic: score
            for snapshot in snapshots
            if snapshot.model == model
            for score in snapshot.scores
        }


@pytest.mark.parametrize(
    ("exchange", "kind"),
    [
        (OK, ""),
        (an_exchange(404), ""),
        (an_exchange(503, "error"), "http_503"),
        (an_exchange(500, "error", "KeyError"), "exception:KeyError"),
        (an_exchange(0, "error", "ValueError"), "exception:ValueError"),
        (an_exchange(200, "client_disconnect"), "client_disconnect"),
        (an_exchange(0, "cancelled", "CancelledError"), "cancelled"),
    ],
    ids=["went well", "asked wrongly", "status", "raised and answered", "raised alone", "client left", "cancelled"],
)
def test_the_kind_of_a_failure_says_what_happened(exchange: Exchange, kind: str) -> None:
    assert failure_kind(exchange) == kind


def test_failures_are_counted_by_kind_over_the_window() -> None:
    watched = Watched()
    watched.serve(*[OK] * 7, FAILED, an_exchange(0, "error", "KeyError"), an_exchange(0, "cancelled"))

    scores = watched.scores()

    rates = {name: score.value for name, score in scores.items() if name.startswith("error_rate")}
    assert rates == {"error_rate": 0.2, "error_rate[http_500]": 0.1, "error_rate[exception:KeyError]": 0.1}


def test_a_failure_found_inside_an_answer_counts_unless_the_exchange_failed_anyway() -> None:
    said_so, both = an_exchange(number=2), an_exchange(500, "error", number=3)
    watched = Watched().serve(OK, OK, said_so, both, failures={2: "model", 3: "model"})

    rates = {name: score.value for name, score in watched.scores().items() if name.startswith("error_rate[")}

    assert rates == {"error_rate[model]": 0.25, "error_rate[http_500]": 0.25}


def test_latency_traffic_and_what_the_process_says_are_in_the_scores() -> None:
    watched = Watched().serve(*[an_exchange(seconds=0.2)] * 30, panes=6)

    scores = watched.scores()

    assert scores["latency_p50"].value == pytest.approx(0.2, rel=0.05)
    assert scores["first_byte_p50"].value == pytest.approx(0.1, rel=0.05)
    assert scores["throughput"].value == 3.0
    assert {name: scores[name].value for name in ("in_flight", "dropped_count", "analysed_rate")} == {
        "in_flight": 4,
        "dropped_count": 2,
        "analysed_rate": 0.5,
    }


def test_an_answer_without_a_body_has_no_first_byte() -> None:
    watched = Watched().serve(OK, OK, FAILED, FAILED, FAILED)

    assert watched.scores()["first_byte_p50"].rows == 2
    assert watched.scores()["latency_p50"].rows == 5


def test_scores_are_of_the_window_alone() -> None:
    watched = Watched().serve(*[FAILED] * 10, panes=10).serve(*[OK] * 10, panes=6)

    assert watched.scores()["error_rate"].value == 0.0


def test_an_endpoint_that_nobody_asked_lately_has_no_scores_of_its_own() -> None:
    assert Watched().serve(OK).serve(panes=6).scores() == {}


def test_a_threshold_that_needs_no_time_fires_at_once_and_resolves_at_once() -> None:
    watched = Watched("error_rate>2%").serve(*[OK] * 9, FAILED).serve(*[OK] * 10)

    assert watched.states == ["firing", "resolved"]
    assert watched.changes[0].summary == "error rate 10 % of 10 exchanges (limit 2 %): http_500 x 1"
    assert watched.changes[0].endpoint == "/predict"


def test_the_alert_on_errors_names_the_kinds() -> None:
    raised = an_exchange(0, "error", "KeyError")

    watched = Watched("error_rate>2%").serve(*[OK] * 16, raised, raised, raised, FAILED)

    assert watched.changes[0].summary.endswith(": exception:KeyError x 3, http_500 x 1")


def test_a_threshold_with_a_time_fires_after_that_time() -> None:
    watched = Watched("error_rate>2% for 1m").serve(*[OK] * 10, panes=20)

    watched.serve(*[OK] * 5, *[FAILED] * 5, panes=6)
    assert watched.states == ["pending"]

    watched.serve(*[OK] * 5, *[FAILED] * 5, panes=1)
    assert watched.states == ["pending", "firing"]


@pytest.mark.parametrize(
    ("pane_seconds", "time", "panes"), [(10.0, "5m", 90), (10.0, "10m", 180), (1.0, "5m", 900)], ids=str
)
def test_one_bad_pane_is_not_a_bad_time(pane_seconds: float, time: str, panes: int) -> None:
    watched = Watched(f"error_rate>0.1% for {time}", pane_seconds=pane_seconds).serve(OK, panes=panes)

    watched.serve(FAILED, FAILED).serve(OK, panes=panes)

    assert watched.states == ["pending", "inactive"]


def test_rules_with_different_times_are_judged_each_over_its_own() -> None:
    watched = Watched("error_rate>20%, latency_p90>1s for 1m, error_rate>1% for 2m").serve(OK, panes=30)

    watched.serve(FAILED, an_exchange(seconds=2.0), panes=10)

    fired = [alert.key for alert in watched.changes if alert.state == "firing"]
    assert fired == [
        "threshold//%2Fpredict/error_rate%3E20%25",
        "threshold//%2Fpredict/latency_p90%3E1s%20for%201m",
    ]


def test_the_undecodable_rate_can_be_limited() -> None:
    watched = Watched("undecodable_rate>10%")
    watched.counter.add_analysed(8, undecodable=["invalid_json", "invalid_json", "cut"])

    watched.serve(*[OK] * 100)

    assert watched.changes[0].summary == "38 % of 8 exchanges undecodable (limit 10 %)"
    assert watched.scores()["undecodable_rate"].value == 3 / 8
    assert watched.scores()["undecodable_count[invalid_json]"].value == 2
    assert watched.endpoint.undecodable == {"invalid_json": 2, "cut": 1}


def test_that_exchanges_cannot_be_decoded_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched()
    for _ in range(3):
        watched.counter.add_analysed(10, undecodable=["cut"] * 10)
        watched.serve(OK)

    assert caplog.messages == ["/predict: 10 of 10 exchanges could not be decoded (cut); this is told once"]


def test_an_alert_of_a_latency_limit_shows_the_slow_ones_before_anything_was_learned() -> None:
    watched = Watched("latency_p99>1s, latency_p50>3s")

    watched.serve(*[OK] * 20, an_exchange(seconds=2.0, number=77), an_exchange(seconds=2.0, number=78))

    assert [alert.exemplars for alert in watched.changes] == [(f"{78:032x}", f"{77:032x}")]


def test_an_alert_of_a_limit_on_some_kinds_shows_these() -> None:
    watched = Watched("error_rate[http_5*]>5%, refusal_rate[http_422*]>5%")

    watched.serve(
        *[OK] * 5,
        an_exchange(503, "error", number=70),
        an_exchange(0, "error", "KeyError", number=71),
        an_exchange(422, "refused", number=72),
        an_exchange(400, "refused", number=73),
    )

    assert [alert.exemplars for alert in watched.changes] == [(f"{70:032x}",), (f"{72:032x}",)]


def test_what_could_not_be_decoded_leaves_the_rate_with_its_pane_and_stays_in_the_count() -> None:
    watched = Watched()
    watched.counter.add_analysed(10, undecodable=["cut"])
    watched.serve(OK)
    for _ in range(6):
        watched.counter.add_analysed(10, undecodable=[])
        watched.serve(OK)

    assert watched.scores()["undecodable_rate"].value == 0.0
    assert watched.scores()["undecodable_count[cut]"].value == 1


def age_reference() -> Reference:
    rng = np.random.default_rng(4)
    return build_reference_from_columns({"age": rng.normal(40, 10, 1000)}, {}, rng=rng, created_at=0.0)


def ages(missing: Sequence[bool]) -> dict[str, Column]:
    return {"age": np.where(missing, np.nan, 40.0)}


def test_missing_values_can_be_limited_by_column() -> None:
    watched = Watched("missing_rate[age]>20%", reference=age_reference())
    exchanges = [OK] * 10

    watched.counter.add(rows_of(ages([True] * 3 + [False] * 7)), exchanges)
    watched.serve(*exchanges)

    (alert,) = [each for each in watched.changes if each.source == "threshold"]
    assert (alert.state, alert.column, alert.role) == ("firing", "age", "feature")
    assert alert.summary == "30 % of age missing in 10 rows (limit 20 %)"
    assert alert.exemplars == (f"{OK.trace_id:032x}",)


def test_of_models_that_share_a_column_the_one_that_lacks_most_of_it_is_held_against_the_limit() -> None:
    watched = Watched("missing_rate>20%", reference=age_reference())
    exchanges = [OK] * 10

    for _ in range(3):
        watched.counter.add(rows_of(ages([False] * 10), model="a"), exchanges)
        watched.counter.add(rows_of(ages([True] * 3 + [False] * 7), model="b"), exchanges)
        watched.counter.add(rows_of(ages([False] * 10), model="c"), exchanges)
        watched.serve(*exchanges)

    assert [alert.state for alert in watched.changes if alert.source == "threshold"] == ["firing"]


def test_each_model_is_watched_by_itself() -> None:
    watched = Watched(reference=age_reference())
    exchanges = [OK] * 100
    rng = np.random.default_rng(6)

    watched.counter.add(rows_of({"age": rng.normal(40, 10, 100)}, model="old"), exchanges)
    watched.counter.add(rows_of({"age": rng.normal(90, 10, 100)}, model="new"), exchanges)
    watched.serve(*exchanges)

    assert [(alert.model, alert.column, alert.state) for alert in watched.changes] == [("new", "age", "firing")]
    assert len(watched.changes[0].exemplars) == 1
    assert watched.scores("old")["age missing_rate"].rows == 100
    assert watched.scores("new")["age out_of_range_rate"].value > 0.5


def test_the_rows_of_all_models_are_counted_together() -> None:
    watched = Watched()
    for model in ("a", "b"):
        watched.counter.add(rows_of({"age": np.zeros(3)}, model=model), [OK] * 3)

    watched.serve(OK)

    assert watched.scores()["rows"].value == 6


def test_models_beyond_the_bound_are_counted_and_not_judged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watched = Watched()
    for number in range(MOST_MODELS + 3):
        watched.counter.add(rows_of({"age": np.zeros(5)}, model=f"model {number}"), [OK] * 5)
    watched.counter.add(rows_of({"age": np.zeros(5)}, model="model 0"), [OK] * 5)

    watched.serve(OK)

    assert watched.scores()["unwatched_rows"].value == 15
    assert watched.scores()["rows"].value == 60
    assert watched.scores("model 7")["reference_learned"].rows == 5
    assert watched.scores("model 8") == {}
    assert watched.endpoint.unwatched_rows == 15


def test_every_model_takes_the_next_place_in_the_budget_of_the_process() -> None:
    watched = Watched()
    for model in ("a", "b", "a"):
        watched.counter.add(rows_of({"age": np.zeros(5)}, model=model), [OK] * 5)
    watched.end_pane()

    assert (watched.places.models, watched.places.endpoints) == (2, 1)


def test_a_model_of_which_there_is_nothing_to_say_has_no_snapshot() -> None:
    watched = Watched(reference=age_reference())
    watched.counter.add(rows_of({"age": np.zeros(5)}), [OK] * 5)

    assert list(watched.endpoint.snapshots(in_flight_count=0, dropped_count=0, rate=1.0)) == []


def test_an_endpoint_learns_its_traffic_and_then_fires_with_exemplars(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watched = Watched()
    rng = np.random.default_rng(1)
    usual = [an_exchange(seconds=float(seconds), number=7) for seconds in rng.lognormal(-3, 0.5, 100)]
    for begin in range(0, 100, 10):
        watched.serve(*usual[begin:], *usual[:begin], panes=3)
    assert watched.scores()["traffic_reference_learned"].value == 30 / 64
    for begin in range(0, 100, 5):
        watched.serve(*usual[begin:], *usual[:begin], panes=2)
    assert "learned from 6400 exchanges what the traffic is like" in caplog.text

    raised = an_exchange(0, "error", "KeyError", number=9, seconds=0.04)
    watched.serve(*usual, *[raised] * 20, *[an_exchange(0, "cancelled", seconds=0.04)] * 5, panes=20)
    watched.serve(*usual, *[an_exchange(seconds=2.0, number=11)] * 30, panes=10)

    fired = {alert.key: alert for alert in watched.changes if alert.state == "firing"}
    assert {"traffic/%2Fpredict/error_rate", "traffic/%2Fpredict/new_failure", "traffic/%2Fpredict/latency"} <= set(
        fired
    )
    assert fired["traffic/%2Fpredict/error_rate"].exemplars == (f"{9:032x}",)
    assert fired["traffic/%2Fpredict/latency"].exemplars[0] == f"{11:032x}"


def test_traffic_that_changes_while_it_is_learned_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched().serve(*[OK] * 100, panes=32).serve(*[OK] * 70, *[FAILED] * 30, panes=32)
    watched.serve(*[OK] * 100, panes=10)

    assert caplog.text.count("the traffic is not learned yet") == 1
    assert watched.scores()["traffic_reference_unsteady"].value == 1.0


def test_endpoints_share_the_budget_by_their_places() -> None:
    places = Places()
    references = References(LearnedReferences(None))

    for name in ("/a", "/b"):
        WatchedEndpoint(name, Policy(), references, place=places.next_endpoint(), places=places)

    assert (places.models, places.endpoints) == (0, 2)


def test_exchanges_that_could_not_be_decoded_are_shown() -> None:
    watched = Watched()
    usual = [an_exchange(seconds=0.1)] * 100
    for panes, unread in ((64, []), (10, [an_exchange(number=5)] * 40)):
        for _ in range(panes):
            watched.counter.add_analysed(100, undecodable=["cut"] * len(unread), exchanges=unread)
            watched.serve(*usual)

    (alert,) = [each for each in watched.changes if each.state == "firing"]
    assert alert.key == "traffic/%2Fpredict/undecodable_rate"
    assert alert.exemplars == (f"{5:032x}",)


class Broken:
    """A model whose pane cannot be judged."""

    def close_pane(self, pane: ModelPane | None, at: float, *more: object) -> list[Alert]:
        raise ArithmeticError(pane, at, more)

    @property
    def brief(self) -> ModelBrief:
        return ModelBrief(())

    def scores(self, panes: int) -> list[Score]:
        return []


def test_a_mistake_in_one_part_is_counted_and_told_once_and_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched("error_rate>2%")
    watched.endpoint.models["broken", ""] = Broken()  # type: ignore[assignment]

    watched.serve(FAILED).serve(FAILED)

    assert watched.states == ["firing"]
    assert watched.endpoint.mistakes == {"model ArithmeticError": 2}
    assert caplog.text.count("a pane could not be judged: model") == 1


DAY = 86_400.0


def rows_in_time(watched: Watched, *models: str, ages: NDArray[np.float64], at: float) -> list[Alert]:
    """A pane that ended *at*, with rows of these models, and what changed in it."""
    for model in models:
        watched.counter.add(rows_of({"age": ages}, model=model), [OK] * len(ages))
    changed = list(filter(None, watched.endpoint.close_pane(watched.counter.close(at), at)))
    watched.counter.follow(watched.endpoint.brief)
    return changed


def test_the_model_unseen_for_longest_makes_room_for_a_new_one_and_its_alerts_end() -> None:
    rng, watched = np.random.default_rng(6), Watched(reference=age_reference())
    others = [f"v{number}" for number in range(2, MOST_MODELS + 1)]
    (fired,) = rows_in_time(watched, "v1", ages=rng.normal(90, 10, 100), at=0.0)
    assert (fired.model, fired.state) == ("v1", "firing")
    for pane in range(1, 101):
        rows_in_time(watched, *others, ages=rng.normal(40, 10, 10), at=36.0 * pane)

    ended, begun = rows_in_time(watched, "v9", ages=rng.normal(90, 10, 100), at=3700.0)

    assert (ended.model, ended.column, ended.state, ended.at) == ("v1", "age", "resolved", 3700.0)
    assert ended.summary == f"the model is no longer asked; it was: {fired.summary}"
    assert (begun.model, begun.column, begun.state) == ("v9", "age", "firing")
    assert (watched.places.models, watched.endpoint.unwatched_rows) == (MOST_MODELS, 0)
    assert {model for model, _ in watched.endpoint.brief.models} == {*others, "v9"}
    assert watched.endpoint.models["v9", ""].place == 1


def test_models_that_are_all_asked_make_no_room() -> None:
    rng, watched = np.random.default_rng(6), Watched(reference=age_reference())
    models = [f"v{number}" for number in range(MOST_MODELS)]
    for pane in range(101):
        rows_in_time(watched, *models, ages=rng.normal(40, 10, 10), at=3600.0 * pane)
    others = EndpointCounter("/predict", watched.policy, watched.references, LearningRoom())
    others.add(rows_of({"age": rng.normal(40, 10, 7)}, model="new"), [OK] * 7)

    list(watched.endpoint.close_pane(others.close(400_000.0), 400_000.0))

    assert watched.endpoint.unwatched_rows == 7
    assert {model for model, _ in watched.endpoint.brief.models} == set(models)


def test_a_model_that_nobody_asked_for_in_a_week_and_a_day_goes_without_need_of_room() -> None:
    rng, watched = np.random.default_rng(6), Watched("missing_rate>20%", reference=age_reference())
    rows_in_time(watched, "old", "new", ages=rng.normal(40, 10, 10), at=-10.0)
    rows_in_time(watched, "old", ages=np.full(10, np.nan), at=0.0)
    fired = {alert.source for alert in rows_in_time(watched, "old", "new", ages=np.full(10, np.nan), at=10.0)}
    assert "threshold" in fired
    ended = [
        alert
        for pane in range(1, 110)
        for alert in rows_in_time(watched, ages=rng.normal(40, 10, 10), at=pane * DAY / 10)
        if alert.state == "resolved"
    ]

    assert {alert.source for alert in ended} == {"drift", "threshold"}
    assert {alert.at for alert in ended} == {101 * DAY / 10}
    assert (watched.endpoint.brief.models, watched.places.models) == ({}, 0)


def test_an_alert_that_another_version_still_holds_goes_on() -> None:
    watched = Watched(reference=age_reference())
    rng = np.random.default_rng(6)
    for at, version in ((0.0, "1"), (10.0, "2")):
        old = replace(rows_of({"age": rng.normal(90, 10, 100)}), version=version)
        watched.counter.add(old, [OK] * 100)
        list(watched.endpoint.close_pane(watched.counter.close(at), at))

    changed: list[Alert] = []
    for pane in range(1, 110):
        watched.counter.add(replace(rows_of({"age": rng.normal(90, 10, 10)}), version="2"), [OK] * 10)
        changed += filter(None, watched.endpoint.close_pane(watched.counter.close(pane * DAY / 10), pane * DAY / 10))

    assert set(watched.endpoint.brief.models) == {("risk", "2")}
    assert {alert.state for alert in changed} == {"firing"}


def served_late(thresholds: str, *gaps: float) -> Watched:
    """Six exchanges a pane; before the panes at the end so many seconds pass, in which it goes on like that."""
    watched = Watched(thresholds).serve(*[OK] * 6, panes=40)
    at = watched.panes * PANE_SECONDS
    for gap in gaps:
        at += gap
        watched.counter.count([OK] * round(6 * gap / PANE_SECONDS), {})
        watched.changes += filter(None, watched.endpoint.close_pane(watched.counter.close(at), at))
    return watched


@pytest.mark.parametrize("rule", ["throughput>0.7/s", "throughput>0.7/s for 1m", "throughput<0.5/s"])
def test_a_pane_that_was_late_is_no_throng_and_no_lull(rule: str) -> None:
    watched = served_late(rule, 120.0, 10.0, 10.0, 11.0, 9.0, *[10.0] * 8)

    assert watched.changes == []
    assert watched.scores()["throughput"].value == pytest.approx(0.6)


def test_the_time_between_two_judges_is_nobody_s_pane() -> None:
    watched = Watched("throughput<0.5/s").serve(*[OK] * 6, panes=40)
    state, watched.endpoint = watched.endpoint.state, watched.anew()
    assert list(watched.endpoint.restore(state)) == []
    watched.counter.count([OK] * 6, {})

    assert list(filter(None, watched.endpoint.close_pane(watched.counter.close(7210.0), 7210.0))) == []


def test_an_endpoint_that_begins_in_a_pane_that_was_late_was_asked_over_all_of_it() -> None:
    first = Watched("throughput>0.7/s")
    begun = WatchedEndpoint("/late", first.policy, first.references, place=2, places=Places(), since_at=0.0)
    first.counter.count([OK] * 72, {})

    assert list(filter(None, begun.close_pane(first.counter.close(120.0), 120.0))) == []


def test_an_endpoint_that_goes_gives_back_all_places() -> None:
    watched = Watched(reference=age_reference())
    rows_in_time(watched, "a", "b", ages=np.full(10, 40.0), at=0.0)
    assert (watched.places.models, watched.places.endpoints) == (2, 1)

    watched.endpoint.give_back()

    assert (watched.places.models, watched.places.endpoints) == (0, 0)
