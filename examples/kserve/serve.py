"""Prices of flats behind KServe, which speaks V1 and V2 of its protocol."""

from uuid import uuid4

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.model_server import app

from dashlight import DashlightMiddleware

WEIGHTS = np.array([100.0, 2.5])

# Here and not below `__main__`: with --workers each process imports this module anew.
app.add_middleware(DashlightMiddleware)


class Flats(Model):  # type: ignore[misc,unused-ignore]  # KServe is not installed where types are checked
    """A price for each row of `rooms` and `area`."""

    def load(self) -> bool:
        """Nothing to load."""
        self.ready = True
        return self.ready

    def predict(
        self, payload: dict[str, list[dict[str, float]]] | InferRequest, _headers: dict[str, str] | None = None
    ) -> dict[str, list[float]] | InferResponse:
        """V1 sends instances, V2 tensors."""
        if isinstance(payload, InferRequest):
            tensors = {tensor.name: tensor.as_numpy().ravel() for tensor in payload.inputs}
            prices = np.stack([tensors["rooms"], tensors["area"]], axis=1) @ WEIGHTS
            output = InferOutput("price", [len(prices), 1], "FP64", prices.tolist())
            return InferResponse(payload.id or str(uuid4()), self.name, [output])
        rows = [[each["rooms"], each["area"]] for each in payload["instances"]]
        return {"predictions": (np.array(rows) @ WEIGHTS).tolist()}


if __name__ == "__main__":
    model = Flats("flats")
    model.load()
    ModelServer().start([model])
