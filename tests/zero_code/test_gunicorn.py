from __future__ import annotations

import logging
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from dashlight import DashlightMiddleware
from dashlight.zero_code import watched
from dashlight.zero_code.gunicorn import patch, patch_arbiter

Copy = Callable[[str], ModuleType]


async def app(scope: Any, receive: Any, send: Any) -> None:
    pass


def test_what_an_asgi_worker_loads_is_watched(own_copy: Copy) -> None:
    module: Any = own_copy("gunicorn.workers.gasgi")
    patch(module)
    worker = module.ASGIWorker.__new__(module.ASGIWorker)
    worker.app = SimpleNamespace(wsgi=lambda: app)

    worker.load_wsgi()

    assert isinstance(worker.asgi, DashlightMiddleware)
    assert worker.asgi.app is app


@pytest.mark.parametrize(
    ("worker", "is_said"),
    [
        ("sync", True),
        ("gthread", True),
        ("asgi", False),
        ("uvicorn_worker.UvicornWorker", False),
    ],
)
def test_the_master_says_which_workers_are_not_watched(
    own_copy: Copy,
    caplog: pytest.LogCaptureFixture,
    worker: str,
    is_said: bool,  # noqa: FBT001 - a column of the table
) -> None:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

    class Application(BaseApplication):  # type: ignore[misc]  # no types of their own
        """Nothing but settings."""

        def load_config(self) -> None:
            self.cfg.set("worker_class", worker)

        def load(self) -> Any:
            return app

    watched._said.discard("gunicorn")
    module: Any = own_copy("gunicorn.arbiter")
    patch_arbiter(module)

    with caplog.at_level(logging.WARNING, logger="dashlight"):
        module.Arbiter(Application())

    assert ["gunicorn serves a WSGI app" in record.getMessage() for record in caplog.records] == [True] * is_said
