"""What a span says of an exchange, in the words of the semantic conventions.

Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span
"""

from collections.abc import Mapping

from dashlight.privacy.names import REDACTED, told_agent
from dashlight.records import Exchange
from dashlight.units import server_of

KNOWN_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
"""Methods that may be an attribute; any other is `_OTHER`, so that a client cannot invent values."""

_UNMATCHED = "unmatched"
_HIDDEN_PATH = f"/{REDACTED}"
_LONGEST_USER_AGENT = 256
"""Characters of a client's name for itself."""


def known_methods(environ: Mapping[str, str]) -> frozenset[str]:
    """The methods that OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS names, KNOWN_METHODS where it is unset."""
    named = environ.get("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "")
    return frozenset(name.strip() for name in named.split(",") if name.strip()) or KNOWN_METHODS


def span_name(exchange: Exchange, known: frozenset[str]) -> str:
    """Method and route template; the method alone where nothing matched."""
    method = exchange.method if exchange.method in known else "HTTP"
    return method if exchange.route == _UNMATCHED else f"{method} {exchange.route}"


def has_failed(exchange: Exchange) -> bool:
    """Whether the server failed: an answer of 500 and above, or an exception that is not the client's leaving."""
    return exchange.status >= 500 or (bool(exchange.error) and exchange.outcome == "error")


def shared_attributes(
    exchange: Exchange, known: frozenset[str], *, model: str, version: str, rows: int | None, confessed: str = ""
) -> dict[str, object]:
    """Attributes that many exchanges have in common: everything but client, sizes and identifier.

    *confessed* is the kind of an error that the answer holds although its status says nothing of it.
    """
    found: dict[str, object] = {}
    if exchange.method in known:
        found["http.request.method"] = exchange.method
    else:
        found["http.request.method"] = "_OTHER"
        found["http.request.method_original"] = exchange.method
    found["url.scheme"] = exchange.scheme
    # What stands in the parameters of a route, and in a path that matches none, is what a client wrote.
    found["url.path"] = _HIDDEN_PATH if exchange.route == _UNMATCHED else exchange.route
    if exchange.route != _UNMATCHED:
        found["http.route"] = exchange.route
    if exchange.status:
        found["http.response.status_code"] = exchange.status
    address, port = server_of(dict(exchange.request_headers).get(b"host", b""), exchange.server)
    if address:
        found["server.address"] = address
    if port is not None:
        found["server.port"] = port
    if exchange.http_version:
        found["network.protocol.version"] = exchange.http_version
    if has_failed(exchange):
        found["error.type"] = exchange.error or str(exchange.status)
    elif confessed:
        found["error.type"] = confessed
    found["dashlight.outcome"] = exchange.outcome
    if model:
        found["dashlight.model.name"] = model
    if version:
        found["dashlight.model.version"] = version
    if rows is not None:
        found["dashlight.rows"] = rows
    return found


def client_attributes(exchange: Exchange, user_agent: bytes) -> dict[str, object]:
    """What is known of who asked."""
    found: dict[str, object] = {}
    if user_agent:
        found["user_agent.original"] = told_agent(user_agent.decode("latin-1")[:_LONGEST_USER_AGENT])
    if exchange.client_address:
        found["client.address"] = exchange.client_address
    return found
