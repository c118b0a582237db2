"""A year of card payments in seconds: chargebacks six weeks late, then all that settled, then fraud of another kind."""

from __future__ import annotations

import importlib.util
import json
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight.cli.main import main
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.labels.label import Label
from dashlight.records import Exchange
from dashlight.runtime.analysis import Analysis
from dashlight.runtime.assembly import analysis
from dashlight.runtime.label_queue import LabelQueue
from dashlight.settings import Settings
from dashlight.testing import FakeClock, MemoryExporter

README = Path(__file__).parents[3] / "examples" / "fraud" / "README.md"
PATIENCE_SECONDS = 30.0
DAY = PANE = 86_400.0
PAYMENTS = 40
"""Of a pane."""
LATE_DAYS = 45
NEW_DAYS = 200.0
"""Age of an account, of which nobody made a segment."""
HEADERS = ((b"content-type", b"application/json"),)


def app() -> Any:
    """The module of the example."""
    spec = importlib.util.spec_from_file_location("fraud_app", README.with_name("app.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answered(call: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns that awaits nothing: a loop for each would cost more than all else."""
    with pytest.raises(StopIteration) as done:
        call.send(None)
    return done.value.value


@dataclass
class Bank:
    """Payments, what the app answers, and what comes of them."""

    environ: dict[str, str]
    clock: FakeClock = field(default_factory=FakeClock)
    exporter: MemoryExporter = field(default_factory=MemoryExporter)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(45))
    settled: list[tuple[float, str, bool]] = field(default_factory=list[tuple[float, str, bool]])
    """When it comes back, the payment, and whether it was fraud."""
    count: int = 0

    def __post_init__(self) -> None:
        self.app = app()
        self.labels = LabelQueue(is_on=True, now=self.clock.now)
        lines = {"DASHLIGHT_COLLECTOR": "http://collector", "DASHLIGHT_COLLECTOR_FORMAT": "ndjson"}
        self.analysis: Analysis = analysis(
            Settings.from_env(lines | self.environ),
            lines | self.environ,
            spans_to=None,
            events_to=Endpoint("http://collector"),
            labels=self.labels,
            clock=self.clock,
            connect=self.exporter.connect,
        )

    def live(self, days: int, *, says_what_was_none: bool, more_fraud: float = 0.0, ring: float = 0.0) -> None:
        """*days* of payments, of which so much more is fraud than the model thinks; of foreign cards of new accounts *ring* is."""
        for _ in range(round(days * DAY / PANE)):
            exchanges = [self.pay(more_fraud, ring) for _ in range(PAYMENTS)]
            self.analysis.count(exchanges, self.analysis.analyse(exchanges))
            self.tell(says_what_was_none=says_what_was_none)
            self.clock.advance(PANE)
            self.analysis.tick(self.clock.now(), lost={}, in_flight_count=0, rate=1.0)
            # Threads go by another clock: what they have not written within a day of this one is too old, or comes too late.
            assert self.analysis.flush(PATIENCE_SECONDS) == 0

    def pay(self, more_fraud: float, ring: float) -> Exchange:
        """One payment, as the request path hands it on."""
        self.count += 1
        asked: dict[str, Any] = {
            "transaction_id": f"t-{self.count:08}",
            "amount": float(self.rng.gamma(2.0, 150.0)),
            "age_of_account_days": float(self.rng.exponential(300.0)),
            "is_foreign": bool(self.rng.random() < 0.2),
        }
        verdict = answered(self.app.check(self.app.Payment(**asked)))
        is_fraud = bool(self.rng.random() < verdict.fraud_probability) or bool(self.rng.random() < more_fraud)
        if asked["is_foreign"] and asked["age_of_account_days"] < NEW_DAYS and self.rng.random() < ring:
            is_fraud = True
        due_at = self.clock.now() + (LATE_DAYS + 5 * self.rng.random()) * DAY
        self.settled.append((due_at, verdict.transaction_id, is_fraud))
        request, answer = json.dumps(asked).encode(), verdict.model_dump_json().encode()
        return Exchange(
            self.count, "/check", "POST", "/check", b"", "http", None, "1.1", HEADERS, HEADERS, 200, "", "ok",
            self.clock.now(), 0.01, 0.02, len(request), len(answer), (request,), (answer,), self.count, 1, 1, None,
        )  # fmt: skip

    def tell(self, *, says_what_was_none: bool) -> None:
        """What comes back by now, in any order; some twice, and some of other banks."""
        due = [each for each in self.settled if each[0] <= self.clock.now()]
        self.settled = [each for each in self.settled if each[0] > self.clock.now()]
        labels = [Label(name, is_fraud) for _, name, is_fraud in due if is_fraud or says_what_was_none]
        labels += labels[::7]
        labels += [Label(f"another bank's {self.count}", True)]
        places: list[int] = self.rng.permutation(np.arange(len(labels))).tolist()
        for place in places:
            assert self.labels.put(labels[place])
        assert self.labels.flush(PATIENCE_SECONDS) == 0

    def alerts(self) -> list[dict[str, Any]]:
        """All that fired whose source is performance."""
        return [
            member
            for event in self.exporter.events("dashlight.alert")
            for member in event["attributes"]["dashlight.alert.members"]
            if member["source"] == "performance" and member["state"] == "firing"
        ]


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Callable[[], Bank]]:
    made: list[Bank] = []

    def make(**more: str) -> Bank:
        state = {"DASHLIGHT_STATE_DIR": str(tmp_path), "DASHLIGHT_PANE": "1d", "DASHLIGHT_WINDOW": "7d"}
        made.append(Bank({"DASHLIGHT_LABELS": "true", "DASHLIGHT_LABEL_WINDOW": "120d"} | state | more))
        return made[-1]

    yield make
    for each in made:
        each.labels.close(PATIENCE_SECONDS)
        each.analysis.close(PATIENCE_SECONDS)


