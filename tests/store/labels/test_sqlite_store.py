from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dashlight.labels.label import Label
from dashlight.labels.rows import ModelKey, ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.sqlite_store import SqliteLabelStore
from dashlight.testing import FakeClock

Make = Callable[..., ScoredRows]
NOW = 1_000_000.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def store(tmp_path: Path, hash_key: HashKey, clock: FakeClock) -> Iterator[SqliteLabelStore]:
    store = open_store(tmp_path, hash_key, clock)
    yield store
    store.close(5.0)


def open_store(directory: Path, hash_key: HashKey, clock: FakeClock, *, window: float = 86400.0) -> SqliteLabelStore:
    return SqliteLabelStore(
        directory / "labels.sqlite", hash_key=hash_key, label_window=window, most_bytes=1 << 30, clock=clock
    )


def test_a_label_finds_its_prediction(store: SqliteLabelStore, rows: Make, model: ModelKey) -> None:
    store.keep(rows(["a", "b", "c"], scores=[0.1, 0.5, 0.9]))
    store.flush(5.0)

    fates = store.label([Label("b", "yes"), Label("nobody", "yes")], NOW + 60)

    met = store.met(0, most_rows=10)
    assert fates == ["matched", "unknown"]
    assert [each.scores.tolist() for each in met.rows] == [[0.5]]
    assert [each.labels.tolist() for each in met.rows] == [[1.0]]
    assert met.rows[0].labelled_at.tolist() == [NOW + 60]
    assert met.is_all
    assert store.met(met.cursor, most_rows=10).rows == ()
    counts = store.waiting(model, since_at=0.0)
    assert counts.predictions.sum() == 3
    assert counts.labelled.sum() == 1
    left = store.unlabelled(model, since_at=0.0, most_rows=10)
    assert left is not None
    assert sorted(left.scores.tolist()) == [0.1, 0.9]
    (scored,) = store.scored(model, since_at=0.0, until_at=2 * NOW, most_rows=10)
    assert sorted(scored.scores.tolist()) == [0.1, 0.5, 0.9]


def test_the_first_of_several_labels_stays(store: SqliteLabelStore, rows: Make) -> None:
    store.keep(rows(["a"]))
    store.flush(5.0)

    fates = [
        *store.label([Label("a", "yes"), Label("a", "no")], NOW),
        *store.label([Label("a", "yes"), Label("a", "maybe")], NOW),
    ]

    assert fates == ["matched", "duplicate", "duplicate", "invalid"]
    assert np.concatenate([each.labels for each in store.met(0, most_rows=9).rows]).tolist() == [1.0]
    assert store.troubles() == {"repeated": 1, "contradicted": 1}


def test_a_label_that_is_faster_than_its_prediction_waits_for_it(store: SqliteLabelStore, rows: Make) -> None:
    first = store.label([Label("a", "yes")], NOW)
    store.keep(rows(["a"], at=NOW - 1))
    store.flush(5.0)

    assert first == ["unknown"]
    assert [each.labels.tolist() for each in store.met(0, most_rows=9).rows] == [[1.0]]
    assert store.label([Label("a", "yes")], NOW) == ["duplicate"]
