"""What `dashlight run` calls once Ray Serve has been imported."""

from __future__ import annotations

from functools import wraps
from typing import Any

from dashlight_ray.proxy import WatchedProxy, middlewares


def patch(module: Any) -> None:
    """Has each proxy that starts from now on watched, unless it is; *module* is `ray.serve._private.http_util`.

    Around the function that asks RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH, whose own middlewares stay (2.60.0).
    """
    configure = module.configure_http_middlewares

    @wraps(configure)
    def configure_watched(http_options: Any) -> Any:
        options = configure(http_options)
        given: list[Any] = options.middlewares
        if not any(each.cls is WatchedProxy for each in given):
            given.extend(middlewares())
        return options

    module.configure_http_middlewares = configure_watched
