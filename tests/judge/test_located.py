"""Alerts with the slice that was found for them, from its first sentence to its end."""

from __future__ import annotations

from dataclasses import replace

from dashlight.judge.alerts import Alerts
from dashlight.judge.located import MOST_EXEMPLARS, located
from dashlight.judge.notices import notices
from dashlight.records import Alert, Slice

FOUND = Slice("found", summary="; it is carrier=UA", exemplars=tuple(f"{place:032x}" for place in range(1, 4)))
NONE = Slice("none", summary="; no slice found")
FEW = Slice("too_few", summary="; too few rows")


def an_alert(key: str = "traffic/a/error_rate", *, score: float = 1.0, at: float = 100.0) -> Alert:
    return Alert(
        key=key,
        source="traffic",
        model="",
        version="",
        endpoint="a",
        column=None,
        role=None,
        state="firing",
        summary="error rate rose",
        at=at,
        since_at=90.0,
        rows=100,
        score=score,
        exemplars=tuple(f"{place:032x}" for place in range(3, 7)),
    )


def test_its_sentence_and_its_examples_come_with_the_slice() -> None:
    found = located(an_alert(), FOUND)

    assert found.summary == "error rate rose; it is carrier=UA"
    assert found.exemplars[:3] == FOUND.exemplars
    assert len(found.exemplars) == len(set(found.exemplars)) == MOST_EXEMPLARS


def test_what_is_found_later_replaces_what_was_said_before() -> None:
    assert located(located(an_alert(), NONE), FOUND).summary == "error rate rose; it is carrier=UA"


def test_that_there_were_too_few_rows_is_no_news_but_is_known() -> None:
    found = located(an_alert(), FEW)

    assert found.summary == "error rate rose"
    assert found.slice is FEW


def test_it_stays_where_the_alert_is_described_anew_and_is_no_part_of_its_end() -> None:
    alerts = Alerts()
    alerts.observe([an_alert()])
    assert alerts.locate("traffic/a/error_rate", FOUND) is not None

    alerts.observe([replace(an_alert(at=200.0), summary="error rate rose more")])
    [renewed] = alerts.in_force
    [over] = alerts.observe([replace(an_alert(at=300.0), state="resolved", summary="back to normal")])

    assert renewed.summary == "error rate rose more; it is carrier=UA"
    assert over.summary == "back to normal"
    assert over.slice is FOUND


def test_an_alert_that_is_over_is_not_located() -> None:
    assert Alerts().locate("gone", FOUND) is None


def test_the_slice_of_another_alert_stands_in_the_sentence_of_the_incident() -> None:
    alerts = Alerts()
    changed = alerts.observe([an_alert("traffic/a/latency", score=5.0), an_alert()])
    alerts.locate("traffic/a/error_rate", FOUND)

    [notice] = notices(changed, incidents=alerts.incidents, in_force=alerts.in_force, told={}, at=100.0)

    assert notice.alerts[0].key == "traffic/a/latency"
    assert "error rate rose; it is carrier=UA; with it moved error_rate" in notice.summary


def test_a_slice_that_is_found_for_one_alert_stands_in_place_of_everywhere_for_another() -> None:
    everywhere = Slice("everywhere", summary="; it is everywhere")
    alerts = Alerts()
    changed = alerts.observe([an_alert("traffic/a/latency", score=5.0), an_alert()])
    alerts.locate("traffic/a/latency", everywhere)
    alerts.locate("traffic/a/error_rate", FOUND)

    [notice] = notices(changed, incidents=alerts.incidents, in_force=alerts.in_force, told={}, at=100.0)

    assert notice.summary.startswith("error rate rose; it is carrier=UA; with it moved")


def test_a_slice_that_is_found_later_is_told_as_a_change() -> None:
    alerts = Alerts()
    changed = alerts.observe([an_alert()])
    [first] = notices(changed, incidents=alerts.incidents, in_force=alerts.in_force, told={}, at=100.0)
    now = alerts.locate("traffic/a/error_rate", FOUND)
    assert now is not None

    [later] = notices([now], incidents=alerts.incidents, in_force=alerts.in_force, told={first.key: first}, at=200.0)

    assert later.transition == "changed"
    assert later.summary.startswith("error rate rose; it is carrier=UA")
