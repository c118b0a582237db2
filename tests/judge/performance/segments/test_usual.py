from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.performance.losses import LossStrata
from dashlight.judge.performance.segments.usual import MOST_CELLS, reference_rows, usual_by_segment
from dashlight.window.columns import Reference
from dashlight.window.parts.segments import Segmentation
from dashlight.window.performance_reference import ReferenceLoss

MakeReference = Callable[..., Reference]


def strata_of(reference: Reference, segmentation: Segmentation) -> list[LossStrata]:
    return [each[1] for each in usual_by_segment(reference, segmentation) if each is not None]


def mean_of(strata: LossStrata) -> float:
    return float(np.average(strata.means, weights=strata.rows))


def test_segments_that_are_alike_borrow_from_one_another(
    make_reference: MakeReference, members: NDArray[np.int64], segmentation: Segmentation
) -> None:
    found = strata_of(make_reference(members), segmentation)

    alone = [np.sqrt(each.variances / each.rows) for each in found]
    assert [each.rows.sum() for each in found] == [1000] * 5
    assert np.mean([each.errors / error for each, error in zip(found, alone, strict=True)]) < 0.9
    assert [mean_of(each) for each in found] == pytest.approx([0.1] * 5, abs=0.02)


def test_a_segment_that_is_another_stays_so(
    make_reference: MakeReference, members: NDArray[np.int64], segmentation: Segmentation
) -> None:
    found = strata_of(make_reference(members, risks=np.array([0.3, 0, 0, 0, 0])), segmentation)

    assert mean_of(found[0]) == pytest.approx(0.4, abs=0.04)
    assert [mean_of(each) for each in found[1:]] == pytest.approx([0.1] * 4, abs=0.03)


def test_the_error_of_what_is_usual_is_told_rightly(
    make_reference: MakeReference, members: NDArray[np.int64], segmentation: Segmentation
) -> None:
    deviates: list[float] = []
    for seed in range(40):
        risks = np.random.default_rng(seed).normal(0.05, 0.03, 5)
        for each, risk in zip(
            strata_of(make_reference(members, risks=risks, seed=1_000 + seed), segmentation), risks, strict=True
        ):
            weights = each.rows / each.rows.sum()
            error = float(np.sqrt(np.square(weights * each.errors).sum()))
            deviates.append((mean_of(each) - 0.1 - risk) / error)

    assert np.mean(np.abs(deviates) > 2) < 0.08


def test_of_a_segment_with_few_rows_nothing_is_known(make_reference: MakeReference, segmentation: Segmentation) -> None:
    found = usual_by_segment(make_reference(np.array([0] * 900 + [1] * 49 + [2] * 60)), segmentation)

    assert [each is None for each in found] == [False, True, False, True, True]


def test_one_segment_alone_is_what_it_is(make_reference: MakeReference, segmentation: Segmentation) -> None:
    (only,) = strata_of(make_reference(np.zeros(2000, np.int64)), segmentation)

    assert mean_of(only) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("lacks", ["sample", "performance", "losses"])
def test_a_reference_without_labels_or_bins_knows_nothing(
    make_reference: MakeReference, members: NDArray[np.int64], segmentation: Segmentation, lacks: str
) -> None:
    reference = make_reference(members)
    assert reference.performance is not None
    reference = {
        "sample": replace(reference, sample=None),
        "performance": replace(reference, performance=None),
        "losses": replace(reference, performance=replace(reference.performance, losses=())),
    }[lacks]

    assert reference_rows(reference) is None
    assert usual_by_segment(reference, segmentation) == (None,) * 5


def test_many_segments_have_few_bins_each(
    make_reference: MakeReference, members: NDArray[np.int64], segmentation: Segmentation
) -> None:
    many = replace(segmentation, columns=segmentation.columns * 30)

    found = usual_by_segment(make_reference(members), many)

    assert sum(each[0].bins for each in found if each is not None) <= MOST_CELLS


def test_of_numbers_the_usual_error_of_each_segment_is_known(
    make_reference: MakeReference, members: NDArray[np.int64], segmentation: Segmentation
) -> None:
    rng = np.random.default_rng(5)
    reference = make_reference(members)
    assert reference.performance is not None
    off = rng.exponential(np.where(members == 1, 4.0, 2.0))
    losses = np.minimum(off / 20, 1.0)
    loss = ReferenceLoss("absolute_error", 20.0, np.zeros(0), np.array([5000]), *_sums(losses))
    numbers = replace(
        reference.performance,
        task="regression",
        classes=(),
        scores=np.full(5000, 100.0),
        labels=100.0 + off,
        losses=(loss,),
    )

    found = strata_of(replace(reference, performance=numbers), segmentation)

    assert [mean_of(each) for each in found] == pytest.approx([0.1, 0.2, 0.1, 0.1, 0.1], abs=0.02)


def _sums(losses: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array([losses.sum()]), np.array([np.square(losses).sum()])
