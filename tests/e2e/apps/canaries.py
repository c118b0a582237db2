"""An app that is fed with particulars: rows of customers, refusals, failures, and paths with names in them."""

import logging
import os
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse

from dashlight import DashlightMiddleware

_handler = logging.FileHandler(os.environ["CANARY_LOG"])
_handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
logging.getLogger("dashlight").addHandler(_handler)
logging.getLogger("dashlight").setLevel(logging.DEBUG)

app = FastAPI()


class Strict(BaseModel):
    """What /strict takes."""

    model_config = ConfigDict(extra="forbid")
    age: int
    scores: dict[str, float] = {}


@app.get("/healthz")
async def health() -> str:
    """Whether it is up."""
    return "ok"


@app.post("/predict")
async def predict(request: Request) -> JSONResponse:
    """A decision, and a greeting that repeats what was sent."""
    row = await request.json()
    age = row.get("age")
    label = "approved" if isinstance(age, int | float) and age < 50 else "declined"
    answer: dict[str, Any] = {"label": label, "score": len(str(row)) / 10, "greeting": f"Dear {row.get('customer')}"}
    return JSONResponse(answer | row.get("said", {}))


@app.post("/strict")
async def strict(row: Strict) -> dict[str, int]:
    """Refuses what it does not know."""
    return {"score": row.age}


@app.post("/people/{name}/score")
async def of_person(name: str) -> dict[str, float]:
    """A route with a name in it."""
    return {"score": float(len(name))}


@app.post("/unread")
async def unread() -> dict[str, float]:
    """Answers whatever it is sent."""
    return {"score": 1.0}


@app.post("/fails")
async def fails(request: Request) -> None:
    """Fails with what was sent."""
    raise ValueError((await request.body()).decode())


app.add_middleware(DashlightMiddleware)
