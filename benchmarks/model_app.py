"""The work that is measured: a logistic regression behind JSON, its traffic, and a client that speaks ASGI to it."""

import csv
import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

App: TypeAlias = Callable[[Any, Any, Any], Awaitable[Any]]
Row: TypeAlias = dict[str, float | str]

NUMERIC = tuple(f"measure_{place:02}" for place in range(30))
LEVELS = {
    "color": ("red", "green", "blue"),
    "plan": ("free", "basic", "plus", "premium"),
    "region": ("north", "south", "east", "west", "center"),
    "device": ("phone", "tablet", "laptop", "desktop", "console", "other"),
    "merchant": tuple(f"m{place:02}" for place in range(12)),
}
ANSWERED = ("probability", "positive")
_SEED = 20
_draws = np.random.default_rng(_SEED)
_WEIGHTS = _draws.normal(0, 0.2, len(NUMERIC))
_LEVEL_WEIGHTS = {
    name: dict(zip(levels, _draws.normal(0, 0.3, len(levels)).tolist(), strict=True)) for name, levels in LEVELS.items()
}


def rows(count: int, *, seed: int) -> list[Row]:
    """*count* rows of 30 numeric and 5 categorical features, always from the same distributions."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Sequence[float | str]] = {}
    for place, name in enumerate(NUMERIC):
        spread = 1 + place / 10
        drawn = rng.normal(place, spread, count) if place % 2 else rng.gamma(2, spread, count)
        columns[name] = np.round(drawn, 3).tolist()
    for name, levels in LEVELS.items():
        shares = 1 / np.arange(1, len(levels) + 1)
        columns[name] = rng.choice(levels, count, p=shares / shares.sum()).tolist()
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def bodies(count: int, *, seed: int) -> list[bytes]:
    """The same as JSON bodies, about 730 bytes each."""
    return [json.dumps(row).encode() for row in rows(count, seed=seed)]


def answer(row: Row) -> dict[str, float | int]:
    """What the model says to a row."""
    numbers = np.fromiter((row[name] for name in NUMERIC), float, len(NUMERIC))
    score = float(numbers @ _WEIGHTS) / 10 + sum(weights[str(row[name])] for name, weights in _LEVEL_WEIGHTS.items())
    probability = 1 / (1 + np.exp(-score))
    return {"probability": round(float(probability), 6), "positive": int(probability > 0.5)}


def write_training_file(path: Path, *, count: int, seed: int) -> None:
    """A CSV of rows and what the model says to them, for `dashlight reference build`."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*NUMERIC, *LEVELS, *ANSWERED])
        writer.writeheader()
        writer.writerows({**row, **answer(row)} for row in rows(count, seed=seed))


async def _predict(request: Request) -> JSONResponse:
    return JSONResponse(answer(await request.json()))


async def _alive(_: Request) -> PlainTextResponse:
    return PlainTextResponse("alive")


def model_app() -> Starlette:
    """The bare app."""
    return Starlette(routes=[Route("/predict", _predict, methods=["POST"]), Route("/healthz", _alive)])


class RefusedError(Exception):
    """The app did not answer 200: there is nothing to measure."""


async def ask(app: App, body: bytes) -> None:
    """One request to *app*, in the messages that uvicorn would send."""
    status = 0
    waiting: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> MutableMapping[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(_scope(len(body)), receive, send)
    if status != 200:
        raise RefusedError(f"answered {status} to {body[:100]!r}")


def _scope(size: int) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "POST",
        "root_path": "",
        "path": "/predict",
        "raw_path": b"/predict",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"user-agent", b"benchmark"),
            (b"accept", b"*/*"),
            (b"content-type", b"application/json"),
            (b"content-length", str(size).encode()),
            (b"connection", b"keep-alive"),
        ],
        "state": {},
    }
