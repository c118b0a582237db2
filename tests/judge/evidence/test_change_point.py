from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.evidence.change_point import change_point
from dashlight.judge.evidence.evidence import Evidence
from dashlight.judge.evidence.null import null_of
from dashlight.judge.evidence.score_tables import evidence_tables
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_BINS
from dashlight.window.layout import BINS, NULL, STRUCTURAL_BINS
from dashlight.window.ring import Ring

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MakePanes = Callable[..., NDArray[np.int64]]
UPPER_HALF = EVENT_BINS.index((STRUCTURAL_BINS + 16, STRUCTURAL_BINS + 32))


@pytest.mark.parametrize(("size", "panes_after"), [(1.0, 5), (0.5, 10), (0.3, 40)])
def test_nine_in_ten_intervals_hold_the_change(
    *, columns_of: MakeColumns, panes_of: MakePanes, size: float, panes_after: int
) -> None:
    rng = np.random.default_rng(270)
    held, looked_at = 0, 60
    widths: list[int] = []
    for _ in range(looked_at):
        columns = columns_of({"x": rng.standard_normal(10_000)}, ordered=False)
        found = null_of(columns)
        evidence = Evidence(evidence_tables(found, np.ones(1), panes=259_200.0))
        before = int(rng.integers(3000, 3100))  # the change comes anywhere within a pane
        values = rng.standard_normal(3100 + 100 * panes_after)
        values[before:] += size
        ring = Ring((1, BINS), 8)
        for counts in panes_of(columns, {"x": values}, 100):
            evidence.update(counts)
            ring.add(counts, 0.0)
        firing = evidence.firing(0)

        latest, earliest = change_point(found, 0, firing.leading, window_of(ring), firing.age)

        since = (len(values) - before) / 100
        held += latest <= since <= earliest
        widths.append(earliest - latest)

    assert held >= 0.9 * looked_at
    assert np.median(widths) <= 10 / size


def window_of(ring: Ring) -> Callable[[int], tuple[NDArray[np.int64], int]]:
    def window(panes: int) -> tuple[NDArray[np.int64], int]:
        stretch = ring.last(panes)
        return stretch.counts, stretch.panes

    return window


def ring_of(ups: list[int], levels: int = 8) -> Ring:
    """Panes of 100 rows, so many of them in the upper half."""
    ring = Ring((1, BINS), levels)
    for up in ups:
        counts = np.zeros((1, BINS), np.int64)
        counts[0, STRUCTURAL_BINS], counts[0, -1] = 100 - up, up
        ring.add(counts, 0.0)
    return ring


@pytest.fixture
def columns(columns_of: MakeColumns) -> tuple[ColumnReference, ...]:
    return columns_of({"x": np.arange(10_000.0)}, ordered=False)


def test_a_sudden_change_is_placed_to_the_pane(columns: tuple[ColumnReference, ...]) -> None:
    ring = ring_of([50] * 40 + [95] * 6)

    assert change_point(null_of(columns), 0, UPPER_HALF, window_of(ring), 6) == (5, 7)


def test_a_change_in_the_last_pane_reaches_to_now(columns: tuple[ColumnReference, ...]) -> None:
    ring = ring_of([50] * 40 + [95])

    assert change_point(null_of(columns), 0, UPPER_HALF, window_of(ring), 1) == (0, 2)


def test_where_panes_are_kept_together_the_interval_says_so(columns: tuple[ColumnReference, ...]) -> None:
    near, far = (
        change_point(null_of(columns), 0, UPPER_HALF, window_of(ring_of([50] * 400 + [95] * after)), after)
        for after in (20, 300)
    )

    assert near[0] <= 20 <= near[1]
    assert near[1] - near[0] <= 2
    assert far[0] <= 300 <= far[1]
    assert far[1] - far[0] >= 16


def test_a_change_before_all_that_is_kept_is_as_early_as_the_first_pane(columns: tuple[ColumnReference, ...]) -> None:
    ring = ring_of([95] * 10)

    assert change_point(null_of(columns), 0, UPPER_HALF, window_of(ring), 10)[1] == 10


def test_missing_values_are_dated_too(columns: tuple[ColumnReference, ...]) -> None:
    ring = ring_of([50] * 30)
    counts = np.zeros((1, BINS), np.int64)
    counts[0, NULL], counts[0, -1] = 30, 70
    for _ in range(4):
        ring.add(counts, 0.0)

    assert change_point(null_of(columns), 0, NULL, window_of(ring), 4) == (3, 5)


def test_panes_that_are_kept_together_are_one_boundary(columns: tuple[ColumnReference, ...]) -> None:
    ring = ring_of([50] * 64 + [95] * 16)

    def coarse(panes: int) -> tuple[NDArray[np.int64], int]:
        return window_of(ring)(-(-panes // 8) * 8)

    assert change_point(null_of(columns), 0, UPPER_HALF, coarse, 16) == (8, 24)
