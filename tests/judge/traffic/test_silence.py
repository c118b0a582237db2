"""Whether an endpoint has fallen silent."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.traffic.arrivals import BLOCKS_AN_HOUR, CLASSES, ArrivalHistoryState, OpenBlock
from dashlight.judge.traffic.low_traffic import UsualTraffic
from dashlight.judge.traffic.silence import SilenceJudge, SilenceState
from dashlight.records import Alert
from dashlight.store.layout import Layout

LAYOUT: Layout[SilenceState] = Layout("silence", 1, SilenceState)

PANE = 10.0
DAY = 8640
MONDAY = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
MONTH = 30 * 86400.0


class Listening:
    """A silence judge, its clock, and the changes of its alert so far."""

    def __init__(self, begin: float = MONDAY, pane_seconds: float = PANE) -> None:
        self.judge = SilenceJudge(
            pane_seconds=pane_seconds, panes=MONTH / pane_seconds, share=0.02, endpoint="/predict"
        )
        self.at = begin
        self.changes: list[Alert] = []
        self.told = 0
        self._pane = pane_seconds

    def hear(self, exchanges: Sequence[int] | NDArray[np.int64]) -> "Listening":
        for count in exchanges:
            self.at += self._pane
            for alert in self.judge.update(int(count), self.at):
                self.told += 1
                if not self.changes or self.changes[-1].state != alert.state:
                    self.changes.append(alert)
        return self

    def panes_until_firing(self, most: int) -> int:
        for pane in range(1, most + 1):
            self.hear([0])
            if self.changes and self.changes[-1].state == "firing":
                return pane
        raise AssertionError("never")

    @property
    def states(self) -> list[str]:
        return [alert.state for alert in self.changes]


def office(days: int, rate: float) -> NDArray[np.float64]:
    """Exchanges a minute: busy from eight to six on the days from Monday to Friday, and silent else."""
    hours = np.arange(days * 1440) / 60 % 24
    weekday = np.arange(days * 1440) // 1440 % 7 < 5
    return np.where((hours >= 8) & (hours < 18) & weekday, rate, 0.0)


def test_a_busy_endpoint_that_falls_silent_after_a_week_alarms_within_minutes() -> None:
    listening = Listening().hear(np.random.default_rng(1).poisson(50.0, 7 * DAY))

    panes = listening.panes_until_firing(60)

    assert 6 < panes <= 30
    last = listening.changes[-1]
    assert (last.key, last.source, last.endpoint) == ("traffic/%2Fpredict/silence", "traffic", "/predict")
    assert last.summary == f"no exchange for {_spoken(panes)}; the longest pause seen at such hours was below 20 s"
    assert last.since_at == last.at - panes * PANE
    assert last.score == panes * PANE


def _spoken(panes: int) -> str:
    return f"{panes * PANE / 60:.4g} min"


def test_missing_exchanges_alone_are_pending_and_one_exchange_ends_that() -> None:
    listening = Listening().hear(np.random.default_rng(2).poisson(50.0, DAY // 2 - 60)).hear([0] * 8).hear([40])

    assert listening.states == ["pending", "inactive"]


def test_silence_is_over_with_the_first_exchange_and_says_how_long_it_lasted() -> None:
    listening = Listening().hear(np.random.default_rng(3).poisson(50.0, 7 * DAY)).hear([0] * 60)

    listening.hear([1])

    assert listening.states[-2:] == ["firing", "resolved"]
    assert listening.changes[-1].summary == "asked again after 10.17 min"


def test_an_alert_that_fires_on_is_renewed_ever_more_seldom() -> None:
    listening = Listening().hear(np.random.default_rng(3).poisson(50.0, 7 * DAY)).hear([0] * 31)
    told = listening.told

    listening.hear([0] * 100)

    assert listening.told == told + 3


def test_before_the_first_exchange_there_is_no_silence() -> None:
    assert Listening().hear([0] * 2 * DAY).states == []


def test_an_hour_that_was_not_seen_may_be_silent() -> None:
    # A load test of half an hour on Monday afternoon, and nothing since, until the same hour of Tuesday.
    listening = Listening(MONDAY + 14 * 3600).hear([100] * 180).hear([0] * 23 * 360)

    assert "firing" not in listening.states


@pytest.mark.parametrize("rate", [50.0, 1.0])
def test_nights_and_weekends_do_not_cry_wolf(rate: float) -> None:
    rng = np.random.default_rng(5)

    listening = Listening(pane_seconds=60.0).hear(rng.poisson(office(14, rate)))

    assert "firing" not in listening.states


def test_a_morning_without_anybody_alarms_where_nights_are_silent() -> None:
    listening = Listening(pane_seconds=60.0).hear(np.random.default_rng(6).poisson(office(14, 50.0)))

    panes = listening.panes_until_firing(2 * 1440)

    # Monday, some time after eight.
    assert 8 * 60 < panes < 10 * 60


def test_an_endpoint_asked_once_an_hour_alarms_within_two_days() -> None:
    listening = Listening(pane_seconds=600.0).hear(np.random.default_rng(7).poisson(1 / 6, 30 * 144))
    assert "firing" not in listening.states

    panes = listening.panes_until_firing(2 * 144)

    assert panes > 60


def test_a_silence_teaches_only_where_it_comes_again() -> None:
    listening = Listening().hear(np.random.default_rng(8).poisson(50.0, 7 * DAY))
    week = np.random.default_rng(9).poisson(50.0, 7 * DAY - 60)

    for _ in range(3):
        listening.hear([0] * 60).hear(week)

    assert listening.states.count("firing") == 2


def test_poisson_arrivals_fire_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(10)

    fired = [Listening().hear(rng.poisson(rate, DAY)).states.count("firing") for rate in (0.1, 0.5, 2.0, 20.0)]

    assert fired == [0, 0, 0, 0]


def test_the_part_of_the_week_that_is_known_is_told_until_it_is_all() -> None:
    listening = Listening(pane_seconds=600.0).hear([1] * 144 * 3)

    (score,) = listening.judge.scores()

    assert score.statistic == "silence_hours_known"
    assert 0 < score.value < 1
    assert score.rows == 432
    assert listening.hear([1] * 144 * 4).judge.scores() == []


def judge() -> SilenceJudge:
    return SilenceJudge(pane_seconds=60.0, panes=MONTH / 60.0, share=0.2, endpoint="/predict")


def written(silence: SilenceJudge) -> bytes:
    return b"".join(LAYOUT.freeze(silence.state))


def told_by(silence: SilenceJudge, exchanges: NDArray[np.int64], *, first: int) -> list[Alert]:
    numbered = enumerate(exchanges, first + 1)
    return [alert for pane, count in numbered for alert in silence.update(int(count), MONDAY + 60.0 * pane)]


@pytest.fixture(scope="module")
def weeks() -> NDArray[np.int64]:
    """Three weeks of an endpoint asked from day to day, with pauses that fire, one that does not, and a quiet day."""
    exchanges = np.random.default_rng(5).poisson(20.0, 21 * 1440)
    for day in (9, 10, 16):
        exchanges[day * 1440 + 300 : day * 1440 + 600] = 0
    exchanges[12 * 1440 + 100 : 12 * 1440 + 102] = 0
    exchanges[19 * 1440 :] //= 4
    return exchanges


CUTS = [
    0,
    1,
    5 * 1440,
    9 * 1440 + 301,
    9 * 1440 + 450,
    9 * 1440 + 600,
    12 * 1440 + 101,
    16 * 1440 + 590,
    20 * 1440 + 17,
]


@pytest.mark.parametrize("cut_at", CUTS)
def test_a_judge_that_is_restored_goes_on_bit_by_bit(weeks: NDArray[np.int64], cut_at: int) -> None:
    whole, restored = judge(), judge()
    before = told_by(whole, weeks[:cut_at], first=0)

    restored.restore(LAYOUT.thaw(written(whole)))

    after = told_by(whole, weeks[cut_at:], first=cut_at)
    assert {alert.key.rsplit("/", 1)[1] for alert in before + after} == {"silence", "throughput"}
    # What was not estimated is NaN, which equals nothing; written out it does.
    assert str(told_by(restored, weeks[cut_at:], first=cut_at)) == str(after)
    assert (restored.pause(), restored.scores()) == (whole.pause(), whole.scores())
    assert written(restored) == written(whole)


def test_the_same_pause_is_measured_after_a_restart(weeks: NDArray[np.int64]) -> None:
    whole, restored = judge(), judge()
    told_by(whole, weeks[: 9 * 1440 + 310], first=0)

    restored.restore(LAYOUT.thaw(written(whole)))

    assert restored.pause() == whole.pause()
    assert whole.pause().margin > 0


NONE = np.zeros(CLASSES, np.int64)
ONE = np.eye(1, CLASSES, dtype=np.int64)[0]
HEARD = replace(judge().state, last_at=MONDAY, first_empty_at=MONDAY)
HISTORY, LOW_TRAFFIC = HEARD.history, HEARD.low_traffic
USUAL = UsualTraffic(20.0, 1.0, 0.1)


def history_with(name: str, wrong: object) -> ArrivalHistoryState:
    fields: dict[str, Any] = {name: wrong}
    return replace(HISTORY, **fields)


def alert_that(**fields: Any) -> Alert:
    values: dict[str, Any] = {"state": "firing", "at": MONDAY, "since_at": MONDAY, **fields}
    return Alert("traffic/e/silence", "traffic", "", "", "e", None, None, summary="", rows=0, score=0.0, **values)


@pytest.mark.parametrize(
    "state",
    [
        replace(HEARD, empty=-ONE),
        replace(HEARD, empty=ONE * 2**62),
        replace(HEARD, empty=NONE[1:]),
        replace(HEARD, empty=NONE.astype(np.int32)),
        replace(HEARD, fired=-ONE),
        replace(HEARD, fired=np.zeros((CLASSES, 1), np.int64)),
        replace(HEARD, last_at=math.inf),
        replace(HEARD, first_empty_at=-1e300),
        replace(HEARD, empty=ONE, last_at=math.nan),
        replace(HEARD, empty=ONE, first_empty_at=math.nan),
        replace(HEARD, alert=alert_that(state="resolved")),
        replace(HEARD, alert=alert_that(at=math.nan)),
        *(
            replace(HEARD, history=history_with(name, wrong))
            for name in ("panes", "longest", "exchanges", "squares")
            for wrong in (-ONE.astype(float), ONE * math.nan, ONE + math.inf, ONE * 1e40, np.zeros(CLASSES - 1))
        ),
        replace(HEARD, history=replace(HISTORY, panes=ONE * 1e-300)),
        replace(HEARD, history=replace(HISTORY, exchanges=np.full(CLASSES, 2.0**58))),
        replace(HEARD, history=replace(HISTORY, blocks=np.zeros((1, 3, CLASSES)))),
        replace(HEARD, history=replace(HISTORY, blocks=HISTORY.blocks - 1)),
        replace(HEARD, history=replace(HISTORY, blocks=HISTORY.blocks + math.nan)),
        replace(HEARD, history=replace(HISTORY, open_blocks=HISTORY.open_blocks[1:])),
        *(
            replace(HEARD, history=replace(HISTORY, open_blocks=(OpenBlock(*block),) * len(BLOCKS_AN_HOUR)))
            for block in ((2**62, 0, 0), (0, -1, 0), (0, 0, -1), (0, 0, 2**62))
        ),
        *(
            replace(HEARD, low_traffic=replace(LOW_TRAFFIC, **wrong))
            for wrong in (
                {"hour": 2**61},
                {"panes": -1},
                {"exchanges": -1},
                {"exchanges": 2**62},
                {"usual": replace(USUAL, rate=math.nan)},
                {"usual": replace(USUAL, rate=0.0)},
                {"usual": replace(USUAL, rate=-1.0)},
                {"usual": replace(USUAL, burst=0.5)},
                {"usual": replace(USUAL, variance=0.0)},
                {"usual": replace(USUAL, variance=math.nan)},
                {"alert": alert_that(state="inactive")},
            )
        ),
    ],
)
def test_a_state_to_which_no_panes_lead_is_refused(state: SilenceState) -> None:
    with pytest.raises(ValueError, match=r"expected|without|variance|alert|hardly"):
        judge().restore(state)
