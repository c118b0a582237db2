"""Iris petals behind Ray Serve."""

from typing import Any

import numpy as np
from ray import serve
from starlette.requests import Request


@serve.deployment
class Petal:
    """A linear model of two features."""

    def __init__(self) -> None:
        self.weights = np.array([0.5, -0.25])

    async def __call__(self, request: Request) -> dict[str, Any]:
        """The length of one petal."""
        row = await request.json()
        length = float(self.weights @ [row["sepal_length"], row["sepal_width"]])
        return {"petal_length": round(length, 6), "long": length > 1}


petal = Petal.bind()  # type: ignore[attr-defined]  # the decorator makes a deployment of the class
