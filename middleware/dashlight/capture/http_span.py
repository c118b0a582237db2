"""What a span says of a request before it is decoded, by the names of the semantic conventions."""

from __future__ import annotations

from typing import Any

from dashlight.capture.route import UNMATCHED
from dashlight.types import Scope


def span_name(method: str, route: str) -> str:
    """Name of a server span: method and route, never a path."""
    return method if route == UNMATCHED else f"{method} {route}"


def first_attributes(scope: Scope) -> dict[str, Any]:
    """Those that are known when a request begins, for samplers to look at."""
    attributes: dict[str, Any] = {
        "http.request.method": scope["method"],
        "url.path": scope["path"],
        "url.scheme": scope.get("scheme", "http"),
    }
    server = scope.get("server")
    if server:
        attributes["server.address"] = server[0]
        if server[1] is not None:
            attributes["server.port"] = server[1]
    if scope.get("http_version"):
        attributes["network.protocol.version"] = scope["http_version"]
    return attributes
