"""Sampled rows of long ago and of late: uniform since any moment, in bounded memory."""

from __future__ import annotations

from dataclasses import replace

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

    for ago in (1, 3, 10, 40, 150, 700, panes):
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


@pytest.mark.parametrize(("burst", "panes"), [(1, 10_000), (20, 60_480)], ids=["even", "bursts"])
def test_a_busy_week_takes_no_more_memory_than_was_said_and_any_onset_has_rows(burst: int, panes: int) -> None:
    rng, history, most, marks = np.random.default_rng(1), SampledHistory(40), 0, 0
    pane = drawn(rng, 5000, ended_at=0.0)
    for number in range(1, panes + 1):
        rows = 512 if number % 50 == 0 else 512 // burst
        sampled = replace(
            pane.taken(np.arange(rows), 0.1), at=pane.at[:rows] + PANE * number, draws=0.1 * rng.random(rows)
        )
        history.take(sampled, PANE * number)
        most, marks = max(most, history.row_count), max(marks, history.mark_count)

    assert most <= 1.15 * kept_rows(40) + 512
    assert marks < 600
    for minutes in (1, 5, 20, 60, 240, 1440, 3 * 1440, 6 * 1440):
        if minutes * 6 >= panes:
            continue
        onset = PANE * panes - 60 * minutes
        since, before = history.since(onset), history.before(onset)
        assert since is not None
        assert before is not None
        assert since.row_count > (250 if burst == 1 or minutes > 5 else 100)
        # In the logarithm of how much longer ago the first row came than the onset is.
        assert before.row_count > 150 * np.log(panes / (6 * minutes))
        assert before.at.max() < onset
        assert since.at.min() >= onset


def test_rows_just_before_a_moment_are_few_of_those_before_it() -> None:
    history = filled(3000, 5000)

    before = history.before(PANE * 2990)

    assert before is not None
    assert before.row_count >= 2_000
    assert np.mean(before.at >= PANE * 2970) < 0.3


def test_what_was_kept_up_to_a_lower_draw_is_sampled_up_to_that() -> None:
    rng, history = np.random.default_rng(4), SampledHistory(500)
    for pane in range(1, 1_201):  # a flood, and then a trickle that never fills what is kept
        rows = 20_000 if pane <= 100 else 1
        history.take(drawn(rng, rows, ended_at=PANE * pane, columns=500), PANE * pane)

    since = history.since(0.0)

    assert since is not None
    early = np.bincount((since.at[since.at < PANE * 100] // (PANE * 10)).astype(int), minlength=10)
    assert (np.abs(early - early.mean()) < 5 * np.sqrt(early.mean())).all()
    assert since.row_count == pytest.approx(since.bound * 2_000_000, rel=0.35)


def test_rows_older_than_a_week_are_let_go() -> None:
    rng, history = np.random.default_rng(2), SampledHistory(40)
    for day in range(20):
        for pane in range(20):
            at = 86_400.0 * day + PANE * pane
            history.take(drawn(rng, 200, ended_at=at), at)

    sample = history.since(0.0)

    assert sample is not None
    assert sample.at.min() >= 86_400.0 * 11


def test_rows_from_before_a_moment_are_all_from_before_it() -> None:
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
