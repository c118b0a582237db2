"""Rows counted several columns at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dashlight.counting.joint import JOINT, JointCounter, JointPane
from dashlight.counting.policy import Policy
from dashlight.counting.selection import watched_of
from dashlight.judge.directions.bets import undirected
from dashlight.window.bins import Binner
from dashlight.window.columns import Reference
from dashlight.window.facets.facets import expanded, faceted
from dashlight.window.tables import Column, table_of_columns


@pytest.fixture
def counter(reference: Reference) -> JointCounter:
    return JointCounter(reference, watched_of(reference, Policy()))


def codes_of(reference: Reference, held: dict[str, Column]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    kinds, widths = faceted(reference.columns)
    whole, _ = expanded(table_of_columns(held), kinds, widths=widths)
    return Binner(reference.columns).codes(whole)


def test_a_pane_that_nothing_was_counted_in_is_empty(counter: JointCounter) -> None:
    pane = counter.close()

    assert (pane.pairs, pane.directions) == (None, {})


def test_panes_add_up_also_where_one_is_empty(
    counter: JointCounter, reference: Reference, columns: Callable[..., dict[str, Column]]
) -> None:
    counter.add(codes_of(reference, columns(np.random.default_rng(1), 30)))
    pane, empty = counter.close(), JointPane(None, {})

    for both in (pane + empty, empty + pane):
        assert both.pairs is pane.pairs
        assert both.directions == pane.directions
    doubled = pane + pane
    assert pane.pairs is not None
    assert doubled.pairs is not None
    assert doubled.pairs.agreeing.tolist() == (2 * pane.pairs.agreeing).tolist()
    assert doubled.directions[JOINT].rows == 60
    assert (empty + empty).directions == {}


def test_vectors_and_texts_are_observed_by_their_names(counter: JointCounter) -> None:
    rows = np.random.default_rng(2).normal(0, 1, (7, 16)).astype(np.float32)
    rows[2, 5], rows[4, 0] = np.inf, np.nan

    counter.observe({"embedding": rows, "unheard of": rows})
    pane = counter.close()

    assert set(pane.directions) == {"embedding"}
    assert pane.directions["embedding"].rows == 5


def test_rows_without_a_whole_vector_are_no_rows(counter: JointCounter) -> None:
    counter.observe({"embedding": np.full((3, 16), np.nan)})

    assert counter.close().directions == {}


def test_a_direction_is_followed_from_the_next_rows_on(
    counter: JointCounter, reference: Reference, columns: Callable[..., dict[str, Column]]
) -> None:
    codes = codes_of(reference, columns(np.random.default_rng(3), 10))
    counter.add(codes)
    dims = counter.close().directions[JOINT].total.shape[0]
    known = undirected(dims)

    counter.follow({JOINT: type(known)(7, known.weights + 1, *[getattr(known, name) for name in known.__slots__[2:]])})
    counter.add(codes)

    assert counter.close().directions[JOINT].direction == 7
