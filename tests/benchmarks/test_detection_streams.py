from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from benchmarks.detection_streams import AFTER, BEFORE, DRIFTS, NULLS, Stream, drift
from benchmarks.detection_suites import CHANGING, QUIET, drawn
from numpy.typing import NDArray
from scipy import stats

Measure = Callable[[Stream, slice], float]

BEFORE_ROWS, AFTER_ROWS = slice(0, BEFORE), slice(BEFORE, None)


def numbers(stream: Stream, column: str, rows: slice) -> NDArray[np.float64]:
    return np.asarray(stream.current[column][rows], np.float64)


def mean(stream: Stream, rows: slice) -> float:
    return float(
        np.mean([numbers(stream, name, rows)[np.isfinite(numbers(stream, name, rows))].mean() for name in stream.moved])
    )


def deviation(stream: Stream, rows: slice) -> float:
    return float(numbers(stream, "normal 0", rows).std())


def kurtosis(stream: Stream, rows: slice) -> float:
    return float(stats.kurtosis(numbers(stream, "normal 0", rows)))


def missing(stream: Stream, rows: slice) -> float:
    return float(np.isnan(numbers(stream, "normal 3", rows)).mean())


def new(stream: Stream, rows: slice) -> float:
    return float(np.mean([word == "new" for word in stream.current["twenty"][rows]]))


def frequent(stream: Stream, rows: slice) -> float:
    return float(np.mean([word in {"c0", "c1", "c2"} for word in stream.current["twenty"][rows]]))


def correlation(stream: Stream, rows: slice) -> float:
    return float(np.corrcoef(numbers(stream, "normal 0", rows), numbers(stream, "normal 1", rows))[0, 1])


def wild(stream: Stream, rows: slice) -> float:
    return float((np.abs(numbers(stream, "normal 0", rows)) > 5).mean())


@pytest.mark.parametrize(
    ("name", "measure", "before", "after"),
    [
        ("mean +0.15 sd, ten columns", mean, 0.0, 0.15),
        ("mean +0.25 sd", mean, 0.0, 0.25),
        ("mean +0.5 sd", mean, 0.0, 0.5),
        ("mean +1 sd", mean, 0.0, 1.0),
        ("sd x 1.25", deviation, 1.0, 1.25),
        ("sd x 1.5", deviation, 1.0, 1.5),
        ("bimodal, same mean and sd", deviation, 1.0, 1.0),
        ("bimodal, same mean and sd", kurtosis, 0.0, -0.82),  # -2 * 0.8 ** 4
        ("laplace, same mean and sd", deviation, 1.0, 1.0),
        ("laplace, same mean and sd", kurtosis, 0.0, 3.0),
        ("tail, 2 % of rows x 10", wild, 0.0, 0.0123),  # 2 % times the normal's mass beyond 0.5
        ("category mix 0.1", frequent, 0.57, 0.47),
        ("category mix 0.2", frequent, 0.57, 0.37),
        ("new category 1 %", new, 0.0, 0.01),
        ("new category 5 %", new, 0.0, 0.05),
        ("missing 1 -> 3 %", missing, 0.01, 0.03),
        ("missing 1 -> 10 %", missing, 0.01, 0.1),
        ("correlation 0 -> 0.5", correlation, 0.0, 0.5),
        ("correlation 0 -> 0.8", correlation, 0.0, 0.8),
        ("gradual to +0.5 sd over 10,000", mean, 0.0, 0.375),  # a ramp over half of the rows
        ("recurring +0.5 sd, 2,000 on, 2,000 off", mean, 0.0, 0.25),
    ],
)
def test_a_drift_stream_changes_by_the_size_that_its_name_says(
    name: str, measure: Measure, before: float, after: float
) -> None:
    stream = drawn(name, partial(drift, name), 0)

    # Errors of about 1/sqrt(rows); a fourth moment is a few times as uncertain.
    tolerance = 0.5 if measure is kurtosis else 0.05 if before or after > 0.1 else 0.004
    assert measure(stream, BEFORE_ROWS) == pytest.approx(before, abs=tolerance)
    assert measure(stream, AFTER_ROWS) == pytest.approx(after, abs=tolerance)


