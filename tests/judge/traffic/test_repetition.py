"""One payload sent again and again: when that is told, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.judge.traffic.repetition import RepetitionJudge, RepetitionState
from dashlight.records import Alert
from dashlight.store.layout import Layout
from dashlight.window.payload_reference import PayloadReference
from dashlight.window.payloads.repetition import RepeatedPayload, RepetitionPane

LAYOUT: Layout[RepetitionState] = Layout("repetition", 1, RepetitionState)


def judge(block_share: float = 0.01, *, pane_seconds: float = 10.0, endpoint: str = "/predict") -> RepetitionJudge:
    nothing = np.zeros(0, np.uint64)
    payloads = PayloadReference(7, "feature", 5000, 1.0, nothing, nothing.astype(np.int64), 1, block_share)
    return RepetitionJudge(payloads, pane_seconds=pane_seconds, model="risk", endpoint=endpoint)


def pane(rows: int, left_out: int, *hashes: int, exchanges: int | None = None) -> RepetitionPane:
    of_each = tuple(
        RepeatedPayload(each, left_out // len(hashes), left_out // len(hashes), (f"{each:032x}",)) for each in hashes
    )
    return RepetitionPane(rows, rows if exchanges is None else exchanges, left_out, of_each if left_out else ())


def told(watch: RepetitionJudge, *panes: RepetitionPane, since: float = 0.0) -> list[Alert]:
    return [alert for number, each in enumerate(panes, start=1) for alert in watch.update(each, since + 10.0 * number)]


def test_one_payload_is_told_with_its_share_and_its_traces() -> None:
    alerts = told(judge(), *[pane(100, 0)] * 6, *[pane(100, 34, 1)] * 8)

    firing = [alert for alert in alerts if alert.state == "firing"]
    assert firing[0].summary == "one payload was 34 % of the requests of /predict in a minute: it counts once"
    assert firing[0].key == "traffic/%2Fpredict/repeats/risk"
    assert firing[0].exemplars == (f"{1:032x}",)
    assert firing[0].score == pytest.approx(0.34)
    assert (firing[0].rows, firing[0].source) == (600, "traffic")
    assert firing[0].since_at == 60.0
    assert {alert.state for alert in alerts[: alerts.index(firing[0])]} == {"pending"}


def test_a_burst_is_told_once_it_is_over() -> None:
    alerts = told(judge(), *[pane(30, 0)] * 6, pane(30, 29, 1), pane(30, 0))

    assert [(alert.state, alert.at) for alert in alerts] == [("pending", 70.0), ("firing", 80.0)]
    assert "16 % of the requests" in alerts[-1].summary


def test_where_a_pane_is_a_minute_it_is_told_at_once() -> None:
    alerts = judge(pane_seconds=86_400.0).update(pane(1000, 400, 1), 86_400.0)

    assert [alert.state for alert in alerts] == ["firing"]


def test_several_payloads_are_told_together_and_rows_are_not_called_requests() -> None:
    alerts = told(judge(endpoint=""), *[pane(100, 40, 1, 2, 3, 4, exchanges=10)] * 7)

    assert (
        alerts[-1].summary
        == "4 payloads or more, sent again and again, were 40 % of the rows in a minute: it counts once"
    )


def test_it_is_over_after_half_an_hour_without_and_one_alert_is_enough_until_then() -> None:
    watch = judge()
    states = [alert.state for alert in told(watch, *[pane(100, 50, 1)] * 7)]
    for storm in range(3):
        begin = 100.0 + 1000.0 * storm
        states += [alert.state for alert in told(watch, pane(100, 80, 2), *[pane(100, 0)] * 90, since=begin)]
    last = told(watch, *[pane(100, 0)] * 181, since=3200.0)

    assert states.count("firing") + states.count("pending") == len(states)
    assert [alert.state for alert in last if alert.state != "firing"] == ["resolved"]
    assert last[-1].summary.startswith("no payload comes more often than the others any more; it was: one payload")


@pytest.mark.parametrize(
    ("block_share", "repeats"),
    [(0.01, pane(100, 9, 1)), (0.2, pane(100, 39, 1)), (0.6, pane(100, 100, 1)), (0.01, pane(6, 3, 1))],
    ids=["less than a tenth", "as in the reference", "more than there can be", "a few rows"],
)
def test_what_is_usual_or_little_is_not_told(block_share: float, repeats: RepetitionPane) -> None:
    assert told(judge(block_share), *[repeats] * 60) == []


def test_where_rows_repeat_by_nature_nothing_is_told() -> None:
    watch = RepetitionJudge(None, pane_seconds=10.0)

    assert [watch.update(None, 10.0 * number) for number in range(20)] == [[]] * 20
    assert watch.hashes == ()


def test_hashes_are_those_of_the_last_minute() -> None:
    watch = judge()
    told(watch, pane(100, 5, 9, 3), *[pane(100, 0)] * 5)
    before = watch.hashes
    watch.update(None, 200.0)

    assert before == (3, 9)
    assert not watch.hashes


@pytest.mark.parametrize("cut", [0, 3, 6, 7, 9, 30, 200])
def test_a_restart_anywhere_changes_nothing(cut: int) -> None:
    panes = [*[pane(100, 0)] * 5, *[pane(100, 34, 1)] * 3, *[pane(100, 0)] * 200]
    whole, first, second = judge(), judge(), judge()

    expected = told(whole, *panes)
    news = told(first, *panes[:cut])
    second.restore(LAYOUT.thaw(b"".join(LAYOUT.freeze(first.state))))
    news += told(second, *panes[cut:], since=10.0 * cut)

    assert news == expected


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"minute": (pane(100, 34, 1),) * 7, "ends": (1.0,) * 7}, "panes of a minute of 7"),
        ({"minute": (pane(100, 34, 1),), "ends": (float("inf"),)}, "end of a pane of inf"),
        ({"minute": (pane(10, 34, 1),), "ends": (1.0,)}, "repeated rows of 34"),
        ({"minute": (pane(100, 34, -1),), "ends": (1.0,)}, "a hash of -1"),
        ({"minute": (pane(100, 34, 1, exchanges=101),), "ends": (1.0,)}, "exchanges of 101"),
        ({"minute": (), "ends": (1.0,)}, "argument 2 is longer"),
        ({"last_over_at": float("nan")}, "an alert on nothing"),
        ({"last_over_at": float("inf")}, "last repeats of inf"),
        ({"over_for": -1}, "panes since there was something to tell of -1"),
        ({"peak": None}, "an alert on nothing"),
        ({"peak": pane(100, 0)}, "an alert on no payload"),
        ({"alert": None}, "an alert on nothing"),
    ],
    ids=lambda given: ", ".join(given) if isinstance(given, dict) else "",
)
def test_a_state_that_cannot_be_is_refused(changed: dict[str, Any], sentence: str) -> None:
    watch = judge()
    told(watch, *[pane(100, 34, 1)] * 9)

    with pytest.raises(ValueError, match=sentence):
        judge().restore(replace(watch.state, **changed))


def test_a_state_of_another_endpoint_is_refused() -> None:
    watch = judge(endpoint="/other")
    told(watch, *[pane(100, 34, 1)] * 9)

    with pytest.raises(ValueError, match="an alert of something else"):
        judge().restore(watch.state)
