from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest

from dashlight.counting.agents import agents_of
from dashlight.counting.scored.scorer import Scorer, Scoring
from dashlight.decode.batch import Decoder
from dashlight.labels.ids import key_of
from dashlight.labels.rows import ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.records import Exchange
from dashlight.runtime.labels.feedback import MOST_REMEMBERED, Feedback
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


def kept(store: Any, exchanges: list[Exchange], given: Sequence[tuple[str, float]] = ()) -> PredictionKeeper:
    feedback = Feedback(deque(given), KEY)
    keeping = PredictionKeeper(Scorer(Scoring(KEY)), store, agents=agents_of(()), feedback=feedback)
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


def test_a_request_in_which_the_app_labels_what_it_names_is_no_prediction() -> None:
    store = Store()
    # Exchanges begin at 1.7e9 and last 20 ms.
    given = [("r1", 1.7e9 + 0.01), ("r2", 1.7e9 + 0.5), ("r3:0", 1.7e9 + 0.01), ("nobody", 1.7e9 + 0.01)]

    kept(store, [exchange(1), exchange(2), exchange(3), exchange(4)], given)

    (rows,) = store.rows
    assert rows.other_keys is not None
    assert [each.tobytes() for each in rows.other_keys] == [key_of("r2", KEY), key_of("r4", KEY)]


def test_where_all_that_came_told_labels_nothing_is_kept() -> None:
    store = Store()

    kept(store, [exchange(1)], [("r1", 1.7e9)])

    assert store.rows == []


def test_of_how_many_labels_is_remembered_is_bounded() -> None:
    feedback = Feedback(deque((f"r{number}", 1.7e9) for number in range(2 * MOST_REMEMBERED)), KEY)
    store: Any = Store()
    keeping = PredictionKeeper(Scorer(Scoring(KEY)), store, agents=agents_of(()), feedback=feedback)

    for number in (1, 2 * MOST_REMEMBERED - 1):
        keeping.keep(Decoder(model="m", version="1").decode([exchange(number)]), [exchange(number)], {})

    (rows,) = store.rows
    assert rows.other_keys is not None
    assert rows.other_keys[0].tobytes() == key_of("r1", KEY)


def test_a_mistake_of_ours_is_counted_and_told_once_without_what_it_says(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "dashlight"):
        keeping = kept(BrokenStore(), [exchange(1)])
        keeping.keep(Decoder(model="m", version="1").decode([exchange(2)]), [exchange(2)], {})

    assert keeping.troubles["mistake"] == 2
    (line,) = caplog.messages
    assert "RuntimeError" in line
    assert "secret" not in line
