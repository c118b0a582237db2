"""Business numbers are watched like columns: what shifts alarms, what does not is quiet, and two workers are one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import pytest

from dashlight.capture.signals import Signals, SignalValue
from dashlight.counting.machine import MachineCounter, ProcessStatus, merged
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.decode.signals import SIGNALS, source_of
from dashlight.metrics.losses import SignalFate
from dashlight.records import Exchange, Score
from dashlight.runtime.signals import SignalIntake
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch

PANE_SECONDS = 10.0
POLICY = Policy(pane_seconds=PANE_SECONDS, panes_between_false_alarms=1000.0, reference_rows=600)


class Shop:
    """Workers that tell business numbers, and the watch that judges them."""

    def __init__(self, workers: int) -> None:
        references = References(LearnedReferences(None))
        self.counters = [MachineCounter(f"worker {place}", POLICY, references) for place in range(workers)]
        self.signals = [Signals() for _ in self.counters]
        self.intakes = [SignalIntake(*each) for each in zip(self.signals, [()] * workers, self.counters, strict=True)]
        self.watch = MachineWatch(POLICY, references, at=0.0)
        self.told: list[tuple[int, str, str]] = []

    def tell(self, values: Mapping[str, Sequence[SignalValue]]) -> None:
        """A pane of *values*, dealt to the workers by turns."""
        for name, each in values.items():
            for place, value in enumerate(each):
                self.signals[place % len(self.signals)].add(name, value)
        for intake in self.intakes:
            intake.count()
        at = (self.watch.pane_count + 1) * PANE_SECONDS
        pane = merged([each.close(at, ProcessStatus(0, 1.0), {}) for each in self.counters])
        for alert in self.watch.close_pane(pane, at):
            self.told.append((self.watch.pane_count, alert.model, alert.state))
        for counter in self.counters:
            counter.follow(self.watch.briefing)

    def scores(self, name: str) -> list[Score]:
        return [score for _, each in self.watch.snapshots() if each.model == name for score in each.scores]


@lru_cache
def month(workers: int) -> Shop:
    rng, shop = np.random.default_rng(5), Shop(workers)
    for pane in range(160):
        is_worse = pane >= 100
        count = 60 if pane % 2 else 20  # one signal comes at a changing pace, which is nothing to the others
        shop.tell(
            {
                "revenue": rng.lognormal(3.0, 0.5, count).tolist(),
                "conversion": (rng.random(40) < (0.15 if is_worse else 0.3)).tolist(),
                "plan": rng.choice(["free", "gold", "team"], 40, p=[0.6, 0.3, 0.1]).tolist(),
            }
        )
    return shop


@pytest.mark.parametrize("workers", [1, 2])
def test_the_signal_that_shifts_alarms_and_the_others_are_quiet(workers: int) -> None:
    shop = month(workers)

    assert {name for _, name, state in shop.told if state == "firing"} == {"conversion"}
    assert all(pane > 100 for pane, _, _ in shop.told)


def test_two_workers_are_one() -> None:
    one, two = month(1), month(2)

    assert one.told == two.told
    assert {score.rows for score in one.scores("revenue")} == {score.rows for score in two.scores("revenue")}


def test_what_is_told_before_a_reference_is_learned_counts_for_it() -> None:
    shop = Shop(1)
    shop.tell({"revenue": [1.0, 2.0, 3.5]})

    assert [(route, each.model, each.state) for route, each in shop.watch.snapshots() if each.model] == [
        (SIGNALS, "revenue", "learning")
    ]


def test_numbers_whole_or_not_are_one_column() -> None:
    shop = Shop(1)
    for _ in range(30):
        shop.tell({"count": [1, 2, 2.5, 3] * 10})

    assert {score.column for score in shop.scores("count")} == {"count"}
    assert "type_error_rate" not in {score.statistic for score in shop.scores("count") if score.value > 0}


def test_what_a_header_says_is_read_and_what_it_cannot_say_is_counted() -> None:
    signals = Signals()
    counter = MachineCounter("worker", POLICY, References(LearnedReferences(None)))
    intake = SignalIntake(signals, [source_of("revenue", "header:x-revenue")], counter)

    intake.read([exchange(b"12.5"), exchange(b"nan"), exchange(b"7")])

    assert intake.lost == {SignalFate("signals", "dropped", "unreadable"): 1}
    assert signals.take() == {"revenue": [12.5, 7.0]}


def exchange(revenue: bytes) -> Exchange:
    return Exchange(
        id=1, route="/buy", method="POST", path="/buy", query=b"", scheme="http", server=None, http_version="1.1",
        request_headers=(), response_headers=[(b"x-revenue", revenue)], status=200, error="", outcome="ok",
        started_at=0.0, first_byte_seconds=None, duration_seconds=0.1, request_bytes=0, response_bytes=0,
        request_chunks=(), response_chunks=(), trace_id=0, span_id=0, trace_flags=0, own_span=None,
    )  # fmt: skip
