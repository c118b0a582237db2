"""Prints what a service says of itself before it is watched, and after that has been done twice."""

# BentoML is no package of the type checker's.
# mypy: disable-error-code="attr-defined, untyped-decorator"
from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import bentoml
import numpy as np
from bentoml.legacy import Service
from pydantic import BaseModel

import dashlight
import dashlight_bentoml


class Row(BaseModel):
    """One of many."""

    a: float
    b: str = "x"


@bentoml.service
class Described:
    """What it is for."""

    @bentoml.api
    def array(self, x: np.ndarray) -> np.ndarray:
        return x

    @bentoml.api
    def rows(self, rows: list[Row], *, scale: float = 1.0) -> list[Row]:
        return rows

    @bentoml.api(batchable=True)
    def root(self, rows: list[Row], /) -> list[float]:
        return [row.a for row in rows]

    @bentoml.task
    def task(self, row: Row) -> Row:
        return row


def said() -> list[str]:
    return [json.dumps(Described.schema(), default=str), json.dumps(Described.openapi_spec.asdict(), default=str)]


before = said()
first, middlewares = dashlight_bentoml.watch(Described), len(Described.middlewares)
second = dashlight_bentoml.watch(first)


def refusal_of(watch: Callable[[Any], Any], service: Any) -> str:
    try:
        watch(service)
    except TypeError as mistake:
        return str(mistake)
    return ""


legacy = Service("old")
json.dump(
    {
        "before": before,
        "after": said(),
        "is_same": first is Described and second is Described,
        "middlewares": [middlewares, len(Described.middlewares)],
        "refusal": refusal_of(dashlight_bentoml.watch, Row),
        "asgi_refusal": refusal_of(dashlight.watch, Described),
        "legacy_refusals": [refusal_of(watch, legacy) for watch in (dashlight.watch, dashlight_bentoml.watch)],
        "local": Described().rows([Row(a=1.0)])[0].a,
    },
    sys.stdout,
)
