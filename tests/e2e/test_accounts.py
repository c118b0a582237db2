"""Real servers, whose workers are killed and whose collectors refuse: every exchange is accounted for."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers by /proc")
PATIENCE_SECONDS = 30.0
TOKEN = "the-token-of-this-test"
ROW = {"age": 40.0, "income": 2000.0, "number": 1}
FIGURES = 6
"""That are to be seen under load, one after the other."""
NOWHERE = "http://127.0.0.1:9"
UVICORN = ["uvicorn", "many_workers:app", "--port", "{port}", "--log-level", "warning"]
TWO_UVICORNS = [*UVICORN, "--workers", "2"]
GUNICORN = [
    "gunicorn", "many_workers:app", "--workers", "1", "--bind", "127.0.0.1:{port}",
    "--worker-class", "uvicorn_worker.UvicornWorker", "--log-level", "warning",
]  # fmt: skip
TWO_GUNICORNS = ["2" if piece == "1" else piece for piece in GUNICORN]
SERVERS = [pytest.param(UVICORN, id="uvicorn"), pytest.param(GUNICORN, id="gunicorn")]
PAIRS = [pytest.param(TWO_UVICORNS, id="uvicorn"), pytest.param(TWO_GUNICORNS, id="gunicorn")]
SETTINGS = {
    "DASHLIGHT_SAMPLE_RATE": "1",
    "DASHLIGHT_METRICS": "true",
    "DASHLIGHT_TOKEN": TOKEN,
    "DASHLIGHT_CPU": "100%",
    "OTEL_METRICS_EXPORTER": "none",
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    statuses = cycle([200, 503, 200, 429, 400, 200, 500])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(next(self.statuses))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


@pytest.fixture
def moody() -> Iterator[str]:
    """The address of a collector that takes some, refuses some, and is away at times."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def until(look: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    """What *look* sees once it *is_there*, or at the end of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seen = look()
    while not is_there(seen) and time.monotonic() < deadline:
        time.sleep(0.05)
        seen = look()
    return seen


def scraped(url: str) -> Mapping[tuple[str, ...], float]:
    """Values of our metrics by name and the values of their labels; empty while there are none."""
    with suppress(httpx.HTTPError):
        answer = httpx.get(f"{url}/dashlight/metrics", headers={"x-dashlight-token": TOKEN}, trust_env=False)
        if answer.status_code == 200:
            families = text_string_to_metric_families(answer.text)
            return {
                (sample.name, *sorted(sample.labels.values())): sample.value
                for family in families
                for sample in family.samples
            }
    return {}


def total(figures: Mapping[tuple[str, ...], float], name: str, *labels: str) -> float:
    """Sum over the series of one name that have all these values of labels."""
    return sum(value for key, value in figures.items() if key[0] == name and set(labels) <= set(key[1:]))


def balance(figures: Mapping[tuple[str, ...], float], signal_name: str) -> float:
    came = ("dashlight_captured_total", "dashlight_recovered_total")
    went = ("dashlight_delivered_total", "dashlight_sampled_out_total", "dashlight_dropped_total", "dashlight_pending")
    return sum(total(figures, name, signal_name) for name in came) - sum(
        total(figures, name, signal_name) for name in went
    )


@dataclass
class Load:
    """Clients that ask for as long as it lasts, and know what they were answered."""

    url: str
    clients: int = 4
    pause_seconds: float = 0.01
    answered: int = 0
    failed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[Load]:
        threads = [threading.Thread(target=self._ask) for _ in range(self.clients)]
        for each in threads:
            each.start()
        try:
            yield self
        finally:
            self._over.set()
            for each in threads:
                each.join()

    def _ask(self) -> None:
        while not self._over.wait(self.pause_seconds):
            try:
                # On a connection of its own, so that all workers get some.
                is_answered = httpx.post(f"{self.url}/predict", json=ROW, trust_env=False).status_code == 200
            except httpx.HTTPError:
                is_answered = False
            with self._lock:
                self.answered += is_answered
                self.failed += not is_answered


def said(log: Path) -> list[str]:
    """What the server had to say of what could not be sent."""
    return re.findall(r".*could not be sent.*", log.read_text())


@pytest.mark.parametrize("command", SERVERS)
def test_a_server_that_ends_says_in_one_line_what_it_could_not_send(
    served: Callable[..., Any], command: list[str], tmp_path: Path
) -> None:
    with served(command, {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE, "DASHLIGHT_PANE": "300ms"}) as url:
        assert until(lambda: scraped(url), bool)
        for _ in range(20):
            assert httpx.post(f"{url}/predict", json=ROW, trust_env=False).status_code == 200

    (line,) = said(tmp_path / "server.log")
    # Scores are events, too.
    assert re.search(r"20 spans and [2-9]\d events could not be sent: spans: 20 were still waiting \(unreachable", line)


