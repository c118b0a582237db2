"""One message an incident."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from dashlight.judge.alerts import Alerts
from dashlight.judge.incidents import MOST_INCIDENTS
from dashlight.judge.notices import MOST_EXPLAINED, MOST_MEMBERS, notice_id, notices
from dashlight.records import Alert, Cause, Notice


def make_alert(column: str | None, **changed: Any) -> Alert:
    values: dict[str, Any] = {
        "key": f"drift/risk/%2Fpredict/feature/{column}",
        "source": "drift",
        "model": "risk",
        "version": "7",
        "endpoint": "/predict",
        "column": column,
        "role": "feature",
        "state": "firing",
        "summary": f"{column} moved",
        "at": 1000.0,
        "since_at": 900.0,
        "rows": 100,
        "score": 0.5,
    }
    return Alert(**(values | changed))


class Told:
    """The alerts of a monitor, and what is told of them pane by pane."""

    def __init__(self) -> None:
        self.alerts = Alerts()
        self.told: dict[str, Notice] = {}
        self.at = 1000.0

    def pane(self, *reported: Alert) -> list[Notice]:
        self.at += 10.0
        changed = self.alerts.observe(reported)
        found = notices(
            changed, incidents=self.alerts.incidents, in_force=self.alerts.in_force, told=self.told, at=self.at
        )
        for notice in found:
            if notice.transition == "resolved":
                self.told.pop(notice.key, None)
            else:
                self.told[notice.key] = notice
        return found


def over(alert: Alert) -> Alert:
    return replace(alert, state="resolved", summary=f"{alert.column} is back")


TEMP, DEWP, SCORE = make_alert("temp", score=2.0), make_alert("dewp"), make_alert("score", role="output")


def test_columns_that_began_together_are_one_notice() -> None:
    (notice,) = Told().pane(SCORE, DEWP, TEMP)

    assert (notice.key, notice.transition, notice.alert_count) == ("incident/%2Fpredict/900", "firing", 3)
    assert [(alert.column, alert.place) for alert in notice.alerts] == [("temp", 1), ("dewp", 2), ("score", 3)]
    assert (notice.endpoint, notice.model, notice.version) == ("/predict", "risk", "7")
    assert (notice.at, notice.since_at) == (1010.0, 900.0)
    assert notice.summary == "temp moved; with it moved dewp, score; 3 columns in all; began 1.8 min ago"


def test_what_fires_on_is_told_once() -> None:
    told = Told()
    told.pane(TEMP)

    assert told.pane(replace(TEMP, summary="temp moved more")) == []
    assert told.pane() == []


def test_a_growing_incident_is_told_once_a_pane_with_all_its_members() -> None:
    told = Told()
    told.pane(TEMP)

    (notice,) = told.pane(DEWP, SCORE)

    assert (notice.transition, notice.alert_count) == ("changed", 3)
    assert [alert.column for alert in notice.alerts] == ["temp", "dewp", "score"]
    assert notice.alerts[0].moved_with == ("dewp", "score")


def test_it_is_over_with_its_last_member() -> None:
    told = Told()
    told.pane(TEMP, DEWP)

    assert told.pane(over(TEMP)) == []
    (notice,) = told.pane(over(DEWP))

    assert (notice.key, notice.transition, notice.alert_count) == ("incident/%2Fpredict/900", "resolved", 2)
    assert [(alert.column, alert.state) for alert in notice.alerts] == [("temp", "resolved"), ("dewp", "resolved")]
    assert notice.summary == "dewp is back; over with it: temp"
    assert told.pane() == []


def test_one_that_is_pending_is_not_told() -> None:
    told = Told()
    pending = replace(TEMP, state="pending")

    assert told.pane(pending) == []
    assert told.pane(replace(pending, state="inactive")) == []


def test_what_pends_is_told_when_it_fires() -> None:
    told = Told()
    told.pane(replace(TEMP, state="pending"))

    assert [notice.transition for notice in told.pane(TEMP)] == ["firing"]


def test_what_was_not_told_because_the_state_of_it_was_lost_is_told_anew() -> None:
    told = Told()
    told.pane(TEMP, DEWP)
    told.told.clear()

    (notice,) = told.pane()

    assert (notice.transition, notice.alert_count) == ("firing", 2)


def test_the_end_of_what_may_have_been_told_is_told() -> None:
    told = Told()
    told.pane(TEMP, DEWP)
    told.told.clear()

    (notice,) = told.pane(over(TEMP), over(DEWP))

    assert (notice.key, notice.transition, notice.alert_count) == ("incident/%2Fpredict/900", "resolved", 2)


def test_incidents_end_where_nothing_is_left_of_what_was_judged() -> None:
    told = Told()
    told.pane(TEMP, DEWP)
    ended = [replace(alert, state="resolved", summary="the settings were changed") for alert in (TEMP, DEWP)]

    (notice,) = notices(ended, incidents=(), in_force=(), told=told.told, at=2000.0)

    assert (notice.transition, notice.summary) == ("resolved", "the settings were changed; over with it: dewp")


def test_an_incident_that_made_room_for_others_is_not_over_before_its_alerts_are() -> None:
    told = Told()
    first = make_alert("temp", endpoint="/0", key="drift/0")
    told.pane(first)
    for place in range(1, MOST_INCIDENTS + 1):
        told.pane(make_alert("temp", endpoint=f"/{place}", key=f"drift/{place}"))

    assert told.pane() == []
    assert [(each.key, each.transition) for each in told.pane(over(first))] == [("incident/%2F0/900", "resolved")]


def test_an_alert_without_an_incident_is_a_notice_of_its_own() -> None:
    limit = make_alert(None, source="threshold", key="threshold/m/e/error_rate", summary="error rate 30 %")

    (fired,) = notices([limit], incidents=(), in_force=[limit], told={}, at=1010.0)
    (ended,) = notices([over(limit)], incidents=(), in_force=(), told={fired.key: fired}, at=1020.0)

    assert (fired.key, fired.transition, fired.alerts) == ("threshold/m/e/error_rate", "firing", (limit,))
    assert (ended.key, ended.transition) == ("threshold/m/e/error_rate", "resolved")


def test_of_many_members_the_first_are_told_and_the_first_of_them_explained() -> None:
    causes = (Cause("above 9", 0.1, 0.5),)

    (notice,) = Told().pane(*(make_alert(f"c{place:02}", causes=causes) for place in range(30)))

    assert (len(notice.alerts), notice.alert_count) == (MOST_MEMBERS, 30)
    assert [alert.column for alert in notice.alerts if alert.causes] == [f"c{n:02}" for n in range(MOST_EXPLAINED)]
    assert "c01, c02, c03, c04, c05 and 24 more; 30 columns in all" in notice.summary


def test_the_id_is_the_same_whoever_tells_it_and_another_for_each_transition() -> None:
    def ids(told: Told) -> list[str]:
        return [notice.id for pane in ([TEMP], [DEWP], [over(TEMP), over(DEWP)]) for notice in told.pane(*pane)]

    one, other = ids(Told()), ids(Told())

    assert one == other
    assert len(set(one)) == 3


@pytest.mark.parametrize("at", [-5.0, 0.0, 1_790_000_000.25, 2.0**34])
def test_the_id_is_a_version_seven_uuid_of_its_moment(at: float) -> None:
    found = uuid.UUID(notice_id("a key \ud800", "firing", at))

    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert found.int >> 80 == max(int(at * 1000), 0)
