"""Where MLServer builds its two servers, and how they come to be watched.

MLServer has no setting for ASGI middleware or gRPC interceptors (1.7.1): the function that builds its REST app and the
method that answers its gRPC calls are replaced by ones that call them.
"""

import functools
import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import dashlight
from dashlight_mlserver.grpc_calls import watched_infer
from dashlight_mlserver.grpc_streams import watched_stream
from dashlight_mlserver.rest_streams import watched_events

logger = logging.getLogger(__name__)

# The module in which the name is looked up when a server is built, the owner of the name in it, and the name.
_REST: Final = ("mlserver.rest.server", "", "create_app")
_EVENTS: Final = ("mlserver.rest.endpoints", "Endpoints", "infer_stream")
_UNARY: Final = ("mlserver.grpc.servicers", "InferenceServicer", "ModelInfer")
_STREAM: Final = ("mlserver.grpc.servicers", "InferenceServicer", "ModelStreamInfer")
_MARK: Final = "_dashlight_watched"


def watch() -> None:
    """Watches every MLServer that this process builds from now on; to be called before `MLServer(settings)`.

    Nothing is raised: what an MLServer of another make does not have is told once, at ERROR, and not watched.
    Called again, it changes nothing.
    """
    for place, watched in (
        (_REST, _watched_app), (_EVENTS, watched_events), (_UNARY, watched_infer), (_STREAM, watched_stream),
    ):  # fmt: skip
        try:
            _replace(*place, watched)
        except (ImportError, AttributeError) as error:
            logger.error("a part of MLServer is not watched: %s", error)  # noqa: TRY400 - not a crash: a name is missing


def watched_repository(root: str, **arguments: Any) -> Any:
    """MLServer's own model repository, made after its servers have come to be watched.

    For `settings.json`: `"model_repository_implementation": "dashlight_mlserver.watched_repository"`, or for the
    environment: `MLSERVER_MODEL_REPOSITORY_IMPLEMENTATION=dashlight_mlserver.watched_repository`. MLServer makes its
    repository before its servers.
    """
    watch()
    repository: Any = import_module("mlserver.repository").SchemalessModelRepository
    return repository(root=root, **arguments)


def _replace(module: str, owner: str, name: str, watched: Callable[[Any], Any]) -> None:
    home: Any = import_module(module)
    if owner:
        home = getattr(home, owner)
    original = getattr(home, name)
    if not hasattr(original, _MARK):
        replacement = watched(original)
        setattr(replacement, _MARK, True)
        setattr(home, name, replacement)


def _watched_app(create_app: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create_app)
    def create_watched_app(*arguments: Any, **named: Any) -> Any:
        app = create_app(*arguments, **named)
        # Last, and so around compression and metrics; not around all, where the exceptions of models no longer arrive.
        app.add_middleware(dashlight.DashlightMiddleware)
        return app

    return create_watched_app
