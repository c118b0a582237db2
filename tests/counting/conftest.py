"""Rows, exchanges and a reference to count against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.records import Exchange, Outcome, Prediction, Table
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

CITIES = ["Bonn", "Kiel", "Ulm"]
WORDS = ["rain", "sun", "wind", "cloud", "storm", "warm", "cold", "front", "air", "north", "south", "snow"]
NOTHING: Mapping[str, Column] = {}


@pytest.fixture(scope="session")
def columns() -> Callable[..., dict[str, Column]]:
    """Makes so many rows: two numbers, one with missing values, a category, a text and a vector; and an output."""

    def make(rng: np.random.Generator, rows: int, *, age: float = 40.0) -> dict[str, Column]:
        return {
            "age": rng.normal(age, 10, rows),
            "income": np.where(rng.random(rows) < 0.05, np.nan, rng.gamma(4.0, 500.0, rows)),
            "city": [CITIES[place] for place in rng.integers(0, 3, rows)],
            "comment": [" ".join(rng.choice(WORDS, 6)) for _ in range(rows)],
            "embedding": rng.normal(0, 1, (rows, 16)).tolist(),
            "score": rng.random(rows),
        }

    return make


@pytest.fixture(scope="session")
def reference(columns: Callable[..., dict[str, Column]]) -> Reference:
    """Of 2,500 such rows: with pairs, and with the directions of all rows, of the text and of the vector."""
    rng = np.random.default_rng(1)
    return build_reference_from_columns(columns(rng, 2500), {"score": "output"}, rng=rng, created_at=0.0)


def table(held: Mapping[str, Column]) -> Table:
    found = table_of_columns(held)
    return replace(found, exchange=np.arange(found.rows))


@pytest.fixture(scope="session")
def prediction() -> Callable[..., Prediction]:
    """Makes a prediction of columns, one row an exchange; `score` is what was answered."""

    def make(held: Mapping[str, Column], *, model: str = "risk", version: str = "3") -> Prediction:
        features = {name: values for name, values in held.items() if name != "score"}
        outputs = {"score": held["score"]} if "score" in held else NOTHING
        return Prediction("/predict", model, version, "plain", table(features), table(outputs))

    return make


@pytest.fixture(scope="session")
def traces() -> Callable[[Sequence[int] | range], NDArray[np.void]]:
    """Makes the trace ids of a batch."""

    def make(numbers: Sequence[int] | range) -> NDArray[np.void]:
        return np.frombuffer(b"".join(number.to_bytes(16, "big") for number in numbers), "V16")

    return make


@pytest.fixture(scope="session")
def exchange() -> Callable[..., Exchange]:
    """Makes exchanges, numbered like their traces."""
    numbers = count(1)

    def make(
        status: int = 200,
        outcome: Outcome = "ok",
        error: str = "",
        *,
        seconds: float = 0.1,
        first_byte: float | None = 0.05,
        number: int = 0,
        started_at: float = 1_700_000_000.0,
    ) -> Exchange:
        number = number or next(numbers)
        return Exchange(
            id=number,
            route="/predict",
            method="POST",
            path="/predict",
            query=b"",
            scheme="http",
            server=None,
            http_version="1.1",
            request_headers=(),
            response_headers=(),
            status=status,
            error=error,
            outcome=outcome,
            started_at=started_at,
            first_byte_seconds=first_byte,
            duration_seconds=seconds,
            request_bytes=100,
            response_bytes=200,
            request_chunks=(),
            response_chunks=(),
            trace_id=number,
            span_id=1,
            trace_flags=1,
            own_span=None,
        )

    return make