def test_a_year_of_late_chargebacks(bank: Callable[[], Bank], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dashlight")
    year = bank()

    year.live(100, says_what_was_none=False)
    assert "labels are positive: they do not say how good the model is" in caplog.text
    assert not year.alerts()

    year.live(140, says_what_was_none=True)
    assert not year.alerts()

    changed_at = year.clock.now()
    year.live(LATE_DAYS, says_what_was_none=True, more_fraud=0.25)
    assert not year.alerts(), "before anybody can know"
    year.live(80, says_what_was_none=True, more_fraud=0.25)
    alerts = year.alerts()
    assert alerts
    assert changed_at + LATE_DAYS * DAY <= alerts[0]["at"] <= changed_at + (LATE_DAYS + 60) * DAY
    assert "accuracy fell" in alerts[0]["summary"]


def reference(folder: Path) -> Path:
    """Built of 5,000 payments as the README says."""
    rng, module = np.random.default_rng(46), app()
    rows = ["amount,age_of_account_days,is_foreign,fraud_probability,is_fraud"]
    for _ in range(5000):
        amount, age, foreign = float(rng.gamma(2.0, 150.0)), float(rng.exponential(300.0)), bool(rng.random() < 0.2)
        asked = module.Payment(transaction_id="t", amount=amount, age_of_account_days=age, is_foreign=foreign)
        probability = answered(module.check(asked)).fraud_probability
        rows.append(f"{amount},{age},{str(foreign).lower()},{probability},{int(rng.random() < probability)}")
    payments, output = folder / "payments.csv", folder / "reference.json"
    payments.write_text("\n".join(rows))
    asked_for = ["--label", "is_fraud", "--score", "fraud_probability", "--output", str(output)]
    assert main(["reference", "build", str(payments), *asked_for]) == 0
    return output


def test_fraud_of_a_kind_that_nobody_named_is_told_where_it_is(bank: Callable[..., Bank], tmp_path: Path) -> None:
    year = bank(DASHLIGHT_REFERENCE=str(reference(tmp_path)))
    year.live(100, says_what_was_none=True)
    assert not year.alerts()

    year.live(LATE_DAYS + 60, says_what_was_none=True, ring=0.9)

    found = [alert["slice"] for alert in year.alerts() if alert.get("slice", {}).get("state") == "found"]
    assert found, [alert["summary"] for alert in year.alerts()]
    assert {each["column"] for each in found[-1]["conditions"]} == {"is_foreign", "age_of_account_days"}
    assert {each["bin"] for each in found[-1]["conditions"]} >= {"true"}, found[-1]["summary"]
