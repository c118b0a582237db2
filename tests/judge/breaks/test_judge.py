from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dashlight.judge.breaks.judge import BreakJudge
from dashlight.records import Alert

Values = dict[str, Any]
Rows = Callable[..., Values]
Run = Callable[..., list[tuple[int, Alert]]]
Break = Callable[[Values, np.random.Generator], Values]


def some(share: float, value: Any) -> Callable[[Any, np.random.Generator], Any]:
    def fill(column: Any, rng: np.random.Generator) -> Any:
        filled = rng.random(len(column)) < share
        if isinstance(column, np.ndarray):
            return np.where(filled, value, column)
        return [value if is_filled else old for is_filled, old in zip(filled, column, strict=True)]

    return fill


BREAKS: dict[str, tuple[str, str, str, Break]] = {
    "Celsius to Fahrenheit": ("temp", "unit", "(Celsius -> Fahrenheit)", lambda v, _: {"temp": np.round(v["temp"] * 1.8 + 32, 1)}),
    "Celsius to Kelvin": ("temp", "unit", "(Celsius -> Kelvin)", lambda v, _: {"temp": v["temp"] + 273.15}),
    "kilograms to pounds": ("weight", "unit", "fit 2.2 x of the reference (kilograms -> pounds)", lambda v, _: {"weight": v["weight"] / 0.45359237}),
    "share to percent": ("share", "unit", "share -> percent", lambda v, _: {"share": v["share"] * 100}),
    "price in cents": ("price", "unit", "fit 100 x", lambda v, _: {"price": np.round(v["price"] * 100)}),
    "seconds to milliseconds": ("moment", "unit", "seconds -> milliseconds", lambda v, _: {"moment": v["moment"] * 1000}),
    "a thousand times as far": ("distance", "unit", "fit 1e+03 x", lambda v, _: {"distance": v["distance"] * 1000}),
    "flipped sign": ("weight", "unit", "the sign flipped", lambda v, _: {"weight": -v["weight"]}),
    "stuck number": ("normal", "constant", "is stuck at 37.25 in 100 %", lambda v, _: {"normal": np.full(len(v["normal"]), 37.25)}),
    "stuck slow number": ("slow", "constant", "is stuck at 0.25", lambda v, _: {"slow": np.full(len(v["slow"]), 0.25)}),
    "stuck category": ("carrier", "constant", "is stuck at value #", lambda v, _: {"carrier": ["C7"] * len(v["carrier"])}),
    "swapped numbers": ("normal", "swap", "normal and price are swapped", lambda v, _: {"normal": v["price"], "price": v["normal"]}),
    "swapped categories": ("carrier", "swap", "carrier and city are swapped", lambda v, _: {"carrier": v["city"], "city": v["carrier"]}),
    "swapped number and category": ("price", "swap", "price and city are swapped", lambda v, _: {"price": v["city"], "city": v["price"].tolist()}),
    "zeros": ("age", "fill", "age is 0 in", lambda v, rng: {"age": some(0.4, 0.0)(v["age"], rng)}),
    "all zeros": ("age", "fill", "age is 0 in 100 %", lambda v, _: {"age": v["age"] * 0}),
    "minus one": ("normal", "fill", "normal is -1 in", lambda v, rng: {"normal": some(0.4, -1.0)(v["normal"], rng)}),
    "minus 999 in a slow column": ("slow", "fill", "slow is -999 in", lambda v, rng: {"slow": some(0.5, -999.0)(v["slow"], rng)}),
    "filled with the mean": ("normal", "fill", "normal is 40.02 in", lambda v, rng: {"normal": some(0.5, 40.02)(v["normal"], rng)}),
    "unknown": ("carrier", "fill", "carrier is unknown in", lambda v, rng: {"carrier": some(0.5, "unknown")(v["carrier"], rng)}),
    "empty": ("carrier", "fill", "carrier is empty in", lambda v, rng: {"carrier": some(0.5, "")(v["carrier"], rng)}),
    "numbers in quotes": ("age", "encoding", "text (numbers in quotes)", lambda v, _: {"age": [str(age) for age in v["age"]]}),
    "upper case": ("city", "encoding", "city is upper-cased", lambda v, _: {"city": [city.upper() for city in v["city"]]}),
    "codes": ("carrier", "encoding", "carrier arrives as numbers in 100 %", lambda v, _: {"carrier": [float(code[1:]) for code in v["carrier"]]}),
    "flags as numbers": ("flag", "encoding", "flag arrives as numbers", lambda v, _: {"flag": np.array(v["flag"], float)}),
    "lists": ("note", "encoding", "note arrives as lists or objects", lambda v, _: {"note": [[note] for note in v["note"]]}),
    "null": ("weight", "gone", "weight is null in 100 % of rows (0 % in the reference)", lambda v, _: {"weight": v["weight"] * np.nan}),
    "hours later": ("hour", "hours", "hour is shifted by +5 h (a timezone?)", lambda v, _: {"hour": (v["hour"] + 5) % 24}),
    "hours earlier": ("hour", "hours", "hour is shifted by -8 h", lambda v, _: {"hour": (v["hour"] - 8) % 24}),
    "whole prices": ("price", "rounding", "price is rounded to whole numbers in 100 %", lambda v, _: {"price": np.round(v["price"])}),
    "tens": ("age", "rounding", "age is rounded to tens", lambda v, _: {"age": np.round(v["age"], -1)}),
    "one decimal of a slow column": ("slow", "rounding", "slow is rounded to 1 decimal", lambda v, _: {"slow": np.round(v["slow"], 1)}),
}  # fmt: skip


