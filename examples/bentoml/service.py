"""Prices of houses, served by BentoML and watched by Dashlight."""

# BentoML is no package of the type checker's.
# mypy: disable-error-code="no-any-return, untyped-decorator"
from __future__ import annotations

import bentoml
import numpy as np
from pydantic import BaseModel

import dashlight_bentoml


class House(BaseModel):
    """What is known of a house."""

    area: float
    rooms: int
    district: str


@dashlight_bentoml.watch
@bentoml.service(traffic={"timeout": 10})
class Prices:
    """Says what houses cost."""

    @bentoml.api
    def predict(self, houses: list[House]) -> list[float]:
        """The price of each house."""
        return [round(2000 * house.area + 5000 * house.rooms, 2) for house in houses]

    @bentoml.api(batchable=True)
    def by_area(self, areas: np.ndarray) -> np.ndarray:
        """The price of each area; requests that come together are answered together."""
        return 2000 * areas.sum(axis=1)
