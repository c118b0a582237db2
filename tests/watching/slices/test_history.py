"""Sampled rows of long ago and of late: uniform since any moment, in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from dashlight.watching.slices.history import (
    LEAST_SINCE,
    MOST_BYTES,
    MOST_ROWS,
    SampledHistory,
    history_bytes,
    kept_rows,
)
from dashlight.window.parts.sampled_rows import SampledRows

PANE = 10.0


def drawn(rng: np.random.Generator, rows: int, *, ended_at: float, most: int = 512, columns: int = 40) -> SampledRows:
    """What a process draws of so many rows of a pane; the second column says in which tenth of the pane they came."""
    draws = np.sort(rng.random(rows))[: most + 1]
    bound = float(draws[most]) if rows > most else 1.0
    draws = draws[:most]
    at = ended_at - PANE + PANE * rng.random(len(draws))
    codes = np.zeros((columns, len(draws)), np.uint8)
    codes[1] = (10 * (at - ended_at + PANE) / PANE).astype(np.uint8)
    return SampledRows("r", codes, np.zeros(len(at), np.uint8), at, draws, bound, np.zeros(len(at), "V16"))


def filled(panes: int, rows: int, *, seed: int = 0, columns: int = 40, burst: int = 0) -> SampledHistory:
    """A history of so many panes, each of so many rows; every fiftieth of *burst* times as many."""
    rng, history = np.random.default_rng(seed), SampledHistory(columns)
    for pane in range(1, panes + 1):
        many = rows * burst if burst and pane % 50 == 0 else rows
        history.take(drawn(rng, many, ended_at=PANE * pane, columns=columns), PANE * pane)
    return history


def test_all_rows_are_kept_while_they_are_few() -> None:
    history = filled(30, 100)

    sample = history.since(0.0)

    assert sample is not None
    assert sample.bound == 1.0
    assert sample.row_count == history.row_count == 3000


@pytest.mark.parametrize(("panes", "rows", "burst"), [(3000, 100, 0), (1500, 5000, 0), (2000, 60, 40)], ids=str)
def test_the_rows_since_any_moment_are_drawn_uniformly(panes: int, rows: int, burst: int) -> None:
    history = filled(panes, rows, burst=burst, seed=panes)

    every = history.since(0.0)
    assert every is not None
    for ago in (1, 3, 10, 40, 150, 700, panes):
        if PANE * (panes - ago) < every.at.min() - PANE:
            assert ago > 100  # of busy panes so many are kept
            continue
        since = history.since(PANE * (panes - ago))
        assert since is not None
        weights = np.array(
            [rows * burst if burst and pane % 50 == 0 else rows for pane in range(panes - ago + 1, panes + 1)]
        )
        assert since.row_count == pytest.approx(weights.sum() * since.bound, rel=0.35)
        # As many of each tenth of the panes since then as came in it.
        parts = min(ago, 10)
        of_part = np.minimum((since.at / PANE - (panes - ago)) * parts / ago, parts - 1e-9).astype(int)
        found = np.bincount(of_part, minlength=parts)
        place = np.minimum((np.arange(ago) * parts) // ago, parts - 1)
        expected = since.row_count * np.bincount(place, weights, minlength=parts) / weights.sum()
        chi_square = (np.square(found - expected) / expected).sum()
        assert chi_square < parts + 5 * np.sqrt(2 * parts) + 5, (ago, found, expected)


def test_samples_have_thousands_of_rows_of_late_and_hundreds_of_long_ago() -> None:
    history = filled(6000, 5000)

    counts = {ago: history.since(PANE * (6000 - ago)) for ago in (1, 8, 30, 200, 3000, 6000)}
    rows = {ago: 0 if each is None else each.row_count for ago, each in counts.items()}

    assert rows[1] == 512
    assert rows[8] > 1800
    assert rows[30] > 850
    assert rows[200] > 330
    assert min(rows.values()) > 0.4 * LEAST_SINCE


def test_a_busy_week_takes_no_more_memory_than_was_said() -> None:
    rng, history, most, marks = np.random.default_rng(1), SampledHistory(40), 0, 0
    pane = drawn(rng, 5000, ended_at=0.0)
    for number in range(1, 60_000):  # the same rows each time: only their number matters here
        history.take(
            SampledRows(
                "r", pane.codes, pane.outcomes, pane.at + PANE * number, pane.draws, pane.bound, pane.trace_ids
            ),
            PANE * number,
        )
        most, marks = max(most, history.row_count), max(marks, history.mark_count)

    assert most <= 1.15 * kept_rows(40) + 512
    assert marks < 600


def test_rows_older_than_a_week_are_let_go() -> None:
    rng, history = np.random.default_rng(2), SampledHistory(40)
    for day in range(20):
        for pane in range(20):
            at = 86_400.0 * day + PANE * pane
            history.take(drawn(rng, 200, ended_at=at), at)

    sample = history.since(0.0)

    assert sample is not None
    assert sample.at.min() >= 86_400.0 * 11


def test_rows_from_before_a_moment_are_of_the_longest_time_that_has_enough() -> None:
    history = filled(3000, 5000)

    before = history.before(PANE * 2990)

    assert before is not None
    assert before.at.max() < PANE * 2990
    assert before.row_count >= 500
    assert filled(10, 5).before(0.0) is None
    few = filled(10, 5).before(PANE * 5)
    assert few is not None
    assert few.row_count == 25


def test_an_empty_history_has_no_sample() -> None:
    history = SampledHistory(3)
    history.take(None, 10.0)

    assert history.since(0.0) is None
    assert history.before(20.0) is None
    assert history.row_count == 0


def test_a_clock_that_is_set_back_costs_no_rows() -> None:
    rng, history = np.random.default_rng(3), SampledHistory(40)
    for at in (1000.0, 1010.0, 400.0, 410.0):
        history.take(drawn(rng, 50, ended_at=at), at)

    late, all_rows = history.since(390.0), history.since(0.0)

    assert late is not None
    assert all_rows is not None
    assert late.row_count == all_rows.row_count == 200


def test_of_many_columns_fewer_rows_are_kept() -> None:
    assert 8000 < kept_rows(40) < kept_rows(100) <= MOST_ROWS
    assert kept_rows(500) < 4000
    assert kept_rows(3) > 4000
    assert history_bytes(500) <= 1.2 * MOST_BYTES
    history = filled(300, 1000, columns=500)
    assert history.row_count <= 1.15 * kept_rows(500) + 512
    sample = history.since(PANE * 200)
    assert sample is not None
    assert sample.row_count > 100
