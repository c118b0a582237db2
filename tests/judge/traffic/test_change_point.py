"""When a change of an endpoint's traffic began."""

from collections.abc import Callable

import numpy as np
import pytest

from dashlight.judge.traffic.change_point import Occurrences, traffic_change_point


def tallies(occurred: list[int], rows: int = 100) -> Callable[[int], Occurrences]:
    """Panes of so many *rows*, the last one last."""

    def tally(panes: int) -> Occurrences:
        held = min(panes, len(occurred))
        return Occurrences(sum(occurred[len(occurred) - held :]), held * rows, held)

    return tally


@pytest.mark.parametrize("since", [3, 10, 25])
def test_the_interval_holds_the_pane_in_which_a_large_change_began(since: int) -> None:
    least, most = traffic_change_point(tallies([1] * 100 + [20] * since), since, share=0.01, phi=1.0)

    assert since - 2 <= least <= since <= most <= since + 2


def test_the_interval_holds_the_truth_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        panes = np.concatenate([rng.binomial(100, 0.01, 200), rng.binomial(100, 0.05, 20)])
        least, most = traffic_change_point(tallies(panes.tolist()), 15, share=0.01, phi=1.0)
        held += least <= 20 <= most

    assert held >= 0.9 * 300


def test_bursts_make_it_wider() -> None:
    panes = [2] * 100 + [5] * 10

    narrow, wide = (traffic_change_point(tallies(panes), 10, share=0.02, phi=phi) for phi in (1.0, 5.0))

    assert wide[1] - wide[0] > narrow[1] - narrow[0]


def test_what_is_not_kept_any_more_ends_the_search() -> None:
    assert traffic_change_point(tallies([50] * 7), 30, share=0.01, phi=1.0) == (6, 7)


def test_a_change_in_the_last_pane_began_there() -> None:
    assert traffic_change_point(tallies([0] * 50 + [60]), 1, share=0.01, phi=1.0) == (0, 2)
