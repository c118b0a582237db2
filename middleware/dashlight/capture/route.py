"""The endpoint of a request: its route template, never its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from dashlight.capture.route_tree import RouteTree, context_of

UNMATCHED = "unmatched"
OTHER = "other"
"""What endpoints are called that are too many to be told apart; they are counted together, and never judged."""
MOST_ROUTES = 1024
"""Names that a process gives in all."""
MOST_GUESSED = 64
"""Of these, names that were put together from a path, because the router left no template."""
MOST_ROOTS = 16
"""Root paths that may stand in names."""
_MOST_TREES = 8
"""Routers whose routes are remembered; a process has one, as a rule."""

_trees: dict[int, RouteTree] = {}
"""By the id of the router, which lives as long as its tree. A Router cannot be a key itself: it has no hash."""


class RouteNames:
    """Names endpoints, no more than so many, whatever routers and clients do."""

    def __init__(
        self, *, most: int = MOST_ROUTES, most_guessed: int = MOST_GUESSED, most_roots: int = MOST_ROOTS
    ) -> None:
        self._room, self._room_for_guesses, self._room_for_roots = most, most_guessed, most_roots
        self._given: set[str] = {UNMATCHED}
        self._roots: set[str] = {""}

    def name(self, scope: MutableMapping[str, Any], path: str, count: Callable[[str], None]) -> str:
        """As `route_of`; OTHER where that would be one name too many, of which it tells *count*, as of a mistake of ours.

        *path* is that of the request before any router saw it.
        """
        try:
            # The usual case without more ado: an endpoint that stands in one place.
            tree = _trees.get(id(scope.get("router")))
            template = tree.sole.get(id(scope.get("endpoint"))) if tree is not None else None
            if template is not None and "path_template" not in scope:
                root, is_guessed = _entered(scope), False
            else:
                root, template, is_guessed = _found(scope, path)
        except Exception as error:  # a mistake costs the name, not the exchange
            count(type(error).__name__)
            return UNMATCHED
        route = f"{root}{template}" if root and self._knows(root) else template
        if route not in self._given:
            if not self._room or (is_guessed and not self._room_for_guesses):
                count("too_many_routes")
                return OTHER
            self._given.add(route)
            self._room -= 1
            self._room_for_guesses -= is_guessed
        return route

    def _knows(self, root: str) -> bool:
        """Whether *root* may stand in names: a proxy may make root paths of what clients send."""
        if root not in self._roots and self._room_for_roots:
            self._roots.add(root)
            self._room_for_roots -= 1
        return root in self._roots


def route_of(scope: MutableMapping[str, Any]) -> str:
    """Route template of a request that the app has routed, or UNMATCHED.

    Read after the app has answered: routers write into the scope while they route. As FastAPI's own span has it: root
    path, prefixes of mounts and included routers, path of the route; what no route below a mount has taken is
    `<path of the mount>/{path}`. Understands Starlette and FastAPI, the `path_template` of Litestar, and any router that
    leaves a `route`, or `endpoint` and `path_params`.
    """
    root, template, _ = _found(scope, scope["path"])
    return root + template


def _found(scope: MutableMapping[str, Any], path: str) -> tuple[str, str, bool]:
    """Root path and template, and whether the template is put together from *path*, as it was before any router saw it."""
    endpoint, route = scope.get("endpoint"), scope.get("route")
    template = scope.get("path_template")
    if isinstance(template, str):
        return "", template or UNMATCHED, False
    tree = _tree_of(scope.get("router"))
    if tree is not None:
        template = tree.template(scope, _readings(scope, path)) if endpoint is not None else None
    template = template or _own_template(scope, route)
    if template is not None:
        return _entered(scope), template, False
    if tree is not None or endpoint is None:
        return "", UNMATCHED, False
    return "", _with_names(path, scope.get("path_params") or {}), True


def _tree_of(router: Any) -> RouteTree | None:
    """The routes of *router*; None where it is none of Starlette's or FastAPI's."""
    if router is None:
        return None
    tree = _trees.get(id(router))
    if tree is None:
        if len(_trees) >= _MOST_TREES:
            _trees.clear()
        tree = _trees[id(router)] = RouteTree(router)
    return None if tree.is_empty else tree


def _own_template(scope: Mapping[str, Any], route: Any) -> str | None:
    """What the route in *scope* says of itself, for where nothing says what it stands below."""
    told = context_of(scope) or route
    template = getattr(told, "path_format", None) or getattr(told, "path", None)
    return template if isinstance(template, str) else None


def _entered(scope: Mapping[str, Any]) -> str:
    """The root path with which the first router was entered: Mounts add to it, and keep what it was."""
    entered = scope.get("app_root_path")
    return str((scope.get("root_path") or "") if entered is None else entered).rstrip("/")


def _readings(scope: Mapping[str, Any], path: str) -> Iterator[str]:
    """*path* as the first router may have read it: without its root path, or whole."""
    root = _entered(scope)
    if root and path.startswith(root):
        yield path[len(root) :]
    yield path


def _with_names(path: str, parameters: Mapping[str, object]) -> str:
    """*path* with the values of *parameters* put back to their names; UNMATCHED where one is not to be found in it."""
    whole = f"{path}/"
    for name, value in sorted(parameters.items(), key=lambda each: len(str(each[1])), reverse=True):
        before, found, after = whole.rpartition(f"/{value}/")
        if not found:
            return UNMATCHED
        whole = f"{before}/{{{name}}}/{after}"
    return whole[:-1]
