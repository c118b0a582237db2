"""A service with as many workers as WORKERS says."""

# BentoML is no package of the type checker's.
# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

import os

import bentoml

import dashlight_bentoml


@dashlight_bentoml.watch
@bentoml.service(workers=int(os.environ["WORKERS"]))
class Incomes:
    """Scores the income; the age is asked for and has no part in it."""

    @bentoml.api
    async def predict(self, age: float, income: float) -> float:
        """A score."""
        return income / 10_000
