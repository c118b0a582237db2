"""Models of a risk whose truth is known later: each answers the chance that its feature says."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from dashlight import DashlightMiddleware


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
