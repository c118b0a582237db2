"""What silences make of what is owed: nothing of an alert changes but whether anybody is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dashlight.deliver.alerting.owed import DELIVERED, Owed
from dashlight.judge.alerts import Alerts
from dashlight.judge.silences import Silence
from dashlight.records import Alert
from dashlight.workers.inheritance import owe
from dashlight.workers.operator import Operator, silences_in, told_in

AT = 1_790_000_000.0


class Judge:
    """Tells what changes, as the judge of a machine does after a pane."""

    def __init__(self, directory: Path) -> None:
        self.alerts = Alerts()
        self.owed = Owed(["a"])
        self.owed.open()
        self._directory = directory
        self.operator = Operator(directory, 3600.0)
        self._at = AT

    def silence(self, **what: str) -> None:
        """From now on for an hour."""
        made = Silence(f"s{self._at}", self._at, self._at + 3600, "a test", **what)
        silences_in(self._directory).change(lambda every: (*every, made))

    def pane(self, *changed: Alert, later: float = 10.0) -> list[tuple[str, list[str]]]:
        """Transition and columns of what is told of a pane in which these *changed*."""
        self._at += later
        told = self.alerts.observe([replace(each, at=self._at) for each in changed])
        watch: Any = SimpleNamespace(alerts=self.alerts, in_force=self.alerts.in_force)
        owe(self.owed, told, watch, self._at, self.operator)
        self.owed.release()
        found: list[tuple[str, list[str]]] = []
        while (notice := self.owed.next("a")) is not None:
            found.append((notice.transition, [each.column or "" for each in notice.alerts]))
            self.owed.settle("a", notice.id, DELIVERED)
        return found


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(tmp_path)


def alert(column: str, state: Any = "firing", **overrides: Any) -> Alert:
    fields: dict[str, Any] = {
        "key": f"drift/{column}", "source": "drift", "model": "m", "version": "1", "endpoint": "/predict",
        "column": column, "role": "feature", "state": state, "summary": f"{column} moved", "at": AT, "since_at": AT,
        "rows": 100, "score": 1.0, "since_earliest_at": AT - 1, "since_latest_at": AT,
    }  # fmt: skip
    return Alert(**{**fields, **overrides})


def columns(alerts: Sequence[Alert]) -> list[str | None]:
    return [each.column for each in alerts]


def test_nobody_is_told_of_what_is_silenced_and_it_is_in_force_as_ever(judge: Judge, tmp_path: Path) -> None:
    judge.silence(column="age")

    assert judge.pane(alert("age")) == []
    assert columns(judge.alerts.in_force) == ["age"]
    assert told_in(tmp_path).read().alerts == ()
    assert judge.pane(alert("age", "resolved")) == []


def test_the_rest_of_an_incident_is_told(judge: Judge) -> None:
    judge.silence(column="age")

    assert judge.pane(alert("age"), alert("income")) == [("firing", ["income"])]
    assert judge.pane(alert("income", "resolved")) == [("resolved", ["income"])]
    assert judge.pane(alert("age", "resolved")) == []


def test_what_was_told_before_the_silence_is_told_to_its_end(judge: Judge) -> None:
    assert judge.pane(alert("age")) == [("firing", ["age"])]

    judge.silence(endpoint="*")
    assert judge.pane(alert("income")) == []
    assert judge.pane() == []
    assert judge.pane(alert("age", "resolved")) == [("resolved", ["age"])]


def test_what_is_in_force_when_the_silence_is_over_is_told_then(judge: Judge) -> None:
    judge.silence(source="drift")
    assert judge.pane(alert("age")) == []

    assert judge.pane(later=3590) == [("firing", ["age"])]
    assert judge.pane() == []
    assert judge.pane(alert("age", "resolved")) == [("resolved", ["age"])]


def test_an_alert_without_an_incident_is_silenced_likewise(judge: Judge) -> None:
    limit = replace(alert(""), key="threshold/failures", source="threshold", column=None)
    judge.silence(source="threshold")

    assert judge.pane(limit) == []
    assert judge.pane(replace(limit, state="resolved")) == []
    assert judge.pane(alert("age")) == [("firing", ["age"])]


def test_what_begins_is_remembered_to_be_marked(judge: Judge, tmp_path: Path) -> None:
    judge.pane(alert("age"))
    judge.pane(alert("age", "resolved"))

    assert [each.summary[:9] for each in told_in(tmp_path).read().alerts] == ["age moved"]


def test_of_what_was_told_and_is_silenced_whole_nobody_is_reminded(judge: Judge) -> None:
    judge.pane(alert("age"), alert("income"))
    [told] = judge.owed.in_force()

    judge.silence(column="age")
    judge.pane()
    assert not judge.operator.is_quiet(told.key)
    judge.silence(column="income")
    judge.pane()
    assert judge.operator.is_quiet(told.key)
    judge.pane(later=3600)
    assert not judge.operator.is_quiet(told.key)
