"""The same prices in every format, of 32 and of 64 bits: as they were written they are the same."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest

from dashlight.decode.batch import Decoder
from dashlight.records import Exchange, Headers
from dashlight.window.values import as_shortest

RNG = np.random.default_rng(3)
PRICES = np.round(RNG.gamma(3, 10, 40), 2)
COUNTS = RNG.integers(0, 9, 40)
SINGLE = PRICES.astype(np.float32)
ANSWERED = json.dumps([1] * len(PRICES)).encode()
V2_ANSWERED = json.dumps(
    {"outputs": [{"name": "y", "datatype": "FP32", "shape": [len(PRICES)], "data": [1.0] * len(PRICES)}]}
).encode()
Written = tuple[bytes, bytes, str, Headers]


def as_json(prices: list[float]) -> Written:
    rows = [{"price": price, "count": count} for price, count in zip(prices, COUNTS.tolist(), strict=True)]
    return json.dumps(rows).encode(), b"application/json", "/p", ()


def as_csv(prices: list[float], end: str = "") -> Written:
    lines = [f"{price!r},{count}{end}" for price, count in zip(prices, COUNTS.tolist(), strict=True)]
    return "\n".join(["price,count", *lines]).encode(), b"text/csv", "/p", ()


def frame() -> Any:
    return pa.table({"price": pa.array(SINGLE), "count": pa.array(COUNTS.astype(np.float32))})


def as_arrow() -> Written:
    written = io.BytesIO()
    with pyarrow.ipc.new_stream(written, frame().schema) as stream:
        stream.write_table(frame())
    return written.getvalue(), b"application/vnd.apache.arrow.stream", "/p", ()


def as_parquet() -> Written:
    written = io.BytesIO()
    pyarrow.parquet.write_table(frame(), written)
    return written.getvalue(), b"application/vnd.apache.parquet", "/p", ()


def as_tensors(*, binary: bool) -> Written:
    arrays: dict[str, tuple[str, Any]] = {
        "price": ("FP32", SINGLE.astype("<f4")),
        "count": ("INT32", COUNTS.astype("<i4")),
    }
    inputs = [
        {"name": name, "datatype": kind, "shape": [len(array)]}
        | ({"parameters": {"binary_data_size": array.nbytes}} if binary else {"data": array.tolist()})
        for name, (kind, array) in arrays.items()
    ]
    head = json.dumps({"inputs": inputs}).encode()
    if not binary:
        return head, b"application/json", "/v2/models/m/infer", ()
    body = head + b"".join(array.tobytes() for _, array in arrays.values())
    length = (b"inference-header-content-length", str(len(head)).encode())
    return body, b"application/octet-stream", "/v2/models/m/infer", (length,)


FORMATS: dict[str, Callable[[], Written]] = {
    "JSON": lambda: as_json(PRICES.tolist()),
    "JSON, with what arithmetic leaves": lambda: as_json((PRICES * (1 + 2e-16)).tolist()),
    "JSON of 32 bits": lambda: as_json(SINGLE.astype(np.float64).tolist()),
    "CSV": lambda: as_csv(PRICES.tolist()),
    "CSV of 32 bits, with whole floats": lambda: as_csv(SINGLE.astype(np.float64).tolist(), ".0"),
    "Arrow": as_arrow,
    "Parquet": as_parquet,
    "Open Inference": lambda: as_tensors(binary=False),
    "Open Inference, binary": lambda: as_tensors(binary=True),
}


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_same_values_come_of_every_format(name: str) -> None:
    body, content_type, path, headers = FORMATS[name]()
    answer = V2_ANSWERED if path.startswith("/v2") else ANSWERED
    exchange = Exchange(
        1, path, "POST", path, b"", "http", None, "1.1", ((b"content-type", content_type), *headers),
        ((b"content-type", b"application/json"),), 200, "", "ok", 0.0, None, 0.001,
        len(body), len(answer), (body,), (answer,), 0, 0, 0, None,
    )  # fmt: skip

    (prediction,) = Decoder(model="m", version="1").decode([exchange]).predictions

    table = prediction.features
    numbers = dict(zip(table.number_names, table.numbers, strict=True))
    np.testing.assert_array_equal(as_shortest(numbers["price"]), PRICES)
    np.testing.assert_array_equal(as_shortest(numbers["count"]), COUNTS)
