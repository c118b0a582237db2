import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.judge.incidents import MOST_INCIDENTS, MOST_NAMED, Incident, Incidents, began_between, by_origin, label
from dashlight.records import Alert, Cause

MakeAlert = Callable[..., Alert]


def make_alert(column: str | None, **changed: Any) -> Alert:
    values: dict[str, Any] = {
        "key": f"drift/risk/%2Fpredict/feature/{column}",
        "source": "drift",
        "model": "risk",
        "version": "",
        "endpoint": "/predict",
        "column": column,
        "role": "feature",
        "state": "firing",
        "summary": "moved",
        "at": 1000.0,
        "since_at": 900.0,
        "rows": 100,
        "score": 0.5,
    }
    return Alert(**(values | changed))


@pytest.fixture
def alert() -> MakeAlert:
    return make_alert


def test_columns_that_began_together_are_one_incident(alert: MakeAlert) -> None:
    incidents = Incidents()
    (first,) = incidents.observe([alert("temp", at=1000.0, since_at=900.0)])

    (second,) = incidents.observe([alert("dewp", at=1300.0, since_at=930.0)])

    assert first.incident == second.incident == "incident/%2Fpredict/900"
    assert (first.moved_with, second.moved_with) == ((), ("temp",))


def test_what_began_later_is_another_incident(alert: MakeAlert) -> None:
    incidents = Incidents()
    incidents.observe([alert("temp", at=1000.0, since_at=900.0)])

    (second,) = incidents.observe([alert("dewp", at=5000.0, since_at=4900.0)])

    assert second.incident == "incident/%2Fpredict/4900"
    assert (second.place, second.moved_with) == (1, ())


def test_endpoints_do_not_share_incidents(alert: MakeAlert) -> None:
    incidents = Incidents()
    incidents.observe([alert("temp")])

    (second,) = incidents.observe([alert("dewp", endpoint="/rank", key="drift/risk/%2Frank/feature/dewp")])

    assert (second.place, second.incident) == (1, "incident/%2Frank/900")


def test_an_interval_says_better_than_the_moment_when_it_began(alert: MakeAlert) -> None:
    incidents = Incidents()
    incidents.observe([alert("temp", since_earliest_at=100.0, since_latest_at=950.0)])

    (second,) = incidents.observe(
        [alert("dewp", at=9000.0, since_at=700.0, since_earliest_at=650.0, since_latest_at=720.0)]
    )

    assert second.moved_with == ("temp",)


def test_one_of_uncertain_beginning_does_not_join_what_has_nothing_to_do_with_one_another(alert: MakeAlert) -> None:
    incidents = Incidents()
    incidents.observe([alert("sharp", since_earliest_at=890.0, since_latest_at=910.0)])
    incidents.observe([alert("blurred", at=9000.0, since_earliest_at=100.0, since_latest_at=8000.0)])

    (third,) = incidents.observe([alert("late", at=8000.0, since_earliest_at=7000.0, since_latest_at=7010.0)])

    assert third.moved_with == ()


def test_a_pending_alert_has_no_incident(alert: MakeAlert) -> None:
    (pending,) = Incidents().observe([alert("temp", state="pending")])

    assert (pending.incident, pending.place) == ("", 0)


def test_an_incident_ends_with_its_last_alert(alert: MakeAlert) -> None:
    incidents = Incidents()
    incidents.observe([alert("temp"), alert("dewp")])

    (first,) = incidents.observe([alert("temp", state="resolved")])
    (last,) = incidents.observe([alert("dewp", state="resolved")])
    (again,) = incidents.observe([alert("temp", at=2000.0, since_at=1990.0)])

    assert (first.moved_with, last.moved_with) == (("dewp",), ())
    assert again.incident == "incident/%2Fpredict/1990"


def test_what_fires_again_in_the_second_of_another_incident_has_a_name_of_its_own(alert: MakeAlert) -> None:
    incidents = Incidents()
    incidents.observe([alert("temp", since_at=900.0, since_earliest_at=0.0, since_latest_at=10.0)])

    (second,) = incidents.observe([alert("dewp", since_at=900.4, since_earliest_at=800.0, since_latest_at=900.4)])

    assert second.incident == "incident/%2Fpredict/900.2"


