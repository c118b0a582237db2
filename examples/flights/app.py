"""The service that is watched: one model behind FastAPI, and one line of Dashlight.

FLIGHTS_MODEL=demo-run/model.json uvicorn examples.flights.app:app
"""

import os
from pathlib import Path

from examples.flights.model import Model
from fastapi import FastAPI
from pydantic import BaseModel

from dashlight import DashlightMiddleware


class Departure(BaseModel):
    """What the model is asked about: a flight and the weather of its hour (null where it was not recorded)."""

    hour: float
    distance: float
    temp: float | None
    dewp: float | None
    humid: float | None
    wind_speed: float | None
    precip: float | None
    pressure: float | None
    visib: float | None
    carrier: str
    origin: str
    dest: str


class Answer(BaseModel):
    """Whether it will arrive more than 15 minutes late."""

    probability: float
    late: bool


model = Model.load(Path(os.environ["FLIGHTS_MODEL"]))
app = FastAPI(title="Flights")
app.add_middleware(DashlightMiddleware)


@app.post("/predict")
async def predict(departure: Departure) -> Answer:
    """Answer for one flight; a destination that does not exist is an unhandled KeyError, as in many services."""
    probability = model.predict(departure.model_dump())
    return Answer(probability=probability, late=probability > 0.5)


@app.get("/healthz")
async def healthz() -> str:
    """Say that the process is up."""
    return "ok"
