from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dashlight.judge.performance.estimates.known import known_of_labels, known_of_reference
from dashlight.window.columns import MOST_SAMPLED

MakeRows = Callable[..., Any]


def test_rows_without_a_label_or_a_score_are_left_out_and_the_rest_keep_their_places(
    world: Any, make_rows: MakeRows
) -> None:
    rows = make_rows()
    labels, scores = rows.labels.copy(), rows.scores.copy()
    labels[::2], scores[1::4] = np.nan, np.nan

    known = known_of_reference(world.with_performance(rows, labels=labels, scores=scores, rows=50_000))

    assert known is not None
    assert known.sampled is not None
    assert known.sampled.tolist() == list(range(3, 4000, 4))
    assert known.rows == 25_000
    assert known.outcomes.tolist() == rows.labels[3::4].tolist()


def test_a_reference_without_rows_side_by_side_knows_its_scores_all_the_same(world: Any, make_rows: MakeRows) -> None:
    known = known_of_reference(replace(world.with_performance(make_rows()), sample=None))

    assert known is not None
    assert known.sampled is None
    assert len(known.scores) == 4000


def test_of_labels_that_came_the_newest_count(make_rows: MakeRows) -> None:
    old, new = make_rows(5000, seed=1), make_rows(MOST_SAMPLED - 1000, seed=2)

    known = known_of_labels([old.labelled(), new.labelled()])

    assert known is not None
    assert known.scores.tolist() == [*old.scores[-1000:].tolist(), *new.scores.tolist()]


def test_labels_of_other_classes_are_not_put_together(make_rows: MakeRows) -> None:
    rows = make_rows(100)

    assert known_of_labels([rows.labelled(), rows.labelled(classes=("yes", "no"))]) is None
    assert known_of_labels([]) is None
