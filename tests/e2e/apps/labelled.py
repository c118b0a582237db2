"""An app whose users rate its answers: their thumbs reach Dashlight through the app, which alone may send labels."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

import dashlight
from dashlight import DashlightMiddleware


async def predict(request: Request) -> JSONResponse:
    """A score from two features."""
    row = await request.json()
    return JSONResponse({"score": row["x"] + row["y"]})


async def thumb(request: Request) -> PlainTextResponse:
    """Takes the thumb of a user, on the event loop."""
    dashlight.label(request.query_params["id"], request.query_params["up"] == "true")
    return PlainTextResponse("thank you")


async def health(request: Request) -> PlainTextResponse:
    """Whether it is up."""
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/predict", predict, methods=["POST"]),
        Route("/thumb", thumb, methods=["POST"]),
        Route("/healthz", health),
    ]
)
app.add_middleware(DashlightMiddleware)
