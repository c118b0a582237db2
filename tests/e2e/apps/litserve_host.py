"""LitServe around a small model, watched by one line unless the second argument is `bare`."""

import sys
from typing import Any

import litserve

from dashlight import DashlightMiddleware


class Square(litserve.LitAPI):  # type: ignore[misc]  # no types of their own
    """A model of one number."""

    def setup(self, device: str) -> None:
        """Nothing to load."""

    def decode_request(self, request: dict[str, Any]) -> Any:
        """The number."""
        return request["input"]

    def predict(self, x: float) -> float:
        """Its square."""
        return x * x

    def encode_response(self, output: float) -> dict[str, float]:
        """The square by name."""
        return {"output": output}


if __name__ == "__main__":
    watched: list[Any] = [] if sys.argv[2] == "bare" else [DashlightMiddleware]
    server = litserve.LitServer(Square(), accelerator="cpu", middlewares=watched)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, num_api_servers=1)
