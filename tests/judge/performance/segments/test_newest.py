from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dashlight.judge.performance.segments.newest import MOST_SEGMENTED, NewestSegmented
from dashlight.labels.rows import LabelledRows
from dashlight.window.parts.segments import NO_SEGMENT, Segmentation

MakeRows = Callable[..., LabelledRows]
RNG = np.random.default_rng(1)


def counts(newest: NewestSegmented, segmentation: Segmentation, at: float = 0.0) -> dict[int, int]:
    return {number: rows.row_count for number, rows in newest.since(at, segmentation)}


def test_rows_are_told_by_segment_since_a_moment(make_rows: MakeRows, segmentation: Segmentation) -> None:
    newest = NewestSegmented()
    newest.add(make_rows(RNG, np.array([0, 0, 1]), at=100.0))
    newest.add(make_rows(RNG, np.array([0, 4, NO_SEGMENT]), at=200.0))

    assert counts(newest, segmentation) == {0: 3, 1: 1, 4: 1}
    assert counts(newest, segmentation, 150.0) == {0: 1, 4: 1}
    assert counts(newest, segmentation, 250.0) == {}


def test_the_newest_are_kept(make_rows: MakeRows, segmentation: Segmentation) -> None:
    newest = NewestSegmented()
    for number in range(30):
        newest.add(make_rows(RNG, np.full(1000, number % 2)))
    newest.add(make_rows(RNG, np.zeros(0, np.int64)))

    assert counts(newest, segmentation) == {0: MOST_SEGMENTED // 2, 1: MOST_SEGMENTED // 2}
    assert newest.bytes < 100 * MOST_SEGMENTED


def test_one_set_of_more_than_all_that_are_kept_is_cut(make_rows: MakeRows, segmentation: Segmentation) -> None:
    newest = NewestSegmented()

    newest.add(make_rows(RNG, np.zeros(MOST_SEGMENTED + 5, np.int64)))

    assert counts(newest, segmentation) == {0: MOST_SEGMENTED}


def test_other_classes_begin_anew(make_rows: MakeRows, segmentation: Segmentation) -> None:
    newest = NewestSegmented()
    newest.add(make_rows(RNG, np.array([0, 1])))

    newest.add(replace(make_rows(RNG, np.array([2])), classes=("bad", "good")))

    assert counts(newest, segmentation) == {2: 1}


def test_probabilities_that_not_all_rows_have_are_let_go(make_rows: MakeRows, segmentation: Segmentation) -> None:
    newest = NewestSegmented()
    with_them = replace(make_rows(RNG, np.array([0])), probabilities=np.ones((1, 2), np.float32))
    newest.add(with_them)
    assert [rows.probabilities is None for _, rows in newest.since(0.0, segmentation)] == [False]

    newest.add(make_rows(RNG, np.array([0])))
    newest.add(with_them)

    assert [(rows.row_count, rows.probabilities) for _, rows in newest.since(0.0, segmentation)] == [(3, None)]
