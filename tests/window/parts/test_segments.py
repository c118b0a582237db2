from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

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
    assert len(held.row_cells) == np.count_nonzero(rows)


def test_panes_of_several_processes_add_up() -> None:
    assert parts_of(merged_segments([pane(1), pane(2), pane(3)])) == parts_of(pane(6))


def test_panes_with_counts_in_different_places_add_up() -> None:
    rng = np.random.default_rng(1)
    found = [some(rng) for _ in range(4)]
    panes = [replace(pane(0), row_cells=cells, row_counts=counts) for cells, counts in found]

    merged = merged_segments(panes)

    assert merged.rows.tolist() == np.sum([each.rows for each in panes], axis=0).tolist()


def some(rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    cells = np.flatnonzero(rng.random(3 * 2 * BINS) < 0.2).astype(np.int32)
    return cells, rng.integers(1, 9, len(cells)).astype(np.int32)


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


def cells(*places: int) -> NDArray[np.int32]:
    return np.array(places, np.int32)


@pytest.mark.parametrize(
    ("foreign", "why"),
    [
        (pane(segments=MOST_SEGMENTS + 1, columns=1), "256 of 65536 at most"),
        (replace(pane(), columns=-1), "of -1 columns"),
        (replace(pane(), failed=np.zeros(4, np.int64)), "counts of 3 segments"),
        (replace(pane(), refused=np.full(3, -1, np.int64)), "counts of 3 segments"),
        (replace(pane(), exchanges=np.full(3, MOST + 1, np.int64)), "above"),
        (replace(pane(), columns=1), "at places that there are not"),
        (replace(pane(), row_cells=cells(1, 2)), "of shapes"),
        (replace(pane(), row_cells=cells(2, 1), row_counts=cells(1, 1)), "not in their order"),
        (replace(pane(), row_cells=cells(1, 1), row_counts=cells(1, 1)), "not in their order"),
        (replace(pane(), row_cells=cells(-1, 1), row_counts=cells(1, 1)), "at places that there are not"),
        (replace(pane(), row_cells=cells(1, 2), row_counts=cells(1, 0)), "of nothing"),
        (replace(pane(), duration_cells=cells(3 * LATENCY.bins), duration_counts=cells(1)), "at places"),
        (replace(pane(), duration_counts=np.ones((3, LATENCY.bins), np.int32)), "of shapes"),
    ],
    ids=[
        "segments", "negative columns", "tally", "negative", "too many", "fewer columns", "lengths", "order", "twice",
        "before", "nothing", "beyond", "axes",
    ],
)  # fmt: skip
def test_a_pane_that_nobody_can_have_counted_is_refused(foreign: SegmentPane, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_segments(foreign, MOST)
