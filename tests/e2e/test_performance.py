"""From predictions of a real server with two workers, over labels that come later, to accuracy in metrics and an alert."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashlight.cli.main import main

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers by /proc")
PATIENCE_SECONDS = 60.0
TOKEN = "the-token-of-this-test"
SHOWN = {"authorization": f"Bearer {TOKEN}"}
HOUR_SECONDS = 3.0
"""An hour in the world of the app."""
ROWS = 100
"""Of a request."""
GUNICORN = [
    "gunicorn", "risky:app", "--workers", "2", "--bind", "127.0.0.1:{port}", "--worker-class",
    "uvicorn_worker.UvicornWorker", "--log-level", "warning",
]  # fmt: skip


class Hooks(ThreadingHTTPServer):
    """A webhook that takes everything."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hooks  # pyright: ignore[reportIncompatibleVariableOverride] - whom it serves

    def do_POST(self) -> None:
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    running = Hooks()
    yield running
    running.shutdown()
    running.server_close()


@dataclass
class Model:
    """What was asked of a model, and what came of it."""

    url: str
    path: str
    ids: list[str] = field(default_factory=list[str])
    scores: list[float] = field(default_factory=list[float])
    right_count: int = 0
    labelled_count: int = 0

    def ask(self, rng: np.random.Generator, requests: int) -> None:
        """Predictions, each request on a connection of its own, so that all workers get some."""
        for _ in range(requests):
            scores = drawn(rng, ROWS)
            rows = [{"x": score} for score in scores]
            with httpx.Client(trust_env=False) as client:
                answer = client.post(f"{self.url}{self.path}", json=rows)
            assert answer.status_code == 200
            exchange = answer.headers["x-prediction-id"]
            self.ids += [f"{exchange}:{row}" for row in range(ROWS)]
            self.scores += scores

    def tell(self, rng: np.random.Generator, *, extra_errors: float = 0.0) -> dict[str, int]:
        """The truth of all predictions that have none yet; the scores are true, but for *extra_errors*."""
        fresh = slice(self.labelled_count, len(self.ids))
        scores = np.array(self.scores[fresh])
        decided = scores >= 0.5
        truth = (rng.random(len(scores)) < scores) ^ (rng.random(len(scores)) < extra_errors)
        body = [
            {"id": identifier, "label": "bad" if is_true else "good"}
            for identifier, is_true in zip(self.ids[fresh], truth.tolist(), strict=True)
        ]
        self.right_count += int((truth == decided).sum())
        self.labelled_count = len(self.ids)
        # A worker that has just begun says that it can take none yet. Sent again they are duplicates, until all have met a
        # prediction: those are written within a second, and what is written is not lost.
        answer = until(lambda: self.posted(body), has_met)
        assert has_met(answer), "nobody takes labels" if answer is None else answer.text
        found: dict[str, int] = answer.json()
        return found

    def posted(self, body: list[dict[str, str]]) -> httpx.Response | None:
        """The answer to these labels; None where whoever took them died."""
        try:
            return httpx.post(f"{self.url}/dashlight/labels", json=body, headers=SHOWN, trust_env=False, timeout=30)
        except httpx.HTTPError:
            return None

    @property
    def accuracy(self) -> float:
        return self.right_count / self.labelled_count


def has_met(answer: httpx.Response | None) -> bool:
    """Whether all labels were taken, and have found their predictions."""
    return answer is not None and answer.status_code == 200 and answer.json()["unknown"] == 0


def drawn(rng: np.random.Generator, count: int) -> list[float]:
    chances = rng.uniform(0.02, 0.2, count)
    scores: list[float] = np.where(rng.random(count) < 0.5, chances, 1 - chances).tolist()
    return scores


