"""Exchanges of every format that servers see: what is measured, and what fuzzing starts from."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from benchmarks.decoding_bodies import (
    COLUMNS,
    arrow,
    as_json,
    float32,
    form,
    in_base64,
    msgpack,
    npy,
    parquet_file,
    png,
    row,
    text,
    vector,
)
from benchmarks.decoding_llm import LLM_KINDS
from benchmarks.decoding_parts import Parts, exchange_of

from dashlight.records import Exchange

PLAIN_OBJECT: Final = "plain JSON: an object"
"""What all others are compared with."""
_JSON = "application/json"
_Make = Callable[[Random], Parts]


def exchanges(title: str, count: int, *, seed: int = 1) -> list[Exchange]:
    """*count* exchanges of one of KINDS, all different."""
    rng = Random(seed)
    _, make = KINDS[title]
    return [exchange_of(make(rng)) for _ in range(count)]


def _typed(media_type: str) -> Mapping[str, str]:
    return {"content-type": media_type}


def _posted(path: str, asked: Callable[[Random], object], answered: Callable[[Random], object]) -> _Make:
    """Both sides as JSON."""
    return lambda rng: Parts(path, as_json(asked(rng)), as_json(answered(rng)))


def _sent(path: str, media_type: str, asked: Callable[[Random], bytes], answered: Callable[[Random], object]) -> _Make:
    """A request of another format, answered with JSON."""
    return lambda rng: Parts(path, asked(rng), as_json(answered(rng)), headers=_typed(media_type))


def _score(rng: Random) -> object:
    return {"score": round(rng.random(), 6), "label": rng.choice(("keep", "leave"))}


def _predictions(rng: Random) -> object:
    return {"predictions": [round(rng.random(), 6)]}


def _cells(rng: Random) -> list[float | str]:
    return list(row(rng).values())


def _csv(rng: Random) -> bytes:
    return ",".join(map(str, _cells(rng))).encode() + b"\n"


def _csv_with_header(rng: Random) -> bytes:
    return ",".join(COLUMNS).encode() + b"\n" + _csv(rng)


def _split(rng: Random) -> dict[str, object]:
    return {"columns": list(COLUMNS), "index": [0], "data": [_cells(rng)]}


def _tensor(name: str, values: list[float], *, rows: int = 1) -> dict[str, object]:
    return {"name": name, "shape": [rows, len(values) // rows], "datatype": "FP32", "data": values}


def _v2_answer(rng: Random) -> object:
    return {"model_name": "m", "model_version": "1", "id": "7", "outputs": [_tensor("y", vector(rng, 1))]}


def _v2_columns(rng: Random) -> object:
    columns: list[dict[str, object]] = []
    for name, cell in row(rng).items():
        datatype = "BYTES" if isinstance(cell, str) else "FP64"
        columns.append({"name": name, "shape": [1, 1], "datatype": datatype, "data": [cell]})
    return {"id": "7", "inputs": columns}


def _v2_binary(rng: Random) -> Parts:
    tensor = float32(vector(rng))
    asked = {
        "inputs": [
            {
                "name": "x",
                "shape": [1, len(COLUMNS)],
                "datatype": "FP32",
                "parameters": {"binary_data_size": len(tensor)},
            }
        ]
    }
    said = float32(vector(rng, 1))
    answered = {
        "model_name": "m",
        "model_version": "1",
        "outputs": [{"name": "y", "shape": [1, 1], "datatype": "FP32", "parameters": {"binary_data_size": len(said)}}],
    }
    head, answer_head = as_json(asked), as_json(answered)
    return Parts(
        "/v2/models/m/infer",
        head + tensor,
        answer_head + said,
        headers={"inference-header-content-length": str(len(head))},
        answer_headers={
            "content-type": "application/octet-stream",
            "inference-header-content-length": str(len(answer_head)),
        },
    )


def _bentoml(rng: Random) -> Parts:
    headers = {"content-type": _JSON, "x-bentoml-request-id": str(rng.getrandbits(60))}
    return Parts("/classify", as_json(row(rng)), as_json(_score(rng)), answer_headers=headers)


def _query(rng: Random) -> Parts:
    query = "&".join(f"{name}={cell}" for name, cell in row(rng).items())
    return Parts("/predict", b"", as_json(_score(rng)), headers={}, method="GET", query=query.encode())


def _gzipped(rng: Random) -> Parts:
    body = gzip.compress(as_json(row(rng)), mtime=0)
    return Parts("/predict", body, as_json(_score(rng)), headers={"content-type": _JSON, "content-encoding": "gzip"})


def _msgpack(rng: Random) -> Parts:
    packed = _typed("application/msgpack")
    return Parts("/predict", msgpack(row(rng)), msgpack(_score(rng)), headers=packed, answer_headers=packed)


def _multipart(rng: Random) -> Parts:
    body = form("cut-here", file=png(rng), fields={"threshold": "0.5"})
    return Parts("/classify", body, as_json(_score(rng)), headers=_typed("multipart/form-data; boundary=cut-here"))


def _labels(rng: Random) -> object:
    score = round(rng.random(), 6)
    return [[{"label": "good", "score": score}, {"label": "bad", "score": 1 - score}]]


def _seldon(rng: Random) -> object:
    return {"data": {"names": list(COLUMNS), "ndarray": [_cells(rng)]}}


def _seldon_answer(rng: Random) -> object:
    return {"data": {"names": ["t:0"], "ndarray": [[round(rng.random(), 6)]]}, "meta": {"puid": "p"}}


KINDS: Final[Mapping[str, tuple[str, _Make]]] = {
    PLAIN_OBJECT: ("plain", _posted("/predict", row, _score)),
    "plain JSON: a list of 8 objects": (
        "plain",
        _posted("/predict", lambda rng: [row(rng) for _ in range(8)], lambda rng: [_score(rng) for _ in range(8)]),
    ),
    "plain JSON: a vector": ("plain", _posted("/predict", lambda rng: {"features": vector(rng)}, _score)),
    "plain JSON: a query": ("plain", _query),
    "plain JSON: gzip": ("plain", _gzipped),
    "plain JSON: a picture in base64": (
        "plain",
        _posted("/predict", lambda rng: {"image": in_base64(png(rng))}, _score),
    ),
    "plain JSON: a text": ("plain", _posted("/predict", lambda rng: {"text": text(rng)}, _score)),
    "a picture": ("plain", _sent("/predict", "image/png", png, _score)),
    "a picture in a form": ("plain", _multipart),
    "MessagePack": ("plain", _msgpack),
    "Arrow": ("plain", _sent("/predict", "application/vnd.apache.arrow.stream", lambda rng: arrow(row(rng)), _score)),
    "Parquet": (
        "plain",
        _sent("/predict", "application/vnd.apache.parquet", lambda rng: parquet_file(row(rng)), _score),
    ),
    "Open Inference: a tensor": (
        "kserve_v2",
        _posted("/v2/models/m/infer", lambda rng: {"id": "7", "inputs": [_tensor("x", vector(rng))]}, _v2_answer),
    ),
    "Open Inference: 35 tensors": ("kserve_v2", _posted("/v2/models/m/infer", _v2_columns, _v2_answer)),
    "Open Inference: binary": ("kserve_v2", _v2_binary),
    "KServe V1": (
        "kserve_v1",
        _posted("/v1/models/m:predict", lambda rng: {"instances": [row(rng)]}, _predictions),
    ),
    "TensorFlow Serving: columns": (
        "tf_serving",
        _posted(
            "/v1/models/m:predict",
            lambda rng: {"signature_name": "s", "inputs": {name: [cell] for name, cell in row(rng).items()}},
            lambda rng: {"outputs": [round(rng.random(), 6)]},
        ),
    ),
    "Vertex AI": (
        "vertex",
        _posted("/v1/projects/p/locations/l/endpoints/1:predict", lambda rng: {"instances": [row(rng)]}, _predictions),
    ),
    "MLflow: split": ("mlflow", _posted("/invocations", lambda rng: {"dataframe_split": _split(rng)}, _predictions)),
    "MLflow: records": (
        "mlflow",
        _posted("/invocations", lambda rng: {"dataframe_records": [row(rng)]}, _predictions),
    ),
    "MLflow: CSV": ("plain", _sent("/invocations", "text/csv", _csv_with_header, _predictions)),
    "SageMaker: CSV": (
        "plain",
        lambda rng: Parts("/invocations", _csv(rng), b"0.5\n", _typed("text/csv"), _typed("text/csv; charset=utf-8")),
    ),
    "SageMaker: JSON lines": (
        "sagemaker",
        _sent(
            "/invocations",
            "application/jsonlines",
            lambda rng: as_json({"features": vector(rng)}) + b"\n",
            lambda rng: {"predictions": [{"score": rng.random()}]},
        ),
    ),
    "SageMaker: npy": (
        "plain",
        _sent("/invocations", "application/x-npy", lambda rng: npy([vector(rng)]), lambda rng: [rng.random()]),
    ),
    "Seldon": ("seldon_v1", _posted("/api/v1.0/predictions", _seldon, _seldon_answer)),
    "BentoML": ("bentoml", _bentoml),
    "Azure ML": ("azureml", _posted("/score", lambda rng: {"input_data": _split(rng)}, lambda rng: [rng.random()])),
    "Hugging Face: a text": ("huggingface", _posted("/", lambda rng: {"inputs": text(rng)}, _labels)),
    **LLM_KINDS,
}
"""By title: the protocol that must be found, and what makes one."""
