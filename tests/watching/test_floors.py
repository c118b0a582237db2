"""The limits that watch from the first minute, before anything was learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from dashlight.capture.ending import outcome_of
from dashlight.counting.agents import agents_of
from dashlight.counting.claims import claim_of
from dashlight.counting.endpoint import EndpointCounter
from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.machine import MachinePane, ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.judge.alert_budget import Places
from dashlight.judge.traffic.rules import limits_of
from dashlight.records import Alert, Exchange
from dashlight.store.learned import LearnedReferences
from dashlight.watching.endpoint import WatchedEndpoint
from dashlight.watching.machine import MachineWatch

POLICY = Policy(rules=limits_of("default", pane_seconds=10.0))
BEGAN_AT = 1_700_000_000.0
NOTHING: Mapping[int, str] = {}


def an_exchange(status: int = 200, **different: object) -> Exchange:
    usual = Exchange(
        id=1,
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
        error="",
        outcome=outcome_of(status),
        started_at=BEGAN_AT,
        first_byte_seconds=0.05,
        duration_seconds=0.1,
        request_bytes=100,
        response_bytes=200,
        request_chunks=(),
        response_chunks=(),
        trace_id=1,
        span_id=1,
        trace_flags=1,
        own_span=None,
    )
    return msgspec.structs.replace(usual, **different)


def mixed(good: int, bad: int, status: int = 500) -> list[Exchange]:
    found = [an_exchange()] * good + [an_exchange(status)] * bad
    return [msgspec.structs.replace(each, id=number, trace_id=number) for number, each in enumerate(found, 1)]


class Endpoint:
    """One endpoint under the floors."""

    def __init__(self, route: str = "/predict", policy: Policy = POLICY) -> None:
        references = References(LearnedReferences(None), None)
        self.counter = EndpointCounter(route, policy, references, LearningRoom())
        self.watch = WatchedEndpoint(route, policy, references, place=1, places=Places())
        self.fired: list[tuple[int, Alert]] = []
        self.panes = 0

    def serve(
        self,
        exchanges: list[Exchange],
        panes: int = 1,
        failures: Mapping[int, str] = NOTHING,
        *,
        undecodable: int | None = None,
    ) -> Endpoint:
        judged = [each for each in exchanges if claim_of(each, agents_of(())) is not None]
        for _ in range(panes):
            if judged:
                self.counter.count(judged, failures)
                if undecodable is not None:
                    self.counter.add_analysed(len(judged), undecodable=["invalid_body"] * undecodable)
            self.panes += 1
            at = BEGAN_AT + 10.0 * self.panes
            states = {alert.key: alert.state for _, alert in self.fired}
            for alert in filter(None, self.watch.close_pane(self.counter.close(at), at)):
                if alert.state in {"firing", "resolved"} and states.get(alert.key, "resolved") != alert.state:
                    self.fired.append((self.panes, alert))
        return self

    @property
    def told(self) -> list[tuple[int, str, str]]:
        return [(pane, alert.key.rsplit("/", 1)[1].split("%3E")[0], alert.state) for pane, alert in self.fired]


def test_a_service_that_fails_from_its_first_request_alarms_within_seventy_seconds() -> None:
    endpoint = Endpoint().serve(mixed(14, 6), panes=7)

    assert endpoint.told == [(7, "failure_rate", "firing")]


def test_an_alert_of_a_floor_carries_traces_of_what_failed() -> None:
    alert = Endpoint().serve(mixed(14, 6), panes=7).fired[0][1]

    assert [int(trace_id, 16) for trace_id in alert.exemplars] == [20, 19, 18, 17, 16]
    assert alert.summary == "error rate 30 % of 100 exchanges (limit 20 %): http_500 x 30"


def test_failures_inside_a_200_count_as_failures() -> None:
    endpoint = Endpoint().serve(mixed(20, 0), panes=8, failures=dict.fromkeys(range(1, 11), "model"))

    assert endpoint.told == [(7, "failure_rate", "firing")]


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_an_endpoint_that_refuses_what_it_is_sent_alarms_after_thirty_panes(status: int) -> None:
    endpoint = Endpoint().serve(mixed(9, 11, status), panes=31)

    assert endpoint.told == [(31, "refusal_rate", "firing")]


def test_bodies_that_were_readable_and_no_longer_are_alarm_after_thirty_panes() -> None:
    endpoint = Endpoint().serve(mixed(30, 0), undecodable=0).serve(mixed(30, 0), panes=60, undecodable=30)

    assert [(name, state) for _, name, state in endpoint.told] == [("undecodable_rate", "firing")]
    # The time counts from the moment at which they are half of what the limit looks back on.
    assert 30 < endpoint.told[0][0] <= 60


def test_bodies_that_never_were_readable_are_no_alarm() -> None:
    assert Endpoint().serve(mixed(30, 0), panes=80, undecodable=30).fired == []


def test_an_operators_own_limit_on_undecodable_bodies_waits_for_no_readable_ones() -> None:
    policy = Policy(rules=limits_of("undecodable_rate>30% for 60s", pane_seconds=10.0))

    assert Endpoint(policy=policy).serve(mixed(30, 0), panes=8, undecodable=30).told == [
        (7, "undecodable_rate", "firing")
    ]


def test_that_bodies_were_readable_outlives_the_process() -> None:
    readable, fresh = Endpoint().serve(mixed(30, 0), undecodable=0), Endpoint()
    for _ in fresh.watch.restore(readable.watch.state):
        pass

    assert fresh.watch.state.was_readable


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405, 409, 429])
def test_other_answers_are_neither_failures_nor_refusals(status: int) -> None:
    assert Endpoint().serve(mixed(0, 20, status), panes=40).fired == []


def test_fewer_than_twenty_exchanges_say_nothing() -> None:
    assert Endpoint().serve(mixed(0, 19)).serve([], panes=60).fired == []


def test_an_endpoint_that_is_asked_seldom_is_judged_by_its_last_twenty_exchanges() -> None:
    endpoint = Endpoint()
    for _ in range(19):
        endpoint.serve(mixed(1, 0)).serve([], panes=5)
    for _ in range(8):
        endpoint.serve(mixed(0, 1)).serve([], panes=5)

    # Five of twenty are beyond 20 %; a minute on, when the next one comes, they have been for six panes.
    assert [told[1:] for told in endpoint.told] == [("failure_rate", "firing")]


def test_it_is_over_once_the_exchanges_went_well_for_as_long() -> None:
    endpoint = Endpoint().serve(mixed(14, 6), panes=10).serve(mixed(20, 0), panes=14)

    assert [told[1:] for told in endpoint.told] == [("failure_rate", "firing"), ("failure_rate", "resolved")]


@pytest.mark.parametrize(
    "probe",
    [
        an_exchange(503, method="GET", path="/v2/health/ready"),
        an_exchange(503, method="GET", request_headers=[(b"user-agent", b"kube-probe/1.29")]),
        an_exchange(503, method="HEAD", request_headers=[(b"user-agent", b"ELB-HealthChecker/2.0")]),
        an_exchange(400, method="GET", request_headers=[(b"user-agent", b"GoogleHC/1.0")]),
    ],
    ids=["path", "kubelet", "balancer of AWS", "balancer of Google"],
)
def test_probes_never_count(probe: Exchange) -> None:
    assert Endpoint().serve([*mixed(10, 0), *[probe] * 40], panes=40).fired == []


def test_probes_that_go_well_hide_no_failures() -> None:
    probe = an_exchange(method="GET", path="/healthcheck")

    assert len(Endpoint().serve([*mixed(2, 2), *[probe] * 40], panes=12).fired) == 1


def test_nobody_hides_by_the_agent_of_a_probe_what_he_posts() -> None:
    failing = an_exchange(500, request_headers=[(b"user-agent", b"kube-probe/1.29")])

    assert len(Endpoint().serve([failing] * 20, panes=12).fired) == 1


def test_a_model_without_a_router_alarms_and_paths_that_nobody_serves_do_not() -> None:
    scanned = msgspec.structs.replace(an_exchange(404), route="unmatched")

    assert Endpoint("unmatched").serve([scanned] * 20, panes=12).fired == []
    assert Endpoint("unmatched").serve(mixed(0, 20), panes=12).told == [(7, "failure_rate", "firing")]


def test_a_limit_in_exchanges_goes_on_after_a_restart() -> None:
    stopped = Endpoint().serve(mixed(14, 6), panes=5)
    restarted = Endpoint()
    list(restarted.watch.restore(stopped.watch.state))
    restarted.panes = 5

    assert restarted.serve(mixed(14, 6), panes=3).told == [(7, "failure_rate", "firing")]


def test_a_steady_share_of_failures_below_the_floor_is_quiet() -> None:
    rng = np.random.default_rng(11)
    endpoint = Endpoint()
    for _ in range(300):
        endpoint.serve(mixed(30, int(rng.binomial(4, 0.3))))

    assert [told for told in endpoint.told if told[1] == "failure_rate"] == []


def machine() -> MachineWatch:
    return MachineWatch(POLICY, References(LearnedReferences(None), None), at=BEGAN_AT)


def hanging(watch: MachineWatch, *statuses: ProcessStatus, panes: int) -> list[tuple[int, str]]:
    told: list[tuple[int, str]] = []
    for pane in range(1, panes + 1):
        by_process = {str(number): status for number, status in enumerate(statuses)}
        told += [
            (pane, alert.state)
            for alert in watch.close_pane(MachinePane({}, by_process), BEGAN_AT + 10.0 * pane)
            if "unanswered" in alert.key
        ]
    return told


def test_twenty_requests_of_which_none_is_answered_alarm_after_a_minute() -> None:
    assert (7, "firing") in hanging(machine(), ProcessStatus(20, 1.0, waiting_count=20), panes=8)
    assert hanging(machine(), ProcessStatus(19, 1.0, waiting_count=19), panes=20) == []


def test_streams_that_go_on_for_hours_are_answered() -> None:
    assert hanging(machine(), ProcessStatus(500, 1.0, waiting_count=0), panes=20) == []


def test_a_process_that_hangs_is_seen_though_others_answer() -> None:
    hung, well = ProcessStatus(30, 1.0, waiting_count=30), ProcessStatus(40, 1.0, waiting_count=40, answered_count=9)

    assert (7, "firing") in hanging(machine(), well, hung, panes=8)
    assert hanging(machine(), well, replace(hung, answered_count=1), panes=20) == []
