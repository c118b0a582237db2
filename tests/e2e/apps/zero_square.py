"""LitServe around a small model that knows nothing of Dashlight."""

import sys
from typing import Any

import litserve


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
    server = litserve.LitServer(Square(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, num_api_servers=2)
