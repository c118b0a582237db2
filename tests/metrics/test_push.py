"""When figures are pushed."""

from __future__ import annotations

import pytest

from dashlight.metrics.figures import Figures
from dashlight.metrics.report import MetricPush


def pushed(*moments: float, interval_seconds: float = 60.0, finish: bool = False) -> list[float]:
    sent: list[float] = []
    push = MetricPush(lambda figures: sent.append(figures.at), interval_seconds=interval_seconds)
    for at in moments:
        push.offer(Figures(at, 0.0, (), ()))
    if finish:
        push.finish()
    return sent


def test_figures_of_every_pane_are_sent_once_in_an_interval() -> None:
    assert pushed(*range(1000, 1190, 10)) == [1000, 1060, 1120, 1180]


def test_panes_that_end_a_little_early_do_not_halve_the_rate() -> None:
    assert pushed(1000, 1059.9, 1119.8, 1179.7) == [1000, 1059.9, 1119.8, 1179.7]


def test_figures_that_come_less_often_are_all_sent() -> None:
    assert pushed(1000, 1300, 1600) == [1000, 1300, 1600]


def test_the_end_sends_what_was_kept() -> None:
    assert pushed(1000, 1010, 1020, finish=True) == [1000, 1020]


@pytest.mark.parametrize("moments", [(), (1000.0,)], ids=["nothing came", "all was sent"])
def test_the_end_sends_nothing_twice(moments: tuple[float, ...]) -> None:
    assert pushed(*moments, finish=True) == list(moments)


def test_a_clock_that_was_set_back_does_not_silence_the_metrics() -> None:
    assert pushed(1_000_000, 500, 510, 560) == [1_000_000, 500, 560]


def test_what_somebody_else_tells_is_not_sent_at_the_end() -> None:
    sent: list[float] = []
    push = MetricPush(lambda figures: sent.append(figures.at), interval_seconds=60.0)
    for at in (1000, 1010):
        push.offer(Figures(at, 0.0, (), ()))

    push.forgo()
    push.finish()

    assert sent == [1000]
