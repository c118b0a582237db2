from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dashlight.deliver.encoding.events import (
    SEVERITY_TEXTS,
    alert_event,
    own_attributes,
    prediction_event,
    scores_event,
)
from dashlight.records import Alert, AlertState, BinShare, Cause, Exchange, Notice, Score, Transition

ID = 0x0190_1234_5678_7ABC_8DEF_0123_4567_89AB
TRACE = "0af7651916cd43dd8448eb211c80319c"


def alert(state: AlertState = "firing") -> Alert:
    return Alert(
        key="drift/fraud/predict/amount",
        source="drift",
        model="fraud",
        version="3",
        endpoint="/predict",
        column="amount",
        role="feature",
        state=state,
        summary="amount above 100: from 5% to 40%",
        at=1_790_000_000.5,
        since_at=1_789_999_000.0,
        rows=2000,
        score=0.8,
        causes=(Cause("above 100", 0.05, 0.4, (BinShare("100 to 200", 0.03, 0.3),)),),
        exemplars=(TRACE,),
    )


def notice(*alerts: Alert, transition: Transition = "firing", key: str = "incident/%2Fpredict/1789999000") -> Notice:
    origin, *_ = alerts = alerts or (alert(),)
    return Notice(
        id="01a0c8d2-6bf4-7abc-8def-0123456789ab",
        key=key,
        transition=transition,
        at=1_790_000_010.5,
        since_at=origin.since_at,
        endpoint=origin.endpoint,
        model=origin.model,
        version=origin.version,
        summary="amount above 100: from 5% to 40%; with it moved age",
        alerts=alerts,
        alert_count=30,
    )


def test_a_prediction_carries_the_ids_of_its_exchange(exchange: Callable[..., Exchange]) -> None:
    event = prediction_event(exchange(), seq=7)

    assert event.id == "01901234-5678-7abc-8def-0123456789ab"
    assert (event.name, event.seq, event.at, event.severity) == ("dashlight.prediction", 7, 1_790_000_000.25, 9)
    assert (event.trace_id, event.span_id, event.trace_flags) == (
        0xABCDEF0123456789ABCDEF0123456789,
        0x1122334455667788,
        1,
    )


def test_a_prediction_tells_what_is_known_and_nothing_of_the_payload(exchange: Callable[..., Exchange]) -> None:
    event = prediction_event(exchange(), seq=1, model="fraud", rows=2)

    assert event.attributes == {
        "dashlight.model.name": "fraud",
        "dashlight.rows": 2,
        "dashlight.outcome": "ok",
        "dashlight.duration": 0.5,
        "http.request.method": "POST",
        "http.route": "/predict/{name}",
        "http.response.status_code": 200,
        "http.request.body.size": 300,
        "http.response.body.size": 20_000,
    }


def test_features_and_outputs_are_sent_only_where_they_are_given(exchange: Callable[..., Exchange]) -> None:
    event = prediction_event(exchange(), seq=1, protocol="json", inputs={"age": [31, 44]}, outputs={})

    assert event.attributes["dashlight.inputs"] == {"age": [31, 44]}
    assert event.attributes["dashlight.outputs"] == {}
    assert event.attributes["dashlight.protocol"] == "json"


def test_a_failed_exchange_is_an_error(exchange: Callable[..., Exchange]) -> None:
    answered = prediction_event(exchange(status=503, outcome="error"), seq=1)
    raised = prediction_event(exchange(status=0, error="KeyError", outcome="error"), seq=2)

    assert [answered.severity, raised.severity] == [17, 17]
    assert [answered.attributes["error.type"], raised.attributes["error.type"]] == ["503", "KeyError"]
    assert "http.response.status_code" not in raised.attributes


def test_an_error_that_hides_inside_a_200_is_an_error(exchange: Callable[..., Exchange]) -> None:
    event = prediction_event(exchange(), seq=1, confessed="model")

    assert (event.severity, event.attributes["error.type"]) == (17, "model")
    assert event.attributes["http.response.status_code"] == 200


