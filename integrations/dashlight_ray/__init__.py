"""Dashlight for Ray Serve: `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH=dashlight_ray:middlewares`, and no code."""

from dashlight_ray.proxy import WatchedProxy, middlewares

__all__ = ["WatchedProxy", "middlewares"]
