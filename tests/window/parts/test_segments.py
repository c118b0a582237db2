from dataclasses import replace

import numpy as np
import pytest

from dashlight.window.histogram import LATENCY
from dashlight.window.layout import BINS
from dashlight.window.parts.segments import MOST_SEGMENTS, SegmentPane, check_segments, merged_segments

MOST = 2**40


def pane(number: int = 1, *, segments: int = 3, columns: int = 2, reference: str = "r1") -> SegmentPane:
    tally = np.full(segments, number, np.int64)
    return SegmentPane(
        reference=reference,
        rows=np.full((segments, columns, BINS), number, np.int32),
        exchanges=4 * tally,
        failed=tally,
        refused=2 * tally,
        durations=np.full((segments, LATENCY.bins), number, np.int64),
    )


def test_panes_of_several_processes_add_up() -> None:
    merged = merged_segments([pane(1), pane(2), pane(3)])

    expected = pane(6)
    assert np.array_equal(merged.rows, expected.rows)
    assert merged.rows.dtype == np.int32
    assert all(np.array_equal(mine, other) for mine, other in zip(merged.tallies, expected.tallies, strict=True))


def test_adding_up_leaves_the_panes_as_they_were() -> None:
    first = pane(1)

    merged_segments([first, pane(2)])

    assert first.rows.max() == 1
    assert first.exchanges.max() == 4


def test_sums_beyond_32_bits_stay_at_the_most() -> None:
    most = np.iinfo(np.int32).max

    assert merged_segments([pane(most), pane(most)]).rows.min() == most


@pytest.mark.parametrize("other", [pane(reference="r2"), pane(segments=4), pane(columns=3)])
def test_panes_of_other_segments_do_not_join(other: SegmentPane) -> None:
    with pytest.raises(ValueError, match="cannot join"):
        merged_segments([pane(), other])


def test_a_pane_that_was_counted_is_taken() -> None:
    check_segments(pane(), MOST)


@pytest.mark.parametrize(
    ("foreign", "why"),
    [
        (pane(segments=MOST_SEGMENTS + 1, columns=1), "256 at most"),
        (replace(pane(), rows=np.zeros((3, BINS), np.int32)), "an array of shape"),
        (replace(pane(), rows=np.zeros((3, 2, BINS - 1), np.int32)), "an array of shape"),
        (replace(pane(), failed=np.zeros(4, np.int64)), "an array of shape"),
        (replace(pane(), durations=np.zeros((3, 7), np.int64)), "an array of shape"),
        (replace(pane(), refused=np.full(3, -1, np.int64)), "below zero"),
        (replace(pane(), exchanges=np.full(3, MOST + 1, np.int64)), "above"),
        (replace(pane(), rows=np.full((3, 2, BINS), -1, np.int32)), "below zero"),
    ],
    ids=["segments", "axes", "bins", "tally", "durations", "negative", "too many", "negative rows"],
)
def test_a_pane_that_nobody_can_have_counted_is_refused(foreign: SegmentPane, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_segments(foreign, MOST)
