"""Predictions for the tests of stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from dashlight.labels.ids import entity_of, item_of, key_of
from dashlight.labels.rows import ModelKey, ScoredRows, Task
from dashlight.privacy.hashing import HashKey

KEY = HashKey(b"k" * 32)
MODEL: ModelKey = ("/score", "churn", "3")


def predictions(
    ids: Sequence[str],
    *,
    task: Task = "binary",
    classes: tuple[str, ...] = ("no", "yes"),
    at: float | Sequence[float] = 1_000_000.0,
    scores: Sequence[float] | None = None,
    entities: Sequence[str] | None = None,
    items: Sequence[Sequence[str]] | None = None,
    codes: bool = False,
    model: ModelKey = MODEL,
) -> ScoredRows:
    n = len(ids)
    return ScoredRows(
        model,
        task,
        classes,
        keys=np.frombuffer(b"".join(key_of(each, KEY) for each in ids), "V16"),
        origins=np.frombuffer(b"o" * 16 * n, "V16"),
        places=np.arange(n, dtype=np.int32),
        predicted_at=np.broadcast_to(np.asarray(at, np.float64), n).copy(),
        scores=np.linspace(0.05, 0.95, n) if scores is None else np.asarray(scores, np.float64),
        predictions=np.zeros(n, np.int32),
        steps=np.zeros(n, np.int32),
        entities=None if entities is None else np.frombuffer(b"".join(entity_of(e, KEY) for e in entities), "V16"),
        items=None if items is None else np.array([[item_of(i, KEY) for i in row] for row in items], np.uint64),
        sampled=np.arange(n, dtype=np.intp) if codes else None,
        codes=np.tile(np.arange(n, dtype=np.uint8), (3, 1)) if codes else None,
    )


@pytest.fixture
def rows() -> Callable[..., ScoredRows]:
    return predictions


@pytest.fixture
def hash_key() -> HashKey:
    return KEY


@pytest.fixture
def model() -> ModelKey:
    return MODEL