def test_alerts_of_one_report_come_with_the_whole_incident_and_its_origin_first(alert: MakeAlert) -> None:
    output = alert("score", role="output", score=3.0)
    break_ = alert("temp", source="break", key="break/risk/%2Fpredict/feature/temp/unit", score=0.1)
    feature = alert("dewp", score=0.2)

    placed = Incidents().observe([output, feature, break_])

    assert [(each.column, each.place) for each in placed] == [("temp", 1), ("dewp", 2), ("score", 3)]
    assert placed[0].moved_with == ("dewp", "score")


@given(order=st.permutations(range(6)))
def test_the_origin_does_not_depend_on_the_order_of_telling(order: Sequence[int]) -> None:
    alerts = [
        make_alert("early", since_earliest_at=100.0, since_latest_at=110.0, role="output"),
        make_alert("named", since_earliest_at=890.0, since_latest_at=910.0, source="break"),
        make_alert("strong", since_earliest_at=890.0, since_latest_at=910.0, score=-2.0),
        make_alert("weak", since_earliest_at=890.0, since_latest_at=910.0, score=0.3),
        make_alert(None, since_earliest_at=895.0, since_latest_at=910.0, role=None, key="drift/risk/%2Fpredict/joint"),
        make_alert(
            None, since_earliest_at=890.0, since_latest_at=910.0, source="traffic", key="traffic/%2Fpredict/error_rate"
        ),
    ]

    ordered = by_origin(alerts[place] for place in order)

    assert [label(each) for each in ordered] == ["early", "named", "strong", "weak", "joint", "error_rate"]


@pytest.mark.parametrize(
    ("column", "key", "named"),
    [
        ("distance", "drift/late/%2Fp/feature/distance/carrier%3DUA", "distance (carrier=UA)"),
        (None, "traffic/%2Fp/late/error_rate/carrier%3DUA", "error_rate (carrier=UA)"),
        (None, "threshold//%2Fp/failure_rate%3E2%25%20for%205m/carrier%3DUA", "failure_rate>2% for 5m (carrier=UA)"),
    ],
)
def test_an_alert_of_a_segment_is_about_that_segment(column: str | None, key: str, named: str) -> None:
    alert = make_alert(column, key=key, segment="carrier=UA")

    assert label(alert) == named


@pytest.mark.parametrize(
    ("key", "named"),
    [("performance/late/%2Fp/realised", "performance"), ("performance/late/%2Fp/parted", "what the scores mean")],
)
def test_performance_is_called_what_it_is(key: str, named: str) -> None:
    assert label(make_alert(None, key=key, source="performance")) == named


def test_a_segment_keeps_its_name_through_an_incident() -> None:
    incidents = Incidents()
    first, second = (make_alert("age", segment=name, key=f"drift/age/{name}") for name in ("a=1", "a=2"))
    incidents.observe([first])

    (placed,) = incidents.observe([second])

    assert placed.segment == "a=2"
    assert placed.moved_with == ("age (a=1)",)


def test_a_limit_that_is_crossed_is_the_last_thing_to_look_at(alert: MakeAlert) -> None:
    limit = alert(None, source="threshold", key="threshold/m/e/error_rate", score=9.0)
    traffic = alert(None, source="traffic", key="traffic/e/error_rate", score=0.1)

    assert by_origin([limit, traffic]) == [traffic, limit]


def test_without_an_interval_a_quarter_of_the_time_since_is_doubt(alert: MakeAlert) -> None:
    assert began_between(alert("temp", at=1000.0, since_at=900.0)) == (875.0, 925.0)
    assert began_between(alert("temp", at=800.0, since_at=900.0, since_latest_at=math.nan)) == (900.0, 900.0)


