"""The service whose cost is measured: the model of the other benchmarks behind one API of BentoML."""

# BentoML is no package of the type checker's.
# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

import os
from typing import Any

import bentoml
from benchmarks.model_app import LEVELS, NUMERIC, answer
from pydantic import BaseModel, create_model

import dashlight_bentoml

_fields: dict[str, Any] = {**dict.fromkeys(NUMERIC, (float, ...)), **dict.fromkeys(LEVELS, (str, ...))}
Row: Any = create_model("Row", **_fields)


class Answer(BaseModel):
    """What the model says."""

    probability: float
    positive: int


@bentoml.service(workers=1)
class Scores:
    """One model."""

    @bentoml.api
    def predict(self, row: Row, /) -> Answer:
        """A probability of 35 features."""
        return Answer.model_validate(answer(row.model_dump()))


if os.environ.get("WATCHED"):
    dashlight_bentoml.watch(Scores)
