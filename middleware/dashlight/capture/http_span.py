"""What a span says of a request before it is decoded, by the names of the semantic conventions."""

from __future__ import annotations

from typing import Any

from dashlight.capture.route import UNMATCHED
from dashlight.privacy.names import REDACTED, told_agent
from dashlight.records import Headers
from dashlight.types import Scope
from dashlight.units import server_of

_LONGEST_USER_AGENT = 256


def span_name(method: str, route: str) -> str:
    """Name of a server span: method and route, never a path."""
    return method if route == UNMATCHED else f"{method} {route}"


def first_attributes(scope: Scope, headers: Headers, *, client_address: str) -> dict[str, Any]:
    """Those that are known when a request begins, for samplers to look at; *client_address* may be empty."""
    attributes: dict[str, Any] = {
        "http.request.method": scope["method"],
        "url.path": scope["path"],
        "url.scheme": scope.get("scheme", "http"),
    }
    said = dict(headers)
    address, port = server_of(said.get(b"host", b""), scope.get("server"))
    if address:
        attributes["server.address"] = address
    if port is not None:
        attributes["server.port"] = port
    if scope.get("http_version"):
        attributes["network.protocol.version"] = scope["http_version"]
    if said.get(b"user-agent"):
        attributes["user_agent.original"] = told_agent(said[b"user-agent"].decode("latin-1")[:_LONGEST_USER_AGENT])
    if client_address:
        attributes["client.address"] = client_address
    return attributes


def of_route(route: str) -> dict[str, Any]:
    """Those that are known once a route is: samplers have seen the path, whose parameters are what a client wrote."""
    return {"url.path": f"/{REDACTED}"} if route == UNMATCHED else {"url.path": route, "http.route": route}


def sizes(request_bytes: int, response_bytes: int, *, kept_bytes: int) -> dict[str, Any]:
    """Those of both bodies, and whether more came of the request than the *kept_bytes* that are kept at most."""
    found: dict[str, Any] = {"http.request.body.size": request_bytes, "http.response.body.size": response_bytes}
    # Every attribute costs the app's SDK a microsecond here and three when it exports: no false ones.
    if request_bytes > kept_bytes:
        found["dashlight.request.truncated"] = True
    return found
