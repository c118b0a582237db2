"""The demand for bicycles behind Litestar."""

import numpy as np
from litestar import Litestar, get, post
from msgspec import Struct

import dashlight

WEIGHTS = np.array([1.5, -40.0])


class Hour(Struct):
    """What is known of an hour."""

    temperature: float
    raining: bool


class Demand(Struct):
    """What is expected of it."""

    bicycles: float


@post("/stations/{station:int}/demand", status_code=200, sync_to_thread=False)
def demand(station: int, data: Hour) -> Demand:
    """How many bicycles a station will need."""
    return Demand(100.0 + station + float(WEIGHTS @ [data.temperature, data.raining]))


@get("/healthz", sync_to_thread=False)
def health() -> str:
    """Whether it is up; not watched."""
    return "ok"


app = dashlight.watch(Litestar([demand, health]))
