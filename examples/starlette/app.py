"""Prices of flats behind Starlette, many rows a request."""

import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from dashlight import DashlightMiddleware

WEIGHTS = np.array([100.0, 2.5])


async def predict(request: Request) -> JSONResponse:
    """One price for each instance."""
    asked = await request.json()
    rows = np.array([[each["rooms"], each["area"]] for each in asked["instances"]])
    return JSONResponse({"predictions": (rows @ WEIGHTS).tolist()})


async def health(_: Request) -> PlainTextResponse:
    """Whether it is up; not watched."""
    return PlainTextResponse("ok")


app = Starlette(
    routes=[Route("/v1/models/{model}:predict", predict, methods=["POST"]), Route("/healthz", health)],
    middleware=[Middleware(DashlightMiddleware)],
)
