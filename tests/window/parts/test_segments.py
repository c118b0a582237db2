from dataclasses import replace

import numpy as np
import pytest

from dashlight.window.histogram import LATENCY
from dashlight.window.layout import BINS
from dashlight.window.parts.segments import MOST_SEGMENTS, SegmentPane, check_segments, merged_segments

MOST = 2**40


def pane(number: int = 1, *, segments: int = 3, columns: int = 2, reference: str = "r1") -> SegmentPane:
    tally = np.full(segments, number, np.int64)
    return SegmentPane.of(
        reference,
        rows=np.full((segments, columns, BINS), number, np.int32),
        exchanges=4 * tally,
        failed=tally,
        refused=2 * tally,
        durations=np.full((segments, LATENCY.bins), number, np.int64),
    )


def parts_of(found: SegmentPane) -> list[list[object]]:
    return [each.tolist() for each in (found.rows, found.durations, found.exchanges, found.failed, found.refused)]


def test_what_is_held_is_what_was_counted() -> None:
    rng = np.random.default_rng(0)
    rows = rng.poisson(0.1, (3, 2, BINS))
    durations = rng.poisson(0.1, (3, LATENCY.bins))
    nothing = np.zeros(3, np.int64)

    held = SegmentPane.of("r1", rows=rows, exchanges=nothing, failed=nothing, refused=nothing, durations=durations)

    assert held.rows.tolist() == rows.tolist()
    assert held.durations.tolist() == durations.tolist()
    assert len(held.row_counts) == np.count_nonzero(rows)
    assert held.row_counts.dtype == np.uint8


def test_panes_of_several_processes_add_up() -> None:
    assert parts_of(merged_segments([pane(1), pane(2), pane(3)])) == parts_of(pane(6))


@pytest.mark.parametrize("most", [1, 255, 256, 65_535, 65_536, 2**31 - 1])
def test_counts_of_any_size_are_held_as_they_are(most: int) -> None:
    held = pane(most)

    check_segments(held, 2**33)
    assert held.rows.min() == held.rows.max() == held.durations.max() == most


def test_panes_with_counts_in_different_places_add_up() -> None:
    rng = np.random.default_rng(1)
    counted = [rng.poisson(0.2, (3, 2, BINS)) for _ in range(4)]
    nothing = np.zeros(3, np.int64)
    durations = np.zeros((3, LATENCY.bins), np.int64)

    merged = merged_segments(
        [
            SegmentPane.of("r1", rows=rows, exchanges=nothing, failed=nothing, refused=nothing, durations=durations)
            for rows in counted
        ]
    )

    assert merged.rows.tolist() == np.sum(counted, axis=0).tolist()


def test_adding_up_leaves_the_panes_as_they_were() -> None:
    first = pane(1)

    merged_segments([first, pane(2)])

    assert parts_of(first) == parts_of(pane(1))


def test_sums_beyond_32_bits_stay_at_the_most() -> None:
    most = np.iinfo(np.int32).max

    assert merged_segments([pane(most), pane(most)]).rows.min() == most


@pytest.mark.parametrize("other", [pane(segments=4), pane(columns=3)])
def test_panes_of_other_segments_do_not_join(other: SegmentPane) -> None:
    with pytest.raises(ValueError, match="cannot join"):
        merged_segments([pane(), other])


def test_after_a_reference_was_replaced_those_count_that_are_against_the_last() -> None:
    merged = merged_segments([pane(1, segments=5), pane(2, reference="r2"), pane(3, reference="r2")])

    assert merged.reference == "r2"
    assert parts_of(merged) == parts_of(pane(5))


@pytest.mark.parametrize("counted", [pane(), pane(0), pane(segments=0)])
def test_a_pane_that_was_counted_is_taken(counted: SegmentPane) -> None:
    check_segments(counted, MOST)


@pytest.mark.parametrize(
    ("foreign", "why"),
    [
        (pane(segments=MOST_SEGMENTS + 1, columns=1), "256 of 65536 at most"),
        (replace(pane(), columns=-1), "of -1 columns"),
        (replace(pane(), failed=np.zeros(4, np.int64)), "counts of 3 segments"),
        (replace(pane(), refused=np.full(3, -1, np.int64)), "counts of 3 segments"),
        (replace(pane(), exchanges=np.full(3, MOST + 1, np.int64)), "above"),
        (replace(pane(), columns=1), "counts of segments in arrays of shapes"),
        (replace(pane(), row_bits=pane().row_bits[:-1]), "in arrays of shapes"),
        (replace(pane(), row_bits=pane(0).row_bits), "in arrays of shapes"),
        (replace(pane(), row_counts=pane().row_counts[:-1]), "in arrays of shapes"),
        (replace(pane(), row_counts=0 * pane().row_counts), "that is none"),
        (replace(pane(), row_counts=pane().row_counts.astype(np.uint64) << np.uint64(40)), "that is none"),
        (replace(pane(), duration_counts=np.ones((3, LATENCY.bins), np.uint8)), "in arrays of shapes"),
    ],
    ids=[
        "segments", "negative columns", "tally", "negative", "too many", "fewer columns", "bits", "no bits", "counts",
        "nothing", "beyond", "axes",
    ],
)  # fmt: skip
def test_a_pane_that_nobody_can_have_counted_is_refused(foreign: SegmentPane, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_segments(foreign, MOST)
