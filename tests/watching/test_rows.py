"""Rows against a reference: what is counted, which alert fires, and which traces show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.policy import Policy
from dashlight.records import Alert, Prediction, Table
from dashlight.store.layout import Layout
from dashlight.watching.rows import Comparison
from dashlight.watching.state import ComparisonState
from dashlight.window.columns import Reference
from dashlight.window.panes import Panes
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

PANE_SECONDS = 10.0
CITIES = ["Bonn", "Kiel", "Ulm"]
NOTHING: Mapping[str, Column] = {}


def features(rng: np.random.Generator, rows: int, *, age: float = 40.0, missing: float = 0.01) -> dict[str, Column]:
    incomes = np.where(rng.random(rows) < missing, np.nan, rng.gamma(4.0, 500.0, rows))
    return {
        "age": rng.normal(age, 10, rows),
        "income": incomes,
        "city": [CITIES[place] for place in rng.integers(0, len(CITIES), rows)],
    }


@pytest.fixture(scope="module")
def reference() -> Reference:
    """5,000 rows: age, income (one in a hundred missing), city, and the output score."""
    rng = np.random.default_rng(11)
    columns = {"score": rng.random(5000), **features(rng, 5000)}
    return build_reference_from_columns(columns, {"score": "output"}, rng=rng, created_at=0.0)


class Judged:
    """A comparison, and what counts rows for it as a process does."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.counter = comparison.counter()

    def add(self, prediction: Prediction, trace_ids: NDArray[np.void]) -> None:
        """Rows of the pane that fills."""
        self.counter.add(prediction, trace_ids)

    def close_pane(self, at: float) -> list[Alert]:
        """Judges what was counted; from then on is counted what the judge wants."""
        found = self.comparison.close_pane(self.counter.close(), at)
        self.counter.follow(self.comparison.directions)
        return found


def comparison_with(reference: Reference, **changed: Any) -> Judged:
    policy = replace(Policy(), **changed)
    return Judged(Comparison(reference, policy, endpoint="/predict", model="risk", version="3"))


@pytest.fixture
def comparison(reference: Reference) -> Judged:
    return comparison_with(reference)


def prediction_of(
    asked: Mapping[str, Column], answered: Mapping[str, Column] = NOTHING, *, rows_an_exchange: int = 1
) -> Prediction:
    """One row an exchange, or several; all of them in one batch."""
    return Prediction("/predict", "risk", "3", "plain", *(table(each, rows_an_exchange) for each in (asked, answered)))


