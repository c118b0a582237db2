"""Where an alert hurts as plain values."""

from __future__ import annotations

from dashlight.deliver.encoding.events import alert_event
from dashlight.deliver.encoding.slices import slice_told, slice_values
from dashlight.records import Alert, Notice, Slice, SliceCondition

FOUND = Slice(
    "found",
    conditions=(SliceCondition("carrier", "feature", "UA"),),
    rows=3000,
    rate=0.6,
    exemplars=("0af7651916cd43dd8448eb211c80319c",),
    summary="; it is carrier=UA",
)
NONE = Slice("none", rows=900, detectable_lift=0.4, summary="; no slice found")


def an_alert(key: str, found: Slice | None) -> Alert:
    return Alert(
        key=key,
        source="traffic",
        model="",
        version="",
        endpoint="/predict",
        column=None,
        role=None,
        state="firing",
        summary="error rate rose",
        at=10.0,
        since_at=5.0,
        rows=100,
        score=1.0,
        slice=found,
    )


def a_notice(*alerts: Alert) -> Notice:
    return Notice("id", "incident", "firing", 10.0, 5.0, "/predict", "", "", "error rate rose", alerts, len(alerts))


def test_the_slice_that_was_found_is_told_of_an_incident() -> None:
    alerts = [an_alert("a", None), an_alert("b", NONE), an_alert("c", FOUND)]

    assert slice_told(alerts) is FOUND
    assert slice_told(alerts[:2]) is NONE
    assert slice_told(alerts[:1]) is None


def test_what_is_not_known_is_left_out() -> None:
    assert slice_values(NONE) == {"state": "none", "rows": 900, "detectable_lift": 0.4, "summary": "no slice found"}
    assert slice_values(None) == {}


def test_an_event_has_the_slice_as_attributes_and_of_its_member() -> None:
    event = alert_event(a_notice(an_alert("a", None), an_alert("c", FOUND)))

    of_slice = {name: each for name, each in event.attributes.items() if name.startswith("dashlight.alert.slice.")}
    assert of_slice == {
        "dashlight.alert.slice.state": "found",
        "dashlight.alert.slice.conditions": [{"column": "carrier", "role": "feature", "bin": "UA"}],
        "dashlight.alert.slice.rows": 3000,
        "dashlight.alert.slice.rate": 0.6,
        "dashlight.alert.slice.exemplars": ["0af7651916cd43dd8448eb211c80319c"],
        "dashlight.alert.slice.summary": "it is carrier=UA",
    }
    members = event.attributes["dashlight.alert.members"]
    assert isinstance(members, list)
    assert [each.get("slice", {}).get("state") for each in members] == [None, "found"]


def test_an_event_of_an_alert_without_one_has_no_attribute_of_it() -> None:
    event = alert_event(a_notice(an_alert("a", None)))

    assert not any("slice" in name for name in event.attributes)
