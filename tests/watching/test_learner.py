"""A reference out of the first rows, and not out of an incident."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.counting.kept_rows import KeptRows
from dashlight.records import Score, Table
from dashlight.store.layout import Layout
from dashlight.watching.learner import MOST_BYTES, Learner, LearnerState
from dashlight.window.columns import Reference
from dashlight.window.layout import NULL, TYPE_ERROR
from dashlight.window.reference.steps import finished
from dashlight.window.tables import table_of_columns

WANTED = 1000
LAYOUT: Layout[LearnerState] = Layout("learner", 1, LearnerState)
NOTHING = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))


class Taught:
    """A learner, and rows for it."""

    def __init__(self) -> None:
        self.learner = Learner("/predict risk", WANTED, tolerance=0.02)
        self._rng = np.random.default_rng(3)

    def rows(self, count: int, *, age: float = 40.0) -> Taught:
        asked = {"age": self._rng.normal(age, 10, count), "income": self._rng.gamma(4, 500, count)}
        features = table_of_columns(asked)
        self.learner.take(KeptRows.of({"feature": features, "output": NOTHING}))
        return self

    def rows_made(self) -> int | None:
        made = finished(self.learner.reference(5.0, model="risk"))
        return None if made is None else made.rows


def test_rows_that_hold_still_make_a_reference() -> None:
    taught = Taught().rows(400)
    assert taught.rows_made() is None

    taught.rows(600)

    assert taught.rows_made() == WANTED
    assert taught.learner.moving == ()


def test_progress_is_the_share_of_the_rows_wanted() -> None:
    assert Taught().rows(250).learner.progress() == [Score(None, None, "reference_learned", 0.25, 0.25, 0.25, 250)]


def test_an_incident_is_waited_for_and_not_learned() -> None:
    taught = Taught().rows(700, age=90.0).rows(300)
    assert taught.rows_made() is None
    assert taught.learner.moving == ("age",)

    taught.rows(1000)
    made = finished(taught.learner.reference(5.0, model="risk"))

    assert made is not None
    assert made.rows == WANTED
    assert made.columns[0].high < 80


def test_while_it_waits_it_says_how_many_columns_moved() -> None:
    taught = Taught().rows(700, age=90.0).rows(300)
    taught.rows_made()

    assert taught.learner.progress() == [
        Score(None, None, "reference_learned", 0.5, 0.5, 0.5, 1000),
        Score(None, None, "reference_moving_columns", 1.0, 1.0, 1.0, 1000),
    ]


def test_what_never_holds_still_is_learned_whole_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    taught = Taught()
    for stretch in range(4):
        taught.rows(500, age=40.0 + 40 * stretch).rows(500, age=60.0 + 40 * stretch)
        made = taught.rows_made()

    assert made == 4 * WANTED
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith("/predict risk: learned a reference from 4000 rows in which age did not hold still: ")


def test_texts_among_numbers_are_learned_as_traffic_will_be_read() -> None:
    taught = Taught()
    ages = [*np.random.default_rng(1).normal(40, 10, 950).tolist(), *["N/A"] * 40, *["41,5"] * 9, "old"]
    features = table_of_columns({"age": [ages[at * 7 % WANTED] for at in range(WANTED)]})
    taught.learner.take(KeptRows.of({"feature": features, "output": NOTHING}))

    made = finished(taught.learner.reference(5.0, model="risk"))

    assert made is not None
    assert made.columns[0].kind == "numeric"
    assert made.columns[0].counts[[NULL, TYPE_ERROR]].tolist() == [40, 1]


def test_rows_beyond_those_wanted_are_left_until_they_are_wanted() -> None:
    assert Taught().rows(1000).rows(500).learner.rows == WANTED


def test_rows_of_several_processes_make_one_reference() -> None:
    rng, learner = np.random.default_rng(4), Learner("/predict risk", WANTED, tolerance=0.02)

    for _ in range(4):
        assert finished(learner.reference(5.0, model="risk")) is None
        learner.take(KeptRows.of({"feature": table_of_columns({"age": rng.normal(40, 10, 250)})}))
    made = finished(learner.reference(5.0, model="risk"))

    assert made is not None
    assert made.rows == WANTED


def wide(rows: int, *, width_bytes: int, at: int = 0) -> KeptRows:
    """Rows of a vector of so many bytes, and of a number that grows from *at*."""
    vectors = np.random.default_rng(at).normal(size=(rows, width_bytes // 4)).astype(np.float32)
    features = table_of_columns({"age": np.arange(at, at + rows) + 0.5, "embedding": list(vectors)})
    return KeptRows.of({"feature": features, "output": NOTHING})


def test_of_wide_rows_fewer_make_the_reference_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    learner = Learner("/predict risk", WANTED, tolerance=0.02)
    while (made := finished(learner.reference(5.0, model="risk"))) is None:
        learner.take(wide(100, width_bytes=64 << 10, at=learner.rows))

    # 6.25 MB each time. It never holds still: nothing more is waited for.
    assert made.rows == learner.rows == 600
    assert learner.progress()[0].value == 1.0
    said = [record.getMessage() for record in caplog.records]
    assert "/predict risk: rows are wide: 600 of them hold 37 MB, and no more are waited for" in said
    assert any(
        sentence.startswith("/predict risk: learned a reference from 600 rows in which age") for sentence in said
    )


def test_two_hundred_rows_are_waited_for_however_wide_up_to_a_bound() -> None:
    learner = Learner("/predict risk", WANTED, tolerance=0.02)

    while learner.progress()[0].value != 1.0:
        learner.take(wide(10, width_bytes=400 << 10, at=learner.rows))

    assert 2 * MOST_BYTES <= learner.rows * (400 << 10) < 2 * MOST_BYTES + 11 * (400 << 10)
    assert learner.rows < 200


def test_what_is_learned_from_texts_costs_a_checkpoint_next_to_nothing() -> None:
    learner = Learner("/predict risk", WANTED, tolerance=0.02)
    texts = [f"{place} " * 100 for place in range(900)]
    learner.take(KeptRows.of({"feature": table_of_columns({"text": texts}), "output": NOTHING}))

    part = LAYOUT.part(learner.state)

    assert len(part.body) < 500
    assert len(part.arrays) == 1


def written(learner: Learner) -> bytearray:
    return bytearray(b"".join(LAYOUT.freeze(learner.state)))


@pytest.mark.parametrize("cut_at", [0, 1, 3, 4, 7])
def test_a_learner_that_is_restored_learns_the_same_reference(cut_at: int) -> None:
    whole = restored = Taught().learner
    rng, made = np.random.default_rng(5), list[Reference | None]()
    for pane in range(8):  # an incident until the third pane: more rows are waited for
        if pane == cut_at:
            restored = Taught().learner
            restored.restore(LAYOUT.thaw(written(whole)))
        rows = KeptRows.of({"feature": table_of_columns({"age": rng.normal(90.0 if pane < 3 else 40.0, 10, 250)})})
        for learner in {whole, restored}:
            learner.take(rows)
        made = [finished(learner.reference(5.0, model="risk")) for learner in (whole, restored)]
        assert [score.value for score in restored.progress()] == [score.value for score in whole.progress()]
        assert restored.moving == whole.moving

    assert written(restored) == written(whole)
    assert None not in made
    assert len({each.version for each in made if each}) == 1


def test_damaged_rows_cost_themselves_and_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    taught, state = Taught(), Taught().rows(400).rows(300).rows(100).learner.state
    state.kept[1].frozen[200] ^= 1
    lying = KeptRows({"feature": 900, "output": 0}, state.kept[2].frozen)
    taught.learner.restore(replace(state, kept=(*state.kept[:2], lying)))

    assert taught.rows_made() is None
    assert (taught.learner.rows, taught.learner.damaged_rows) == (400, 300 + 900)
    assert taught.learner.progress()[-1] == Score(None, None, "reference_damaged_rows", 1200.0, 1200.0, 1200.0, 400)
    (sentence,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert sentence.startswith("/predict risk: rows to learn from are damaged and left out: ")
    assert taught.rows(600).rows_made() == WANTED


STATE = Taught().rows(100).learner.state


@pytest.mark.parametrize(
    "state",
    [
        replace(STATE, wanted=WANTED - 1),
        replace(STATE, wanted=4 * WANTED + 1),
        replace(STATE, damaged_rows=-1),
        replace(STATE, kept=(KeptRows({"feature": -1}, STATE.kept[0].frozen),)),
        replace(STATE, kept=(KeptRows({"feature": 2**62}, STATE.kept[0].frozen),)),
        replace(STATE, kept=(KeptRows({"feature": 1}, STATE.kept[0].frozen[None]),)),
    ],
)
def test_what_no_learner_of_so_many_rows_holds_is_refused(state: LearnerState) -> None:
    with pytest.raises(ValueError, match=r"expected|no row of bytes"):
        Taught().learner.restore(state)


def counted(taught: np.random.Generator, first: int, rows: int) -> KeptRows:
    """Rows with a counter, a moment and an id in them."""
    numbers = np.arange(first, first + rows)
    asked: dict[str, Any] = {
        "age": taught.normal(40, 10, rows),
        "seq": numbers.astype(float),
        "seen": [f"2026-11-30T12:{number // 60 % 60:02}:{number % 60:02}Z" for number in numbers.tolist()],
        "session": [f"u{key:x}" for key in taught.integers(0, 2**40, rows).tolist()],
    }
    return KeptRows.of({"feature": table_of_columns(asked), "output": NOTHING})


def test_counters_moments_and_ids_are_not_learned_and_do_not_keep_learning_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    rng, learner = np.random.default_rng(8), Learner("/predict risk", WANTED, tolerance=0.02)
    for first in range(0, WANTED, 100):
        learner.take(counted(rng, first, 100))

    made = finished(learner.reference(5.0, model="risk"))

    assert made is not None
    assert [column.name for column in made.columns] == ["age"]
    assert {each.name: each.why for each in made.left_out} == {"seq": "row_number", "seen": "time", "session": "id"}
    assert "/predict risk: left out: seq numbers the rows; " in caplog.records[-1].getMessage()


def test_a_counter_is_learned_where_it_is_asked_for() -> None:
    rng, learner = np.random.default_rng(8), Learner("/predict risk", WANTED, tolerance=0.02, keep=("seq",))
    while (made := finished(learner.reference(5.0, model="risk"))) is None:
        learner.take(counted(rng, learner.rows, 100))

    assert [column.name for column in made.columns] == ["age", "seq"]


def test_one_payload_that_is_much_of_what_is_learned_is_told_and_counts_once(caplog: pytest.LogCaptureFixture) -> None:
    taught, probe = Taught(), table_of_columns({"age": np.full(60, 33.0), "income": np.full(60, 1000.0)})
    for _ in range(5):
        taught.rows(140)
        taught.learner.take(KeptRows.of({"feature": probe, "output": NOTHING}))
    assert taught.rows_made() is None

    taught.rows(200).rows_made()
    made = finished(taught.rows(300).learner.reference(5.0, model="risk"))

    assert made is not None
    assert made.rows == WANTED
    assert made.payloads is not None
    assert made.payloads.alone_share == 1.0
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "/predict risk: one payload is 30 % of the rows to learn from (a probe, retries?): it counts once"
    ]


def test_few_distinct_rows_are_learned_as_often_as_they_come(caplog: pytest.LogCaptureFixture) -> None:
    learner = Learner("/predict risk", WANTED, tolerance=0.02)
    flags = table_of_columns({"flag": (np.random.default_rng(4).random(WANTED) < 0.3).tolist()})

    learner.take(KeptRows.of({"feature": flags, "output": NOTHING}))
    made = finished(learner.reference(5.0, model="risk"))

    assert made is not None
    assert made.rows == WANTED
    assert not [record for record in caplog.records if record.levelno == logging.WARNING]


def test_what_is_nearly_all_one_payload_is_learned_from_what_else_there_is() -> None:
    taught, probe = Taught(), table_of_columns({"age": np.full(800, 33.0), "income": np.full(800, 1000.0)})
    made: int | None = None
    for _ in range(30):
        taught.learner.take(KeptRows.of({"feature": probe, "output": NOTHING}))
        made = taught.rows(100).rows_made()
        if made is not None:
            break

    assert made is not None
    assert 300 <= made < WANTED
