"""gunicorn's own workers; its uvicorn workers are seen to by uvicorn's patch."""

from __future__ import annotations

from functools import wraps
from typing import Any

from dashlight.zero_code.watched import say_not_asgi, unharmed, watched


def patch(module: Any) -> None:
    """Has the app that an ASGIWorker of `gunicorn.workers.gasgi` loads watched, in the worker after the fork."""
    load = module.ASGIWorker.load_wsgi

    @wraps(load)
    def load_watched(worker: Any, *arguments: Any, **named: Any) -> None:
        load(worker, *arguments, **named)
        with unharmed():
            worker.asgi = watched(worker.asgi)

    module.ASGIWorker.load_wsgi = load_watched


def patch_arbiter(module: Any) -> None:
    """Has gunicorn's master, in `gunicorn.arbiter`, say that workers for WSGI apps are not watched."""
    setup = module.Arbiter.setup

    @wraps(setup)
    def setup_saying(arbiter: Any, *arguments: Any, **named: Any) -> None:
        setup(arbiter, *arguments, **named)
        with unharmed():
            home: str = arbiter.worker_class.__module__
            if home.startswith("gunicorn.workers.") and home != "gunicorn.workers.gasgi":
                say_not_asgi("gunicorn", "WSGI")

    module.Arbiter.setup = setup_saying
