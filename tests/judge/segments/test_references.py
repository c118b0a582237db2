"""What a reference says of columns within segments: counted from its sample, varying as the whole does or more."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.judge.natural_variation import natural_variation
from dashlight.judge.segments.references import LEAST_ROWS, counted, rows_within, segment_references
from dashlight.window.columns import Reference
from dashlight.window.layout import BINS
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column

ROWS = 8000


def reference_of(rng: np.random.Generator, carriers: NDArray[np.str_], **columns: Column) -> Reference:
    rows: dict[str, Column] = {"carrier": carriers.tolist(), **columns}
    return build_reference_from_columns(rows, {"score": "output"}, rng=rng, created_at=0.0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(31)


@pytest.fixture
def reference(rng: np.random.Generator) -> Reference:
    """UA is far, AA near; a hundred rows are of a third carrier."""
    carriers = rng.choice(["UA", "AA"], ROWS, p=[0.25, 0.75])
    carriers[:100] = "ZZ"
    distance = rng.normal(np.where(carriers == "UA", 2000.0, 500.0), 100.0)
    return reference_of(rng, carriers, distance=distance, score=rng.random(ROWS))


def test_a_segment_has_the_counts_of_its_own_rows(reference: Reference) -> None:
    found = finished(segment_references(reference, segmentation_of(reference, ["carrier"]), reference.columns))

    names = [column.name for column in found.columns]
    assert names == ["distance", "score"] * 2
    assert found.segments.tolist() == [0, 0, 1, 1]
    assert [round(column.rows, -3) for column in found.columns] == [6000, 6000, 2000, 2000]
    near, far = (found.columns[place].counts for place in (0, 2))
    assert np.minimum(near / near.sum(), far / far.sum()).sum() < 0.05


def test_what_is_in_no_other_segment_is_counted_once(reference: Reference) -> None:
    found = finished(segment_references(reference, segmentation_of(reference, ["carrier"]), reference.columns))

    whole = reference.columns[[column.name for column in reference.columns].index("distance")].counts
    assert ((found.columns[0].counts > 0) == (whole > 0)).all()


def test_a_segment_of_few_rows_is_not_judged(reference: Reference) -> None:
    segmentation = segmentation_of(reference, ["carrier"])

    rows = rows_within(reference, segmentation)
    found = finished(segment_references(reference, segmentation, reference.columns))

    assert [count >= LEAST_ROWS for count in rows.tolist()] == [True, True, False, False]
    assert set(found.segments.tolist()) == {0, 1}


def test_all_other_rows_are_what_is_left(reference: Reference) -> None:
    found = finished(segment_references(reference, segmentation_of(reference, ["carrier"]), reference.columns))

    assert reference.sample is not None
    whole = counted(reference.sample)[found.places]
    inside = np.array([column.counts for column in found.columns])
    assert (found.others + inside >= whole).all()
    assert (found.others + inside - whole).max() <= 1


def test_without_a_sample_there_is_nothing_to_count(reference: Reference) -> None:
    without = replace(reference, sample=None)

    assert not rows_within(without, segmentation_of(without, ["carrier"])).any()
    with pytest.raises(ValueError, match="without a sample"):
        finished(segment_references(without, segmentation_of(without, ["carrier"]), without.columns))


def test_rows_that_hang_together_in_all_segments_do_so_in_each(rng: np.random.Generator) -> None:
    carriers = rng.choice(["UA", "AA"], ROWS)
    clusters = np.repeat(rng.standard_normal(ROWS // 20), 20)
    reference = reference_of(rng, carriers, distance=clusters, score=rng.random(ROWS))

    found = finished(segment_references(reference, segmentation_of(reference, ["carrier"]), reference.columns))

    phi = natural_variation(found.columns).functional_phi[:, 0]
    assert (phi[[0, 2]] > 8).all()
    assert (phi[[1, 3]] < 2).all()


def test_what_moves_in_one_segment_alone_is_seen_in_its_own_rows(rng: np.random.Generator) -> None:
    carriers = rng.choice(["UA", "AA"], ROWS)
    slow = np.repeat(rng.choice([-0.5, 0.5], ROWS // 400), 400)
    distance = rng.standard_normal(ROWS) + np.where(
        carriers == "UA", slow, -slow
    )  # one rises by as much as the other falls
    reference = reference_of(rng, carriers, distance=distance, score=rng.random(ROWS))

    found = finished(segment_references(reference, segmentation_of(reference, ["carrier"]), reference.columns))

    whole = natural_variation([column for column in reference.columns if column.name == "distance"])
    assert whole.functional_phi[0, 0] < 2
    assert (natural_variation(found.columns).functional_phi[[0, 2], 0] > 10).all()


def test_alike_segments_are_drawn_together_and_one_that_moves_by_itself_is_not(rng: np.random.Generator) -> None:
    carriers = rng.choice([f"c{number:02d}" for number in range(16)], ROWS)
    slow = np.where(carriers == "c03", np.repeat(rng.choice([-0.7, 0.7], 8), ROWS // 8), 0.0)
    reference = reference_of(rng, carriers, distance=rng.standard_normal(ROWS) + slow, score=rng.random(ROWS))
    segmentation = segmentation_of(reference, ["carrier"])

    found = finished(segment_references(reference, segmentation, reference.columns))

    rows = rows_within(reference, segmentation)
    added = np.array([column.rows for column in found.columns]) - rows[found.segments]
    carrier = next(column for column in reference.columns if column.name == "carrier")
    is_distance = np.array([column.name == "distance" for column in found.columns])
    moving = is_distance & (found.segments == carrier.categories.index("c03"))
    assert np.median(added[~is_distance]) > 0.2 * ROWS / 16
    assert added[moving].max() <= 3


def test_rows_in_no_order_have_no_variation(rng: np.random.Generator, reference: Reference) -> None:
    unordered = replace(reference, ordered=False)

    found = finished(segment_references(unordered, segmentation_of(unordered, ["carrier"]), unordered.columns))

    assert all(column.variation == () and column.runs is None for column in found.columns)


def test_counts_of_codes_are_by_column_and_bin() -> None:
    codes = np.array([[0, 4, 4], [35, 35, 35]], np.uint8)

    found = counted(codes)

    assert found.shape == (2, BINS)
    assert found[0, [0, 4]].tolist() == [1, 2]
    assert found[1, 35] == 3