def test_bodies_cut_short_and_undecoded_say_so(exchange: Callable[..., Exchange]) -> None:
    event = prediction_event(exchange(request_bytes=301, response_bytes=20_001), seq=1, undecoded="not_json")

    assert event.attributes["dashlight.request.truncated"] is True
    assert event.attributes["dashlight.response.truncated"] is True
    assert event.attributes["dashlight.undecoded"] == "not_json"


@pytest.mark.parametrize(
    ("transition", "severity", "state"),
    [("firing", 13, "firing"), ("changed", 13, "firing"), ("resolved", 9, "resolved")],
)
def test_an_alert_warns_when_it_fires_and_informs_when_it_resolves(
    transition: Transition, severity: int, state: str
) -> None:
    event = alert_event(notice(transition=transition))

    assert (event.name, event.id, event.severity) == ("dashlight.alert", notice().id, severity)
    assert (event.attributes["dashlight.alert.transition"], event.attributes["dashlight.alert.state"]) == (
        transition,
        state,
    )
    assert event.body == notice().summary


def test_an_alert_has_no_number_among_the_events_of_a_process_that_may_not_be_the_one_that_sends_it() -> None:
    assert own_attributes(alert_event(notice()), epoch=5) == {
        "dashlight.event.id": notice().id,
        "dashlight.event.epoch": 5,
    }


@pytest.mark.parametrize(("column", "shown"), [("", '""'), ("amount", "amount"), (None, None)])
def test_a_column_without_a_name_is_in_quotes(column: str | None, shown: str | None) -> None:
    event = alert_event(notice(replace(alert(), column=column)))

    assert event.attributes.get("dashlight.column.name") == shown
    (member,) = event.attributes["dashlight.alert.members"]  # type: ignore[misc]
    assert member.get("column") == shown  # type: ignore[has-type]


def test_an_alert_tells_its_origin_and_its_members_with_causes_and_exemplars() -> None:
    other = replace(
        alert(), key="drift/fraud/predict/age", column="age", summary="age rose", causes=(), exemplars=(), place=2
    )

    event = alert_event(notice(alert(), other), trace_url="https://traces/{trace_id}?x={y}")

    cause = {
        "event": "above 100",
        "reference": 0.05,
        "current": 0.4,
        "bins": [{"label": "100 to 200", "reference": 0.03, "current": 0.3}],
    }
    link = f"https://traces/{TRACE}?x={{y}}"
    shared: dict[str, object] = {
        "state": "firing",
        "source": "drift",
        "role": "feature",
        "model": "fraud",
        "version": "3",
    }
    shared |= {"at": 1_790_000_000.5, "since": 1_789_999_000.0, "score": 0.8, "rows": 2000}
    assert event.at == 1_790_000_010.5
    assert event.attributes == {
        "dashlight.alert.key": "drift/fraud/predict/amount",
        "dashlight.alert.state": "firing",
        "dashlight.alert.transition": "firing",
        "dashlight.alert.source": "drift",
        "dashlight.alert.summary": notice().summary,
        "dashlight.alert.since": 1_789_999_000.0,
        "dashlight.alert.incident": "incident/%2Fpredict/1789999000",
        "dashlight.alert.count": 30,
        "dashlight.alert.score": 0.8,
        "dashlight.alert.causes": [cause],
        "dashlight.alert.exemplars": [TRACE],
        "dashlight.alert.links": [link],
        "dashlight.alert.members": [
            {
                "key": "drift/fraud/predict/amount",
                "column": "amount",
                "summary": alert().summary,
                "causes": [cause],
                "exemplars": [TRACE],
                "links": [link],
                **shared,
            },
            {"key": "drift/fraud/predict/age", "column": "age", "summary": "age rose", "place": 2, **shared},
        ],
        "dashlight.column.name": "amount",
        "dashlight.column.role": "feature",
        "dashlight.model.name": "fraud",
        "dashlight.model.version": "3",
        "dashlight.rows": 2000,
        "http.route": "/predict",
    }