@pytest.mark.parametrize("what", list(BREAKS))
def test_a_break_is_named_within_500_rows_and_nothing_else_fires(
    what: str, awkward: Any, rows_of: Rows, run: Run
) -> None:
    column, kind, words, broken = BREAKS[what]
    rng = np.random.default_rng(102)
    values = rows_of(rng, 500)

    alerts = run(awkward, values | broken(values, rng))

    firing = [alert for _, alert in alerts if alert.state == "firing"]
    assert {alert.column for alert in firing} == {column}
    assert firing[-1].key == f"break/m/%2Fe/feature/{column}/{kind}"
    assert words in firing[-1].summary
    assert "look at" in firing[-1].summary
    assert firing[-1].source == "break"


@pytest.mark.parametrize("seed", [103, 104])
@pytest.mark.parametrize("how", ["independent", "clusters of twenty", "a shuffled reference"])
def test_nothing_is_named_where_nothing_broke(how: str, seed: int, rows_of: Rows, watch: Any, run: Run) -> None:
    rng = np.random.default_rng(seed)
    clusters = how == "clusters of twenty"
    reference = rows_of(rng, 5000, clusters=clusters)
    if how == "a shuffled reference":
        places = rng.permutation(5000)
        reference = {
            name: column[places] if isinstance(column, np.ndarray) else [column[at] for at in places]
            for name, column in reference.items()
        }

    alerts = run(watch(reference, ordered=how != "a shuffled reference"), rows_of(rng, 8000, clusters=clusters))

    assert alerts == []


@pytest.mark.parametrize("sign", [1, -1], ids=["up", "down"])
def test_a_natural_drift_is_no_break(sign: int, awkward: Any, rows_of: Rows, run: Run) -> None:
    rng = np.random.default_rng(105)
    values = rows_of(rng, 4000)
    for name in ("normal", "price", "age", "temp", "slow", "brisk", "weight"):
        decimals = {"price": 2, "age": 0, "temp": 1}.get(name, 12)
        values[name] = np.round(values[name] + sign * np.std(values[name]), decimals)
    values["count"] = rng.poisson(3.2 + sign * 1.8, 4000).astype(float)
    values["zeros"] *= 1 + 0.5 * sign
    values["distance"] *= 1 + 0.7 * sign
    values["share"] **= 1 - 0.4 * sign
    values["carrier"] = [f"C{code}" for code in rng.integers(20, size=4000)]
    values["city"] = rng.choice(["Malmö", "Köln", "Oslo"], 4000, p=[0.75, 0.05, 0.2]).tolist()

    assert run(awkward, values) == []


def test_a_season_of_temperature_is_no_break(awkward: Any, rows_of: Rows, run: Run) -> None:
    values = rows_of(np.random.default_rng(106), 8000)
    values["temp"] = np.round(values["temp"] * 0.8 + 14 * np.sin(np.arange(8000) / 1500), 1)

    assert run(awkward, values) == []


def test_a_break_resolves_when_the_rows_are_normal_again(awkward: Any, rows_of: Rows, run: Run) -> None:
    rng = np.random.default_rng(107)
    before, broken, after = (rows_of(rng, 1000) for _ in range(3))
    broken["age"] = broken["age"] * 0

    alerts = run(awkward, before, broken, after)

    assert [(alert.column, alert.state) for _, alert in alerts if alert.state != "pending"] == [
        ("age", "firing"),
        ("age", "resolved"),
    ]
    assert 1000 < next(came for came, alert in alerts if alert.state == "firing") <= 1200
    assert 2000 < alerts[-1][0] <= 2500


def test_a_column_that_is_gone_is_told_with_the_one_that_came_instead(awkward: Any, rows_of: Rows, run: Run) -> None:
    rng = np.random.default_rng(108)
    before, after = rows_of(rng, 500), rows_of(rng, 500)
    after["mass"] = after.pop("weight")

    alerts = {alert.column: alert for _, alert in run(awkward, before, after) if alert.state == "firing"}

    assert set(alerts) == {"weight", "mass"}
    assert "weight is gone: it is no longer sent, last seen" in alerts["weight"].summary
    assert "new since then: mass" in alerts["weight"].summary
    assert "mass is a new column" in alerts["mass"].summary
    assert alerts["mass"].key == "break/m/%2Fe/feature/mass/new"


