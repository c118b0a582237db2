"""A model behind FastAPI, of any version from 0.99 on, watched by one line."""

# Its models are pydantic's of 1 or 2, which the type checker sees as one.
from __future__ import annotations

from fastapi import FastAPI, Request
from pydantic import BaseModel

import dashlight


class Person(BaseModel):
    """A row."""

    age: float
    city: str


app = FastAPI()


@app.get("/healthz")
def health() -> str:
    """Whether it is up."""
    return "ok"


@app.post("/models/{name}/predict")
def predict(name: str, person: Person) -> dict[str, float]:
    """A price."""
    return {"price": person.age * 2}


@app.post("/raw")
async def answer(request: Request) -> dict[str, float]:
    """An answer to whatever bytes."""
    await request.body()
    return {"price": 2.0}


app = dashlight.watch(app)
