"""What `dashlight.watch` is given that is no ASGI app."""

from __future__ import annotations

import re
from functools import partial, wraps
from typing import Any

import pytest

from dashlight import DashlightMiddleware, watch


class Flask:
    """As Flask's: its name is that of the module."""

    name = "prices"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        raise NotImplementedError


class IterableResponse:
    """A WSGI app as PEP 3333 has it, made anew for each request."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        raise NotImplementedError


def wsgi(environ: Any, start_response: Any) -> Any:
    raise NotImplementedError


def wsgi_of_other_names(env: Any, respond: Any) -> Any:
    raise NotImplementedError


def optional_wsgi(environ: Any, start_response: Any = None) -> Any:
    raise NotImplementedError


@wraps(wsgi)
def decorated_wsgi(*args: Any) -> Any:
    raise NotImplementedError


def make_app() -> Any:
    raise NotImplementedError


class Uncalled:
    """An ASGI app once it is made."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError


def bentoml_service(module: str, **attributes: Any) -> Any:
    return type("Prices", (type("Service", (), {"__module__": module}),), {"name": "Prices", **attributes})()


WSGI = "takes two arguments, as WSGI apps do; write dashlight.watch(a2wsgi.WSGIMiddleware({}))"


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (Flask(), WSGI.format("prices")),
        (wsgi, WSGI.format("wsgi")),
        (Flask().__call__, WSGI.format("__call__")),
        (partial(lambda extra, environ, start_response: None, 1), WSGI.format("partial")),
        (IterableResponse, WSGI.format("IterableResponse")),
        (wsgi_of_other_names, WSGI.format("wsgi_of_other_names")),
        (optional_wsgi, WSGI.format("optional_wsgi")),
        (decorated_wsgi, WSGI.format("wsgi")),
        (
            bentoml_service("_bentoml_sdk.service.factory", all_services=dict, __call__=make_app),
            "a service of BentoML; write dashlight_bentoml.watch(Prices), or @dashlight_bentoml.watch above",
        ),
        (
            bentoml_service("bentoml._internal.service.service"),
            "a service of BentoML; write Prices.add_asgi_middleware(dashlight.DashlightMiddleware)",
        ),
        (make_app, "takes () -> 'Any'; write dashlight.watch(make_app())"),
        (Uncalled, "takes (); write dashlight.watch(Uncalled())"),
        (lambda scope, receive, send, extra: None, "takes (scope, receive, send, extra)"),
        ("module:app", "found str, which cannot be called"),
        (None, "found NoneType, which cannot be called"),
    ],
    ids=[
        "Flask", "a function", "a method", "a partial", "a class", "other names", "optional", "decorated", "BentoML",
        "legacy BentoML", "a factory", "a class for its instance", "too many", "an import string", "nothing",
    ],
)  # fmt: skip
def test_what_is_no_asgi_app_is_refused_with_what_to_write(app: Any, words: str) -> None:
    with pytest.raises(TypeError, match=re.escape(words)):
        watch(app)

    with pytest.raises(TypeError, match=re.escape(words)):
        DashlightMiddleware(app)
