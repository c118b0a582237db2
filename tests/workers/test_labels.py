"""What the judge reads of labels: every row once, whatever dies when, and never long at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight.counting.machine import MachinePane, ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.labels.label import Label
from dashlight.labels.news import LabelNews
from dashlight.labels.rows import LabelledRows, ModelKey, ScoredRows
from dashlight.labels.store import Met, WaitingCounts
from dashlight.metrics.losses import SignalFate
from dashlight.privacy.hashing import HashKey
from dashlight.records import Score
from dashlight.store.labels.sqlite_store import SqliteLabelStore
from dashlight.store.learned import LearnedReferences
from dashlight.testing import FakeClock
from dashlight.watching.machine import MachineWatch
from dashlight.window.performance.own_measures import OwnMeasures
from dashlight.window.reference.steps import finished
from dashlight.workers.checkpoints import Checkpoint, CheckpointLayout
from dashlight.workers.closing import judged
from dashlight.workers.labels import MOST_ROWS, ROWS_A_STEP, LabelReader

KEY: ModelKey = ("/predict", "risk", "1")
BEGAN_AT = 1_790_000_000.0
PANE_SECONDS = 10.0
POLICY = Policy(labels=True)


def rows_of(count: int, first: int = 0, key: ModelKey = KEY) -> LabelledRows:
    numbers = np.arange(first, first + count)
    return LabelledRows(
        model=key,
        task="regression",
        classes=(),
        predicted_at=np.full(count, BEGAN_AT),
        labelled_at=np.full(count, BEGAN_AT + 1),
        scores=np.zeros(count),
        predictions=np.full(count, -1, np.int32),
        labels=numbers.astype(np.float64) % 7,
        steps=np.zeros(count, np.int32),
        is_implied=np.zeros(count, np.bool_),
    )


class Store:
    """So many labelled rows, of one model; it may fail."""

    def __init__(self, count: int = 0) -> None:
        self.count, self.fails = count, False
        self.reads: list[int] = []
        self.asked: list[str] = []

    def met(self, cursor: int, *, most_rows: int) -> Met:
        if self.fails:
            raise sqlite3.OperationalError("disk I/O error")
        self.reads.append(most_rows)
        end = min(cursor + most_rows, self.count)
        rows = (rows_of(end - cursor, cursor),) if end > cursor else ()
        return Met(rows, end, is_all=end == self.count)

    def waiting(self, model: ModelKey, *, since_at: float) -> WaitingCounts:
        self.asked.append("waiting")
        one = np.ones(1)
        return WaitingCounts(one * since_at, np.zeros(1, np.int32), one.astype(np.int64) * 4, one.astype(np.int64))

    def scored(self, model: ModelKey, *, since_at: float, until_at: float, most_rows: int) -> Sequence[ScoredRows]:
        self.asked.append(f"scored {round(until_at - since_at)}")
        return []

    def imply(self, model: ModelKey, *, since_at: float, before_at: float, most_rows: int) -> int:
        self.asked.append("imply")
        return 0


def watch_of(policy: Policy = POLICY) -> MachineWatch:
    return MachineWatch(policy, References(LearnedReferences(None)), at=BEGAN_AT)


def pane(number: int) -> MachinePane:
    return MachinePane({}, {"worker": ProcessStatus(0, 1.0, ended_at=BEGAN_AT + number * PANE_SECONDS)})


class Judge:
    """Judges panes, and is killed at any step."""

    def __init__(self, store: object) -> None:
        self.store = store
        self.blob = b""
        self.panes = 0
        self._begin()

    def _begin(self) -> None:
        self.watch = watch_of()
        self.reader = LabelReader(self.store, POLICY)  # type: ignore[arg-type]
        if self.blob:
            checkpoint = CheckpointLayout().thaw(self.blob)
            lost: list[str] = []
            finished(self.watch.restore(checkpoint.state, BEGAN_AT, lose=lambda part, _: lost.append(part)))
            assert (lost, checkpoint.lost) == ([], ())

    def close_pane(self, *, killed_after: int | None = None) -> None:
        """A pane; *killed_after* so many steps, before the checkpoint is written, another goes on with the one before."""
        self.panes += 1
        at = BEGAN_AT + self.panes * PANE_SECONDS
        steps = judged(self.watch, pane(self.panes), at, (), self.reader)
        for number, _ in enumerate(iter(lambda: next(steps, "over"), "over")):
            if number == killed_after:
                self._begin()
                return
        self.blob = b"".join(CheckpointLayout().freeze(Checkpoint(self.watch.state, {"worker": self.panes})))

    def score(self, name: str) -> Score:
        return next(each for each in self.watch.performances.scores(KEY) if each.statistic == name)


def test_every_row_is_counted_once_wherever_the_judge_dies() -> None:
    store = Store(3 * ROWS_A_STEP + 17)
    judge = Judge(store)
    judge.close_pane()
    for killed_after in range(12):
        store.count += ROWS_A_STEP + 3
        judge.close_pane(killed_after=killed_after)
    judge.close_pane()

    assert judge.score("labels").value == store.count
    assert judge.watch.performances.cursor == store.count
    assert judge.score("mae").value == pytest.approx(float(np.mean(np.arange(store.count) % 7)), rel=1e-9)


def test_a_pane_reads_so_many_rows_and_the_next_goes_on() -> None:
    store = Store(MOST_ROWS + 3 * ROWS_A_STEP)
    judge = Judge(store)

    judge.close_pane()
    assert MOST_ROWS <= judge.watch.performances.cursor < MOST_ROWS + ROWS_A_STEP
    assert set(store.reads) == {ROWS_A_STEP}
    judge.close_pane()
    assert judge.watch.performances.cursor == store.count


def test_a_store_that_fails_costs_nothing_but_time() -> None:
    store = Store(100)
    judge = Judge(store)
    store.fails = True
    for _ in range(3):
        judge.close_pane()
    assert judge.reader.troubles == {SignalFate("labels", "mistake", "OperationalError"): 3}
    store.fails = False
    judge.close_pane()

    assert judge.score("labels").value == 100


def test_waiting_predictions_and_windows_are_looked_at_now_and_then() -> None:
    store = Store(10)
    judge = Judge(store)
    for _ in range(60):
        judge.close_pane()

    asked = {name: store.asked.count(name) for name in store.asked}
    assert asked == {"waiting": 2, "scored 3600": 1}
    assert judge.score("label_coverage").value == 0.25


def test_the_day_is_looked_at_once_it_is_over() -> None:
    store = Store(10)
    reader, watch = LabelReader(store, POLICY), watch_of()  # type: ignore[arg-type]
    for hour in range(49):
        finished(reader.read(watch.performances, {KEY}, BEGAN_AT + hour * 3600.0))

    assert store.asked.count("scored 86400") == 2
    assert store.asked.count("scored 3600") == 49


def test_a_part_that_cannot_be_read_is_lost_alone() -> None:
    judge = Judge(Store(100))
    judge.close_pane()
    ((key, state),) = judge.watch.performances.model_states.items()
    whole = replace(judge.watch.state, performances={key: replace(state, course=replace(state.course, refused=-1))})
    blob = b"".join(CheckpointLayout().freeze(Checkpoint(whole, {})))
    lost: list[str] = []
    heir = watch_of()

    finished(heir.restore(CheckpointLayout().thaw(blob).state, BEGAN_AT, lose=lambda part, _: lost.append(part)))

    assert lost == ["performance"]
    assert heir.performances.cursor == 100
    assert set(heir.performances.watches) == {KEY}


def test_labels_of_a_real_store_reach_the_scores_of_whoever_judges(tmp_path: Path) -> None:
    key, clock = HashKey.of_setting("a-key-for-what-is-hashed"), FakeClock(BEGAN_AT)
    store = SqliteLabelStore(
        tmp_path / "labels.sqlite", hash_key=key, label_window=90 * 86_400.0, most_bytes=1 << 30, clock=clock
    )
    from dashlight.labels.ids import key_of

    count = 50
    store.keep(
        ScoredRows(
            KEY,
            "binary",
            ("no", "yes"),
            keys=np.frombuffer(b"".join(key_of(f"p{number}", key) for number in range(count)), "V16"),
            origins=np.frombuffer(b"o" * 16 * count, "V16"),
            places=np.arange(count, dtype=np.int32),
            predicted_at=np.full(count, BEGAN_AT),
            scores=np.full(count, 0.9),
            predictions=np.ones(count, np.int32),
            steps=np.zeros(count, np.int32),
        )
    )
    store.flush(20.0)
    fates = store.label([Label(f"p{number}", "yes" if number % 5 else "no") for number in range(count)], BEGAN_AT + 5)
    judge = Judge(store)

    judge.close_pane()

    assert set(fates) == {"matched"}
    assert (judge.score("accuracy").value, judge.score("accuracy").rows) == (0.8, 50)
    assert judge.score("label_coverage").value == 1.0
    store.close(20.0)


def profit(labels: Any, _predictions: Any, _scores: Any) -> Any:
    return labels.sum()


def wrong(_labels: Any, _predictions: Any, _scores: Any) -> Any:
    return "?"


def test_metrics_of_somebody_s_own_are_shown_beside_the_others() -> None:
    store = Store(100)
    judge = Judge(store)
    own = OwnMeasures({"profit": profit, "wrong": wrong}, lambda: 0.0)
    judge.reader = LabelReader(store, POLICY, own)  # type: ignore[arg-type]
    for _ in range(2):
        judge.close_pane()

    assert judge.score("profit").value == float(np.sum(np.arange(100) % 7))
    assert "wrong" not in {each.statistic for each in judge.watch.performances.scores(KEY)}


def test_news_of_no_model_change_nothing() -> None:
    watch = watch_of()
    assert list(watch.performances.close_pane(LabelNews(0), BEGAN_AT)) == []
    assert watch.state.machine.performances is None
