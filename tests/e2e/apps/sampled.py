"""A model that fails for some people and takes long for some requests."""

import asyncio
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import dashlight

FAILS_AT = 13


async def predict(request: Request) -> Response:
    """A score; an error for whoever is 13."""
    person: dict[str, Any] = await request.json()
    if person["age"] == FAILS_AT:
        return JSONResponse({"error": "no such person"}, 500)
    await asyncio.sleep(float(request.headers.get("x-takes", "0")))
    return JSONResponse({"score": 0.5})


async def alive(_: Request) -> Response:
    """Says that it is there."""
    return JSONResponse({"status": "ok"})


app = dashlight.watch(Starlette(routes=[Route("/predict", predict, methods=["POST"]), Route("/healthz", alive)]))
