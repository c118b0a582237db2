"""A pytest plugin that puts Dashlight into every app of a test suite, and notes how each test ended.

`--dashlight=around` wraps each app where Starlette's TestClient or the ASGITransport of httpx or httpx2 receives it;
`--dashlight=first` makes the class the first user middleware of every Starlette app; `--outcomes` names the file for
the outcomes, as JSON. starlette_suite.py runs it.
"""

import functools
import json
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

PLACES = ("absent", "around", "first")
_RECEIVERS = (("starlette.testclient", "TestClient"), ("httpx", "ASGITransport"), ("httpx2", "ASGITransport"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the options of this plugin."""
    parser.addoption("--dashlight", choices=PLACES, default="absent", help="where the middleware goes")
    parser.addoption("--outcomes", type=Path, required=True, help="file for the outcome of every test")


def pytest_configure(config: pytest.Config) -> None:
    """Puts the middleware in its place before any test is collected."""
    place = config.getoption("--dashlight")
    config.pluginmanager.register(_Outcomes(config.getoption("--outcomes"), watched=place != "absent"))
    if place == "absent":
        return
    from dashlight.runtime.process import process

    # Before the tests, as a server starts it with its lifespan: loading modules is blocking by nature.
    if process.start(None) is None:
        raise pytest.UsageError("Dashlight did not start: the suite would prove nothing")
    _scan_for_blocking_calls()
    if place == "around":
        for module, name in _RECEIVERS:
            _wrap_app(getattr(import_module(module), name))
    else:
        _insert_first()


class _Outcomes:
    """Collects the outcomes of all tests, and what Dashlight saw of them."""

    def __init__(self, path: Path, *, watched: bool) -> None:
        self._path = path
        self._watched = watched
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The last phase that is not simply passed decides."""
        known = self._outcomes.get(report.nodeid, "passed")
        seen = f"{report.outcome} at {report.when}" if report.outcome != "passed" else "passed"
        if hasattr(report, "wasxfail"):
            seen = f"expected failure: {report.outcome}"
        self._outcomes[report.nodeid] = seen if known == "passed" else known

    def pytest_sessionfinish(self) -> None:
        """Writes the file."""
        found: dict[str, Any] = {"outcomes": self._outcomes}
        if self._watched:
            from dashlight.runtime.process import process

            if process.monitor is not None:
                capture = process.monitor.capture
                found["captured"] = capture.inbox.ended_count
                found["mistakes"] = Counter(capture.failures)
        self._path.write_text(json.dumps(found))


def _scan_for_blocking_calls() -> None:
    """Lets blockbuster, which Starlette's suite activates for its own package, look at ours as well."""
    guard: Any = import_module("blockbuster").BlockBuster
    original: Callable[..., None] = guard.__init__

    @functools.wraps(original)
    def scan_both(self: Any, scanned_modules: str, **options: Any) -> None:
        original(self, [scanned_modules, "dashlight"], **options)

    guard.__init__ = scan_both


def _wrap_app(receiver: Any) -> None:
    """Every app that *receiver* is made for arrives watched."""
    from dashlight import watch

    original: Callable[..., None] = receiver.__init__

    @functools.wraps(original)
    def watched(self: Any, app: Any, *arguments: Any, **options: Any) -> None:
        original(self, watch(app), *arguments, **options)

    receiver.__init__ = watched


def _insert_first() -> None:
    """Every Starlette app builds its stack with the class in front of its own middleware."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware

    from dashlight import DashlightMiddleware

    original = Starlette.build_middleware_stack

    @functools.wraps(original)
    def with_ours(self: Starlette) -> Any:
        self.user_middleware.insert(0, Middleware(DashlightMiddleware))
        try:
            return original(self)
        finally:
            del self.user_middleware[0]  # a test may look at the list

    Starlette.build_middleware_stack = with_ours  # type: ignore[method-assign]
