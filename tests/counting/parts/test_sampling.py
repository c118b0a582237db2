"""Rows drawn from all that came, by one process or by several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.parts.sampling import LEAST_PANE_ROWS, MOST_PANE_ROWS, pane_rows
from dashlight.counting.policy import Policy
from dashlight.counting.rows import RowCounter, merged_rows
from dashlight.records import Exchange, Prediction
from dashlight.window.columns import Reference
from dashlight.window.parts.sampled_rows import (
    FAILED,
    FINE,
    NOT_THERE,
    REFUSED,
    SampledRows,
    check_sampled,
    joined_sampled,
)
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column

Predictions = Callable[..., Prediction]
Traces = Callable[[Sequence[int] | range], NDArray[np.void]]
BEGAN_AT = 1_700_000_000.0


@pytest.fixture(scope="module")
def small() -> Reference:
    """Two features and an output."""
    rng = np.random.default_rng(3)
    held: dict[str, Column] = {
        "age": rng.normal(40, 10, 3000),
        "city": [["Bonn", "Kiel"][place] for place in rng.integers(0, 2, 3000)],
        "score": rng.random(3000),
    }
    return build_reference_from_columns(held, {"score": "output"}, rng=rng, created_at=0.0)


class Process:
    """One process that counts, with exchanges of one row."""

    def __init__(self, reference: Reference, exchange: Callable[..., Exchange], prediction: Predictions) -> None:
        self.counter = RowCounter(reference, Policy())
        self._exchange, self._prediction = exchange, prediction

    def serve(self, ages: NDArray[np.float64], *, at: float = BEGAN_AT, outcome: int = FINE) -> list[Exchange]:
        """Counts rows of these *ages*, of Kiel where it is above 40; their exchanges."""
        exchanges = [self._exchange(started_at=at + place * 1e-3) for place in range(len(ages))]
        held: dict[str, Column] = {"age": ages, "city": ["Kiel" if age > 40 else "Bonn" for age in ages]}
        trace_ids = np.frombuffer(b"".join(each.trace_id.to_bytes(16, "big") for each in exchanges), "V16")
        if outcome == FINE:
            held["score"] = ages / 100
            self.counter.add(self._prediction(held), trace_ids, exchanges=exchanges)
        else:
            outcomes = np.full(len(exchanges), outcome, np.uint8)
            self.counter.add_failed(self._prediction(held), exchanges, outcomes)
        return exchanges

    def close(self) -> SampledRows:
        pane = self.counter.close()
        assert pane is not None
        assert pane.sampled is not None
        return pane.sampled


@pytest.fixture
def process(small: Reference, exchange: Callable[..., Exchange], prediction: Predictions) -> Callable[[], Process]:
    return lambda: Process(small, exchange, prediction)


def test_all_rows_of_a_small_pane_are_in_its_sample(process: Callable[[], Process]) -> None:
    one = process()
    exchanges = one.serve(np.linspace(20, 60, 100))

    sampled = one.close()

    assert sampled.bound == 1.0
    assert sampled.at.tolist() == [each.started_at for each in exchanges]
    assert [int.from_bytes(bytes(each)) for each in sampled.trace_ids] == [each.trace_id for each in exchanges]
    # Side by side: the older half is of Kiel.
    assert len(set(sampled.codes[1, :50].tolist())) == len(set(sampled.codes[1, 50:].tolist())) == 1
    assert sampled.codes[1, 0] != sampled.codes[1, -1]
    assert (np.diff(sampled.codes[0].astype(int)) >= 0).all()
    check_sampled(sampled, 3, pane_rows(3))


def test_a_large_pane_sends_so_many_rows_with_the_lowest_draws(process: Callable[[], Process]) -> None:
    one = process()
    for batch in range(20):
        one.serve(np.random.default_rng(batch).normal(40, 10, 256))

    sampled = one.close()

    assert sampled.row_count == MOST_PANE_ROWS
    assert sampled.draws.max() < sampled.bound
    assert sampled.bound == pytest.approx(MOST_PANE_ROWS / 5120, rel=0.15)
    check_sampled(sampled, 3, MOST_PANE_ROWS)


def test_one_batch_larger_than_a_sample_is_drawn_from_like_many(process: Callable[[], Process]) -> None:
    one = process()
    one.serve(np.linspace(0, 80, 5000))

    sampled = one.close()

    assert sampled.row_count == MOST_PANE_ROWS
    # Ages rise through the batch: none of its quarters is drawn more than another.
    quarters = np.histogram(sampled.at - BEGAN_AT, bins=4, range=(0.0, 5.0))[0]
    assert np.square(quarters - MOST_PANE_ROWS / 4).sum() / (MOST_PANE_ROWS / 4) < 16.3  # chi-square of 3, p = .001


def test_rows_of_failed_and_refused_exchanges_are_drawn_by_the_same_rule(process: Callable[[], Process]) -> None:
    one = process()
    for batch in range(20):
        rng = np.random.default_rng(batch)
        one.serve(rng.normal(40, 10, 200))
        one.serve(rng.normal(40, 10, 40), outcome=FAILED)
        one.serve(rng.normal(40, 10, 16), outcome=REFUSED)

    sampled = one.close()

    shares = np.bincount(sampled.outcomes, minlength=3) / sampled.row_count
    assert shares == pytest.approx([200 / 256, 40 / 256, 16 / 256], abs=0.06)
    assert (sampled.codes[2, sampled.outcomes != FINE] == NOT_THERE).all()
    assert (sampled.codes[2, sampled.outcomes == FINE] != NOT_THERE).all()


def test_a_pane_in_which_all_failed_has_sampled_rows_and_counts_none(process: Callable[[], Process]) -> None:
    one = process()
    one.serve(np.linspace(20, 60, 30), outcome=FAILED)

    pane = one.counter.close()

    assert pane is not None
    assert pane.row_count == 0
    assert pane.sampled is not None
    assert pane.sampled.row_count == 30
    assert one.counter.close() is None


def test_several_processes_draw_as_one_would(process: Callable[[], Process]) -> None:
    rng = np.random.default_rng(5)
    crowd = [process() for _ in range(3)]
    for place, one in enumerate(crowd):
        for batch in range(4 * (place + 1)):  # one is asked three times as often as another
            one.serve(rng.normal(40, 10, 256), at=BEGAN_AT + 1000 * place + batch)
    panes = [one.counter.close() for one in crowd]

    merged = merged_rows([pane for pane in panes if pane is not None]).sampled

    assert merged is not None
    assert merged.bound == min(pane.sampled.bound for pane in panes if pane is not None and pane.sampled is not None)
    assert merged.draws.max() < merged.bound
    of_process = np.bincount(((merged.at - BEGAN_AT) // 1000).astype(int), minlength=3)
    expected = merged.row_count * np.array([1, 2, 3]) / 6
    assert np.square(of_process - expected).sum() / expected.mean() < 13.8  # about chi-square of 2, p = .001
    assert len(np.unique(merged.draws)) == merged.row_count


def test_samples_join_in_any_order(process: Callable[[], Process]) -> None:
    found: list[SampledRows] = []
    for place in range(3):
        one = process()
        one.serve(np.random.default_rng(place).normal(40, 10, 700 * (place + 1)))
        found.append(one.close())

    there, back = joined_sampled(found), joined_sampled([joined_sampled(found[:0:-1]), found[0]])

    assert there.bound == back.bound
    assert sorted(there.draws.tolist()) == sorted(back.draws.tolist())


def test_samples_over_different_references_do_not_join(process: Callable[[], Process]) -> None:
    one = process()
    one.serve(np.linspace(20, 60, 10))
    sampled = one.close()

    with pytest.raises(ValueError, match="different references"):
        joined_sampled([sampled, replace(sampled, reference="another")])


def test_rows_that_count_no_more_are_not_drawn(
    small: Reference, exchange: Callable[..., Exchange], prediction: Predictions
) -> None:
    counter = RowCounter(small, Policy())
    exchanges = [exchange() for _ in range(500)]
    held: dict[str, Column] = {"age": np.full(500, 41.234567), "city": ["Kiel"] * 500, "score": np.full(500, 0.512345)}
    counter.add(prediction(held), np.zeros(500, "V16"), exchanges=exchanges)

    pane = counter.close()

    assert pane is not None
    assert pane.sampled is not None
    assert pane.sampled.row_count == int(pane.counts[0].sum()) < 400


def test_with_many_columns_fewer_rows_are_sent() -> None:
    assert pane_rows(40) == MOST_PANE_ROWS
    assert pane_rows(600) == pane_rows(2000) == LEAST_PANE_ROWS
    assert pane_rows(0) == MOST_PANE_ROWS


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda rows: replace(rows, codes=rows.codes[:2]),
        lambda rows: replace(rows, at=rows.at[1:]),
        lambda rows: replace(rows, at=np.full_like(rows.at, np.nan)),
        lambda rows: replace(rows, draws=rows.draws + 1),
        lambda rows: replace(rows, bound=float("nan")),
        lambda rows: replace(rows, outcomes=rows.outcomes + np.uint8(3)),
        lambda rows: replace(rows, codes=rows.codes + np.uint8(40)),
    ],
    ids=["columns", "rows", "time", "draws", "bound", "outcome", "bins"],
)
def test_rows_that_nobody_can_have_drawn_are_refused(
    process: Callable[[], Process], spoilt: Callable[[SampledRows], SampledRows]
) -> None:
    one = process()
    one.serve(np.linspace(20, 60, 10))

    with pytest.raises(ValueError, match="sampled rows"):
        check_sampled(spoilt(one.close()), 3, MOST_PANE_ROWS)


def test_more_rows_than_a_pane_may_hold_are_refused(process: Callable[[], Process]) -> None:
    one = process()
    one.serve(np.linspace(20, 60, 10))

    with pytest.raises(ValueError, match="10 sampled rows: expected 9 at most"):
        check_sampled(one.close(), 3, 9)
