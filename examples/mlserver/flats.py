"""Prices of flats, as a runtime of MLServer."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

WEIGHTS = np.array([100.0, 2.5])


class Flats(MLModel):  # type: ignore[misc,unused-ignore]  # MLServer is not installed where types are checked
    """A price for each row of `rooms` and `area`."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """The tensors side by side, times the weights."""
        tensors = {tensor.name: NumpyCodec.decode_input(tensor).ravel() for tensor in payload.inputs}
        prices = np.stack([tensors["rooms"], tensors["area"]], axis=1) @ WEIGHTS
        output = NumpyCodec.encode_output("price", prices.reshape(-1, 1))
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=[output])
