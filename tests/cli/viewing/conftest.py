"""An app that has judged: what it shows, its state directory, and an HTTP server that answers as it does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from dashlight.judge.versions.evidence import SequentialEvidence
from dashlight.judge.versions.report import VersionFigure, VersionReport
from dashlight.page.status import Moment, status_of
from dashlight.page.versions import versions_of
from dashlight.page.view import View, view_of
from dashlight.records import Alert, Score, Slice
from dashlight.store.private import write_private
from dashlight.watching.endpoint import Snapshot
from dashlight.workers.layouts import VIEW
from dashlight.workers.rendezvous import Meeting

NOW = 1_790_000_000.0
TOKEN = "a-token-of-some-length"
HOSTILE = "\x1b[31m<b>größe\u202e\n"


def score(statistic: str, value: float, *, low: float = 0.0, high: float = 1.0, **others: Any) -> Score:
    return Score(
        column=others.get("column"),
        role=others.get("role"),
        statistic=statistic,
        value=value,
        low=low,
        high=high,
        rows=1200,
        reference=others.get("reference"),
        segment=others.get("segment", ""),
    )


def firing(state: str = "firing") -> Alert:
    return Alert(
        "drift/risk/%2Fpredict/feature/age", "drift", "risk", "3", "/predict", "age", "feature", state,  # type: ignore[arg-type]
        f"age {HOSTILE} rose from 40 to 60", NOW - 300, NOW - 420, 800, 0.4, segment="carrier=UA",
        exemplars=("0af7651916cd43dd8448eb211c80319c",),
        slice=Slice("found", summary="most of it where hour is 19 to 23"),
    )  # fmt: skip


def a_view(
    *alerts: Alert,
    at: float = NOW - 4,
    reports: Sequence[VersionReport] = (),
    segments: Sequence[tuple[str, float, float, float, str]] = (),
) -> View:
    """Of the model's *segments* besides its own two: statistic, value, low, high, name."""
    own = [
        score("error_rate", 0.02, low=0.01, high=0.03),
        score("refusal_rate", 0.0),
        score("throughput", 12.5),
        score("latency_p50", 0.005),
        score("latency_p99", 0.05),
    ]
    of_model = [
        score("psi", 0.5, low=0.4, high=0.6, column="age", role="feature"),
        score("psi", 0.001, low=0.0, high=0.6, column=HOSTILE, role="output"),
        score("accuracy", 0.9, low=0.88, high=0.92, reference=0.93),
        score("estimated_accuracy", 0.91, low=0.9, high=0.92),
        score("rows", 200, segment="carrier=UA"),
        score("failure_rate", 0.3, low=0.2, high=0.4, segment="carrier=UA"),
        score("rows", 900, segment="carrier=AA"),
        score("failure_rate", 0.01, low=0.0, high=0.02, segment="carrier=AA"),
    ]
    of_model += [
        score(name, value, low=low, high=high, segment=segment) for name, value, low, high, segment in segments
    ]
    snapshots = [
        ("/predict", Snapshot("", "", own)),
        ("/predict", Snapshot("risk", "3", of_model, "watching")),
        ("/new", Snapshot("young", "", [score("reference_learned", 0.4)], "learning")),
    ]
    status = status_of(snapshots, alerts, Moment(at, 10.0, 3600.0, workers=2, analysed_rate=0.5))
    return view_of(status, versions_of(reports, at=at, pane_seconds=10.0))


def a_report(evidence: SequentialEvidence | None = None, **others: Any) -> VersionReport:
    """Of v1 and v2, whose failure rates are told and of whose accuracy nothing is known."""
    told: dict[str, Any] = {
        "higher_is_worse": True,
        "stable_rows": 900,
        "candidate_rows": 100,
        "is_asymptotic": False,
        "decision": "undecided",
    }
    asymptotic: dict[str, Any] = {**told, "is_asymptotic": True}
    figures = (
        VersionFigure(
            "failure_rate", 0.02, 0.03, 0.01, -inf, 0.05, is_deciding=True, words="too few", evidence=evidence, **told
        ),
        VersionFigure("latency_p99", 0.1, 0.05, -0.05, -0.06, inf, is_deciding=False, words="", **told),
        VersionFigure("mae", 2.0, 2.5, 0.5, 0.1, 0.9, is_deciding=False, words="", **asymptotic),
        VersionFigure("accuracy", nan, nan, nan, nan, nan, is_deciding=False, words=f"no labels {HOSTILE}", **told),
    )
    usual: dict[str, Any] = {
        "endpoint": "/predict",
        "model": "risk",
        "stable": "v1",
        "candidate": "v2",
        "is_simultaneous": True,
        "shares": {"v1": 0.9, "v2": 0.1},
        "rows": {"v1": 900, "v2": 100},
        "figures": figures,
        "figure": "failure_rate",
        "max_loss": 0.0,
        "level": 0.05,
        "decision": "undecided",
        "decided_at": nan,
        "words": "too few exchanges",
    }
    return VersionReport(**{**usual, **others})


@pytest.fixture
def report() -> Callable[..., VersionReport]:
    """Two versions side by side: (evidence, ...)."""
    return a_report


@pytest.fixture
def view() -> Callable[..., View]:
    """What is shown: (*alerts, at, reports, segments)."""
    return a_view


@pytest.fixture
def an_alert() -> Callable[..., Alert]:
    """An alert in force: (state)."""
    return firing


@pytest.fixture
def state_dir(tmp_path: Path) -> Callable[[View | None], Path]:
    """A state directory in which an app has shown a view and ended."""

    def made(shown: View | None) -> Path:
        meeting = Meeting.open(tmp_path, "uvicorn app:app")
        if shown is not None:
            write_private(meeting.path / "view", *VIEW.freeze(shown))
        write_private(meeting.path / "token", f"{TOKEN}\n".encode())
        meeting.leave()
        return tmp_path

    return made


class App:
    """Answers as an app does; what it answers can be changed."""

    def __init__(self, shown: View) -> None:
        self.shown = shown
        self.status = 0
        self.asked: list[str] = []
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                app.asked.append(self.path)
                is_known = self.headers["authorization"] == f"Bearer {TOKEN}"
                status = app.status or (200 if is_known else 401)
                part = app.shown.versions if self.path.endswith("/versions") else app.shown.status
                body = part if status == 200 else b"no\x1b[31m"
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its class calls it
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def app(view: Callable[..., View]) -> Iterator[App]:
    """An app on loopback in which all is well."""
    made = App(view())
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours in the environment."""
    for name in ("DASHLIGHT_STATE_DIR", "DASHLIGHT_TOKEN", "DASHLIGHT_PATH"):
        monkeypatch.delenv(name, raising=False)