def test_a_new_column_that_goes_again_is_resolved(awkward: Any, rows_of: Rows, run: Run) -> None:
    rng = np.random.default_rng(109)
    first, second, third = (rows_of(rng, 400) for _ in range(3))

    alerts = run(awkward, first, second | {"extra": np.ones(400)}, third)

    assert [(alert.column, alert.state) for _, alert in alerts] == [("extra", "firing"), ("extra", "resolved")]


def test_a_column_that_was_always_sent_is_not_new(awkward: Any, rows_of: Rows, run: Run) -> None:
    assert run(awkward, rows_of(np.random.default_rng(110), 600) | {"request": np.arange(600.0)}) == []


def test_another_unit_replaces_the_rounding_that_was_seen_first(awkward: Any, rows_of: Rows, run: Run) -> None:
    rng = np.random.default_rng(111)
    before, after = rows_of(rng, 1000), rows_of(rng, 1500)
    after["temp"] = after["temp"] + 273.15

    alerts = [alert for _, alert in run(awkward, before, after) if alert.state != "pending"]

    assert [alert.key.rsplit("/", 1)[1] for alert in alerts if alert.state == "firing"][-1] == "unit"
    assert len({alert.key for alert in alerts if alert.state == "firing"}) - 1 == sum(
        alert.state == "resolved" for alert in alerts
    )


def test_a_burst_of_one_client_is_not_looked_at(awkward: Any, rows_of: Rows, run: Run) -> None:
    values = rows_of(np.random.default_rng(112), 5000)
    values["age"] = values["age"] * 0

    assert run(awkward, values, rows=5000) == []


@pytest.mark.parametrize(
    "cells",
    [
        [float("nan"), float("inf"), float("-inf"), 1e308],
        [None, "x", True, 3],
        [[1], {"a": 2}, b"bytes", 10**400],
        ["", " ", "\udcff", "9" * 5000],
        [-(10**400), 2**63, 1e-320, "nan"],
    ],
    ids=["not finite", "mixed", "nested", "odd texts", "huge"],
)
@pytest.mark.parametrize("column", ["normal", "carrier", "flag", "note", "hour", "city"])
def test_whatever_comes_never_raises_and_no_figure_is_nan(
    column: str, cells: list[object], awkward: Any, rows_of: Rows, run: Run
) -> None:
    values = rows_of(np.random.default_rng(113), 400)
    values[column] = [cells[at % len(cells)] for at in range(400)]

    alerts = run(awkward, values)

    assert all(np.isfinite([alert.score, *(cause.current for cause in alert.causes)]).all() for _, alert in alerts)


def test_a_judge_without_columns_is_silent() -> None:
    judge = BreakJudge((), {}, panes=1000)
    recent = judge.recent_values()
    recent.take(None, 10.0)

    assert judge.update(recent, 10.0) == []


def test_a_column_without_a_profile_is_not_watched(awkward: Any) -> None:
    judge = BreakJudge(awkward.columns, {}, panes=1000)

    assert judge.columns == ()


def test_no_break_of_a_lesser_certainty_than_the_budget_asks_for_fires(awkward: Any) -> None:
    few, many = (BreakJudge(awkward.columns, awkward.profiles, panes=panes) for panes in (1e4, 1e6))

    # ln(panes/12 * columns * kinds * stretches / share)
    assert few.needed_nats == pytest.approx(np.log(1e4 / 12 * 20 * 9 * 3 / 0.02))
    assert many.needed_nats - few.needed_nats == pytest.approx(np.log(100))


@pytest.mark.parametrize("rows", [30, 60, 100])
def test_a_number_that_gets_stuck_is_named_within_three_panes_whenever_the_next_look_is_due(
    rows: int, rows_of: Rows, watch: Callable[[Values], Any], run: Run
) -> None:
    rng = np.random.default_rng(140)
    watched = watch({"slow": rows_of(rng, 2000)["slow"], "normal": rng.standard_normal(2000)})
    for quiet_panes in (2, 5, 13, 30):
        slow = rows_of(rng, (quiet_panes + 5) * rows)["slow"]
        slow[quiet_panes * rows :] = 0.123
        stream = {"slow": slow, "normal": rng.standard_normal(len(slow))}

        alerts = [(came, alert) for came, alert in run(watched, stream, rows=rows) if alert.state == "firing"]

        assert [alert.column for _, alert in alerts] == ["slow"]
        assert alerts[0][0] - quiet_panes * rows <= max(3 * rows, 100)
