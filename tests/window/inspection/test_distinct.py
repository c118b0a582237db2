import numpy as np
import pytest

from dashlight.window.inspection.distinct import DistinctSample, HeavyRows, hashed


def sampled(values: np.ndarray, most: int = 256, piece: int = 700) -> DistinctSample:
    sample = DistinctSample(most)
    for start in range(0, len(values), piece):
        sample.add(hashed(values[start : start + piece].astype(np.float64)))
    return sample


def test_few_values_are_counted_exactly() -> None:
    sample = sampled(np.repeat(np.arange(50.0), 7))

    assert (sample.distinct_count, sample.distinct_share, sample.most_rows) == (50, 50 / 350, 7)


@pytest.mark.parametrize("rows_of_each", [1, 2, 5])
def test_of_many_values_a_sample_tells_how_often_they_recur(rows_of_each: int) -> None:
    values = np.random.default_rng(1).permutation(np.repeat(np.arange(20_000.0), rows_of_each))

    sample = sampled(values)

    assert sample.distinct_share == pytest.approx(1 / rows_of_each)
    assert sample.most_rows == rows_of_each
    assert sample.distinct_count == pytest.approx(20_000, rel=0.2)


def test_zero_is_one_value_whatever_its_sign() -> None:
    assert sampled(np.array([0.0, -0.0])).distinct_count == 1


def test_nothing_has_no_values() -> None:
    assert (DistinctSample().distinct_share, DistinctSample().most_rows, HeavyRows().heaviest) == (0.0, 0, None)


@pytest.mark.parametrize("piece", [1, 37, 1000, 20_000])
def test_the_row_that_dominates_is_found_wherever_it_stands(piece: int) -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=20_000 if piece > 1 else 2000)
    heavy = rng.random(len(values)) < 0.06
    values[heavy] = 4.25
    rows = HeavyRows()

    for start in range(0, len(values), piece):
        rows.add(hashed(values[start : start + piece]))

    assert rows.heaviest is not None
    _, count, first = rows.heaviest
    assert heavy.sum() - len(values) / 256 <= count <= heavy.sum()
    assert count >= 0.9 * heavy.sum()
    if piece > 37:  # what was forgotten for a while begins again
        assert first == np.flatnonzero(heavy)[0]
