"""A KServe script whose model refuses some requests and fails on others, watched by one line."""

from typing import Any

from kserve import InferOutput, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput
from kserve.model_server import app

from dashlight import DashlightMiddleware

app.add_middleware(DashlightMiddleware)


class Prices(Model):  # type: ignore[misc]  # installed where the server runs, not where types are checked
    """No flat has rooms below zero, and none a thousand."""

    def predict(self, payload: Any, _headers: dict[str, str] | None = None) -> Any:
        """A price for the first instance of V1, or the first number of V2."""
        is_v1 = isinstance(payload, dict)
        rooms = payload["instances"][0]["rooms"] if is_v1 else payload.inputs[0].as_numpy().flat[0]
        if rooms < 0:
            raise InvalidInput("rooms below zero")
        if rooms >= 1000:
            raise LookupError("no such flat")
        price = 100.0 * rooms
        if is_v1:
            return {"predictions": [price]}
        return InferResponse("1", self.name, [InferOutput("price", [1, 1], "FP64", [price])])


if __name__ == "__main__":
    model = Prices("flats")
    model.ready = True
    ModelServer().start([model])
