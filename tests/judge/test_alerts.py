import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.judge.alerts import (
    Alerts,
    AlertsState,
    AlertWriter,
    LifeCycle,
    Phase,
    alert_key,
    ended,
    is_renewed,
    transition,
)
from dashlight.records import Alert, AlertSource, AlertState, Cause
from dashlight.store.layout import Layout

LAYOUT: Layout[AlertsState] = Layout("alerts", 1, AlertsState)

STATES: list[AlertState] = ["inactive", "pending", "firing", "resolved"]
PENDING: list[AlertState] = ["pending"] * 20
FIRING: list[AlertState] = ["firing"] * 20


def alert(state: AlertState, at: float = 0.0, key: str = "drift/m/e/feature/temp", since_at: float = 0.0) -> Alert:
    return Alert(
        key=key,
        source="drift",
        model="m",
        version="",
        endpoint="e",
        column="temp",
        role="feature",
        state=state,
        summary=f"{state} at {at}",
        at=at,
        since_at=since_at,
        rows=100,
        score=0.5,
    )


@pytest.mark.parametrize(
    ("known", "reported", "becomes"),
    [
        (None, "inactive", None),
        (None, "resolved", None),
        (None, "pending", "pending"),
        (None, "firing", "firing"),
        ("pending", "firing", "firing"),
        ("pending", "inactive", "inactive"),
        ("pending", "resolved", "inactive"),
        ("firing", "pending", "firing"),
        ("firing", "inactive", "resolved"),
        ("firing", "resolved", "resolved"),
        ("resolved", "resolved", None),
        ("resolved", "pending", "pending"),
        ("inactive", "firing", "firing"),
    ],
)
def test_an_alert_goes_from_state_to_state(
    known: AlertState | None, reported: AlertState, becomes: AlertState | None
) -> None:
    now = transition(alert(known) if known else None, alert(reported, at=5.0))

    assert (now.state if now else None) == becomes


def test_what_is_said_again_is_no_news_but_renews_the_description() -> None:
    alerts = Alerts()
    alerts.observe([alert("firing", at=1.0, since_at=0.5)])

    news = alerts.observe([alert("firing", at=2.0, since_at=1.5)])

    assert news == []
    (held,) = alerts.in_force
    assert (held.summary, held.at, held.since_at) == ("firing at 2.0", 1.0, 0.5)


def test_the_moment_of_the_change_is_kept_until_the_alert_is_over() -> None:
    alerts = Alerts()
    reports = [
        alert("pending", 1.0, since_at=0.2),
        alert("firing", 2.0, since_at=0.9),
        alert("resolved", 3.0, since_at=2.0),
    ]

    news = [change for report in reports for change in alerts.observe([report])]

    assert [(change.state, change.at, change.since_at) for change in news] == [
        ("pending", 1.0, 0.2),
        ("firing", 2.0, 0.2),
        ("resolved", 3.0, 0.2),
    ]


def test_alerts_in_force_are_listed_firing_first_then_the_oldest() -> None:
    alerts = Alerts()
    alerts.observe([alert("pending", 1.0, "a"), alert("firing", 3.0, "b"), alert("firing", 2.0, "c")])

    assert [held.key for held in alerts.in_force] == ["c", "b", "a"]


def test_resolved_alerts_are_remembered_newest_first_and_not_for_ever() -> None:
    alerts = Alerts(most_resolved=2)
    for place in range(4):
        alerts.observe([alert("firing", key=str(place))])
        alerts.observe([alert("resolved", key=str(place))])

    assert [held.key for held in alerts.resolved] == ["3", "2"]
    assert alerts.in_force == ()


def test_an_alert_that_passes_while_pending_is_not_remembered_as_resolved() -> None:
    alerts = Alerts()

    news = [*alerts.observe([alert("pending")]), *alerts.observe([alert("resolved")])]

    assert [change.state for change in news] == ["pending", "inactive"]
    assert alerts.resolved == ()


def test_alerts_beyond_the_limit_are_counted() -> None:
    alerts = Alerts(most=2)

    news = alerts.observe([alert("firing", key=str(place)) for place in range(5)])

    assert [change.key for change in news] == ["0", "1"]
    assert alerts.take_refused() == 3
    assert alerts.take_refused() == 0


def test_keys_of_different_names_never_meet() -> None:
    assert alert_key("drift", "m", "/a/b", "feature", "c") == "drift/m/%2Fa%2Fb/feature/c"
    assert alert_key("drift", "a/b", "c") != alert_key("drift", "a", "b/c")


@given(st.lists(st.sampled_from(STATES), max_size=30))
def test_every_course_of_reports_gives_lawful_news(reports: list[AlertState]) -> None:
    alerts = Alerts()

    news = [change.state for state in reports for change in alerts.observe([replace(alert(state))])]

    lawful = {
        ("pending", "firing"),
        ("pending", "inactive"),
        ("firing", "resolved"),
        ("inactive", "pending"),
        ("inactive", "firing"),
        ("resolved", "pending"),
        ("resolved", "firing"),
    }
    assert set(pairwise(news)) <= lawful
    assert set(news[:1]) <= {"pending", "firing"}


def described(phase: Phase) -> Alert:
    writer = AlertWriter("drift", model="m", version="2", endpoint="/e")
    return writer.write("feature", "temp", phase=phase, summary=f"told at {phase.at}", rows=100, score=0.5)


def steps(*states: AlertState) -> list[Alert]:
    """The news of a life cycle that goes through *states*, one a second; it fired with the first that fires."""
    life_cycle, fired_for = LifeCycle(), 0
    news: list[Alert] = []
    for at, state in enumerate(states):
        phase = Phase(state, float(at), since_at=at - 10.0)
        news += life_cycle.step(phase, described, over="all is well", fired_for=fired_for)
        fired_for = fired_for + 1 if state == "firing" else 0
    return news


