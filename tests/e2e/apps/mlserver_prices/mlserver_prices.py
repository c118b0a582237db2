"""An MLServer runtime of our own: what a flat costs by its rooms and its area."""

from collections.abc import AsyncIterator
from typing import Any

from mlserver import MLModel, types
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.errors import InferenceError


class Prices(MLModel):  # type: ignore[misc]  # installed where the server runs, not where types are checked
    """`rooms` and `area` (two numbers a row) and a `town` give a `price`."""

    async def predict(self, payload: types.InferenceRequest) -> types.InferenceResponse:
        """A price for each row; no flat has rooms below zero, and none is in the town of the name `nowhere`."""
        tensors: dict[str, Any] = {tensor.name: tensor for tensor in payload.inputs}
        rooms = NumpyCodec.decode_input(tensors["rooms"]).ravel()
        area = NumpyCodec.decode_input(tensors["area"]).reshape(len(rooms), -1)
        if (rooms < 0).any():
            raise InferenceError("rooms below zero")
        if "nowhere" in StringCodec.decode_input(tensors["town"]):
            raise LookupError("no such town")
        return self._answered(1000 * rooms + area.sum(axis=1))

    async def predict_stream(
        self, payloads: AsyncIterator[types.InferenceRequest]
    ) -> AsyncIterator[types.InferenceResponse]:
        """The prices one by one, for each of the requests."""
        async for payload in payloads:
            whole = await self.predict(payload)
            for price in NumpyCodec.decode_output(whole.outputs[0]).ravel():
                yield self._answered(price.reshape(1))

    def _answered(self, price: Any) -> types.InferenceResponse:
        return types.InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[NumpyCodec.encode_output("price", price)],
        )
