"""The risk of a delay behind LitServe."""

import argparse
from typing import Any

import litserve
import numpy as np

from dashlight import DashlightMiddleware


class Delay(litserve.LitAPI):  # type: ignore[misc]  # no types of their own
    """A logistic model of two features."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's interface
        """Loads the weights, in the process of the model."""
        self.weights = np.array([0.01, 0.5])

    def decode_request(self, request: dict[str, float]) -> Any:
        """The row of a request."""
        return np.array([request["distance"], request["wind"]])

    def predict(self, row: Any) -> float:
        """The probability of a delay."""
        return float(1 / (1 + np.exp(4 - row @ self.weights)))

    def encode_response(self, output: float) -> dict[str, Any]:
        """The answer to it."""
        return {"probability": round(output, 4), "late": output > 0.5}


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--port", type=int, default=8000)
    server = litserve.LitServer(Delay(), accelerator="cpu", middlewares=[DashlightMiddleware])
    server.run(host="127.0.0.1", port=asked.parse_args().port, generate_client_file=False)
