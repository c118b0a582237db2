from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashlight.judge.past_alerts import MOST_PAST, PastAlert, audits, check_past, remembered
from dashlight.records import Alert, Notice

DAY = 86400.0
AT = 1_790_000_000.0
PAST = PastAlert("1", "incident/1", AT - DAY, "/predict", "fraud", "age moved", is_budgeted=True)


def notice(number: int, transition: Any = "firing", source: Any = "drift") -> Notice:
    alert = Alert("k", source, "fraud", "1", "/predict", "age", "feature", "firing", "", AT, AT, 1, 1.0)
    return Notice(
        str(number), f"incident/{number}", transition, AT + number, AT, "/predict", "fraud", "1", "x" * 900, (alert,), 1
    )


def test_what_begins_is_remembered_once() -> None:
    past = remembered((), [notice(1), notice(1, "changed"), notice(2, "resolved"), notice(3, source="threshold")])

    assert [(each.id, each.is_budgeted, len(each.summary)) for each in past] == [("1", True, 400), ("3", False, 400)]
    assert remembered(past, [notice(1)]) == past


def test_the_oldest_are_forgotten() -> None:
    past = remembered([replace(PAST, id=str(number)) for number in range(MOST_PAST)], [notice(MOST_PAST)])

    assert (len(past), past[0].id, past[-1].id) == (MOST_PAST, "1", str(MOST_PAST))
    check_past(past)


def test_the_budget_is_audited_by_what_people_say() -> None:
    past = [replace(PAST, id=str(number), at=AT - number * DAY) for number in range(3)]

    def told(marks: Any) -> str:
        return audits(past, marks, seconds_between=30 * DAY, at=AT)["/predict", "fraud"]

    assert told({}) == "at most 1 false alarm in 30 d is promised; of 3 in that time you marked 0 as noise"
    assert (
        told({"0": "noise", "1": "useful"})
        == "at most 1 false alarm in 30 d is promised; of 3 in that time you marked 1 as noise, 1 as useful"
    )


def test_what_is_long_ago_or_outside_the_budget_is_not_audited() -> None:
    past = [replace(PAST, at=AT - 31 * DAY), replace(PAST, id="2", is_budgeted=False), replace(PAST, id="3", at=AT + 1)]

    assert audits(past, {}, seconds_between=30 * DAY, at=AT) == {}


def test_each_endpoint_and_model_has_its_own_budget() -> None:
    past = [PAST, replace(PAST, id="2", model="other")]

    assert list(audits(past, {}, seconds_between=30 * DAY, at=AT)) == [("/predict", "fraud"), ("/predict", "other")]


def test_what_cannot_be_is_refused() -> None:
    for past in (
        [PAST, PAST],
        [replace(PAST, at=float("nan"))],
        [replace(PAST, id=str(n)) for n in range(MOST_PAST + 1)],
    ):
        with pytest.raises(ValueError, match=r"past alert"):
            check_past(past)
