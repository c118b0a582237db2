"""Whether an endpoint is asked much less than at the same hour of earlier days."""

from datetime import UTC, datetime

import numpy as np
import pytest

from dashlight.judge.traffic.arrivals import CLASSES, ArrivalHistory
from dashlight.judge.traffic.low_traffic import LowTrafficJudge
from dashlight.records import Alert

PANE = 60.0
MONTH = 30 * 86400 / PANE
MONDAY = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
NONE = np.zeros(CLASSES, np.int64)


class Asked:
    """A judge of low traffic, the history that it goes by, and its alerts so far."""

    def __init__(self, seed: int) -> None:
        self.judge = LowTrafficJudge(pane_seconds=PANE, panes=MONTH, share=0.01, endpoint="/predict")
        self.history = ArrivalHistory(PANE)
        self.news: list[Alert] = []
        self._rng = np.random.default_rng(seed)
        self._at = MONDAY

    def days(self, days: float, *, part: float = 1.0, burst: int = 1) -> "Asked":
        for _ in range(round(days * 1440)):
            middle = self._at + PANE / 2
            rate = 20 * (1.1 - np.cos(2 * np.pi * self._at / 86400)) * part
            count = burst * int(self._rng.poisson(rate / burst))
            self._at += PANE
            self.news += self.judge.update(count, middle, self.history)
            self.history.add_to_blocks(count, middle)
            self.history.add(count, middle, empty_panes=NONE, longest=NONE)
        return self

    def wait(self, days: float) -> None:
        """Nobody watches for a while."""
        self._at += days * 86400

    @property
    def states(self) -> list[str]:
        return [alert.state for alert in self.news]


def test_half_of_the_traffic_gone_is_told_after_a_month_and_resolves() -> None:
    asked = Asked(1).days(30.5).days(3 / 24, part=0.5)

    (alert,) = asked.news
    assert (alert.key, alert.state, alert.source) == ("traffic/%2Fpredict/throughput", "firing", "traffic")
    assert alert.at - alert.since_at == 3600
    assert alert.score == pytest.approx(0.5, abs=0.06)
    assert alert.rows == pytest.approx(60 * 20 * 2.1 / 2, rel=0.1)
    assert " of what is usual at such an hour: 25" in alert.summary

    asked.days(3 / 24)

    assert asked.states == ["firing", "resolved"]
    assert asked.news[-1].summary.startswith("asked as usual again; it was: ")


def test_a_rhythm_that_is_not_known_yet_says_nothing() -> None:
    assert Asked(2).days(0.9).days(0.5, part=0.1).states == []


def test_of_a_rhythm_that_is_known_a_little_only_a_large_fall_is_told() -> None:
    assert Asked(3).days(9.5).days(0.25, part=0.5).states == []
    assert Asked(3).days(9.5).days(0.25, part=0.1).states == ["firing"]


def test_an_hour_without_any_exchange_is_silence_and_not_told_here() -> None:
    assert Asked(4).days(20.5).days(0.25, part=0.0).states == []


def test_a_fall_that_matters_to_nobody_is_not_told() -> None:
    assert Asked(5).days(60.5).days(0.25, part=0.8).states == []


def test_an_hour_that_was_seen_in_part_is_not_judged() -> None:
    asked = Asked(6).days(30.5 - 1 / 24)
    asked.wait(0.5 / 24)

    assert asked.days(0.5 / 24, part=0.01).days(2 / 24).states == []


@pytest.mark.parametrize("burst", [1, 10])
def test_a_steady_rhythm_does_not_alarm(burst: int) -> None:
    assert [Asked(seed).days(30, burst=burst).states for seed in range(4)] == [[]] * 4
