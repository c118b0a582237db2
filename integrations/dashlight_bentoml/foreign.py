"""What is touched of BentoML, as far as it has a shape: the one place where its private parts are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from importlib import import_module
from typing import Any, Protocol, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Any]
Send: TypeAlias = Callable[[Message], Any]
Spec: TypeAlias = Any
"""A pydantic class with the class methods from_http_request and to_http_response."""


class Request(Protocol):
    """Starlette's request."""

    @property
    def scope(self) -> Scope:
        """The ASGI scope."""
        ...


class Method(Protocol):
    """An API of a service: `_bentoml_sdk.method.APIMethod`."""

    name: str
    route: str
    input_spec: Spec
    output_spec: Spec
    batchable: bool
    is_task: bool


class Service(Protocol):
    """What `@bentoml.service` makes of a class: `_bentoml_sdk.service.factory.Service`."""

    name: str
    apis: Mapping[str, Method]
    middlewares: list[tuple[type, dict[str, Any]]]
    bento: Any

    def all_services(self) -> Mapping[str, Service]:
        """This one and those that it depends on, by name."""
        ...


def is_service(value: object) -> bool:
    """Whether *value* is a service of BentoML's, of 1.2 or later."""
    return all(hasattr(value, name) for name in ("all_services", "apis", "middlewares", "name"))


def exports_spans() -> bool:
    """Whether BentoML has been told where to send its own spans (`services.tracing.exporter_type`)."""
    container: Any = import_module("bentoml._internal.configuration.containers").BentoMLContainer
    return bool(container.tracing.exporter_type.get())


def monitor_class() -> Any:
    """The class that monitors of `bentoml.monitor` derive from."""
    return import_module("bentoml.monitoring").MonitorBase


def factory_of(app: Any) -> Any:
    """What has made the routes of *app* and answers them, `_bentoml_impl.server.app.ServiceAppFactory`; None if there is none."""
    routes: Sequence[Any] = getattr(app, "routes", ())
    for route in routes:
        bound = getattr(getattr(route, "endpoint", None), "func", None)
        owner = getattr(bound, "__self__", None)
        if hasattr(owner, "api_endpoint"):
            return owner
    return None


def path_of(service: Service, method: Method) -> str:
    """Where *method* is served."""
    prefix = str(getattr(service, "path_prefix", "") or "").strip("/")
    return f"/{prefix}{method.route}" if prefix else method.route


def bento_of(service: Service) -> tuple[str, str, bool]:
    """Name and version of the bento that *service* was loaded from, and whether that holds other services as well."""
    bento = getattr(service, "bento", None)
    tag = getattr(bento, "tag", None)
    if tag is None:
        return "", "", False
    services: Sequence[Any] = getattr(getattr(bento, "info", None), "services", ())
    return str(tag.name), str(tag.version or ""), len(services) > 1
