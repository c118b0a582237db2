"""The one line: `@dashlight_bentoml.watch` above `@bentoml.service`."""

from __future__ import annotations

from typing import Any, TypeVar

from dashlight_bentoml.foreign import Service, is_service
from dashlight_bentoml.middleware import ServiceMiddleware
from dashlight_bentoml.specs import watch_method

Watched = TypeVar("Watched")


def watch(service: Watched) -> Watched:
    """Watches *service* and all that it depends on, in whatever processes they are served; returns the same object.

    Doing it twice changes nothing. Nothing starts before the service is served.

    Raises:
        TypeError: *service* is none of BentoML's: the decorators stand in the wrong order, say.
    """
    if not is_service(service):
        name = getattr(service, "__name__", None) or getattr(service, "name", None) or type(service).__name__
        if hasattr(service, "add_asgi_middleware"):
            raise TypeError(
                f"dashlight_bentoml.watch({name}): found a legacy service of BentoML; "
                f"write {name}.add_asgi_middleware(dashlight.DashlightMiddleware)"
            )
        raise TypeError(
            f"dashlight_bentoml.watch({name}): expected what @bentoml.service makes of a class; "
            "write @dashlight_bentoml.watch above @bentoml.service, not below it"
        )
    found: Any = service
    for each in found.all_services().values():
        _watch_one(each)
    return service


def _watch_one(service: Service) -> None:
    if any(middleware is ServiceMiddleware for middleware, _ in service.middlewares):
        return
    for method in service.apis.values():
        watch_method(method)
    service.middlewares.insert(0, (ServiceMiddleware, {"service": service}))
