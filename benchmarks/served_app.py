"""The app for a real server, bare and watched: `uvicorn --factory benchmarks.served_app:watched`."""

from benchmarks.model_app import model_app
from starlette.applications import Starlette

from dashlight import DashlightMiddleware


def bare() -> Starlette:
    """As it is."""
    return model_app()


def watched() -> Starlette:
    """With the one line."""
    app = model_app()
    app.add_middleware(DashlightMiddleware)
    return app
