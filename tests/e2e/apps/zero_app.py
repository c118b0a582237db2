"""An app that knows nothing of Dashlight: a model in one route, and who else has been imported."""

import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


async def predict(request: Request) -> JSONResponse:
    """A score from two features."""
    row = await request.json()
    return JSONResponse({"score": row["x"] + row["y"]})


async def health(request: Request) -> PlainTextResponse:
    """Whether it is up."""
    return PlainTextResponse("ok")


async def start(request: Request) -> PlainTextResponse:
    """Which sitecustomize this process has run."""
    return PlainTextResponse(str(getattr(sys.modules.get("sitecustomize"), "__file__", "")))


def create() -> Starlette:
    """The app, made anew."""
    routes = [Route("/predict/{model}", predict, methods=["POST"]), Route("/healthz", health), Route("/start", start)]
    return Starlette(routes=routes)


app = create()
