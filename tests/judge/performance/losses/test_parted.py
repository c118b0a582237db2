"""Whether labels part from what the scores lead to expect."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest

from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.loss_judge import LossJudgeState
from dashlight.judge.performance.parted import PartedWatch
from dashlight.labels.rows import Floats, LabelledRows
from dashlight.records import Alert
from dashlight.store.layout import Layout
from dashlight.window.performance_reference import PerformanceReference

MakeRows: TypeAlias = Callable[..., LabelledRows]
MakeWatch: TypeAlias = Callable[..., PartedWatch]
Hours: TypeAlias = Callable[[int], Sequence[float]]
LAYOUT: Layout[LossJudgeState] = Layout("parted", 1, LossJudgeState)
WRITER = AlertWriter("performance", "risk", "1", "/predict")
ROWS = 200


@pytest.fixture
def watch(budget: dict[str, Any]) -> MakeWatch:
    def make(reference: PerformanceReference | None, **more: Any) -> PartedWatch:
        return PartedWatch(reference, writer=WRITER, **budget, **more)

    return make


def expected_of(rows: LabelledRows) -> Floats:
    return np.minimum(rows.scores, 1 - rows.scores)


def harder(rng: np.random.Generator, make_rows: MakeRows, at: float, rise: float = 0.0) -> LabelledRows:
    """Rows of which the model itself says that it is wrong in one of three."""
    wrong = rng.uniform(0.2, 0.45, ROWS)
    scores = np.where(rng.random(ROWS) < 0.5, wrong, 1 - wrong)
    is_wrong = rng.random(ROWS) < wrong + rise
    labels = np.where(is_wrong, scores < 0.5, scores >= 0.5).astype(np.float64)
    return make_rows(scores, labels, predicted_at=np.full(ROWS, at - 60), at=at)


def test_where_the_inputs_moved_and_the_estimate_follows_it_is_a_finding_and_no_alert(
    watch: MakeWatch, labelled: MakeRows, make_rows: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching, found = np.random.default_rng(40), watch(reference), list[Alert]()
    findings: list[str] = []
    for hour, at in enumerate(hours(200)):
        rows = labelled(rng, ROWS, at=at) if hour < 80 else harder(rng, make_rows, at)
        found += watching.take(rows, expected_of(rows), at)
        findings.append(watching.finding)

    assert found == []
    assert set(findings[:80]) == {""}
    assert findings[-1].startswith("the inputs moved: by the scores of")
    assert "accuracy is expected to go from 90 % to 6" in findings[-1]


def test_where_the_world_moved_it_is_an_alert_with_words_of_its_own(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching, found = np.random.default_rng(41), watch(reference), list[Alert]()
    for hour, at in enumerate(hours(260)):
        rows = labelled(rng, ROWS, at=at, rise=0.1 if 80 <= hour < 160 else 0.0)
        found += watching.take(rows, expected_of(rows), at)

    assert found[0].key == "performance/risk/%2Fpredict/parted"
    assert found[0].summary.startswith("the world moved: accuracy is 8")
    assert "where the scores lead to expect 90 %" in found[0].summary
    assert hours(80)[-1] < found[0].at < hours(100)[-1]
    assert found[-1].state == "resolved"
    assert watching.finding == ""


def test_both_at_once_are_told_apart_where_the_inputs_moved_beyond_the_reference(
    watch: MakeWatch, make_rows: MakeRows, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching, found = np.random.default_rng(42), watch(reference), list[Alert]()
    for hour, at in enumerate(hours(200)):
        rows = labelled(rng, ROWS, at=at) if hour < 80 else harder(rng, make_rows, at, rise=0.15)
        found += watching.take(rows, expected_of(rows), at)

    assert found[0].summary.startswith("the world moved")
    assert watching.finding.startswith("the inputs moved")


def test_rows_without_an_estimate_are_left_out(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching = np.random.default_rng(43), watch(reference)
    for at in hours(60):
        rows = labelled(rng, ROWS, at=at, rise=0.4)
        assert watching.take(rows, np.full(ROWS, np.nan), at) == []
        assert watching.take(rows, None, at) == []

    assert watching.scores() == []
    assert watching.finding == ""


def test_what_is_expected_of_other_rows_is_refused(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    at = hours(1)[0]

    with pytest.raises(ValueError, match=r"expected \(200,\)"):
        watch(reference).take(labelled(np.random.default_rng(44), ROWS, at=at), np.zeros(3), at)


def test_an_estimate_that_is_always_off_by_as_much_is_learned_where_no_reference_is(
    watch: MakeWatch, labelled: MakeRows, hours: Hours
) -> None:
    rng, watching, found = np.random.default_rng(45), watch(None), list[Alert]()
    for hour, at in enumerate(hours(160)):
        rows = labelled(rng, ROWS, at=at, rise=0.2 if hour >= 120 else 0.0)
        found += watching.take(rows, np.maximum(expected_of(rows) - 0.05, 0.0), at)

    assert found[0].at > hours(120)[-1]


def test_the_difference_is_shown_with_an_interval(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching = np.random.default_rng(46), watch(reference)
    for at in hours(50):
        rows = labelled(rng, ROWS, at=at)
        watching.take(rows, expected_of(rows), at)

    (score,) = watching.scores()
    assert (score.statistic, score.reference) == ("parted_loss", 0.0)
    assert score.low < 0 < score.high


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("cut_at", [0, 1, 30, 101, 120, 199])
def test_a_watch_that_is_restored_goes_on_bit_by_bit(
    watch: MakeWatch,
    labelled: MakeRows,
    reference: PerformanceReference,
    hours: Hours,
    *,
    cut_at: int,
    is_known: bool,
) -> None:
    known = reference if is_known else None
    whole, restored = watch(known), watch(known)
    rng, ends, told = np.random.default_rng(47), hours(200), list[Alert]()
    for hour, at in enumerate(ends):
        if hour == cut_at:
            restored.restore(LAYOUT.thaw(b"".join(LAYOUT.freeze(whole.state))))
        rows = labelled(rng, ROWS, at=at, rise=0.2 if 60 <= hour < 120 else 0.0)
        news = whole.take(rows, expected_of(rows), at)
        if hour >= cut_at:
            assert str(restored.take(rows, expected_of(rows), at)) == str(news)
        told += news

    assert "firing" in {alert.state for alert in told}
    assert (restored.scores(), restored.finding) == (whole.scores(), whole.finding)
    assert b"".join(LAYOUT.freeze(restored.state)) == b"".join(LAYOUT.freeze(whole.state))
