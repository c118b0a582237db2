"""Asks an MLServer over gRPC, in the environment of that server; tells the answers as one JSON array.

Called with the address and a JSON array of calls: {"inputs": {name: [datatype, shape, data]}, "model": …, "is_raw": …,
"is_stream": …, "metadata": {…}}. An answer is {"outputs": {name: data}, "version": …} or {"code": …, "details": …}.
"""

import asyncio
import json
import sys
from typing import Any

import grpc
from mlserver import types
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub


def request_of(call: dict[str, Any]) -> Any:
    """The message of a call."""
    tensors = [
        types.RequestInput(
            name=name,
            datatype=datatype,
            shape=shape,
            data=[each.encode() if isinstance(each, str) else each for each in data],
        )
        for name, (datatype, shape, data) in call["inputs"].items()
    ]
    asked = types.InferenceRequest(inputs=tensors)
    return ModelInferRequestConverter.from_types(asked, model_name=call.get("model", "prices"), use_raw=call["is_raw"])


async def answers(stub: Any, call: dict[str, Any]) -> list[Any]:
    """The messages that answer it."""
    metadata = tuple(call.get("metadata", {}).items())
    if not call.get("is_stream"):
        return [await stub.ModelInfer(request_of(call), metadata=metadata)]

    async def requests() -> Any:
        yield request_of(call)

    return [answer async for answer in stub.ModelStreamInfer(requests(), metadata=metadata)]


def told(message: Any) -> dict[str, Any]:
    """A message in plain words."""
    answer = ModelInferResponseConverter.to_types(message)
    return {"outputs": {tensor.name: list(tensor.data) for tensor in answer.outputs}, "version": answer.model_version}


async def main(address: str, calls: list[dict[str, Any]]) -> None:
    """Calls one after the other."""
    found: list[Any] = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub = GRPCInferenceServiceStub(channel)
        for call in calls:
            try:
                messages = await answers(stub, call)
            except grpc.aio.AioRpcError as error:
                found.append({"code": error.code().name, "details": error.details()})
            else:
                found.append(list(map(told, messages)) if call.get("is_stream") else told(messages[0]))
    json.dump(found, sys.stdout)


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
