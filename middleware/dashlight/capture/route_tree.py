"""The routes below one router of Starlette's or FastAPI's, with the templates that they have from its top."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

MOST_PLACES = 10_000
"""Routes of a router that are looked at; an app that makes more by itself is not followed."""
_DEEPEST = 16
"""Routers within routers, and apps within apps that stand before a router."""
_REST = "/{path}"
"""As Starlette's Mount writes what is below it: FastAPI's own span names by it what no route below has taken."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where a scope's endpoint may stand."""

    template: str
    endpoint: Any
    """Held here, so that its id stays its own."""
    route: Any
    """The object that the scope may name as its route."""
    path_format: str
    """Template of the route by itself, below its router."""
    matchers: tuple[re.Pattern[str], ...]
    """What the path has passed through, from the top: each but the last leaves the rest of it as `path`."""

    def fits(self, path: str) -> bool:
        """Whether *path* leads here."""
        for matcher in self.matchers:
            found = matcher.match(path)
            if found is None:
                return False
            path = "/" + (found.groupdict().get("path") or "")
        return True


class RouteTree:
    """Finds the template of what a router has matched; routes that are added later are found as well.

    Starlette before 1.1 leaves only the endpoint in the scope, below a Mount only the mounted app; FastAPI from 0.137
    leaves its route without the prefix of `include_router`. All of them leave the very endpoint of the route.
    """

    def __init__(self, router: Any) -> None:
        self.router = router
        self._fruitless_count = 0
        self._places: dict[int, list[_Place]] = {}
        self.sole: dict[int, str] = {}
        """Template of each endpoint that stands in one place alone, by its id."""
        self._build()

    @property
    def is_empty(self) -> bool:
        """Whether no route was found: the router is of another kind."""
        return not self._places

    def template(self, scope: Mapping[str, Any], paths: Iterable[str]) -> str | None:
        """Template of the route, or of the mount, that *scope* was last sent to; None where it is not known.

        Where one endpoint stands in several places, *paths* tells them apart: the path in each of its readings.
        """
        endpoint = scope["endpoint"]
        places = self._places.get(id(endpoint))
        if places is None:
            # Each look costs time, and the endpoints of some routes are not to be found: fewer and fewer looks.
            self._fruitless_count += 1
            if self._fruitless_count & (self._fruitless_count - 1):
                return None
            self._build()
            places = self._places.get(id(endpoint))
            if places is None:
                return None
            self._fruitless_count = 0
        return places[0].template if len(places) == 1 else _the_one(places, scope, paths).template

    def _build(self) -> None:
        found: dict[int, list[_Place]] = {}
        for place in islice(_walk(getattr(self.router, "routes", ()), "", (), _DEEPEST), MOST_PLACES):
            found.setdefault(id(place.endpoint), []).append(place)
        self._places = found
        self.sole = {key: places[0].template for key, places in found.items() if len(places) == 1}


def context_of(scope: Mapping[str, Any]) -> Any:
    """FastAPI's own word on the route of *scope*, from 0.137 on; None where it is about another route, or missing."""
    told: Mapping[str, Any] = scope.get("fastapi") or {}
    context = told.get("effective_route_context")
    return context if context is not None and context.original_route is scope.get("route") else None


def _the_one(places: list[_Place], scope: Mapping[str, Any], paths: Iterable[str]) -> _Place:
    route, context = scope.get("route"), context_of(scope)
    alike = [place for place in places if place.route is route] or places
    if context is not None:
        alike = [place for place in alike if place.path_format == context.path_format] or alike
    fitting = (place for path in paths for place in alike if place.fits(path))
    return alike[0] if len(alike) == 1 else next(fitting, alike[0])


def _walk(routes: Iterable[Any], prefix: str, matchers: tuple[re.Pattern[str], ...], deepest: int) -> Iterator[_Place]:
    """Every place below."""
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)
        if contexts is None:
            yield from _of_route(route, route, prefix, matchers, deepest)
            continue
        # A router that FastAPI has included: the template is that of the context, the object that of the router.
        for context in contexts():
            told = getattr(context, "starlette_route", None) or context
            yield from _of_route(told, context.original_route, prefix, matchers, deepest)


def _of_route(
    told: Any, route: Any, prefix: str, matchers: tuple[re.Pattern[str], ...], deepest: int
) -> Iterator[_Place]:
    path_format: Any = getattr(told, "path_format", None)
    matcher: Any = getattr(told, "path_regex", None)
    if isinstance(path_format, str) and matcher is not None:
        matchers = (*matchers, matcher)
    elif hasattr(told, "host_regex"):  # a Host, which is no part of the path
        path_format = _REST if prefix else ""
    else:
        return
    if not hasattr(told, "routes"):
        yield _Place(prefix + path_format, told.endpoint, route, path_format, matchers)
        return
    below = prefix + path_format.removesuffix(_REST)
    yield _Place(prefix + path_format, told.app, route, path_format, matchers)
    if deepest:
        yield from _walk(_routes_of(told), below, matchers, deepest - 1)


def _routes_of(mount: Any) -> Iterable[Any]:
    """Routes below *mount*, also where its app stands behind middlewares that do not show them."""
    routes: Any = mount.routes
    app: Any = mount.app
    for _ in range(_DEEPEST):
        if routes or app is None:
            break
        routes, app = getattr(app, "routes", None), getattr(app, "app", None)
    return routes or ()