def figures(url: str, name: str) -> dict[tuple[str, str], float]:
    """The samples of one metric, by endpoint and statistic or fate."""
    try:
        answer = httpx.get(f"{url}/dashlight/metrics", headers=SHOWN, trust_env=False)
    except httpx.HTTPError:
        return {}
    if answer.status_code != 200:
        return {}
    return {
        (
            sample.labels.get("http_route", ""),
            sample.labels.get("dashlight_statistic", sample.labels.get("dashlight_label_fate", "")),
        ): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


def until(look: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    """What *look* sees once it *is_there*, or at the end of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seen = look()
    while not is_there(seen) and time.monotonic() < deadline:
        time.sleep(0.05)
        seen = look()
    return seen


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a model whose scores are true: it is right in 89 of 100 rows."""
    rng, directory = np.random.default_rng(8), tmp_path_factory.mktemp("reference")
    scores = drawn(rng, 20_000)
    truth = np.where(rng.random(len(scores)) < np.array(scores), "bad", "good")
    lines = [
        f"{score},{score},{'bad' if score >= 0.5 else 'good'},{label}"
        for score, label in zip(scores, truth.tolist(), strict=True)
    ]
    table = directory / "training.csv"
    table.write_text("\n".join(["x,risk,decision,y", *lines]))
    path = directory / "reference.json"
    words = [
        "--prediction",
        "risk",
        "decision",
        "--label",
        "y",
        "--score",
        "risk",
        "--positive",
        "bad",
        "--unordered",
        "--quiet",
    ]
    assert main(["reference", "build", str(table), "--output", str(path), *words]) == 0
    return path


@pytest.fixture
def environ(reference: Path, hooks: Hooks, tmp_path: Path) -> dict[str, str]:
    return {
        "DASHLIGHT_REFERENCE": str(reference),
        "DASHLIGHT_LABELS": "true",
        "DASHLIGHT_METRICS": "true",
        "DASHLIGHT_TOKEN": TOKEN,
        "DASHLIGHT_PREDICTION_ID_HEADER": "x-prediction-id",
        "DASHLIGHT_STATE_DIR": str(tmp_path / "state"),
        "DASHLIGHT_WEBHOOK": f"{hooks.url}/hook",
        # In a world where an hour takes three seconds.
        "BEGAN_AT": str(time.time()),
        "DASHLIGHT_PANE": "10m",
        "DASHLIGHT_WINDOW": "7d",
        "DASHLIGHT_CPU": "100%",
    }


def workers_of(environ: dict[str, str]) -> list[int]:
    """Processes that serve with this environment and were started by another of them: the workers."""
    marker = f"DASHLIGHT_STATE_DIR={environ['DASHLIGHT_STATE_DIR']}".encode()
    found: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if marker in (path / "environ").read_bytes().split(b"\0"):
                state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    found[int(path.name)] = int(parent)
    return sorted(pid for pid, parent in found.items() if parent in found)


def test_late_labels_become_accuracy_and_an_alert_and_no_death_counts_one_twice(
    served: Callable[..., Any], environ: dict[str, str], hooks: Hooks
) -> None:
    rng = np.random.default_rng(21)
    with served(GUNICORN, environ) as url:
        steady, worse = Model(url, "/steady"), Model(url, "/worse")
        for _ in range(8):
            for model in (steady, worse):
                model.ask(rng, 5)
            told = [steady.tell(rng), worse.tell(rng, extra_errors=0.3)]
            assert [each["invalid"] + each["too_late"] for each in told] == [0, 0], told
            time.sleep(HOUR_SECONDS)

        seen = until(lambda: figures(url, "dashlight_model_score"), lambda each: is_known(each, [steady, worse]))
        assert is_known(seen, [steady, worse]), told_of(seen, [steady, worse])
        assert 0.85 < steady.accuracy < 0.93
        # What is expected of the scores alone: it cannot know that the world of the other has moved.
        for model in (steady, worse):
            assert seen[model.path, "estimated_accuracy"] == pytest.approx(0.89, abs=0.03)
        assert worse.accuracy < 0.75
        assert until(lambda: alarmed(hooks), bool) == {"/worse"}

        for worker in workers_of(environ):
            # One of them judges. Whoever goes on has counted in its checkpoint what it has read.
            steady.ask(rng, 5)
            steady.tell(rng)
            os.kill(worker, signal.SIGKILL)
            assert until(partial(is_replaced, worker, environ), bool)
            seen = until(lambda: figures(url, "dashlight_model_score"), lambda each: is_known(each, [steady, worse]))
            assert is_known(seen, [steady, worse]), told_of(seen, [steady, worse])

    with served(GUNICORN, environ) as url:
        steady.url = url
        steady.ask(rng, 5)
        steady.tell(rng)
        seen = until(lambda: figures(url, "dashlight_model_score"), lambda each: is_known(each, [steady, worse]))
        assert is_known(seen, [steady, worse]), told_of(seen, [steady, worse])
    assert alarmed(hooks) == {"/worse"}


def is_replaced(worker: int, environ: dict[str, str]) -> bool:
    """Whether there are two workers, and that one is none of them."""
    workers = workers_of(environ)
    return worker not in workers and len(workers) == 2


def is_known(seen: dict[tuple[str, str], float], models: Sequence[Model]) -> bool:
    """Whether the accuracy of all *models* is exactly that of all labels: none is lost, none counted twice."""
    return all(
        abs(seen.get((model.path, "accuracy"), -1.0) - model.accuracy) < 1e-12
        and seen.get((model.path, "labels")) == model.labelled_count
        for model in models
    )


def told_of(seen: dict[tuple[str, str], float], models: Sequence[Model]) -> list[tuple[float | None, float, int]]:
    """Labels and accuracy as they are shown, and the labels that were told, of each of *models*."""
    return [
        (seen.get((each.path, "labels")), seen.get((each.path, "accuracy"), -1.0), each.labelled_count)
        for each in models
    ]


def alarmed(hooks: Hooks) -> set[str]:
    """The endpoints of which an alert of performance was told, none of which is over."""
    told = [message for message in hooks.told if any(alert["source"] == "performance" for alert in message["alerts"])]
    assert "resolved" not in {message["transition"] for message in told}
    return {message["endpoint"] for message in told}