def table(columns: Mapping[str, Column], rows_an_exchange: int) -> Table:
    found = table_of_columns(columns)
    return replace(found, exchange=np.arange(found.rows) // rows_an_exchange)


def traces(numbers: Sequence[int] | range) -> NDArray[np.void]:
    """Trace ids of one batch of exchanges."""
    return np.frombuffer(b"".join(number.to_bytes(16, "big") for number in numbers), "V16")


def trace_numbers(alert: Alert) -> list[int]:
    return [int(exemplar, 16) for exemplar in alert.exemplars]


def watched_panes(
    comparison: Judged, panes: Iterator[dict[str, Column]], *, batch_rows: int = 50
) -> Iterator[tuple[int, list[Alert]]]:
    """Number and alerts of each pane; row r of pane p is exchange 1,000,000 p + r + 1, in batches of *batch_rows*."""
    for pane, columns in enumerate(panes):
        rows = len(next(iter(columns.values())))
        for first in range(0, rows, batch_rows):
            batch = {name: values[first : first + batch_rows] for name, values in columns.items()}
            ids = traces(range(1_000_000 * pane + first + 1, 1_000_000 * pane + first + 1 + batch_rows))
            comparison.add(prediction_of(batch), ids)
        yield pane, comparison.close_pane(PANE_SECONDS * (pane + 1))


def test_a_shift_in_one_column_fires_one_alert_and_no_other(comparison: Judged) -> None:
    rng = np.random.default_rng(21)
    panes = (features(rng, 200, age=40.0 if pane < 30 else 50.0) for pane in range(40))

    changes = [(pane, alert) for pane, alerts in watched_panes(comparison, panes) for alert in alerts]

    firing = {alert.key for _, alert in changes if alert.state == "firing"}
    assert firing == {"drift/risk/%2Fpredict/feature/age"}
    first_pane, first = next((pane, alert) for pane, alert in changes if alert.state == "firing")
    assert 30 <= first_pane <= 32
    assert (first.model, first.version, first.endpoint) == ("risk", "3", "/predict")
    assert (first.column, first.role, first.source) == ("age", "feature", "drift")
    assert "age" in first.summary


def test_exemplars_are_exchanges_after_the_shift_with_values_in_bins_that_grew(comparison: Judged) -> None:
    rng = np.random.default_rng(22)
    panes = [features(rng, 200, age=40.0 if pane < 30 else 70.0) for pane in range(34)]

    alerts = [alert for _, those in watched_panes(comparison, iter(panes)) for alert in those]

    (alert,) = [each for each in alerts if each.state == "firing" and each.column == "age"][:1]
    numbers = trace_numbers(alert)
    ages = [float(panes[number // 1_000_000]["age"][number % 1_000_000 - 1]) for number in numbers]  # type: ignore[arg-type]
    # Of each bin that grew one from each pane, which is the first one here.
    assert 1 <= len(set(numbers)) <= 5
    assert all(number >= 30_000_000 for number in numbers)
    assert min(ages) > 50.0


def test_missing_values_are_shown_by_exchanges_that_lack_them(comparison: Judged) -> None:
    rng = np.random.default_rng(23)
    panes = [features(rng, 200, missing=0.01 if pane < 30 else 0.1) for pane in range(40)]

    alerts = [alert for _, those in watched_panes(comparison, iter(panes), batch_rows=20) for alert in those]

    (alert,) = [each for each in alerts if each.state == "firing" and each.column == "income"][:1]
    incomes = [
        float(panes[number // 1_000_000]["income"][number % 1_000_000 - 1])  # type: ignore[arg-type]
        for number in trace_numbers(alert)
    ]
    assert "missing" in alert.summary
    assert np.isnan(incomes).any()


def test_a_rare_value_that_was_there_before_is_shown_by_exchanges_after_the_change() -> None:
    rng = np.random.default_rng(36)

    def flags(rows: int, share: float) -> dict[str, Column]:
        return {"flag": np.where(rng.random(rows) < share, "yes", "no").tolist()}

    reference = build_reference_from_columns(flags(5000, 0.05), {}, rng=rng, created_at=0.0)
    panes = [flags(100, 0.05 if pane < 30 else 0.3) for pane in range(40)]

    changes = watched_panes(comparison_with(reference), iter(panes), batch_rows=100)

    alert = next(alert for _, alerts in changes for alert in alerts if alert.state == "firing")
    numbers = trace_numbers(alert)
    assert numbers
    assert all(number >= 30_000_000 for number in numbers)
    assert {panes[number // 1_000_000]["flag"][number % 1_000_000 - 1] for number in numbers} == {"yes"}


def test_a_value_that_takes_over_is_shown_by_exchanges_that_have_it_and_no_others(reference: Reference) -> None:
    rng = np.random.default_rng(37)
    panes = [features(rng, 200) for _ in range(40)]
    for columns in panes[30:]:
        columns["income"] = np.where(rng.random(200) < 0.6, 2000.0, np.asarray(columns["income"]))

    changes = watched_panes(comparison_with(reference), iter(panes), batch_rows=20)

    alert = next(alert for _, alerts in changes for alert in alerts if alert.state == "firing")
    incomes = [panes[number // 1_000_000]["income"][number % 1_000_000 - 1] for number in trace_numbers(alert)]
    assert alert.column == "income"
    assert incomes == pytest.approx([2000.0] * max(len(incomes), 1), rel=0.05)


def test_rows_of_one_exchange_are_one_exemplar(comparison: Judged) -> None:
    rng = np.random.default_rng(24)
    found: list[Alert] = []
    for pane in range(4):
        asked = features(rng, 200, age=90.0)
        comparison.add(prediction_of(asked, rows_an_exchange=100), traces([2 * pane + 1, 2 * pane + 2]))
        found += comparison.close_pane(10.0 * pane)

    assert trace_numbers(next(alert for alert in found if alert.column == "age")) == [2]


def test_exchanges_without_a_trace_are_no_exemplars(comparison: Judged) -> None:
    rng = np.random.default_rng(25)

    comparison.add(prediction_of(features(rng, 400, age=90.0)), traces([0] * 400))
    alerts = comparison.close_pane(10.0)

    assert [(alert.column, alert.state, alert.exemplars) for alert in alerts] == [("age", "firing", ())]


def test_what_is_over_has_no_exemplars(comparison: Judged) -> None:
    rng = np.random.default_rng(26)
    panes = (features(rng, 200, age=60.0 if 5 <= pane < 8 else 40.0) for pane in range(60))

    alerts = [alert for _, those in watched_panes(comparison, panes) for alert in those]

    (over,) = [alert for alert in alerts if alert.state == "resolved"]
    assert over.column == "age"
    assert over.exemplars == ()


def test_a_pane_without_rows_does_not_count(comparison: Judged) -> None:
    rng = np.random.default_rng(27)
    comparison.add(prediction_of(features(rng, 100)), traces(range(100)))
    comparison.close_pane(10.0)
    before = comparison.comparison.scores(1)

    for pane in range(5):
        assert comparison.close_pane(20.0 + 10 * pane) == []

    assert comparison.comparison.scores(1) == before
    assert {score.rows for score in before} == {100}


def test_before_the_first_pane_ends_there_are_no_scores(comparison: Judged) -> None:
    comparison.add(prediction_of(features(np.random.default_rng(28), 100)), traces(range(100)))

    assert comparison.comparison.scores(6) == []


def test_scores_are_those_of_the_last_panes(comparison: Judged) -> None:
    for missing in (0.0, 1.0, 0.0, 0.0):
        asked = features(np.random.default_rng(29), 100, missing=missing)
        comparison.add(prediction_of(asked), traces(range(100)))
        comparison.close_pane(10.0)

    rates = {
        panes: score.value
        for panes in (1, 2, 3)
        for score in comparison.comparison.scores(panes)
        if (score.column, score.statistic) == ("income", "missing_rate")
    }

    assert rates == {1: 0.0, 2: 0.0, 3: pytest.approx(1 / 3)}


def test_features_and_outputs_may_differ_in_their_rows(comparison: Judged) -> None:
    rng = np.random.default_rng(30)
    comparison.add(prediction_of(features(rng, 60), {"score": rng.random(20)}), traces(range(60)))
    comparison.close_pane(10.0)

    rows = {score.column: score.rows for score in comparison.comparison.scores(1)}

    assert rows == {"age": 60, "income": 60, "city": 60, "score": 20}


def test_exchanges_whose_answer_could_not_be_read_say_nothing_of_outputs(comparison: Judged) -> None:
    comparison.add(prediction_of(features(np.random.default_rng(31), 60)), traces(range(60)))
    comparison.close_pane(10.0)

    assert {score.column for score in comparison.comparison.scores(1)} == {"age", "income", "city"}


def test_a_reference_of_outputs_alone_judges_outputs(reference: Reference) -> None:
    outputs = replace(reference, columns=tuple(column for column in reference.columns if column.role == "output"))
    comparison = comparison_with(outputs)
    rng = np.random.default_rng(32)

    for first in (1, 101, 201, 301):
        comparison.add(prediction_of(NOTHING, {"score": rng.random(100) / 10}), traces(range(first, first + 100)))
    alerts = comparison.close_pane(10.0)

    assert [(alert.key, alert.state) for alert in alerts] == [("drift/risk/%2Fpredict/output/score", "firing")]
    assert 1 <= len(alerts[0].exemplars) <= 5


def test_a_reference_without_columns_judges_nothing(reference: Reference) -> None:
    comparison = comparison_with(replace(reference, columns=()))
    comparison.add(prediction_of(features(np.random.default_rng(33), 10)), traces(range(10)))

    assert comparison.close_pane(10.0) == []
    assert comparison.comparison.scores(1) == []


def test_columns_that_the_reference_does_not_know_are_named(comparison: Judged) -> None:
    rng = np.random.default_rng(34)
    comparison.add(prediction_of(features(rng, 5)), traces(range(5)))
    comparison.close_pane(10.0)
    assert not comparison.comparison.unknown_columns

    comparison.add(prediction_of({**features(rng, 5), "height": rng.random(5)}), traces(range(5)))
    comparison.add(prediction_of(features(rng, 5)), traces(range(5)))
    comparison.close_pane(20.0)
    comparison.add(prediction_of(features(rng, 5)), traces(range(5)))
    comparison.close_pane(30.0)

    assert comparison.comparison.unknown_columns == ("height",)


def test_columns_whose_reference_is_too_short_for_their_own_variation_are_named() -> None:
    rng = np.random.default_rng(35)
    # Level for hundreds of rows, and hardly more blocks than levels.
    wandering = np.repeat(rng.normal(0, 5, 6), 400) + rng.normal(0, 1, 2400)
    columns = {"steady": rng.normal(0, 1, 2400), "wandering": wandering}
    reference = build_reference_from_columns(columns, {}, rng=rng, created_at=0.0)

    assert "wandering" in comparison_with(reference).comparison.too_short


def test_where_no_column_matters_nothing_is_judged_and_the_scores_are_still_there(reference: Reference) -> None:
    importance = {column.name: 0.0 for column in reference.columns}
    comparison = comparison_with(reference, importance=importance)
    rng = np.random.default_rng(41)
    panes = (features(rng, 200, age=40.0 if pane < 10 else 90.0) for pane in range(20))

    assert [alert for _, alerts in watched_panes(comparison, panes) for alert in alerts] == []
    assert {score.column for score in comparison.comparison.scores(20)} == {"age", "income", "city"}
    assert not comparison.comparison.has_enough_rows


def test_where_every_column_is_ignored_nothing_is_shown(reference: Reference) -> None:
    comparison = comparison_with(reference, ignored=("*",))
    comparison.add(prediction_of(features(np.random.default_rng(42), 50)), traces(range(1, 51)))

    assert comparison.close_pane(PANE_SECONDS) == []
    assert comparison.comparison.scores(1) == []


def test_columns_that_do_not_matter_do_not_keep_the_others_waiting(reference: Reference) -> None:
    importance = {"income": 0.0, "city": 0.0, "score": 0.0}
    comparison = comparison_with(reference, importance=importance)
    rng = np.random.default_rng(43)

    for _ in watched_panes(comparison, (features(rng, 200) for _ in range(30))):
        pass

    assert comparison.comparison.has_enough_rows


def vectors(rng: np.random.Generator, rows: int, *, shift: float = 0.0) -> dict[str, Column]:
    return {"age": rng.normal(40, 10, rows), "embedding": (rng.normal(0, 1, (rows, 16)) + shift).tolist()}


@pytest.mark.parametrize("watching", [{"importance": {"embedding": 0.0}}, {"ignored": ("embed*",)}])
def test_a_vector_that_does_not_matter_raises_no_alert_of_what_is_measured_of_it(watching: dict[str, Any]) -> None:
    rng = np.random.default_rng(44)
    held = build_reference_from_columns(vectors(rng, 1000), {}, rng=rng, created_at=0.0)
    comparison = comparison_with(held, **watching)
    panes = (vectors(rng, 100, shift=0.0 if pane < 20 else 2.0) for pane in range(40))

    assert [alert.summary for _, alerts in watched_panes(comparison, panes) for alert in alerts] == []


def test_nothing_is_shown_of_an_ignored_vector() -> None:
    rng = np.random.default_rng(45)
    held = build_reference_from_columns(vectors(rng, 1000), {}, rng=rng, created_at=0.0)
    comparison = comparison_with(held, ignored=("embedding",))
    comparison.add(prediction_of(vectors(rng, 100)), traces(range(1, 101)))
    comparison.close_pane(PANE_SECONDS)

    assert {score.column for score in comparison.comparison.scores(1)} == {"age"}


def test_how_a_column_moved_is_measured_once_for_all_judges_and_then_forgotten(reference: Reference) -> None:
    comparison = Comparison(reference, Policy(), in_steps=True)

    measured = [len(comparison._movements._fits) for _ in comparison.set_up()]

    assert measured[-1] == len(reference.columns)
    assert not comparison._movements._fits


@pytest.mark.parametrize("cut", [3, 6, 7, 12])
def test_repeats_are_known_after_a_restart(reference: Reference, cut: int) -> None:
    layout: Layout[ComparisonState] = Layout("comparison", 1, ComparisonState)
    rng = np.random.default_rng(31)
    whole, first = comparison_with(reference), comparison_with(reference)
    alerts: dict[bool, list[Alert]] = {True: [], False: []}

    for pane in range(15):
        rows = {name: np.asarray(values).tolist() for name, values in features(rng, 60).items()}
        if pane in {5, 6}:
            rows = {name: [values[0]] * 40 + values[40:] for name, values in rows.items()}
        if pane == cut:
            judged = comparison_with(reference)
            judged.comparison.restore(layout.thaw(b"".join(layout.freeze(first.comparison.state))))
            first.comparison = judged.comparison
        for each in (whole, first):
            each.add(prediction_of(rows), np.zeros(60, "V16"))
            alerts[each is whole] += each.close_pane(10.0 * pane)

    assert alerts[True] == alerts[False]
    assert {alert.source for alert in alerts[True] if alert.state == "firing"} >= {"traffic"}
    assert not [alert for alert in alerts[True] if alert.source == "drift"]
    assert whole.comparison.scores(15) == first.comparison.scores(15)
    (missing,) = (each for each in whole.comparison.scores(15) if (each.column, each.statistic) == ("age", "psi"))
    assert missing.rows == 900


def test_repeats_of_other_panes_are_refused(reference: Reference) -> None:
    judged = comparison_with(reference)
    rng = np.random.default_rng(32)
    held: dict[str, Column] = {name: [values[0]] * 30 for name, values in features(rng, 1).items()}
    judged.add(prediction_of(held), np.zeros(30, "V16"))
    judged.close_pane(0.0)
    state = judged.comparison.state
    assert state.repeated is not None

    wrong = replace(state, repeated=Panes(len(reference.columns)).state)
    with pytest.raises(ValueError, match="repeated rows of other panes"):
        comparison_with(reference).comparison.restore(wrong)
