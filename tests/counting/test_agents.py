"""Whose rows are left out, by the product tokens of their User-Agent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from dashlight.counting.agents import WELL_KNOWN, Agents, agents_of
from dashlight.counting.endpoint import EndpointCounter
from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.records import Exchange, Prediction
from dashlight.store.learned import LearnedReferences
from dashlight.window.columns import Reference
from dashlight.window.tables import Column

Exchanges = Callable[..., Exchange]
Predictions = Callable[..., Prediction]
Columns = Callable[..., dict[str, Column]]


def name_of(agent: str, *names: str) -> str:
    return agents_of(names).name_of(((b"host", b"a"), (b"user-agent", agent.encode("latin-1"))))


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("kube-probe/1.29", "kube-probe"),
        ("ELB-HealthChecker/2.0", "ELB-HealthChecker"),
        ("GoogleHC/1.0", "GoogleHC"),
        ("Amazon-Route53-Health-Check-Service (ref 8a3; report http://amzn.to/1vsZADi)", "Amazon-Route53-Health-Check-Service"),
        ("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", "Pingdom.com_bot"),
        ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "UptimeRobot"),
        ("Better Uptime Bot Mozilla/5.0 (Macintosh)", "Better Uptime Bot"),
        ("Consul Health Check", "Consul Health Check"),
        ("Edge Health Probe", "Edge Health Probe"),
        ("Envoy/HC", "Envoy/HC"),
        ("Datadog/Synthetics", "Datadog/Synthetics"),
        ("Blackbox Exporter/0.25.0", "Blackbox Exporter"),
        ("check_http/v2.3.3 (nagios-plugins 2.3.3)", "check_http"),
        ("GoogleStackdriverMonitoring-UptimeChecks(https://cloud.google.com/monitoring)", "GoogleStackdriverMonitoring-UptimeChecks"),
        ("Prometheus/2.45.0", "Prometheus"),
    ],
)  # fmt: skip
def test_well_known_probes_are_known_as_they_name_themselves(agent: str, name: str) -> None:
    assert name_of(agent) == name
    assert name_of(agent.lower()) == name


@pytest.mark.parametrize(
    "agent",
    [
        "", "kube-prober/1.0", "my-kube-probe/1.0", "kube", "Consul Health", "Health Check", "Consul Healthy Check",
        "Envoy/1.29", "Datadog Agent/7.1", "python-requests/2.31", "Mozilla/5.0 (X11; Linux) Firefox/120.0", "/", "(;",
        "x" * 300 + " kube-probe", "\xff\xfe", "Better Uptime Robot",
    ],
)  # fmt: skip
def test_a_part_of_a_name_is_nobody(agent: str) -> None:
    assert not name_of(agent)


def test_own_names_are_added_and_none_switches_the_well_known_off() -> None:
    assert name_of("k6/0.49 (https://k6.io)", "k6", "my load test") == "k6"
    assert name_of("My Load Test/3", "k6", "my load test") == "my load test"
    assert name_of("kube-probe/1.29", "default", "k6") == "kube-probe"
    assert not name_of("kube-probe/1.29", "none", "k6")
    assert name_of("k6", "none", "k6") == "k6"
    assert not agents_of(("none",))
    assert agents_of(()).names == agents_of(("default",)).names == WELL_KNOWN
    assert not Agents([" "])


def test_who_says_nothing_is_nobody() -> None:
    assert not agents_of(()).name_of(())


@pytest.fixture
def counter(reference: Reference) -> EndpointCounter:
    return EndpointCounter("/predict", Policy(), References(LearnedReferences(None), reference), LearningRoom())


def by(exchange: Exchanges, agents: Sequence[bytes]) -> list[Exchange]:
    return [structs.replace(exchange(), request_headers=((b"user-agent", agent),)) for agent in agents]


def test_rows_of_probes_are_counted_and_not_compared(
    counter: EndpointCounter, exchange: Exchanges, prediction: Predictions, columns: Columns
) -> None:
    asked = by(exchange, [b"kube-probe/1.29", b"python-requests/2.31"] * 5)
    counter.count(asked, {})

    counter.add(prediction(columns(np.random.default_rng(1), 10)), asked)
    pane = counter.close(10.0)

    assert (pane.outcomes.exchanges, pane.outcomes.rows, pane.outcomes.excluded_rows) == (10, 10, 5)
    (rows,) = pane.models["risk", "3"].compared
    assert rows.row_count == 5
    assert rows.recent is not None
    assert [rows.recent.sides[role].rows for role in ("feature", "output")] == [5, 5]


def test_where_all_rows_are_of_probes_there_is_no_model(
    counter: EndpointCounter, exchange: Exchanges, prediction: Predictions, columns: Columns
) -> None:
    counter.add(prediction(columns(np.random.default_rng(2), 4)), by(exchange, [b"GoogleHC/1.0"] * 4))

    pane = counter.close(10.0)

    assert (pane.outcomes.rows, pane.outcomes.excluded_rows, pane.models) == (4, 4, {})
    assert not counter.has_models


def test_failures_of_probes_still_count(counter: EndpointCounter, exchange: Exchanges) -> None:
    failed: list[Any] = [structs.replace(each, status=500, outcome="error") for each in by(exchange, [b"kube-probe/1"])]

    counter.count(failed, {})

    assert counter.close(10.0).outcomes.failed == 1


def test_the_documentation_names_every_well_known_probe() -> None:
    page = " ".join((Path(__file__).parents[2] / "docs" / "alarms.md").read_text().split())
    told = re.search(r"`default` is (.*?)\. Their requests", page)

    assert told is not None
    assert told[1].split(", ") == list(WELL_KNOWN)