@pytest.mark.parametrize("name", DRIFTS)
def test_a_drift_stream_moves_the_columns_that_it_names_and_no_other(name: str) -> None:
    stream = drawn(name, partial(drift, name), 0)

    others = [column for column in stream.reference if column not in stream.moved]
    assert stream.change == BEFORE
    assert len(stream.reference) == 20
    assert all(len(values) == BEFORE + AFTER for values in stream.current.values())
    assert min(same_law(stream.reference[column], stream.current[column][BEFORE:]) for column in others) > 1e-4


@pytest.mark.parametrize("name", [name for name in NULLS if name.startswith("independent")])
def test_the_rows_of_a_null_stream_are_those_of_its_reference(name: str) -> None:
    stream = drawn(name, NULLS[name], 0)

    assert stream.change is None
    assert len(stream.reference) == 20
    assert min(same_law(stream.reference[column], stream.current[column]) for column in stream.reference) > 1e-4


@pytest.mark.parametrize("name", NULLS)
def test_a_null_stream_is_on_average_where_its_reference_is(name: str) -> None:
    stream = drawn(name, NULLS[name], 1)

    for known, values in zip(stream.reference.values(), stream.current.values(), strict=True):
        if not isinstance(known, list):
            # Bounded, for heavy tails; a fifth of a deviation, for rows that remember and parts of a week.
            first, then = np.tanh(known), np.tanh(np.asarray(values, np.float64))
            assert np.nanmean(then) == pytest.approx(np.nanmean(first), abs=0.2 * float(np.nanstd(first)) + 1e-9)


def test_rows_that_remember_have_the_memory_that_is_said() -> None:
    values = numbers(drawn("AR(1) 0.9", NULLS["AR(1) 0.9"], 0), "x0", slice(None))

    assert np.corrcoef(values[:-1], values[1:])[0, 1] == pytest.approx(0.9, abs=0.01)
    assert values.std() == pytest.approx(1.0, abs=0.1)


def test_a_seed_gives_the_same_stream_again_and_another_seed_another() -> None:
    first, again, other = (drawn("mean +1 sd", partial(drift, "mean +1 sd"), seed) for seed in (3, 3, 4))

    np.testing.assert_array_equal(first.current["normal 1"], again.current["normal 1"])
    assert first.current["twenty"] == again.current["twenty"]
    assert not np.array_equal(np.asarray(first.current["normal 1"]), np.asarray(other.current["normal 1"]))


def same_law(known: Any, values: Any) -> float:
    """p-value of there being no difference."""
    if isinstance(known, list):
        first, then = Counter(known), Counter(values)
        counts = np.array([[column[word] for word in first | then] for column in (first, then)])
        rare = counts.sum(0) < 200
        counts = np.column_stack([counts[:, ~rare], counts[:, rare].sum(1)])
        return float(stats.chi2_contingency(counts[:, counts.sum(0) > 0]).pvalue)
    known, values = known[~np.isnan(known)], values[~np.isnan(values)]
    return float(stats.ks_2samp(known, values, method="asymp").pvalue)


def test_every_stream_has_a_name_of_its_own() -> None:
    names = [name for streams in (*QUIET, *CHANGING) for name in streams]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", QUIET[1])
def test_rare_values_in_runs_are_as_frequent_afterwards(name: str) -> None:
    if not name.startswith("rare"):
        return
    stream = drawn(name, QUIET[1][name], 0)

    before, after = (np.asarray(part["flag every 100"], np.float64) for part in (stream.reference, stream.current))

    assert before.mean() == pytest.approx(after.mean(), rel=0.4)
    # A row that holds it is followed by another far more often than one in a hundred.
    assert after[1:][after[:-1] == 1].mean() > 3 * after.mean()


@pytest.mark.parametrize("name", CHANGING[1])
def test_an_outage_fills_all_rows_from_its_change_on(name: str) -> None:
    stream = drawn(name, CHANGING[1][name], 0)
    assert stream.change is not None

    (moved,) = stream.moved
    before, after = stream.current[moved][: stream.change], stream.current[moved][stream.change :]

    assert not np.isnan(np.asarray(before, np.float64)).any()
    if moved == "x0":
        assert len(set(after)) == 1
    else:
        assert np.asarray(after, np.float64).mean() == pytest.approx(0.02, abs=0.006)
