from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from dashlight.deliver.alerting.document import VERSION, AlertContext, document
from dashlight.deliver.alerting.sample import sample_notice
from dashlight.records import Notice, Slice, SliceCondition


def test_a_document_says_everything_that_a_notice_knows(incident: Callable[..., Notice], context: AlertContext) -> None:
    found: dict[str, Any] = dict(document(incident(), context))

    first = found["alerts"][0]
    assert {name: value for name, value in found.items() if name != "alerts"} == {
        "version": VERSION,
        "id": "0199a1b2-0000-7000-8000-000000000001",
        "key": "incident/%2Fpredict/1789999000",
        "transition": "firing",
        "reminder": 0,
        "at": 1_790_000_000.0,
        "since": 1_789_999_000.0,
        "severity": "warning",
        "service": "shop",
        "instance": "machine-1",
        "model": "fraud",
        "model_version": "3",
        "endpoint": "/predict",
        "summary": "share of age above 64 rose from 0 % to 95 %; with it moved income",
        "traces": ["https://traces.example/trace/0af7651916cd43dd8448eb211c80319c"],
        "slice": None,
        "alert_count": 2,
    }
    assert first["column"] == "age"
    assert first["causes"] == [
        {
            "event": "above 64",
            "reference": 0.0,
            "current": 0.95,
            "bins": [{"label": "above 64", "reference": 0.0, "current": 0.95}],
        }
    ]
    assert first["since_earliest"] is None


def test_it_is_always_json(incident: Callable[..., Notice], alert: Callable[..., Any], context: AlertContext) -> None:
    odd = incident(
        summary="a\ud800\0b",
        at=float("nan"),
        alerts=tuple(alert(score=float("inf"), summary="x" * 50_000) for _ in range(20)),
    )

    written = msgspec.json.encode(document(odd, context, reminder=3))

    assert json.loads(written)["summary"] == "a\ufffd\0b"
    assert json.loads(written)["reminder"] == 3
    assert len(written) < 300_000


def test_a_sample_says_that_it_is_a_test(context: AlertContext) -> None:
    assert "test" in str(document(sample_notice(0.0), context)["summary"])


def test_where_it_hurts_is_told_of_the_incident_and_of_its_alert(
    incident: Callable[..., Notice], alert: Callable[..., Any], context: AlertContext
) -> None:
    found = Slice(
        "found",
        conditions=(SliceCondition("carrier", "feature", "UA"), SliceCondition("hour", "feature", "at least 19")),
        rows=3600,
        share=0.05,
        rate=0.6,
        explained=0.9,
        exemplars=("0af7651916cd43dd8448eb211c80319c",),
        summary="; it is carrier=UA and hour at least 19",
    )

    told: dict[str, Any] = dict(document(incident(alerts=(alert(), alert(slice=found))), context))

    assert told["alerts"][0]["slice"] is None
    assert told["slice"] == told["alerts"][1]["slice"]
    assert told["slice"] == {
        "state": "found",
        "conditions": [
            {"column": "carrier", "role": "feature", "bin": "UA"},
            {"column": "hour", "role": "feature", "bin": "at least 19"},
        ],
        "rows": 3600,
        "share": 0.05,
        "rate": 0.6,
        "explained": 0.9,
        "summary": "it is carrier=UA and hour at least 19",
        "traces": ["https://traces.example/trace/0af7651916cd43dd8448eb211c80319c"],
    }


def test_an_alert_of_a_segment_says_so(
    incident: Callable[..., Notice], alert: Callable[..., Any], context: AlertContext
) -> None:
    found: dict[str, Any] = dict(document(incident(alerts=(alert(segment="carrier=UA"), alert())), context))

    assert [each["segment"] for each in found["alerts"]] == ["carrier=UA", None]
