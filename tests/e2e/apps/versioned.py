"""Two versions of a model, side by side in the Open Inference Protocol: v2 fails every second time."""

import itertools

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from dashlight import DashlightMiddleware

ASKED = itertools.count()


async def infer(request: Request) -> JSONResponse:
    """The sum of what came, or a failure."""
    tensor = (await request.json())["inputs"][0]
    version = request.path_params["version"]
    if version == "v2" and next(ASKED) % 2:
        return JSONResponse({"error": "no memory"}, 500)
    outputs = [{"name": "score", "datatype": "FP64", "shape": [1], "data": [sum(tensor["data"])]}]
    return JSONResponse({"model_name": "risk", "model_version": version, "outputs": outputs})


async def health(request: Request) -> PlainTextResponse:
    """Whether it is up."""
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/v2/models/risk/versions/{version}/infer", infer, methods=["POST"]),
        Route("/healthz", health),
    ]
)
app.add_middleware(DashlightMiddleware)