def test_a_life_cycle_tells_each_state_once() -> None:
    news = steps("inactive", "pending", "pending", "firing", "resolved", "inactive")

    assert [(each.state, each.at) for each in news] == [("pending", 1.0), ("firing", 3.0), ("resolved", 4.0)]


def test_what_goes_on_firing_is_told_anew_after_one_two_four_panes() -> None:
    assert [panes for panes in range(20) if is_renewed(panes)] == [1, 2, 4, 8, 16]
    assert [each.at for each in steps(*FIRING)] == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0]
    assert len(steps(*PENDING)) == 1


def test_the_change_began_when_it_was_first_told_to() -> None:
    news = steps("pending", "firing", "firing", "firing")

    assert [(each.state, each.at, each.since_at) for each in news] == [
        ("pending", 0.0, -10.0),
        ("firing", 1.0, -10.0),
        ("firing", 2.0, -10.0),
        ("firing", 3.0, -10.0),
    ]


def test_what_ends_tells_why_and_what_it_was() -> None:
    *_, passed = steps("pending", "inactive")
    *_, resolved = steps("firing", "resolved")

    assert (passed.state, passed.at) == ("inactive", 1.0)
    assert (resolved.state, resolved.summary) == ("resolved", "all is well; it was: told at 0.0")
    assert ended(resolved, 9.0).summary == resolved.summary


def test_where_there_is_nothing_to_describe_it_by_nothing_is_told() -> None:
    assert LifeCycle().step(Phase("firing", 0.0, 0.0), None) == []


def test_an_alert_of_traffic_belongs_to_its_endpoint_whatever_the_model() -> None:
    phase = Phase("firing", 2.0, 1.0)
    sources: list[AlertSource] = ["drift", "traffic"]

    written = [
        AlertWriter(source, model="m", endpoint="/e").write("x", phase=phase, summary="s", rows=1, score=0.1)
        for source in sources
    ]

    assert [each.key for each in written] == ["drift/m/%2Fe/x", "traffic/%2Fe/x"]
    assert [(each.state, each.at, each.since_at) for each in written] == [("firing", 2.0, 1.0)] * 2


def report(state: AlertState, column: int, since_at: float, score: float) -> Alert:
    is_dated = score > 0.5
    return replace(
        alert(state, since_at=since_at, key=f"drift/m/e/feature/{column}"),
        column=f"c{column}",
        score=score,
        since_earliest_at=since_at - 20.0 if is_dated else math.nan,
        since_latest_at=since_at + 20.0 if is_dated else math.nan,
        causes=(Cause("above 100", 0.05, score),),
    )


REPORT = st.builds(
    report,
    state=st.sampled_from(STATES),
    column=st.integers(0, 6),
    since_at=st.sampled_from([0.0, 50.0, 5000.0]),
    score=st.floats(0.1, 1.0),
)
REPORTS = st.lists(st.lists(REPORT, max_size=8), max_size=20)


@given(reports=REPORTS, cut_at=st.integers(0, 20))
def test_alerts_that_are_restored_go_on_as_they_were(reports: list[list[Alert]], cut_at: int) -> None:
    whole = restored = Alerts(most=5, most_resolved=3)
    for pane, reported in enumerate(reports):
        if pane == cut_at:
            restored = Alerts(most=5, most_resolved=3)
            restored.restore(LAYOUT.thaw(written(whole)))
        told = [replace(each, at=10.0 * pane) for each in reported]
        changed = whole.observe(told)
        # A beginning that was not estimated is NaN, which equals nothing; written out it does.
        assert restored is whole or str(restored.observe(told)) == str(changed)

    assert written(restored) == written(whole)


def test_one_that_ends_and_fires_again_in_one_report_stays_in_its_incident() -> None:
    alerts = Alerts()
    alerts.observe([report(state, 0, 0.0, 0.6) for state in ("firing", "resolved", "firing")])

    (again,) = alerts.in_force
    ended, _, _ = alerts.observe([report(state, 0, 0.0, 0.6) for state in ("resolved", "pending", "inactive")])

    assert (again.state, again.place) == ("firing", 1)
    assert (ended.state, ended.incident) == ("resolved", again.incident)
    assert alerts.in_force == ()


def written(alerts: Alerts) -> bytes:
    return b"".join(LAYOUT.freeze(alerts.state))


def state_of(**fields: Any) -> AlertsState:
    alerts = Alerts()
    alerts.observe([alert("firing"), alert("pending", key="drift/m/e/feature/dewp")])
    return replace(alerts.state, **fields)


@pytest.mark.parametrize(
    "state",
    [
        state_of(in_force=(alert("resolved"),)),
        state_of(in_force=(alert("firing"), alert("firing"))),
        state_of(in_force=(alert("firing", at=math.nan),)),
        state_of(in_force=(alert("firing", since_at=math.inf),)),
        state_of(in_force=tuple(alert("firing", key=f"{number}") for number in range(2001))),
        state_of(in_force=(alert("pending"),)),
        state_of(resolved=(alert("firing"),)),
        state_of(resolved=(alert("resolved", at=-math.inf),)),
        state_of(resolved=(alert("resolved"),) * 101),
        state_of(refused_count=-1),
    ],
    ids=[
        *(
            "over, in force",
            "in force twice",
            "at no moment",
            "since no moment",
            "too many",
            "of an incident, not firing",
        ),
        *("in force, over", "over at no moment", "too many over", "fewer than none refused"),
    ],
)
def test_alerts_to_which_no_reports_lead_are_refused(state: AlertsState) -> None:
    with pytest.raises(ValueError, match=r"expected|in force|resolved|firing"):
        Alerts().restore(state)
