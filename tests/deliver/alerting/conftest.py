"""Alerts, notices of them, and a way out that says what it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.records import Alert, BinShare, Cause, Notice, Transition

MakeNotice = Callable[..., Notice]
AT = 1_790_000_000.0
INCIDENT = "incident/%2Fpredict/1789999000"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def alert_of(**overrides: Any) -> Alert:
    """An alert of the column `age` in an incident, save what is given otherwise."""
    defaults: dict[str, Any] = {
        "key": "drift/predict/age",
        "source": "drift",
        "model": "fraud",
        "version": "3",
        "endpoint": "/predict",
        "column": "age",
        "role": "feature",
        "state": "firing",
        "summary": "share of age above 64 rose from 0 % to 95 %",
        "at": AT - 60,
        "since_at": AT - 1000,
        "rows": 5000,
        "score": 0.7,
        "causes": (Cause("above 64", 0.0, 0.95, (BinShare("above 64", 0.0, 0.95),)),),
        "exemplars": (TRACE,),
        "incident": INCIDENT,
        "place": 1,
    }
    return Alert(**{**defaults, **overrides})


def notice_of(**overrides: Any) -> Notice:
    """A notice of that incident, save what is given otherwise."""
    defaults: dict[str, Any] = {
        "id": "0199a1b2-0000-7000-8000-000000000001",
        "key": INCIDENT,
        "transition": "firing",
        "at": AT,
        "since_at": AT - 1000,
        "endpoint": "/predict",
        "model": "fraud",
        "version": "3",
        "summary": "share of age above 64 rose from 0 % to 95 %; with it moved income",
        "alerts": (
            alert_of(),
            alert_of(key="drift/predict/income", column="income", place=2, exemplars=(), summary="b"),
        ),
        "alert_count": 2,
    }
    return Notice(**{**defaults, **overrides})


@dataclass
class Way:
    """Stands for the way out: keeps every request, and gives the answers it was told, the last for ever."""

    answers: list[CollectorAnswer] = field(default_factory=lambda: [CollectorAnswer(200)])
    requests: list[Any] = field(default_factory=list)
    """What each request held, as JSON."""
    keys: list[str] = field(default_factory=list)
    answer_to: Callable[[Any], CollectorAnswer | None] = lambda _body: None
    """An answer to this body in particular."""
    closed: bool = False

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        """Notes a request and answers."""
        assert content_type == "application/json"
        told = json.loads(body)
        self.requests.append(told)
        self.keys.append(key)
        particular = self.answer_to(told)
        if particular is not None:
            return particular
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        """Notes that it was closed."""
        self.closed = True


@pytest.fixture
def alert() -> Callable[..., Alert]:
    """Makes an alert of an incident."""
    return alert_of


@pytest.fixture
def incident() -> Callable[..., Notice]:
    """Makes a notice of an incident."""
    return notice_of


@pytest.fixture
def context() -> AlertContext:
    """A service with links to its traces."""
    return AlertContext("shop", "machine-1", "https://traces.example/trace/{trace_id}")


@pytest.fixture
def way() -> Way:
    """A way out where everything is taken."""
    return Way()


def make_notice(number: int = 1, transition: Transition = "firing", key: str = "") -> Notice:
    at = 1_700_000_000.0 + number
    alert = Alert(
        "drift/m/%2Fpredict/feature/age", "drift", "m", "1", "/predict", "age", "feature", "firing", "age moved",
        at, at - 60.0, 90, 0.5,
    )  # fmt: skip
    return Notice(
        id=f"00000000-0000-7000-8000-{number:012}",
        key=key or f"incident/%2Fpredict/{number}",
        transition=transition,
        at=at,
        since_at=at - 60.0,
        endpoint="/predict",
        model="m",
        version="1",
        summary="age moved; with it moved income",
        alerts=(alert,),
        alert_count=2,
    )


@pytest.fixture
def notice() -> MakeNotice:
    """Makes a notice by its number."""
    return make_notice