def test_a_clock_that_was_set_back_does_not_keep_the_origin_from_being_found(alert: MakeAlert) -> None:
    back = alert("temp", since_earliest_at=940.0, since_latest_at=910.0)
    other = alert("dewp", since_earliest_at=890.0, since_latest_at=905.0)

    assert began_between(back) == (910.0, 940.0)
    assert by_origin([back, other]) == [other, back]


def test_many_alerts_are_named_up_to_ten(alert: MakeAlert) -> None:
    placed = Incidents().observe([alert(f"c{place:02}") for place in range(30)])

    assert len(placed[0].moved_with) == MOST_NAMED
    assert placed[29].place == 30


def test_incidents_beyond_the_limit_push_the_oldest_out(alert: MakeAlert) -> None:
    incidents = Incidents()
    for place in range(MOST_INCIDENTS + 1):
        incidents.observe([alert("temp", endpoint=f"/{place}", key=f"drift/{place}")])

    (forgotten,) = incidents.observe([alert("temp", endpoint="/0", key="drift/0", state="resolved")])
    (kept,) = incidents.observe([alert("temp", endpoint="/1", key="drift/1", state="resolved")])

    assert (forgotten.incident, kept.incident) == ("", "incident/%2F1/900")


def test_an_alert_is_not_said_to_have_moved_with_its_own_column(alert: MakeAlert) -> None:
    key = "break/risk/%2Fpredict/feature/temp/unit"

    placed = Incidents().observe([alert("temp"), alert("temp", source="break", key=key), alert("dewp")])

    assert {(each.source, each.column): each.moved_with for each in placed} == {
        ("break", "temp"): ("dewp",),
        ("drift", "temp"): ("dewp",),
        ("drift", "dewp"): ("temp",),
    }


FIRING = make_alert("temp")


def incident(
    key: str = "incident/%2Fpredict/900", *, members: dict[str, Alert] | None = None, **moments: float
) -> Incident:
    members = {FIRING.key: FIRING} if members is None else members
    return Incident(key, "/predict", **{"earliest_at": 890.0, "latest_at": 910.0, **moments}, members=members)


@pytest.mark.parametrize(
    "incidents",
    [
        [incident(members={})],
        [incident(), incident()],
        [incident(), incident("incident/%2Fpredict/900.2")],
        [incident(earliest_at=911.0)],
        [incident(earliest_at=math.nan)],
        [incident(latest_at=math.inf)],
        [incident(members={"drift/other": FIRING})],
        [incident(members={make_alert("gone").key: make_alert("gone")})],
        [incident(members={FIRING.key: make_alert("temp", since_at=math.nan)})],
        [incident(members={FIRING.key: make_alert("temp", at=math.inf)})],
        [
            incident(f"incident/{number}", members={f"{number}": make_alert("c", key=f"{number}")})
            for number in range(101)
        ],
    ],
    ids=[
        *("of nothing", "twice", "of an alert of another", "ends first", "began never", "endless"),
        *("under another key", "of what does not fire", "of a change without a beginning", "of a state without one"),
        "too many",
    ],
)
def test_incidents_that_cannot_be_are_refused(incidents: list[Incident]) -> None:
    with pytest.raises(ValueError, match=r"incident|change|state of"):
        Incidents().restore(tuple(incidents), {FIRING.key, *map(str, range(101))})


def test_an_incident_remembers_no_causes_of_its_alerts(alert: MakeAlert) -> None:
    incidents = Incidents()

    (placed,) = incidents.observe([alert("temp", causes=(Cause("above 100", 0.05, 0.4),), exemplars=("ab" * 16,))])

    assert (placed.causes, placed.exemplars) == ((Cause("above 100", 0.05, 0.4),), ("ab" * 16,))
    (remembered,) = incidents.state
    assert [(member.causes, member.exemplars) for member in remembered.members.values()] == [((), ())]


def test_an_alert_that_ends_and_is_pending_again_in_one_report_is_in_no_incident(alert: MakeAlert) -> None:
    incidents = Incidents()
    incidents.observe([alert("temp")])

    incidents.observe([alert("temp", state="inactive"), alert("temp", state="pending")])

    assert incidents.state == ()
