from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from dashlight.counting.agents import agents_of
from dashlight.counting.scored.scorer import Scorer, Scoring
from dashlight.decode.batch import Decoder
from dashlight.labels.ids import key_of
from dashlight.labels.rows import ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.records import Exchange
from dashlight.runtime.labels.keeping import PredictionKeeper

KEY = HashKey(b"k" * 32)


class Store:
    """A store that only remembers."""

    def __init__(self) -> None:
        self.rows: list[ScoredRows] = []

    def keep(self, rows: ScoredRows) -> None:
        self.rows.append(rows)


class BrokenStore(Store):
    """One that nothing can be kept in."""

    def keep(self, rows: ScoredRows) -> None:
        raise RuntimeError("secret")


def exchange(number: int, *, agent: bytes = b"", model: str = "m") -> Exchange:
    asked = json.dumps({"id": f"r{number}", "age": number + 0.5}).encode()
    answered = json.dumps({"p": 0.5, "model": model}).encode()
    headers = [(b"content-type", b"application/json"), (b"user-agent", agent)]
    return Exchange(
        number, "/p", "POST", "/p", b"", "http", None, "1.1", headers, headers[:1], 200, "", "ok",
        1.7e9, 0.01, 0.02, len(asked), len(answered), (asked,), (answered,), 0, 0, 0, None,
    )  # fmt: skip


def kept(store: Any, exchanges: list[Exchange]) -> PredictionKeeper:
    keeping = PredictionKeeper(Scorer(Scoring(KEY)), store, agents=agents_of(()))
    keeping.keep(Decoder(model="m", version="1").decode(exchanges), exchanges, {})
    return keeping


def test_predictions_are_kept_model_by_model() -> None:
    store = Store()

    kept(store, [exchange(1, model="a"), exchange(2, model="b"), exchange(3, model="a")])

    assert [(rows.model[1], rows.row_count) for rows in store.rows] == [("a", 2), ("b", 1)]


def test_rows_of_probes_are_not_kept() -> None:
    store = Store()

    kept(store, [exchange(1), exchange(2, agent=b"kube-probe/1.29"), exchange(3)])

    (rows,) = store.rows
    assert rows.other_keys is not None
    assert [each.tobytes() for each in rows.other_keys] == [key_of("r1", KEY), key_of("r3", KEY)]


def test_a_mistake_of_ours_is_counted_and_told_once_without_what_it_says(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "dashlight"):
        keeping = kept(BrokenStore(), [exchange(1)])
        keeping.keep(Decoder(model="m", version="1").decode([exchange(2)]), [exchange(2)], {})

    assert keeping.troubles["mistake"] == 2
    (line,) = caplog.messages
    assert "RuntimeError" in line
    assert "secret" not in line
