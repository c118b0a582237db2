from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashlight.labels.label import Label, LabelValue
from dashlight.labels.rows import ScoredRows
from dashlight.labels.store import LabelStore
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.redis_store import RedisLabelStore
from dashlight.store.labels.sqlite_store import SqliteLabelStore
from dashlight.testing import FakeClock

Make = Callable[..., ScoredRows]
NOW = 1_700_000_000.0
WINDOW = 10_000.0
MOST_SECONDS = 3000.0
"""Of one history: less than an hour, which labels wait for their predictions."""

_ids = st.sampled_from([f"id{n}" for n in range(12)])
_values: st.SearchStrategy[LabelValue] = st.sampled_from(["yes", "no", True, 0, "perhaps", "", 2.5, float("nan")])
_kept = st.lists(_ids, min_size=1, max_size=5, unique=True)
_labels = st.lists(st.tuples(_ids, _values), min_size=1, max_size=5)
_steps = st.lists(st.tuples(st.floats(0, 200), st.one_of(_kept.map(tuple), _labels)), max_size=15)


class Expected:
    """What a store of labels does, in as few words as can be; every id is predicted once."""

    def __init__(self) -> None:
        self.predicted_at: dict[str, float] = {}
        self.truths: dict[str, float] = {}
        self.orphans: dict[str, LabelValue] = {}
        self.met: list[tuple[float, float]] = []

    def keep(self, names: list[str], at: float) -> None:
        self.predicted_at.update(dict.fromkeys(names, at))
        for name in names:
            if name in self.orphans:
                self.join(name, self.orphans.pop(name), at)

    def label(self, name: str, value: LabelValue, at: float) -> str:
        if name in self.predicted_at:
            return self.join(name, value, at)
        self.orphans.setdefault(name, value)
        return "unknown"

    def join(self, name: str, value: LabelValue, at: float) -> str:
        truth = {"yes": 1.0, "no": 0.0, True: 1.0, 0: 0.0}.get(value)
        if truth is None:
            return "invalid"
        if name in self.truths:
            return "duplicate"
        if at - self.predicted_at[name] > WINDOW:
            return "too_late"
        self.truths[name] = truth
        self.met.append((self.predicted_at[name], truth))
        return "matched"


def check(store: LabelStore, clock: FakeClock, rows: Make, steps: list[tuple[float, object]]) -> None:
    expected, most = Expected(), NOW + MOST_SECONDS
    for seconds, step in steps:
        clock.advance(min(seconds, most - clock.now()))
        at = clock.now()
        if isinstance(step, tuple):
            names = [name for name in step if name not in expected.predicted_at]
            if names:
                store.keep(rows(names, at=at))
                store.flush(10.0)
                expected.keep(names, at)
        elif isinstance(step, list):
            wanted = [expected.label(name, value, at) for name, value in step]
            assert list(store.label([Label(name, value) for name, value in step], at)) == wanted
    met = store.met(0, most_rows=10_000)
    read = [pair for each in met.rows for pair in zip(each.predicted_at.tolist(), each.labels.tolist(), strict=True)]
    assert sorted(read) == sorted(expected.met)
    counts = store.waiting(("/score", "churn", "3"), since_at=0.0)
    assert counts.predictions.sum() == len(expected.predicted_at)
    assert counts.labelled.sum() == len(expected.truths)
    left = store.unlabelled(("/score", "churn", "3"), since_at=0.0, most_rows=99)
    assert (0 if left is None else left.row_count) == len(expected.predicted_at) - len(expected.truths)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_labels_in_any_order_twice_and_of_wrong_types_join_once_in_a_file(
    steps: list[tuple[float, object]], rows: Make, hash_key: HashKey
) -> None:
    clock = FakeClock(NOW)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "labels.sqlite"
        store = SqliteLabelStore(
            path, hash_key=hash_key, label_window=WINDOW, most_bytes=1 << 30, clock=clock, write_seconds=0.001
        )
        check(store, clock, rows, steps)
        store.close(5.0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_labels_in_any_order_twice_and_of_wrong_types_join_once_in_a_redis(
    steps: list[tuple[float, object]], rows: Make, hash_key: HashKey, redis_url: str
) -> None:
    clock = FakeClock(NOW)
    store = RedisLabelStore(
        redis_url, application=uuid.uuid4().hex, hash_key=hash_key, label_window=WINDOW, most_bytes=1 << 30, clock=clock,
        write_seconds=0.001,
    )  # fmt: skip
    check(store, clock, rows, steps)
    store.close(5.0)


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 40_000])
def test_batches_of_any_size_give_back_what_was_put_there(
    tmp_path: Path, rows: Make, hash_key: HashKey, count: int
) -> None:
    store = SqliteLabelStore(
        tmp_path / "l",
        hash_key=hash_key,
        label_window=WINDOW,
        most_bytes=1 << 30,
        clock=FakeClock(NOW),
        write_seconds=0.01,
    )
    store.keep(rows([f"{n}" for n in range(count)], at=NOW))
    store.flush(10.0)

    wanted = sorted({0, count // 2, count - 1})
    fates = store.label([Label(f"{n}", n % 2) for n in wanted], NOW)

    assert set(fates) == {"matched"}
    labels = [label for each in store.met(0, most_rows=9).rows for label in each.labels.tolist()]
    assert sorted(labels) == sorted(float(n % 2) for n in wanted)
    store.close(5.0)
