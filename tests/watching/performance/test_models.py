"""The performance of models, from labels as they come to scores and alerts, and over restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from dashlight.counting.machine import MachinePane
from dashlight.counting.policy import Policy
from dashlight.labels.news import LabelNews
from dashlight.labels.rows import LabelledRows, ModelKey
from dashlight.labels.store import WaitingCounts
from dashlight.metrics.losses import SignalFate
from dashlight.records import Alert, Score
from dashlight.watching.endpoint import Snapshot
from dashlight.watching.performance.model import PerformanceWatch
from dashlight.watching.performance.models import MOST_MODELS, Performances, unknown_in
from dashlight.watching.performance.state import PerformanceState
from dashlight.window.columns import Reference
from dashlight.window.performance_reference import PerformanceReference, ReferenceLoss

HOUR = 3600.0
BEGAN_AT = 1_790_000_000.0 // 86_400 * 86_400
KEY: ModelKey = ("/predict", "risk", "1")
POLICY = Policy(labels=True)


def labelled(
    rng: np.random.Generator, count: int, at: float, *, accuracy: float = 0.9, key: ModelKey = KEY, delay: float = 60.0
) -> LabelledRows:
    """Rows of a model of two classes that is right in *accuracy* of them, whatever its score."""
    predictions = rng.integers(0, 2, count)
    is_right = rng.random(count) < accuracy
    scores = np.where(predictions == 1, 0.9, 0.1)
    return LabelledRows(
        model=key,
        task="binary",
        classes=("no", "yes"),
        predicted_at=np.full(count, at - delay),
        labelled_at=np.full(count, at),
        scores=scores,
        predictions=predictions.astype(np.int32),
        labels=np.where(is_right, predictions, 1 - predictions).astype(np.float64),
        steps=np.zeros(count, np.int32),
        is_implied=np.zeros(count, np.bool_),
    )


def reference_of(accuracy: float = 0.9, rows: int = 20_000) -> Reference:
    known = labelled(np.random.default_rng(9), rows, BEGAN_AT, accuracy=accuracy)
    losses = (known.labels != known.predictions).astype(np.float64)
    is_high = known.scores >= 0.5
    loss = ReferenceLoss(
        "error",
        1.0,
        np.array([0.5]),
        np.array([int(np.sum(~is_high)), int(np.sum(is_high))], np.int64),
        np.array([losses[~is_high].sum(), losses[is_high].sum()]),
        np.array([losses[~is_high].sum(), losses[is_high].sum()]),
    )
    performance = PerformanceReference(
        task="binary", classes=("no", "yes"), label="y", score="score", prediction="", rows=rows, scores=known.scores,
        predictions=known.predictions, labels=known.labels, losses=(loss,),
    )  # fmt: skip
    return empty_reference(performance, seed=round(accuracy * 100))


def empty_reference(performance: PerformanceReference | None, *, seed: int) -> Reference:
    from dashlight.window.reference.build import build_reference_from_columns

    rng = np.random.default_rng(seed)
    made = build_reference_from_columns({"age": rng.normal(40, 10, 500)}, {}, rng=rng, created_at=0.0)
    return replace(made, performance=performance)


class Life:
    """Performances that read labels hour by hour."""

    def __init__(self, reference: Reference | None, policy: Policy = POLICY) -> None:
        self.policy, self.reference = policy, reference
        self.hour_seconds = min(policy.window_seconds, HOUR)
        self.performances = Performances(policy, lambda _: self.reference)
        self.hours = 0
        self.told: list[tuple[int, Alert]] = []

    @property
    def at(self) -> float:
        return BEGAN_AT + self.hours * self.hour_seconds

    def hour(self, *rows: LabelledRows) -> None:
        self.hours += 1
        news = LabelNews(self.performances.cursor + sum(each.row_count for each in rows), rows)
        for alert in self.performances.close_pane(news, self.at):
            if alert is not None:
                self.told.append((self.hours, alert))

    def restart(self) -> None:
        states, state = dict(self.performances.model_states), self.performances.state
        self.performances = Performances(self.policy, lambda _: self.reference)
        self.performances.restore(state)
        for key, each in states.items():
            self.performances.restore_model(key, each)

    def score(self, name: str, key: ModelKey = KEY) -> Score:
        return next(each for each in self.performances.scores(key) if each.statistic == name)

    def names(self, key: ModelKey = KEY) -> set[str]:
        return {each.statistic for each in self.performances.scores(key)}


def lived(life: Life, hours: Sequence[float], *, restarts: bool = False, rows: int = 500) -> Life:
    rng = np.random.default_rng(17)
    for accuracy in hours:
        life.hour(
            labelled(rng, rows, life.at + life.hour_seconds * 0.9, accuracy=accuracy, delay=life.hour_seconds / 60)
        )
        if restarts:
            life.restart()
    return life


def test_measures_are_those_of_the_labels_with_those_of_the_reference() -> None:
    life = Life(reference_of())
    rows = labelled(np.random.default_rng(1), 1000, life.at + HOUR - 1)
    life.hour(rows)

    accuracy = life.score("accuracy")
    assert accuracy.value == np.mean(rows.labels == rows.predictions)
    assert accuracy.low < accuracy.value < accuracy.high
    assert accuracy.rows == 1000
    assert accuracy.reference == pytest.approx(0.9, abs=0.01)
    assert life.score("accuracy_by_prediction_time").value == accuracy.value
    assert life.score("label_delay_median_seconds").value == pytest.approx(60, rel=0.1)


def test_labels_that_come_late_count_where_they_came_and_where_their_predictions_stand() -> None:
    life = Life(None)
    for _ in range(30):
        life.hour()
    life.hour(labelled(np.random.default_rng(1), 100, life.at + HOUR - 1, delay=20 * HOUR))

    assert life.score("accuracy").rows == 100
    assert "accuracy_by_prediction_time" not in life.names()


@pytest.mark.parametrize("restarts", [False, True], ids=["in one life", "restarted every hour"])
def test_a_model_that_becomes_worse_alarms_within_the_day_and_ends_when_it_is_well(*, restarts: bool) -> None:
    life = lived(Life(reference_of()), [0.9] * 24 + [0.8] * 24 + [0.9] * 96, restarts=restarts)

    realised = [(hour, alert.state) for hour, alert in life.told if alert.key.endswith("realised")]
    assert list(dict.fromkeys(state for _, state in realised if state != "pending")) == ["firing", "resolved"]
    assert 24 < next(hour for hour, state in realised if state == "firing") <= 48
    assert {alert.source for _, alert in life.told} == {"performance"}
    assert set(life.performances.in_force) == set()


@pytest.mark.parametrize("restarts", [False, True], ids=["in one life", "restarted every window"])
@pytest.mark.parametrize("window", [2.0, 10.0, 900.0])
def test_where_the_window_is_short_it_is_judged_as_often(window: float, *, restarts: bool) -> None:
    policy = Policy(labels=True, window_seconds=window, pane_seconds=window / 10)
    life = lived(Life(reference_of(), policy), [0.9] * 24 + [0.8] * 24, restarts=restarts)

    assert next(hour for hour, alert in life.told if alert.key.endswith("realised") and alert.state == "firing") > 24
    assert life.score("accuracy").value == pytest.approx(0.8, abs=0.05)
    assert life.score("accuracy").rows == life.score("accuracy_by_prediction_time").rows == 500


def test_without_a_reference_a_short_window_is_learned_from_as_soon() -> None:
    policy = Policy(labels=True, window_seconds=5.0, pane_seconds=0.5)
    life = lived(Life(None, policy), [0.9] * 50 + [0.7] * 24)

    assert {hour > 50 for hour, alert in life.told if alert.state == "firing"} == {True}


def test_what_was_counted_by_other_hours_is_refused() -> None:
    life = lived(Life(None, Policy(labels=True, window_seconds=10.0)), [0.9] * 3)
    (state,) = life.performances.model_states.values()

    with pytest.raises(ValueError, match="other hours"):
        PerformanceWatch(KEY, POLICY, None, share=0.1).restore(state)


def test_a_restart_every_hour_changes_nothing() -> None:
    hours = [0.9] * 6 + [0.75] * 12
    one, other = lived(Life(reference_of()), hours), lived(Life(reference_of()), hours, restarts=True)

    assert one.told == other.told
    shown = [life.performances.scores(KEY) for life in (one, other)]
    assert shown[0] == shown[1]


def test_a_model_that_is_as_good_as_its_reference_is_quiet() -> None:
    assert lived(Life(reference_of()), [0.9] * 100).told == []


def test_labels_of_another_task_than_the_reference_s_are_measured_without_it() -> None:
    life = Life(reference_of())
    rng = np.random.default_rng(1)
    rows = labelled(rng, 1000, life.at + HOUR - 1)
    life.hour(replace(rows, classes=("bad", "good")))

    assert life.score("accuracy").reference is None
    life.restart()
    assert life.score("accuracy").rows == 1000


def test_the_figures_of_a_model_without_a_name_are_not_those_of_its_endpoint_too() -> None:
    nameless: ModelKey = ("/predict", "", "")
    life = Life(None)
    life.hour(labelled(np.random.default_rng(1), 100, life.at + HOUR - 1, key=nameless))
    own = Score(None, None, "error_rate", 0.0, 0.0, 0.0, 10)
    snapshots = [Snapshot("", "", [own]), Snapshot("", "", [own], "watching")]

    shown = list(life.performances.beside(("/predict", each) for each in snapshots))

    assert [any(score.statistic == "accuracy" for score in each.scores) for _, each in shown] == [False, True]


def test_coverage_is_told_of_all_and_by_age() -> None:
    life = Life(None)
    life.hour(labelled(np.random.default_rng(1), 100, life.at + HOUR - 1))
    hours = np.array([life.at - HOUR, life.at - 30 * HOUR])
    waiting = WaitingCounts(hours, np.array([3, 3], np.int32), np.array([100, 300]), np.array([10, 150]))
    for _ in life.performances.close_pane(LabelNews(life.performances.cursor, waiting={KEY: waiting}), life.at):
        pass

    assert life.score("label_coverage").value == 160 / 400
    by_age = {name: life.score(name).value for name in life.names() if name.startswith("label_coverage[")}
    assert by_age == {"label_coverage[first hour]": 0.1, "label_coverage[after 1d]": 0.5}


def test_models_beyond_the_bound_are_counted_alone() -> None:
    life = Life(None)
    rng = np.random.default_rng(1)
    keys = [("/predict", f"model {number}", "") for number in range(MOST_MODELS + 2)]
    life.hour(*(labelled(rng, 10, life.at + HOUR - 1, key=key) for key in keys))

    assert len(life.performances.watches) == MOST_MODELS
    assert life.performances.take_losses() == {SignalFate("labels", "dropped", "too_many_models"): 20}
    assert life.performances.take_losses() == {}


def test_a_model_whose_labels_come_no_longer_is_let_go() -> None:
    life = lived(Life(reference_of()), [0.7] * 24)
    assert life.performances.in_force
    for _ in range(9 * 24):
        life.hour()

    assert not life.performances.watches
    assert life.told[-1][1].state == "resolved"


def test_where_there_is_no_memory_the_model_labelled_least_recently_goes() -> None:
    life = Life(None, replace(POLICY, judging_bytes=4 * 150_000))
    rng = np.random.default_rng(1)
    keys = [("/predict", f"model {number}", "") for number in range(3)]
    for hour in range(6):
        rows = [labelled(rng, 2000, life.at + HOUR - 1, key=key) for key in keys[hour // 2 :]]
        life.hour(*(replace(each, scores=rng.random(2000)) for each in rows))

    assert 1 <= len(life.performances.watches) < 3
    assert keys[2] in life.performances.watches
    assert sum(each.size_bytes for each in life.performances.watches.values()) < 1_000_000


def test_a_mistake_of_ours_costs_its_part_and_is_counted() -> None:
    life = Life(None)
    rng = np.random.default_rng(1)
    wrong = replace(labelled(rng, 10, life.at, key=("/predict", "wrong", "")), labels=np.zeros(3))
    life.hour(wrong, labelled(rng, 10, life.at + HOUR - 1))

    assert life.score("accuracy").rows == 10
    assert sum(count for fate, count in life.performances.take_losses().items() if fate.fate == "mistake") >= 1


def test_another_reference_ends_what_was_judged_and_keeps_what_was_measured() -> None:
    life = lived(Life(reference_of()), [0.9] * 6 + [0.7] * 12)
    assert {key.rpartition("/")[2] for key in life.performances.in_force} == {"realised", "parted"}
    life.reference = reference_of(accuracy=0.7)
    before = life.score("accuracy")

    over = list(life.performances.replace_reference(life.at))

    assert [alert.state for alert in over] == ["resolved", "resolved"]
    assert (life.score("accuracy").value, life.score("accuracy").rows) == (before.value, before.rows)
    assert life.score("accuracy").reference == pytest.approx(0.7, abs=0.01)


def test_a_reference_that_was_replaced_meanwhile_keeps_what_was_measured() -> None:
    life = lived(Life(reference_of()), [0.9] * 3)
    life.reference = reference_of(accuracy=0.7)
    life.restart()

    assert life.score("accuracy").rows > 0
    assert "realised_loss" not in life.names()


def spoilt(state: PerformanceState) -> dict[str, PerformanceState]:
    return {
        "a course that cannot be": replace(state, course=replace(state.course, refused=-1)),
        "too many windows": replace(state, estimated=((None,) * 101)),  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("wrong", ["a course that cannot be", "too many windows"])
def test_a_state_that_does_not_fit_is_refused_and_costs_its_model_alone(wrong: str) -> None:
    life = lived(Life(reference_of()), [0.9] * 2)
    state = life.performances.state
    (of_model,) = life.performances.model_states.values()
    fresh = Performances(POLICY, lambda _: life.reference)
    fresh.restore(state)

    with pytest.raises(ValueError, match=r"."):
        fresh.restore_model(KEY, spoilt(of_model)[wrong])

    assert fresh.cursor == life.performances.cursor
    assert "accuracy" not in {each.statistic for each in fresh.scores(KEY)}


def test_labels_that_found_their_prediction_since_are_unknown_no_more() -> None:
    counts = {
        SignalFate("labels", "delivered", "unknown"): 7,
        SignalFate("labels", "delivered", "matched"): 20,
        SignalFate("labels", "delivered", "joined_later_matched"): 8,
        SignalFate("labels", "delivered", "joined_later_duplicate"): 1,
        SignalFate("spans", "dropped", "unknown"): 5,
    }

    assert unknown_in(MachinePane({}, {}, counts)) == -2
    assert unknown_in(MachinePane({}, {})) == 0
