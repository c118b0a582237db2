"""From the first exchanges of an endpoint to a reference that grows while nothing is evident."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashlight.judge.traffic.course import GROWS_TIMES, TrafficCourse, TrafficCourseState
from dashlight.judge.traffic.judge import Recent
from dashlight.records import Alert
from dashlight.store.layout import Layout
from dashlight.window.histogram import LATENCY, SIZE
from dashlight.window.outcomes import OutcomeCounts

ROWS = 2000
RATE = 20
LAYOUT: Layout[TrafficCourseState] = Layout("course", 1, TrafficCourseState)
NO_SIZES = np.zeros(SIZE.bins, np.int64)


def course() -> TrafficCourse:
    return TrafficCourse(rows=ROWS, panes=259_200.0, share=0.06, tolerance=0.02, endpoint="/predict")


def written(course: TrafficCourse) -> bytes:
    return b"".join(LAYOUT.freeze(course.state))


class Served:
    """An endpoint with twenty exchanges a pane, most of them independent of each other."""

    def __init__(self, seed: int, pane_seconds: float = 10.0) -> None:
        self.course = course()
        self.changes: list[Alert] = []
        self._rng = np.random.default_rng(seed)
        self._at, self._pane_seconds = 0.0, pane_seconds

    def serve(self, panes: int, *, failing: float = 0.005, longer: float = 0.0) -> "Served":
        for _ in range(panes):
            self._at += self._pane_seconds
            pane = self._pane(failing, longer)
            self.changes += self.course.update(pane, self._at, Recent(_panes_of(pane), lambda _quantity, _at: ()))
        return self

    def restart(self) -> "Served":
        stopped, self.course = self.course, course()
        self.course.restore(LAYOUT.thaw(written(stopped)))
        return self

    @property
    def fired(self) -> list[str]:
        return [alert.key.rsplit("/", 1)[1] for alert in self.changes if alert.state == "firing"]

    @property
    def score(self) -> dict[str, float]:
        return {score.statistic: score.value for score in self.course.scores()}

    @property
    def held(self) -> int:
        assert self.course.judge is not None
        return self.course.judge.reference.total.exchanges

    def _pane(self, failing: float, longer: float) -> OutcomeCounts:
        rng = self._rng
        codes = 60 + (5 * (rng.standard_normal(RATE) + longer)).astype(int)
        durations = np.bincount(codes, minlength=LATENCY.bins)
        failed = int(rng.binomial(RATE, failing))
        return OutcomeCounts(
            outcomes={"ok": RATE - failed, "error": failed},
            failures={"http_503": failed} if failed else {},
            rows=RATE,
            durations=durations,
            first_bytes=durations,
            request_sizes=NO_SIZES,
            response_sizes=NO_SIZES,
            panes=1,
            first_ended_at=self._at,
            last_ended_at=self._at,
        )


def _panes_of(pane: OutcomeCounts) -> Callable[[float], OutcomeCounts]:
    return lambda _at: pane


def test_the_reference_grows_by_doubling_until_it_is_eight_times_as_long_and_a_day() -> None:
    served = Served(1, pane_seconds=120.0)
    held = {served.serve(100).held}

    for _ in range(200):
        held.add(served.serve(10).held)

    assert len(held) == 4
    for before, after in zip(sorted(held), sorted(held)[1:], strict=False):
        assert 2 * before <= after < 2.2 * before
    assert max(held) >= GROWS_TIMES * ROWS
    assert served.score == {"traffic_reference_learned": 1.0, "traffic_reference_exchanges": max(held)}
    assert served.fired == []


def test_of_less_than_a_day_it_goes_on_growing() -> None:
    served = Served(2).serve(2000)

    assert served.held > GROWS_TIMES * ROWS


def test_a_longer_reference_sees_what_the_first_one_does_not() -> None:
    young, old = Served(3).serve(105), Served(3).serve(2000)

    for served in (young, old):
        served.serve(120, failing=0.02)

    assert young.fired == []
    assert "error_rate" in old.fired


@pytest.mark.parametrize(("failing", "longer"), [(0.03, 0.0), (0.005, 0.6)], ids=["more failures", "longer times"])
def test_what_differs_from_the_reference_does_not_become_part_of_it(failing: float, longer: float) -> None:
    for seed in range(10, 14):
        served = Served(seed).serve(110)
        held = served.held

        served.serve(450, failing=failing, longer=longer)

        assert served.held == held
        assert served.fired != [] or served.score["traffic_reference_refused"] >= 1


def test_a_slow_change_is_not_followed() -> None:
    served = Served(30).serve(400)

    for step in range(40):
        served.serve(30, failing=0.005 + 0.001 * step)

    assert served.course.judge is not None
    assert served.course.judge.reference.total.error_rate < 0.012
    assert "error_rate" in served.fired


def test_what_came_before_an_incident_was_evident_is_not_learned_either() -> None:
    served = Served(40).serve(110)
    held = served.held

    served.serve(30, failing=0.3).serve(40)
    assert [alert.state for alert in served.changes if alert.key.endswith("/error_rate")][-1] == "resolved"
    served.serve(50)
    assert served.held == held
    served.serve(80)

    assert served.held >= 2 * held
    assert served.course.judge is not None
    assert served.course.judge.reference.total.error_rate < 0.01


def test_what_is_beyond_the_floor_does_not_join_where_the_judge_sees_nothing_either() -> None:
    # Failures that came in long bursts while they were learned: an outage of some panes is like one of them to the judge.
    served = Served(60)
    for _ in range(16):
        served.serve(6).serve(1, failing=0.9).serve(1)
    held = served.held
    assert served.fired == []

    for _ in range(40):
        served.serve(4).serve(8, failing=0.35)

    assert served.held == held


def test_what_is_refused_by_chance_is_asked_again_with_twice_as_much() -> None:
    served = Served(50).serve(150).serve(50, failing=0.02)
    held = served.held

    served.serve(20)
    assert served.held == held
    assert served.score["traffic_reference_refused"] >= 1
    served.serve(1500)

    assert served.held > held


UNSTEADY = 53, [0.1] * 20 + [0.005] * 310 + [0.3] * 40 + [0.005] * 1300
"""A seed, and shares that fail, pane by pane: of an endpoint that changes while it is learned, and has an incident later."""
REFUSED = 50, [0.005] * 200 + [0.02] * 50 + [0.005] * 150 + [0.3] * 40 + [0.005] * 1200
"""Of one that changes by too little to alarm, and by too much to be learned."""


def lived(seed: int, failing: list[float], cut_at: int | None = None) -> Served:
    served = Served(seed, pane_seconds=120.0)
    for pane, share in enumerate(failing):
        if pane == cut_at:
            served.restart()
        served.serve(1, failing=share)
    return served


WHOLE = {"unsteady": lived(*UNSTEADY), "refused": lived(*REFUSED)}
"""Never stopped."""


def test_the_lives_that_are_cut_below_have_all_there_is() -> None:
    states = {name: served.course.state for name, served in WHOLE.items()}

    assert (states["unsteady"].was_unsteady, states["refused"].refused > 0) == (True, True)
    for name, served in WHOLE.items():
        assert {"firing", "resolved"} <= {alert.state for alert in served.changes}
        assert states[name].growing is None


@pytest.mark.parametrize(
    ("name", "life", "cut_at"),
    [
        *(
            ("unsteady", UNSTEADY, cut_at)
            for cut_at in (0, 1, 19, 75, 100, 101, 131, 260, 331, 335, 365, 371, 377, 400, 1669)
        ),
        *(("refused", REFUSED, cut_at) for cut_at in (99, 101, 199, 215, 249, 320, 401, 410, 439, 445, 900)),
    ],
)
def test_a_course_that_is_restored_goes_on_bit_by_bit(name: str, life: tuple[int, list[float]], cut_at: int) -> None:
    served, whole = lived(*life, cut_at), WHOLE[name]

    assert str(served.changes) == str(whole.changes)
    assert served.course.scores() == whole.course.scores()
    assert written(served.course) == written(whole.course)


LEARNING, GROWING = Served(70).serve(50).course.state, Served(70).serve(150).course.state


@pytest.mark.parametrize(
    "state",
    [
        replace(GROWING, kept=LEARNING.growing or Served(70).course.state.kept),
        replace(GROWING, growing=None),
        replace(GROWING, growing=LEARNING.kept),
        replace(LEARNING, growing=LEARNING.kept),
        replace(GROWING, judge=None),
        replace(GROWING, times=1),
        replace(GROWING, refused=-1),
        replace(GROWING, kept=replace(GROWING.kept, seen=-1)),
    ],
    ids=[
        *(
            "a judge of nothing",
            "grown enough too soon",
            "shrinks",
            "grows before it is learned",
            "grows without a judge",
        ),
        *("asked too often", "refused less than never", "seen less than nothing"),
    ],
)
def test_a_state_to_which_no_panes_lead_is_refused(state: TrafficCourseState) -> None:
    with pytest.raises(ValueError, match=r"reference|expected"):
        course().restore(state)


def test_a_reference_whose_counts_contradict_each_other_is_refused() -> None:
    blocks = tuple(
        replace(block, analysed=5, undecodable={"cut": 1000 * number})
        for number, block in enumerate(GROWING.kept.blocks)
    )

    with pytest.raises(ValueError, match="says nothing of chance"):
        course().restore(replace(GROWING, kept=replace(GROWING.kept, blocks=blocks)))
