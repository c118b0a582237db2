"""A service with an API of each kind that BentoML knows, and one that it depends on."""

# BentoML is no package of the type checker's.
# mypy: disable-error-code="attr-defined, no-any-return, untyped-decorator"
from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import bentoml
import numpy as np
import pandas as pd
from pydantic import BaseModel

import dashlight_bentoml


class Row(BaseModel):
    """One row."""

    a: float
    b: float


class Query(BaseModel):
    """Rows, and what goes with each of them."""

    rows: list[Row]
    currency: str


class Answer(BaseModel):
    """What is answered."""

    y: float
    label: str


@bentoml.service(workers=1)
class Scorer:
    """Asked by the other."""

    @bentoml.api
    def score(self, x: np.ndarray) -> np.ndarray:
        return x.sum(axis=1)


@dashlight_bentoml.watch
@bentoml.service(workers=1, traffic={"timeout": 2, "max_concurrency": 6})
class Apis:
    """An API of each kind."""

    scorer = bentoml.depends(Scorer)

    @bentoml.api
    def numpy(self, x: np.ndarray) -> np.ndarray:
        x *= 0
        return np.array([1.0, 2.0])

    @bentoml.api
    def frame(self, d: pd.DataFrame) -> pd.DataFrame:
        d["a"] = 0
        return pd.DataFrame({"y": d["b"]})

    @bentoml.api
    def limited(self, df: pd.DataFrame, threshold: float = 0.5) -> list[float]:
        return [float(a > threshold) for a in df["a"]]

    @bentoml.api
    def priced(self, query: Query) -> list[float]:
        return [row.a for row in query.rows]

    @bentoml.api
    def scaled(self, data: np.ndarray, scale: float) -> np.ndarray:
        return data.sum(axis=1) * scale

    @bentoml.api
    def model(self, row: Row) -> Answer:
        return Answer(y=row.a + row.b, label="pos")

    @bentoml.api
    def root(self, row: Row, /) -> float:
        return row.a

    @bentoml.api(batchable=True, max_latency_ms=1000)
    def batched(self, x: np.ndarray) -> np.ndarray:
        if (x < 0).any():
            raise ArithmeticError("negative")
        return x.sum(axis=1)

    @bentoml.api
    async def stream(self, count: int, broken: str = "") -> AsyncGenerator[Answer, None]:
        for number in range(count):
            yield Answer(y=number, label="part")
        if broken:
            raise RuntimeError("mid-stream")

    @bentoml.task
    def job(self, x: float) -> float:
        if x < 0:
            raise ValueError("negative")
        return 2 * x

    @bentoml.api
    def depend(self, x: float) -> float:
        return float(self.scorer.score(np.array([[x, x]]))[0])

    @bentoml.api
    def fail(self, x: float) -> float:
        raise LookupError("no such thing")

    @bentoml.api
    def refuse(self, x: float) -> float:
        raise bentoml.exceptions.InvalidArgument("bad x")

    @bentoml.api
    async def slow(self, seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    @bentoml.api
    def slow_aside(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    @bentoml.api
    async def nested(self, a: float) -> float:
        return (await self.to_async.model(row=Row(a=a, b=1.0))).y

    @bentoml.api
    def file(self, upload: Path) -> int:
        return len(upload.read_bytes())

    @bentoml.api
    def monitored(self, a: float) -> float:
        with bentoml.monitor("prices") as monitor:
            monitor.log(a, "named", "feature", "numerical")
            monitor.log("x", "answer", "prediction", "categorical")
        return a
