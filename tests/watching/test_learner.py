"""A reference out of the first rows, and not out of an incident."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from dashlight.counting.kept_rows import KeptRows
from dashlight.records import Score, Table
from dashlight.store.pickled import freeze, frozen_pieces, thaw
from dashlight.watching.learner import MOST_BYTES, Learner
from dashlight.window.tables import table_of_columns

WANTED = 1000
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
        made = self.learner.reference(5.0, model="risk")
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
    made = taught.learner.reference(5.0, model="risk")

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


def test_rows_beyond_those_wanted_are_left_until_they_are_wanted() -> None:
    assert Taught().rows(1000).rows(500).learner.rows == WANTED


def test_rows_of_several_processes_make_one_reference() -> None:
    rng, learner = np.random.default_rng(4), Learner("/predict risk", WANTED, tolerance=0.02)

    for _ in range(4):
        assert learner.reference(5.0, model="risk") is None
        learner.take(KeptRows.of({"feature": table_of_columns({"age": rng.normal(40, 10, 250)})}))
    made = learner.reference(5.0, model="risk")

    assert made is not None
    assert made.rows == WANTED


def wide(rows: int, *, width_bytes: int, at: int = 0) -> KeptRows:
    """Rows of a vector of so many bytes, and of a number that grows from *at*."""
    vectors = np.random.default_rng(at).normal(size=(rows, width_bytes // 4)).astype(np.float32)
    features = table_of_columns({"age": np.arange(at, at + rows, dtype=float), "embedding": list(vectors)})
    return KeptRows.of({"feature": features, "output": NOTHING})


def test_of_wide_rows_fewer_make_the_reference_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    learner = Learner("/predict risk", WANTED, tolerance=0.02)
    while (made := learner.reference(5.0, model="risk")) is None:
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

    header, _, _, pickled, *_ = frozen_pieces(learner)

    assert len(header) + len(pickled) < 2000
    thawed = thaw(freeze(learner))
    assert isinstance(thawed, Learner)
    thawed.take(wide(100, width_bytes=64))
    assert thawed.reference(5.0, model="risk") is not None
