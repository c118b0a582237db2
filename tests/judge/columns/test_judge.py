from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.judge import DriftJudge
from dashlight.records import Alert
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS, NULL, UNSEEN

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MakePanes = Callable[..., NDArray[np.int64]]
Judged = Callable[[DriftJudge, NDArray[np.int64]], tuple[list[Alert], NDArray[np.bool_], NDArray[np.float32]]]
Values = Mapping[str, Any]
MakeValues = Callable[..., dict[str, NDArray[np.float64]]]
Change = Callable[[dict[str, NDArray[np.float64]], np.random.Generator], Values]
MakeStream = Callable[..., NDArray[np.int64]]

MONTH = 259_200.0
"""Panes of ten seconds in thirty days."""


def judge_of(columns: tuple[ColumnReference, ...], *, tolerance: float = 0.02) -> DriftJudge:
    return DriftJudge(columns, panes=MONTH, tolerance=tolerance, model="late", version="1", endpoint="/predict")


def shift(size: float) -> Change:
    return lambda values, rng: {**values, "normal": values["normal"] + size}


def missing(share: float) -> Change:
    def change(values: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Values:
        return {**values, "skewed": np.where(rng.random(len(values["skewed"])) < share, np.nan, values["skewed"])}

    return change


def new_category(share: float) -> Change:
    def change(values: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Values:
        return {**values, "code": np.where(rng.random(len(values["code"])) < share, 99.0, values["code"])}

    return change


@pytest.fixture
def stream_of(panes_of: MakePanes, table: MakeValues, words: MakeValues) -> MakeStream:
    """Panes of rows, so many after each change."""

    def stream(
        columns: tuple[ColumnReference, ...], rng: np.random.Generator, parts: list[tuple[int, Change]]
    ) -> NDArray[np.int64]:
        changed = [words(change(table(rng, rows), rng)) for rows, change in parts]
        return np.concatenate([panes_of(columns, values, 100) for values in changed])

    return stream


@pytest.mark.parametrize("change", [shift(1.0), shift(0.5), missing(0.1), new_category(0.05)])
@pytest.mark.parametrize("lasting", [2000, 20_000])
def test_an_alert_resolves_within_about_the_rows_it_took_to_fire(
    *,
    columns_of: MakeColumns,
    panes_of: MakePanes,
    judged: Judged,
    change: Change,
    lasting: int,
    stream_of: MakeStream,
    table: MakeValues,
    words: MakeValues,
) -> None:
    rng = np.random.default_rng(230)
    columns = columns_of(words(table(rng, 10_000)))
    panes = stream_of(columns, rng, [(2000, shift(0.0)), (lasting, change), (10_000, shift(0.0))])

    alerts, firing, _ = judged(judge_of(columns), panes)

    assert [alert.state for alert in alerts if alert.state == "resolved"] == ["resolved"]
    anywhere = [bool(row.any()) for row in firing]
    fired_after = 100 * (anywhere.index(True) + 1) - 2000
    resolved_after = 100 * (len(anywhere) - anywhere[::-1].index(True) + 1) - 2000 - lasting
    assert resolved_after <= max(4 * fired_after, 500)


def test_a_drift_that_goes_on_is_one_alert(
    *,
    columns_of: MakeColumns,
    panes_of: MakePanes,
    judged: Judged,
    stream_of: MakeStream,
    table: MakeValues,
    words: MakeValues,
) -> None:
    rng = np.random.default_rng(231)
    columns = columns_of(words(table(rng, 10_000)))
    panes = stream_of(columns, rng, [(1000, shift(0.0)), (40_000, shift(0.5))])

    alerts, firing, _ = judged(judge_of(columns), panes)

    assert firing[15:].any(1).all()
    assert not [alert for alert in alerts if alert.state == "resolved"]


@pytest.mark.parametrize("size", [0.1, 0.14, 0.18])
def test_a_drift_at_the_border_of_the_tolerance_does_not_flap(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged, size: float
) -> None:
    rng = np.random.default_rng(232)
    columns = columns_of({"x": rng.standard_normal(10_000)})
    panes = panes_of(columns, {"x": rng.standard_normal(100_000) + size}, 100)

    _, firing, _ = judged(judge_of(columns), panes)

    onsets = np.flatnonzero(np.diff(firing[:, 0].astype(int), prepend=0) == 1)
    assert len(onsets) <= 3


def test_rows_that_remember_and_shift_do_not_flap(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged, memory: MakeValues
) -> None:
    rng = np.random.default_rng(233)
    values = memory(rng, 120_000, 0.9)
    columns = columns_of({name: value[:20_000] for name, value in values.items()})
    stream = {name: value[20_000:] for name, value in values.items()}
    stream["x0"] = stream["x0"] + 0.5

    _, firing, _ = judged(judge_of(columns), panes_of(columns, stream, 100))

    onsets = (np.diff(firing.astype(int), axis=0, prepend=0) == 1).sum(0)
    assert onsets[0] in {1, 2}
    assert firing[-1, 0]
    assert (onsets[1:] == 0).all()


def test_what_never_was_missing_alarms_although_the_column_remembers(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged, memory: MakeValues
) -> None:
    # The weather lasts for days, but the feed does not break with it: the codes beside it are independent.
    rng = np.random.default_rng(234)
    values: Values = {**memory(rng, 10_000, 0.99), "code": [f"c{code}" for code in rng.integers(0, 5, 10_000)]}
    columns = columns_of({name: value[:8000] for name, value in values.items()})
    stream = {name: list(value[8000:]) for name, value in values.items()}
    stream["x0"] = [None if rng.random() < 0.3 else value for value in stream["x0"]]

    alerts, firing, _ = judged(judge_of(columns), panes_of(columns, stream, 100))

    assert np.flatnonzero(firing[:, 0])[0] < 5
    assert alerts[0].summary.startswith("share of missing x0 rose from 0 % to ")


def test_an_alarm_says_since_when_and_what_moved(
    *,
    columns_of: MakeColumns,
    panes_of: MakePanes,
    judged: Judged,
    stream_of: MakeStream,
    table: MakeValues,
    words: MakeValues,
) -> None:
    rng = np.random.default_rng(235)
    columns = columns_of(words(table(rng, 10_000)))
    panes = stream_of(columns, rng, [(5000, shift(0.0)), (3000, new_category(0.05))])

    alerts, _, _ = judged(judge_of(columns), panes)

    fired = alerts[0]
    assert (fired.state, fired.column, fired.role, fired.source) == ("firing", "code", "feature", "drift")
    assert fired.key == "drift/late/%2Fpredict/feature/code"
    assert (fired.model, fired.version, fired.endpoint) == ("late", "1", "/predict")
    # The change came after 50 panes of ten seconds.
    assert 480 <= fired.since_at <= 520
    assert fired.summary.startswith("share of a value of code never seen in the reference rose from 0 % to ")
    (cause,) = fired.causes
    assert cause.reference == 0
    assert 0.02 < cause.current < 0.1
    labels = {part.label for part in cause.bins}
    assert "never seen" in labels
    assert any(label.startswith("value #1 (of ") for label in labels)
    assert fired.score == pytest.approx(2 * np.arcsin(cause.current**0.5), abs=0.05)
    assert fired.rows in {100, 200, 400}


def test_a_description_is_renewed_ever_more_seldom(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    rng = np.random.default_rng(236)
    columns = columns_of({"x": rng.standard_normal(10_000)})
    panes = panes_of(columns, {"x": rng.standard_normal(20_000) + 1.0}, 100)

    alerts, firing, _ = judged(judge_of(columns), panes)

    fired = float(10 * (np.flatnonzero(firing[:, 0])[0] + 1))
    assert [alert.at - fired for alert in alerts] == [0, 10, 20, 40, 80, 160, 320, 640, 1280]
    assert len({alert.since_at for alert in alerts}) == 1
    assert "mean rank of x rose" in alerts[-1].summary


def test_evidence_of_less_than_the_tolerance_is_pending(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    rng = np.random.default_rng(237)
    columns = columns_of({"x": rng.standard_normal(20_000)})
    panes = panes_of(
        columns, {"x": np.concatenate([rng.standard_normal(20_000) + 0.2, rng.standard_normal(30_000)])}, 100
    )

    alerts, firing, _ = judged(judge_of(columns, tolerance=0.25), panes)

    assert [alert.state for alert in alerts] == ["pending", "inactive"]
    assert not firing.any()


def test_a_resolved_alert_says_what_it_was(
    *,
    columns_of: MakeColumns,
    panes_of: MakePanes,
    judged: Judged,
    stream_of: MakeStream,
    table: MakeValues,
    words: MakeValues,
) -> None:
    rng = np.random.default_rng(238)
    columns = columns_of(words(table(rng, 10_000)))
    panes = stream_of(columns, rng, [(1000, missing(0.3)), (2000, shift(0.0))])

    alerts, _, _ = judged(judge_of(columns), panes)

    first, last = alerts[0], alerts[-1]
    assert last.state == "resolved"
    assert last.summary.startswith("skewed is back inside its band; it was: share of missing skewed rose from 1")
    assert (last.key, last.since_at) == (first.key, first.since_at)


def test_a_column_without_importance_never_alarms(
    *,
    columns_of: MakeColumns,
    panes_of: MakePanes,
    judged: Judged,
    stream_of: MakeStream,
    table: MakeValues,
    words: MakeValues,
) -> None:
    rng = np.random.default_rng(239)
    columns = columns_of(words(table(rng, 10_000)))
    panes = stream_of(columns, rng, [(2000, shift(2.0))])
    judge = DriftJudge(columns, panes=MONTH, importance={"normal": 0.0, "code": 3.0})

    alerts, _, _ = judged(judge, panes)

    assert alerts == []


def test_the_interval_of_the_beginning_holds_the_change(
    *,
    columns_of: MakeColumns,
    panes_of: MakePanes,
    judged: Judged,
    stream_of: MakeStream,
    table: MakeValues,
    words: MakeValues,
) -> None:
    rng = np.random.default_rng(245)
    columns = columns_of(words(table(rng, 10_000)))
    panes = stream_of(columns, rng, [(5000, shift(0.0)), (20_000, shift(0.5))])

    alerts, _, _ = judged(judge_of(columns), panes)

    # The change came after 50 panes of ten seconds. Once its panes are kept together, the interval stays as it was.
    first, last = alerts[0], alerts[-1]
    assert 400 <= first.since_earliest_at <= 500 <= first.since_latest_at <= 530
    assert first.since_earliest_at <= first.since_at <= first.since_latest_at
    assert last.at - first.at > 1000
    assert last.since_latest_at - last.since_earliest_at < 100


def test_the_long_past_is_told_by_the_first_moment_remembered(columns_of: MakeColumns) -> None:
    columns = columns_of({"x": np.arange(1000.0)}, ordered=False)
    judge = judge_of(columns)
    counts = np.zeros((1, BINS), np.int64)
    counts[0, NULL] = 100

    (alert,) = judge.update(counts, 10.0, lambda wanted: (counts, 1))

    assert (alert.state, alert.since_at, alert.at) == ("firing", 10.0, 10.0)


def test_a_new_category_is_told_as_such_where_new_ones_are_usual(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    rng = np.random.default_rng(242)
    rare = [f"c{int(place)}" for place in rng.zipf(1.3, 20_000) % 2000]
    columns = columns_of({"code": rare[:15_000]})
    stream = [f"new{int(place)}" if rng.random() < 0.3 else code for place, code in enumerate(rare[15_000:])]

    alerts, _, _ = judged(judge_of(columns), panes_of(columns, {"code": stream}, 100))

    assert alerts[0].column == "code"
    assert "never seen" in alerts[0].summary
    assert columns[0].counts[UNSEEN] == 0