def test_without_details_only_the_origin_is_told() -> None:
    attributes = alert_event(notice(), details=False).attributes

    assert attributes["dashlight.alert.key"] == "drift/fraud/predict/amount"
    assert {"dashlight.alert.members", "dashlight.alert.causes"}.isdisjoint(attributes)


def test_without_a_template_there_are_no_links() -> None:
    assert "dashlight.alert.links" not in alert_event(notice()).attributes


def test_scores_of_an_endpoint_travel_together() -> None:
    event = scores_event(
        [Score("age", "feature", "psi", 0.1, 0.05, 0.2, 500, reference=0.0)],
        at=5.0,
        identifier=ID,
        seq=3,
        endpoint="/predict",
        model="fraud",
    )

    assert (event.name, event.at, event.seq, event.severity) == ("dashlight.scores", 5.0, 3, 9)
    assert event.attributes == {
        "dashlight.model.name": "fraud",
        "http.route": "/predict",
        "dashlight.scores": [
            {
                "column": "age",
                "role": "feature",
                "statistic": "psi",
                "value": 0.1,
                "low": 0.05,
                "high": 0.2,
                "rows": 500,
                "reference": 0.0,
            }
        ],
    }


def test_an_event_is_told_from_all_others_by_its_own_attributes(exchange: Callable[..., Exchange]) -> None:
    assert own_attributes(prediction_event(exchange(), seq=7), epoch=99) == {
        "dashlight.event.id": "01901234-5678-7abc-8def-0123456789ab",
        "dashlight.event.seq": 7,
        "dashlight.event.epoch": 99,
    }


@pytest.mark.parametrize(
    ("changes", "confessed", "line", "severity"),
    [
        ({}, "", "POST /predict/{name} 200 (ok) in 0.5 s", "INFO"),
        ({"status": 503, "outcome": "error"}, "", "POST /predict/{name} 503 (error) in 0.5 s", "ERROR"),
        (
            {"status": 500, "outcome": "error", "error": "KeyError"}, "",
            "POST /predict/{name} 500 KeyError (error) in 0.5 s", "ERROR",
        ),
        ({"outcome": "error"}, "model", "POST /predict/{name} 200 model (error) in 0.5 s", "ERROR"),
        (
            {"status": 0, "outcome": "cancelled", "route": "unmatched"}, "",
            "POST unmatched no answer (cancelled) in 0.5 s", "INFO",
        ),
    ],
    ids=["well", "status", "raised", "inside", "cancelled"],
)  # fmt: skip
def test_a_prediction_is_a_line_for_a_viewer_of_logs(
    exchange: Callable[..., Exchange], changes: dict[str, object], confessed: str, line: str, severity: str
) -> None:
    event = prediction_event(exchange(**changes), seq=1, confessed=confessed, inputs={"age": "a secret"})

    assert (event.body, SEVERITY_TEXTS[event.severity]) == (line, severity)


def test_scores_are_a_line_too() -> None:
    event = scores_event([], at=0.0, identifier=ID, seq=1, endpoint="/predict", model="fraud", state="watching")

    assert event.body == "0 scores of /predict fraud: watching"


def test_an_alert_of_a_segment_says_so_and_so_does_each_member() -> None:
    other = replace(alert(), key="k2", segment="")

    attributes = alert_event(notice(replace(alert(), segment="carrier=UA"), other)).attributes

    assert attributes["dashlight.segment"] == "carrier=UA"
    members: Any = attributes["dashlight.alert.members"]
    assert [each.get("segment") for each in members] == ["carrier=UA", None]


def test_a_score_of_a_segment_says_of_which() -> None:
    scores = [Score(None, None, "failure_rate", 0.1, 0.05, 0.2, 500, segment=segment) for segment in ("", "carrier=UA")]

    event = scores_event(scores, at=5.0, identifier=ID, seq=3, endpoint="/predict", model="fraud")

    told = event.attributes["dashlight.scores"]
    assert isinstance(told, list)
    assert [each.get("segment") for each in told] == [None, "carrier=UA"]
