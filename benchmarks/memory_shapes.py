"""Traffic that is shaped to fill memory: many columns, names, values, clients, models, endpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

FILE_COLUMNS = [f"column_{number}" for number in range(400)]
_WORDS = ["rain", "sun", "wind", "cloud", "storm", "warm", "cold", "front", "air", "north", "south", "snow"]

Request: TypeAlias = tuple[str, bytes, list[tuple[bytes, bytes]]]
"""Path and query, body, headers."""


def _columns(rng: np.random.Generator, path: str, model: str, names: Sequence[str], rows: int) -> Request:
    """A request of Open Inference Protocol with so many numeric columns."""
    inputs = [
        {"name": name, "shape": [rows], "datatype": "FP64", "data": np.round(rng.normal(size=rows), 3).tolist()}
        for name in names
    ]
    return path, json.dumps({"model_name": model, "inputs": inputs}).encode(), []


def _records(path: str, records: list[dict[str, Any]], headers: list[tuple[bytes, bytes]] | None = None) -> Request:
    return path, json.dumps({"instances": records}).encode(), headers or []


def _of_models(rng: np.random.Generator) -> Iterator[Request]:
    """400 columns of a reference file, 8 models, 3 routes; the first model is asked twice as often."""
    for _ in range(6):
        for route in range(3):
            for model in (0, *range(8)):
                yield _columns(rng, f"/r{route}", f"model-{model}", FILE_COLUMNS, 10)


def _learned(rng: np.random.Generator) -> Iterator[Request]:
    """60 columns that are learned, 8 models, 3 routes."""
    names = [f"column_{number}" for number in range(60)]
    for _ in range(6):
        for route in range(3):
            for model in range(8):
                yield _columns(rng, f"/r{route}", f"model-{model}", names, 40)


def warm(rng: np.random.Generator) -> Iterator[Request]:
    """What has everything be loaded that any traffic needs."""
    for _ in range(12):
        yield _columns(rng, "/r63", "warm", ["first", "second"], 40)


def _invented(rng: np.random.Generator) -> Iterator[Request]:
    """10,000 names of features, 20 new ones in every request."""
    for first in range(0, 10_000, 20):
        yield _records("/r0", [{f"name_{first + place}": float(rng.normal()) for place in range(20)} for _ in range(4)])


def _wide(rng: np.random.Generator) -> Iterator[Request]:
    """10,000 features in every row."""
    for _ in range(220):
        row = dict(zip((f"f{number}" for number in range(10_000)), np.round(rng.normal(size=10_000), 2), strict=True))
        yield _records("/r0", [row])


def _categories(rng: np.random.Generator) -> Iterator[Request]:
    """60 columns of words that hardly recur."""
    for _ in range(300):
        yield _records("/r0", [{f"c{c}": f"kind-{rng.integers(500)}-{'x' * 50}" for c in range(60)} for _ in range(4)])


def _texts(rng: np.random.Generator) -> Iterator[Request]:
    """12 columns of texts."""
    for _ in range(200):
        yield _records("/r0", [{f"t{t}": " ".join(rng.choice(_WORDS, 40)) for t in range(12)} for _ in range(4)])


def _vectors(rng: np.random.Generator) -> Iterator[Request]:
    """8 columns of embeddings with 256 numbers."""
    for _ in range(200):
        yield _records(
            "/r0", [{f"v{v}": np.round(rng.normal(size=256), 3).tolist() for v in range(8)} for _ in range(2)]
        )


def _clients(_rng: np.random.Generator) -> Iterator[Request]:
    """Every request by another agent, at another path, and what is refused for another field."""
    for number in range(4_000):
        agent = [(b"user-agent", f"agent-{number}/{'y' * 400}".encode())]
        yield f"/refused?field=f{number}&q={'z' * 2_000}", b'{"a": 1}', agent


def _language(rng: np.random.Generator) -> Iterator[Request]:
    """Chats with ever other models."""
    for number in range(2_000):
        asked = {"model": f"llm-{number}", "messages": [{"role": "user", "content": " ".join(rng.choice(_WORDS, 100))}]}
        yield "/v1/chat/completions", json.dumps(asked).encode(), []


def _endpoints(rng: np.random.Generator) -> Iterator[Request]:
    """60 routes with two models of 20 columns each."""
    names = [f"column_{number}" for number in range(20)]
    for _ in range(8):
        for route in range(60):
            for model in range(2):
                yield _columns(rng, f"/r{route}", f"model-{model}", names, 30)


SHAPES: dict[str, Callable[[np.random.Generator], Iterator[Request]]] = {
    "columns": _of_models,
    "learned": _learned,
    "names": _invented,
    "wide": _wide,
    "categories": _categories,
    "texts": _texts,
    "vectors": _vectors,
    "clients": _clients,
    "language": _language,
    "endpoints": _endpoints,
}
