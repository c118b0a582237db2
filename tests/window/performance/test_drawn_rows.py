"""Labelled rows with their bins, kept to look for a slice among those since any moment."""

import numpy as np
import pytest

from dashlight.labels.rows import LabelledRows
from dashlight.window.performance.drawn_rows import LEVELS, MOST_GIVEN, DrawnRows


def rows_of(begin: int, count: int, *, columns: int = 3, every: int = 1) -> LabelledRows:
    """Rows numbered from *begin*, which were predicted at the second of their number; one of *every* has its bins."""
    numbers = np.arange(begin, begin + count)
    sampled = np.arange(0, count, every)
    return LabelledRows(
        model=("/predict", "risk", "1"),
        task="binary",
        classes=("no", "yes"),
        predicted_at=numbers.astype(np.float64),
        labelled_at=(numbers + 5).astype(np.float64),
        scores=np.full(count, 0.5),
        predictions=np.zeros(count, np.int32),
        labels=np.zeros(count),
        steps=np.zeros(count, np.int32),
        is_implied=np.zeros(count, np.bool_),
        sampled=sampled,
        codes=np.tile((numbers[sampled] % 36).astype(np.uint8), (columns, 1)),
        origins=np.frombuffer(b"".join(int(n).to_bytes(16, "big") for n in numbers[sampled]), "V16"),
    )


def losses_of(rows: LabelledRows) -> np.ndarray:
    return (rows.predicted_at % 2).astype(np.float64)


def filled(count: int, *, at_once: int = 500) -> DrawnRows:
    drawn = DrawnRows(3)
    for begin in range(0, count, at_once):
        rows = rows_of(begin, at_once)
        drawn.add(rows, losses_of(rows))
    return drawn


def test_rows_come_back_with_their_bins_losses_and_origins() -> None:
    drawn = DrawnRows(3)
    rows = rows_of(0, 10, every=3)
    drawn.add(rows, losses_of(rows))

    found = drawn.since(4.0)

    assert found.predicted_at.tolist() == [6.0, 9.0]
    assert found.codes.tolist() == [[6, 9]] * 3
    assert found.losses.tolist() == [0.0, 1.0]
    assert [int.from_bytes(each.tobytes(), "big") for each in found.origins] == [6, 9]


def test_rows_without_bins_or_without_a_loss_are_passed_over() -> None:
    drawn = DrawnRows(3)
    rows = rows_of(0, 4)

    drawn.add(rows, np.array([0.0, np.nan, 1.0, np.nan]))
    drawn.add(rows_of(10, 4, columns=2), np.zeros(4))
    drawn.add(rows, np.full(4, np.nan))

    assert drawn.since(0.0).predicted_at.tolist() == [0.0, 2.0]


def test_what_is_kept_is_bounded() -> None:
    drawn = filled(60_000)

    assert drawn.bytes < 2 * MOST_GIVEN * 1.1 * (3 + 8 + 8 + 16 + 8)


@pytest.mark.parametrize("since", [59_000, 57_000, 54_000, 46_000, 0])
def test_since_any_moment_there_is_a_uniform_sample(since: int) -> None:
    found = filled(60_000).since(float(since))

    reached = max(since, 60_000 - 2 ** (LEVELS - 1) * MOST_GIVEN * 1.1)
    times = found.predicted_at
    assert len(times) <= MOST_GIVEN
    assert len(times) >= min(60_000 - since, MOST_GIVEN // 2 - 200)
    assert times.min() >= since
    assert len(np.unique(times)) == len(times)
    quarters, _ = np.histogram(times, np.linspace(float(times.min()), 60_000.0, 5))
    assert times.min() < reached + 3000
    assert np.abs(quarters / len(times) - 0.25).max() < 0.03
    assert found.losses.mean() == pytest.approx(0.5, abs=0.03)


def test_before_the_first_row_there_is_none() -> None:
    assert DrawnRows(3).since(0.0).codes.shape == (3, 0)
