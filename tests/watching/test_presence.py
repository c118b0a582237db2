"""Columns that only one side has: left out and told once; what came and goes away is a break."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight import DriftDetector
from dashlight.counting.policy import Policy
from dashlight.counting.rows import merged_rows
from dashlight.judge.breaks.state import Place
from dashlight.records import Alert, Prediction, Table
from dashlight.store.layout import Layout
from dashlight.watching.presence import TELLING_ROWS, Presence, PresenceState
from dashlight.watching.rows import Comparison
from dashlight.watching.state import ComparisonState
from dashlight.window.columns import ColumnReference, LeftOutColumn, Reference
from dashlight.window.layout import BINS, NULL, STRUCTURAL_BINS
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

LAYOUT: Layout[PresenceState] = Layout("presence", 1, PresenceState)
WORDS = ["red", "blue", "tea", "milk", "sun", "rain"]


def rows(rng: np.random.Generator, count: int) -> dict[str, Column]:
    x = rng.normal(size=count)
    return {
        "x": x,
        "price": x + rng.gamma(2, 3, count),
        "stroke": np.where(rng.random(count) < 0.9, 0.0, rng.gamma(2, 2, count)),
        "city": [str(each) for each in rng.choice(["Bonn", "Kiel", "Ulm"], count)],
        "note": [" ".join(rng.choice(WORDS, rng.integers(3, 12))) for _ in range(count)],
    }


@pytest.fixture(scope="module")
def reference() -> Reference:
    rng = np.random.default_rng(1)
    return build_reference_from_columns(rows(rng, 4000), {}, rng=rng, created_at=0.0)


class Watched:
    """Rows of one or several processes judged by one comparison, which restarts when told to."""

    def __init__(self, reference: Reference, processes: int = 1) -> None:
        self.reference = reference
        self.comparison = Comparison(reference, Policy())
        self.counters = [self.comparison.counter() for _ in range(processes)]
        self.rng = np.random.default_rng(2)
        self.at = 0.0

    def serve(self, panes: int, change: Callable[[int, dict[str, Any]], object] = lambda _, asked: None) -> list[Alert]:
        """Rows of every process, as *change* leaves those of each; the alerts."""
        alerts: list[Alert] = []
        for _ in range(panes):
            self.at += 10.0
            for process, counter in enumerate(self.counters):
                asked: dict[str, Any] = rows(self.rng, 60)
                change(process, asked)
                nothing = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))
                counter.add(Prediction("", "", "", "", table_of_columns(asked), nothing), np.zeros(1, "V16"))
            panes_of_all = [pane for counter in self.counters if (pane := counter.close()) is not None]
            alerts += self.comparison.close_pane(merged_rows(panes_of_all), self.at)
        return alerts

    def restart(self) -> None:
        """Another process takes over with what was kept."""
        layout: Layout[ComparisonState] = Layout("comparison", 1, ComparisonState)
        kept = layout.thaw(b"".join(layout.freeze(self.comparison.state)))
        self.comparison = Comparison(self.reference, Policy())
        self.comparison.restore(kept)


def lack(*names: str) -> Callable[[int, dict[str, Any]], object]:
    return lambda _, asked: [asked.pop(name) for name in names]


def null(*names: str) -> Callable[[int, dict[str, Any]], object]:
    return lambda _, asked: asked.update({name: [None] * 60 for name in names})


ABSENCES = pytest.mark.parametrize("absent", [lack, null], ids=["not_sent", "null_in_every_row"])
COLUMNS = pytest.mark.parametrize("name", ["price", "stroke", "city", "note"])


@ABSENCES
def test_columns_that_traffic_never_brings_raise_nothing(reference: Reference, absent: Callable[..., Any]) -> None:
    watched = Watched(reference)

    assert watched.serve(80, absent("price", "stroke", "city", "note")) == []
    assert watched.comparison.never_came == ("price", "stroke", "city", "note")
    assert watched.comparison.has_enough_rows


@ABSENCES
@COLUMNS
def test_a_column_that_came_and_goes_away_is_gone(reference: Reference, absent: Callable[..., Any], name: str) -> None:
    watched = Watched(reference)
    assert watched.serve(6) == []

    found = watched.serve(30, absent(name))

    assert {(alert.source, alert.column) for alert in found} == {("drift", name), ("break", name)}
    assert any(alert.key.endswith("/gone") for alert in found if alert.source == "break")


def test_that_a_column_came_outlives_the_process(reference: Reference) -> None:
    watched = Watched(reference)
    watched.serve(6, lack("city"))
    watched.restart()

    found = watched.serve(30, lack("price", "city"))

    assert {alert.column for alert in found} == {"price"}
    assert watched.comparison.never_came == ("city",)


def test_what_was_learned_from_traffic_came(reference: Reference) -> None:
    watched = Watched(replace(reference, source="learned"))

    found = watched.serve(30, lack("price"))

    assert watched.comparison.never_came == ()
    assert {(alert.source, alert.column) for alert in found} == {("drift", "price"), ("break", "price")}


def test_a_column_that_one_of_several_processes_brings_came(reference: Reference) -> None:
    watched = Watched(reference, processes=3)
    watched.serve(1, lambda process, asked: asked.pop("price") if process else None)

    assert watched.comparison.never_came == ()
    assert "price" in {alert.column for alert in watched.serve(30, lack("price"))}


def test_a_column_that_comes_late_is_judged_from_then_on(reference: Reference) -> None:
    watched = Watched(reference)
    assert watched.serve(40, lack("price", "note")) == []
    assert watched.serve(40) == []

    found = watched.serve(20, lambda _, asked: asked.update(price=np.asarray(asked["price"]) + 4))

    assert {alert.column for alert in found} == {"price"}


def test_a_value_of_a_wrong_type_is_a_value(reference: Reference) -> None:
    watched = Watched(reference)

    found = watched.serve(20, lambda _, asked: asked.update(price=["dear"] * 60))

    assert {alert.column for alert in found} >= {"price"}


def test_what_the_reference_has_no_value_of_is_not_missed() -> None:
    rng = np.random.default_rng(4)
    columns: dict[str, Column] = {"x": rng.normal(size=500), "empty": [None] * 500, "rare": [None] * 499 + [1.0]}
    watched = Comparison(build_reference_from_columns(columns, {}, rng=rng, created_at=0.0), Policy())
    counter = watched.counter()
    nothing = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))
    counter.add(Prediction("", "", "", "", table_of_columns({"x": rng.normal(size=200)}), nothing), np.zeros(1, "V16"))
    watched.close_pane(counter.close(), 10.0)

    assert watched.never_came == ("rare",)
    assert watched.news() == []  # one value in 500 rows may come yet


def test_it_is_told_once_after_a_hundred_rows(column: Callable[..., ColumnReference]) -> None:
    names: list[Place] = [("feature", "x"), ("feature", "price"), ("feature", "ignored"), ("output", "score")]
    presence = Presence([column(name, role=role, counts={STRUCTURAL_BINS: 500}) for role, name in names])
    counts = np.zeros((4, BINS), np.int64)
    counts[0, STRUCTURAL_BINS] = counts[1:3, NULL] = TELLING_ROWS - 1
    watched: list[Place] = [("feature", "x"), ("feature", "price"), ("output", "score")]

    presence.take(counts)
    early = presence.news(watched, ["height"])
    presence.take(counts)

    assert early == []
    assert presence.news(watched, []) == ["in the reference, not in the traffic: price, score: left out"]
    assert presence.news(watched, ["height"]) == ["in the traffic, not in the reference: height: left out"]
    assert presence.news(watched, ["height"]) == []


def test_what_is_remembered_goes_on(column: Callable[..., ColumnReference]) -> None:
    columns = [column("x", counts={STRUCTURAL_BINS: 500}), column("y", counts={STRUCTURAL_BINS: 500})]
    first, second = Presence(columns), Presence(columns)
    counts = np.zeros((2, BINS), np.int64)
    counts[0, STRUCTURAL_BINS] = 200
    first.take(counts)
    first.news([("feature", "y")], ["z"])

    second.restore(LAYOUT.thaw(b"".join(LAYOUT.freeze(first.state))))

    assert second.never == first.never == {("feature", "y")}
    assert second.news([("feature", "y")], ["z"]) == []


@pytest.mark.parametrize(
    "state",
    [PresenceState(np.ones(3, np.bool_), 1, False, False), PresenceState(np.ones(2, np.bool_), -1, False, False)],
    ids=["other_columns", "rows_below_zero"],
)
def test_a_state_that_cannot_be_is_refused(column: Callable[..., ColumnReference], state: PresenceState) -> None:
    with pytest.raises(ValueError, match="expected"):
        Presence([column("x"), column("y")]).restore(state)


def test_without_a_server_it_is_told_as_well(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rng = np.random.default_rng(5)
    detector = DriftDetector(rows(rng, 2000))

    fired = [
        alert
        for pane in range(60)
        for alert in detector.update(
            {"height": np.zeros(60), **{name: rows(rng, 60)[name] for name in ("x", "note")}}, at=10.0 * pane
        )
    ]

    assert fired == []
    assert detector.missing_columns == ("price", "stroke", "city")
    assert [record.message for record in caplog.records if record.name == "dashlight.offline.detector"] == [
        "in the reference, not in the traffic: price, stroke, city: left out",
        "in the traffic, not in the reference: height: left out",
    ]


def test_what_the_reference_does_without_is_no_news_when_it_comes(reference: Reference) -> None:
    watched = Watched(replace(reference, left_out=(LeftOutColumn("feature", "seq", "counter"),)))
    watched.serve(6)

    found = watched.serve(30, lambda _, asked: asked.update(seq=np.arange(60.0), height=np.zeros(60)))

    assert {alert.column for alert in found} == {"height"}
    assert watched.comparison.unknown_columns == ("height",)
