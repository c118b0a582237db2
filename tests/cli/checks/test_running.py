"""What is said of a running app by what its figures show."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dashlight.cli.checks.running import Asked, running_findings, tokens_of

TOKEN = "0123456789abcdef"
FIGURES = """# TYPE dashlight_figures_made_at_seconds gauge
dashlight_figures_made_at_seconds 1790000000.0
dashlight_workers 4.0
dashlight_model_state{dashlight_model_name="a",dashlight_model_state="watching"} 1.0
dashlight_model_state{dashlight_model_name="b",dashlight_model_state="learning"} 1.0
dashlight_dropped_total{dashlight_signal="metrics",dashlight_reason="replaced"} 5.0
"""
AT = 1_790_000_005.0


class App(ThreadingHTTPServer):
    """Answers `/metrics` to whoever knows the token."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.figures, self.status = FIGURES, 200
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: App

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status = self.server.status if self.headers["authorization"] == f"Bearer {TOKEN}" else 401
        if self.path != "/dashlight/metrics":
            status = 404
        self.send_response(status)
        if status == 302:
            self.send_header("location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(self.server.figures.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


@pytest.fixture
def app() -> Iterator[App]:
    server = App()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def found(app: App) -> Callable[..., list[tuple[str, str]]]:
    """What is found of the app: pairs of level and sentence, without what its clock says."""

    def find(url: str = "", *, tokens: tuple[str, ...] = (TOKEN,), at: float = AT) -> list[tuple[str, str]]:
        asked = Asked(url or app.url, "/dashlight", tokens, 10.0)
        return [(each.level, each.sentence) for each in running_findings(asked, at=at) if each.subject != "clock"]

    return find


def test_of_an_app_that_watches_the_age_of_its_figures_is_told(found: Callable[..., list[tuple[str, str]]]) -> None:
    assert found() == [
        ("ok", "its figures are 5 s old"),
        ("ok", "4 workers; models: 1 watched, 1 being learned"),
    ]


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ("", "1 worker; no model has had rows yet"),
        ('dashlight_model_state{dashlight_model_state="not_enough_data"} 1.0\n', "1 worker; models: 1 with too few rows so far"),
    ],
    ids=["no rows", "few rows"],
)  # fmt: skip
def test_a_model_that_is_not_watched_yet_is_told(
    app: App, found: Callable[..., list[tuple[str, str]]], states: str, words: str
) -> None:
    app.figures = f"dashlight_figures_made_at_seconds 1790000000.0\ndashlight_workers 1.0\n{states}"

    assert ("ok", words) in found()


@pytest.mark.parametrize("path", ["", "/", "/dashlight", "/dashlight/", "/dashlight/metrics"])
def test_its_address_may_be_given_in_any_length(
    app: App, found: Callable[..., list[tuple[str, str]]], path: str
) -> None:
    assert found(app.url + path)[0][0] == "ok"
    assert app.asked == ["/dashlight/metrics"]


@pytest.mark.parametrize("at", [AT + 200, AT - 300], ids=["old", "of the future"])
def test_figures_that_are_not_of_now_are_wrong(found: Callable[..., list[tuple[str, str]]], at: float) -> None:
    assert found(at=at)[0][0] == "wrong"


def test_mistakes_and_losses_are_to_look_after_and_alerts_are_told(
    app: App, found: Callable[..., list[tuple[str, str]]]
) -> None:
    app.figures += 'dashlight_mistakes_total{error_type="KeyError"} 2.0\n'
    app.figures += 'dashlight_dropped_total{dashlight_reason="outbox_full"} 1200.0\n'
    app.figures += 'dashlight_alert_in_force{dashlight_alert_state="firing"} 3.0\n'

    assert [level for level, _ in found()] == ["ok", "ok", "ok", "unusual", "unusual"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (503, "no figures yet"),
        (501, "prometheus-client"),
        (302, "no answer of Dashlight's"),
        (404, "DASHLIGHT_METRICS"),
    ],
)
def test_what_is_no_figures_is_wrong_and_no_redirect_is_followed(
    app: App, found: Callable[..., list[tuple[str, str]]], status: int, words: str
) -> None:
    app.status = status

    ((level, sentence),) = found()

    assert level == "wrong"
    assert words in sentence


def test_the_right_one_of_several_tokens_is_found_and_none_is_shown(
    found: Callable[..., list[tuple[str, str]]],
) -> None:
    assert found(tokens=("another-token-of-it", TOKEN))[0][0] == "ok"

    ((level, sentence),) = found(tokens=("another-token-of-it",))
    assert (level, "another-token" in sentence) == ("wrong", False)
    assert found(tokens=())[0][0] == "wrong"


def test_an_app_that_is_not_there_is_wrong(found: Callable[..., list[tuple[str, str]]]) -> None:
    ((level, sentence),) = found("http://user:hunter2@127.0.0.1:1")

    assert level == "wrong"
    assert "hunter2" not in sentence


def test_figures_of_something_else_are_wrong(app: App, found: Callable[..., list[tuple[str, str]]]) -> None:
    app.figures = "go_goroutines 7\n"

    assert found()[0][0] == "wrong"


def test_tokens_are_those_that_the_apps_of_this_user_keep(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(f"token-of-app-{name}\n")

    assert tokens_of("", str(tmp_path))[:2] == ["token-of-app-a", "token-of-app-b"]
    assert tokens_of(TOKEN, str(tmp_path)) == [TOKEN]
