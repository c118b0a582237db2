"""The endpoint of a request: its route template, never its path."""

from collections.abc import Mapping, MutableMapping
from typing import Any

UNMATCHED = "unmatched"


def route_of(scope: MutableMapping[str, Any]) -> str:
    """Route template of a request that the app has routed, below the mounts it went through, or `unmatched`.

    Read after the app has answered: routers write into the scope while they route. Understands the `route` of
    Starlette and FastAPI, the `path_template` of Litestar, and any router that leaves `endpoint` and `path_params`.
    """
    route = scope.get("route")
    if route is not None:
        template = getattr(route, "path_format", None) or getattr(route, "path", None)
        if isinstance(template, str):
            root_path = str(scope.get("root_path") or "").rstrip("/")
            # Below a Mount that routes no further the root path already ends in the Mount's own path.
            return (root_path or template) if hasattr(route, "routes") else root_path + template
    template = scope.get("path_template")
    if isinstance(template, str):
        return template
    if scope.get("endpoint") is not None:
        return _with_names(scope["path"], scope.get("path_params") or {})
    return UNMATCHED


def _with_names(path: str, parameters: Mapping[str, object]) -> str:
    """*path* with the values of *parameters* put back to their names."""
    names = {str(value): name for name, value in parameters.items()}
    return "/".join(f"{{{names[piece]}}}" if piece in names else piece for piece in path.split("/"))
