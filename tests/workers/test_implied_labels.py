"""Silence that is a no becomes labels in the store, and silence of which nothing is known does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.implied_negatives import ImpliedNegatives
from dashlight.labels.ids import key_of
from dashlight.labels.label import Label
from dashlight.labels.rows import Floats, LabelledRows, ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.sqlite_store import SqliteLabelStore
from dashlight.testing import FakeClock
from dashlight.workers.implied_labels import imply_negatives

MODEL = ("/shown", "ranker", "1")
KEY = HashKey(b"k" * 32)
HOUR, WITHIN = 3600.0, 1800.0
BEGIN = 1_790_000_000.0 // HOUR * HOUR
STOPS, RETURNS, ENDS = 6 * HOUR, 8 * HOUR, 16 * HOUR


def test_predictions_of_an_outage_get_no_label_and_those_around_it_do(tmp_path: Path) -> None:
    clock = FakeClock(BEGIN)
    store = SqliteLabelStore(
        tmp_path / "labels", hash_key=KEY, label_window=90 * 86400.0, most_bytes=2**28, clock=clock
    )
    rule = ImpliedNegatives(WITHIN)
    at = BEGIN + np.arange(0.0, ENDS, 5.0)
    is_clicked = np.arange(len(at)) % 10 == 0
    reaches = ~((at >= BEGIN + STOPS) & (at < BEGIN + RETURNS))
    implied_count, cursor = 0, 0

    for begin in np.arange(BEGIN, BEGIN + ENDS, 600.0):
        now = float(begin + 600.0)
        clock.advance(600.0)
        due = np.flatnonzero((at >= begin) & (at < now))
        store.keep(shown(at[due], due))
        store.flush(20)
        rule.note_predictions(float(begin), len(due))
        clicks = due[is_clicked[due] & reaches[due]]
        assert set(store.label([Label(str(n), 1, float(at[n]) + 1) for n in clicks], now)) <= {"matched"}
        met = store.met(cursor, most_rows=10_000)
        cursor = met.cursor
        for rows in met.rows:
            rule.note_labels(rows)
        implied_count += imply_negatives(store, MODEL, rule, until_at=now, most_rows=500)
    store.close(20)

    decided = [rows for rows in store_rows(tmp_path, clock) if rows.is_implied.any()]
    silent = np.concatenate([rows.predicted_at[rows.is_implied] for rows in decided])
    assert len(silent) == implied_count
    assert not ((silent >= BEGIN + STOPS) & (silent < BEGIN + RETURNS - 450)).any()
    before, after = silent[silent < BEGIN + STOPS], silent[silent >= BEGIN + RETURNS]
    # Nine of ten are not clicked; what is near the outage or the end is not decided.
    assert 0.8 * 0.9 < len(before) / (STOPS / 5) <= 0.9
    assert 0.7 * 0.9 < len(after) / ((ENDS - RETURNS) / 5) <= 0.9
    assert len(np.unique(silent)) == len(silent)


def shown(at: Floats, numbers: NDArray[np.intp]) -> ScoredRows:
    count = len(at)
    return ScoredRows(
        MODEL,
        "binary",
        ("0", "1"),
        keys=np.frombuffer(b"".join(key_of(str(n), KEY) for n in numbers.tolist()), "V16"),
        origins=np.frombuffer(b"o" * 16 * count, "V16"),
        places=np.zeros(count, np.int32),
        predicted_at=at,
        scores=np.full(count, 0.1),
        predictions=np.zeros(count, np.int32),
        steps=np.zeros(count, np.int32),
    )


def store_rows(tmp_path: Path, clock: FakeClock) -> list[LabelledRows]:
    again = SqliteLabelStore(
        tmp_path / "labels", hash_key=KEY, label_window=90 * 86400.0, most_bytes=2**28, clock=clock
    )
    try:
        return list(again.met(0, most_rows=10**6).rows)
    finally:
        again.close(20)
