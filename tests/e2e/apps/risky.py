"""Models of a risk whose truth is known later, in a world where an hour takes three seconds."""

import os
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from dashlight import DashlightMiddleware
from dashlight.capture import tee
from dashlight.clock import SystemClock

SPEED = 1200.0
BEGAN_AT = float(os.environ["BEGAN_AT"])


def now() -> float:
    """Seconds since the epoch, in that world."""
    return BEGAN_AT + (time.time() - BEGAN_AT) * SPEED


setattr(SystemClock, "now", staticmethod(now))  # noqa: B010 - a method is not assigned to otherwise
setattr(tee, "time", now)  # noqa: B010 - likewise


async def predict(request: Request) -> JSONResponse:
    """A chance for each row, and the class that it makes likelier."""
    rows = await request.json()
    answers = [{"risk": row["x"], "decision": "bad" if row["x"] >= 0.5 else "good"} for row in rows]
    return JSONResponse(answers)


async def health(request: Request) -> PlainTextResponse:
    """Whether it is up."""
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/steady", predict, methods=["POST"]),
        Route("/worse", predict, methods=["POST"]),
        Route("/healthz", health),
    ]
)
app.add_middleware(DashlightMiddleware)
