"""Which bins rose: those of a real rise, and no bin by chance."""

from __future__ import annotations

import numpy as np
import pytest

from dashlight.watching.slices.risen import risen_bins
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS

EVEN = np.r_[np.zeros(4), np.full(32, 1 / 32)]


def counts(shares: np.ndarray, rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(rows, shares / shares.sum()).astype(np.int64)


def test_of_numbers_that_rose_the_upper_end_rose() -> None:
    higher = EVEN * np.r_[np.ones(4), np.linspace(0.7, 1.3, 32)]
    higher[ABOVE] = 0.02

    risen = risen_bins(counts(EVEN, 5000, 1), counts(higher, 1500, 2), is_numeric=True)

    inside = np.flatnonzero(risen)
    assert ABOVE in inside
    assert BINS - 1 in inside
    assert min(each for each in inside.tolist() if each >= STRUCTURAL_BINS) > 12
    assert not risen[BINS:].any()


def test_of_numbers_that_spread_both_ends_rose() -> None:
    wider = EVEN * np.r_[np.ones(4), 1.5, 1.4, np.full(28, 0.94), 1.4, 1.5]
    wider[[BELOW, ABOVE]] = 0.05

    risen = risen_bins(counts(EVEN, 20_000, 1), counts(wider, 20_000, 2), is_numeric=True)

    assert risen[[BELOW, ABOVE]].all()
    assert not risen[STRUCTURAL_BINS + 10 : STRUCTURAL_BINS + 20].any()


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_of_missing_values_that_rose_nothing_else_did(kind: str) -> None:
    missing = EVEN.copy()
    missing[NULL] = 0.1

    risen = risen_bins(counts(EVEN, 5000, 1), counts(missing, 2000, 2), is_numeric=kind == "numeric")

    assert np.flatnonzero(risen).tolist() == [NULL]


def test_of_categories_those_rose_that_surely_did() -> None:
    other = EVEN.copy()
    other[[7, 20]] *= 2

    risen = risen_bins(counts(EVEN, 5000, 1), counts(other, 2000, 2), is_numeric=False)

    assert {7, 20} <= set(np.flatnonzero(risen).tolist())
    assert risen.sum() <= 3


def test_where_nothing_surely_rose_it_is_what_rose_most() -> None:
    assert risen_bins(counts(EVEN, 5000, 1), counts(EVEN, 2000, 9), is_numeric=False).sum() == 1
    assert not risen_bins(counts(EVEN, 5000, 1), np.zeros(BINS, np.int64), is_numeric=True)[BINS:].any()