@pytest.mark.parametrize("command", SERVERS)
def test_a_shutdown_that_runs_out_of_time_says_so_too(
    served: Callable[..., Any], command: list[str], tmp_path: Path
) -> None:
    with closed_ears() as deaf:
        environ = {"DASHLIGHT_SHUTDOWN_TIMEOUT": "500ms", "DASHLIGHT_PANE": "300ms"}
        with served(command, {**SETTINGS, **environ, "OTEL_EXPORTER_OTLP_ENDPOINT": deaf}) as url:
            assert until(lambda: scraped(url), bool)
            for _ in range(20):
                assert httpx.post(f"{url}/predict", json=ROW, trust_env=False).status_code == 200

    (line,) = said(tmp_path / "server.log")
    assert re.search(r"20 spans and [2-9]\d events could not be sent", line)


@contextmanager
def closed_ears() -> Iterator[str]:
    """The address of a collector that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("command", SERVERS)
def test_a_server_that_sent_everything_has_nothing_to_say(
    served: Callable[..., Any], collector: Any, command: list[str], tmp_path: Path
) -> None:
    with served(command, {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as url:
        for _ in range(20):
            assert httpx.post(f"{url}/predict", json=ROW, trust_env=False).status_code == 200

    assert said(tmp_path / "server.log") == []
    assert len([each for each in collector.items("event") if each["name"] == "dashlight.prediction"]) == 20


def test_every_scrape_under_load_adds_up_whatever_the_collector_does(served: Callable[..., Any], moody: str) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": moody, "DASHLIGHT_PANE": "300ms", "DASHLIGHT_SAMPLE_RATE": "0.5"}
    seen: Counter[float] = Counter()
    with served(TWO_GUNICORNS, SETTINGS | environ) as url:
        until(lambda: scraped(url), bool)
        with Load(url).running() as load:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while len(seen) < FIGURES and time.monotonic() < deadline:
                figures = scraped(url)
                for name in ("events", "spans"):
                    assert balance(figures, name) == 0
                seen[total(figures, "dashlight_figures_made_at_seconds")] += 1
        asked = load.answered + load.failed
        # The collector is away at times, and retries wait for longer each time.
        counted = until(
            lambda: scraped(url),
            lambda found: (
                total(found, "dashlight_captured_total", "spans") >= asked
                and total(found, "dashlight_delivered_total", "spans") > 0
            ),
        )

    assert len(seen) == FIGURES
    assert total(counted, "dashlight_captured_total", "spans") == asked
    assert total(counted, "dashlight_sampled_out_total", "events") > 0.3 * asked
    assert total(counted, "dashlight_delivered_total", "spans") > 0


@pytest.mark.parametrize("command", PAIRS)
def test_what_a_killed_worker_had_counted_since_its_last_pane_is_in_the_counts(
    served: Callable[..., Any], collector: Any, command: list[str], tmp_path: Path
) -> None:
    # A pane in which the worker is killed, and most of what it counted is in no other.
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "DASHLIGHT_PANE": "6s"}
    with served(command, SETTINGS | environ) as url:
        workers = until(lambda: watching_workers(url), lambda found: len(found) == 2)
        assert len(workers) == 2
        with Load(url).running() as load:
            time.sleep(6.0 - time.time() % 6.0 + 4.5)
            before = load.answered
            os.kill(workers[0], signal.SIGKILL)
            seconds = time.monotonic()
            time.sleep(1.0)
            rate = (load.answered - before) / (time.monotonic() - seconds)
        asked = load.answered
        figures = until(
            lambda: scraped(url),
            lambda found: (
                total(found, "dashlight_dropped_total", "exchanges", "killed") > 0
                and total(found, "dashlight_workers") == 2
            ),
        )

    counted = total(figures, "dashlight_requests_total", "unmatched", "ok")
    # What was in flight, and what that worker had answered since it wrote last: a round of the analysis.
    bound = load.clients + rate
    assert total(figures, "dashlight_dropped_total", "exchanges", "killed") > 0
    assert asked - bound <= counted <= asked + load.failed
    assert balance(figures, "events") == balance(figures, "spans") == 0
    assert "was killed" in (tmp_path / "server.log").read_text()


def watching_workers(url: str) -> list[int]:
    """The processes that serve *url* and have answered something: those that hold a journal."""
    found: list[int] = []
    port = url.rpartition(":")[2]
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            opened = [str(each.readlink()) for each in (path / "fd").iterdir()]
            if any(each.endswith(".journal") for each in opened) and listens(path, port):
                found.append(int(path.name))
    return sorted(found)


def listens(path: Path, port: str) -> bool:
    """Whether the process has this port's socket."""
    wanted = f":{int(port):04X}"
    inodes = {
        words[9]
        for words in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
        if words[1].endswith(wanted) and words[3] == "0A"
    }
    opened = {str(each.readlink()) for each in (path / "fd").iterdir()}
    return any(f"socket:[{inode}]" in opened for inode in inodes)
