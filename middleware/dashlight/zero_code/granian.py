"""granian: its workers make an app ready with functions of one module for each interface."""

from __future__ import annotations

from functools import wraps
from typing import Any

from dashlight.zero_code.termination import flush_at_termination
from dashlight.zero_code.watched import say_not_asgi, watched


def patch(module: Any) -> None:
    """Has the app watched that `granian.asgi` makes ready in a worker, for requests and for the lifespan."""
    flush_at_termination()
    make_ready, begin = module._callback_wrapper, module.LifespanProtocol.__init__  # noqa: SLF001  # the one place that processes, threads and the embedded server share

    @wraps(make_ready)
    def make_watched(callback: Any, *arguments: Any, **named: Any) -> Any:
        return make_ready(watched(callback), *arguments, **named)

    @wraps(begin)
    def begin_watched(protocol: Any, callback: Any, *arguments: Any, **named: Any) -> None:
        begin(protocol, watched(callback), *arguments, **named)

    module._callback_wrapper = make_watched  # noqa: SLF001  # likewise
    module.LifespanProtocol.__init__ = begin_watched


def patch_rsgi(module: Any) -> None:
    """Has `granian.rsgi` say that an RSGI app is not watched."""
    _say_only(module, "RSGI")


def patch_wsgi(module: Any) -> None:
    """Has `granian.wsgi` say that a WSGI app is not watched."""
    _say_only(module, "WSGI")


def _say_only(module: Any, interface: str) -> None:
    make_ready = module._callback_wrapper  # noqa: SLF001  # as above

    @wraps(make_ready)
    def make_unwatched(*arguments: Any, **named: Any) -> Any:
        say_not_asgi("granian", interface)
        return make_ready(*arguments, **named)

    module._callback_wrapper = make_unwatched  # noqa: SLF001  # as above
