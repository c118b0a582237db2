"""What alerts tell: shares of enough rows, an incident that begins with its break, one name for one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight import DriftDetector
from dashlight.judge.evidence.change_point import LEVEL
from dashlight.records import Alert

Values = dict[str, Any]


def rows_of(rng: np.random.Generator, rows: int) -> Values:
    return {"temp": rng.normal(60, 12, rows).round(1), "wind": rng.gamma(3, 3, rows).round(1)}


def fired(reference: Values, *stretches: Values, pane_rows: int = 100) -> Iterator[tuple[int, Alert]]:
    """The alerts that begin to fire, with the number of the pane, counted from 0; a pane takes ten seconds."""
    detector, firing, pane = DriftDetector(reference), set[str](), 0
    for values in stretches:
        for start in range(0, len(values["temp"]), pane_rows):
            part = {name: column[start : start + pane_rows] for name, column in values.items()}
            for alert in detector.update(part, 10.0 * (pane + 1)):
                if alert.state == "firing" and alert.key not in firing:
                    yield pane, alert
                (firing.add if alert.state == "firing" else firing.discard)(alert.key)
            pane += 1


@pytest.mark.parametrize("pane_rows", [1, 10, 30, 100])
@pytest.mark.parametrize("how", [lambda x: x + 30, lambda x: x * np.nan, lambda x: np.full(len(x), 61.0)])
def test_a_share_is_told_of_100_rows_or_of_all_since_the_onset(how: Any, pane_rows: int) -> None:
    rng = np.random.default_rng(501)
    reference, before, after = rows_of(rng, 4000), rows_of(rng, 900), rows_of(rng, 1200)
    after["temp"] = how(after["temp"])

    alerts = list(fired(reference, before, after, pane_rows=pane_rows))

    assert alerts
    for pane, alert in alerts:
        since_onset = (pane + 1) * pane_rows - 900
        assert alert.rows >= min(100, since_onset)


@pytest.mark.parametrize("pane_rows", [10, 100, 400])
@pytest.mark.parametrize(
    "how",
    [
        lambda x: ((x - 32) / 1.8).round(1),
        lambda x: np.where(np.arange(len(x)) % 2 == 0, -999.0, x),
        lambda x: np.full(len(x), 61.0),
        lambda x: x * np.nan,
    ],
    ids=["unit", "fill", "constant", "gone"],
)
def test_a_break_comes_first_in_the_incident_of_its_drift_since_when_that_began(how: Any, pane_rows: int) -> None:
    rng = np.random.default_rng(502)
    reference, before, after = rows_of(rng, 4000), rows_of(rng, 30 * pane_rows), rows_of(rng, 60 * pane_rows)
    after["temp"] = how(after["temp"])

    alerts = [alert for _, alert in fired(reference, before, after, pane_rows=pane_rows)]

    (broken,) = [alert for alert in alerts if alert.source == "break"]
    assert {alert.source for alert in alerts} == {"drift", "break"}
    assert len({alert.incident for alert in alerts}) == 1
    assert broken.place == 1
    assert broken.since_at == pytest.approx(300.0, abs=30.0)
    assert broken.since_earliest_at <= 310.0
    assert broken.since_latest_at >= 290.0


def test_numbers_that_come_as_texts_are_read_as_what_they_say_and_told() -> None:
    rng = np.random.default_rng(502)
    reference, before, after = rows_of(rng, 4000), rows_of(rng, 3000), rows_of(rng, 6000)
    after["temp"] = [str(each) for each in after["temp"].tolist()]

    alerts = [alert for _, alert in fired(reference, before, after, pane_rows=100)]

    assert [(alert.source, alert.place) for alert in alerts] == [("break", 1)]
    assert 300.0 <= alerts[0].since_at <= 400.0


def test_the_level_of_the_interval_is_the_one_that_is_documented() -> None:
    told = (Path(__file__).parents[2] / "docs" / "alarms.md").read_text(encoding="utf-8")

    assert f"contains the beginning with about {LEVEL:.0%}".replace("%", " %") in told


@pytest.mark.parametrize("how", [lambda x: x + 12, lambda x: ((x - 32) / 1.8).round(1), lambda x: x * np.nan])
def test_a_lasting_change_fires_once_and_is_resolved_once_after_its_end(how: Any) -> None:
    rng = np.random.default_rng(503)
    detector, states = DriftDetector(rows_of(rng, 4000)), Counter[tuple[str, str]]()
    for pane in range(500):
        values = rows_of(rng, 100)
        if 20 <= pane < 440:
            values["temp"] = how(values["temp"])
        states.update((alert.key, alert.state) for alert in detector.update(values, 10.0 * (pane + 1)))

    assert states
    assert set(states.values()) == {1}
    assert {key for key, state in states if state == "firing"} == {key for key, state in states if state == "resolved"}
