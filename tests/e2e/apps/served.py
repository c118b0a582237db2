"""The app that the server tests start: a model in one route, watched by one line."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from dashlight import DashlightMiddleware


async def predict(request: Request) -> JSONResponse:
    """A score from two features."""
    row = await request.json()
    return JSONResponse({"score": row["x"] + row["y"]})


async def health(request: Request) -> PlainTextResponse:
    """Whether it is up."""
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/predict/{model}", predict, methods=["POST"]), Route("/healthz", health)])
app.add_middleware(DashlightMiddleware)
