"""What merely drifts is no break, however large; and what is a break is one although it looks like growth."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dashlight.judge.breaks.digits import significant_digits
from dashlight.records import Alert

Rng = np.random.Generator
Values = Any
Make = Callable[[Rng, int], Values]
Run = Callable[..., list[tuple[int, Alert]]]


HOURS = np.array([1.0] * 6 + [6.0] * 14 + [2.5] * 4) / 100


def whole(values: Values) -> Values:
    return np.maximum(1.0, np.round(values))


def digits(values: Values, significant: int) -> Values:
    return np.array([float(f"{value:.{significant}g}") for value in values.tolist()])


DRIFTS: dict[str, tuple[Make, Make]] = {
    "ages grow older": (lambda g, n: whole(g.normal(35, 8, n)), lambda g, n: whole(g.normal(56, 12.8, n))),
    "prompts grow longer": (lambda g, n: whole(g.normal(20, 3, n)), lambda g, n: whole(g.normal(140, 22, n))),
    "counts grow like pounds": (lambda g, n: whole(g.normal(70, 10, n)), lambda g, n: whole(g.normal(154, 22, n))),
    "amounts 2.5 times": (lambda g, n: g.lognormal(4, 1, n).round(2), lambda g, n: (g.lognormal(4, 1, n) * 2.54).round(2)),
    "amounts ten times": (lambda g, n: g.lognormal(4, 1, n).round(2), lambda g, n: (g.lognormal(4, 1, n) * 10).round(2)),
    "degrees times 1.6": (lambda g, n: g.normal(60, 12, n).round(1), lambda g, n: (g.normal(60, 12, n) * 1.609).round(1)),
    "an unknown factor": (lambda g, n: g.normal(60, 10, n), lambda g, n: 7.3 * g.normal(60, 10, n)),
    "thirty times": (lambda g, n: g.exponential(300, n), lambda g, n: g.exponential(9000, n)),
    "four digits, larger": (lambda g, n: digits(g.uniform(0.03, 0.2, n), 4), lambda g, n: digits(g.uniform(0.11, 0.3, n), 4)),
    "four digits, smaller": (lambda g, n: digits(g.uniform(0.11, 0.3, n), 4), lambda g, n: digits(g.uniform(0.01, 0.09, n), 4)),
    "three digits, ten times": (lambda g, n: digits(g.lognormal(0, 1.5, n), 3), lambda g, n: digits(10 * g.lognormal(0, 1.5, n), 3)),
    "counts by three": (lambda g, n: g.poisson(8, n) + 0.0, lambda g, n: g.poisson(8, n) + 3.0),
    "counts halved": (lambda g, n: g.poisson(8, n) + 0.0, lambda g, n: g.poisson(4, n) + 0.0),
    "a price of many": (lambda g, n: g.lognormal(3, 0.5, n).round(2), lambda g, n: np.where(g.random(n) < 0.4, 34.99, g.lognormal(3, 0.5, n).round(2))),
    "one price of nearly all": (lambda g, n: g.lognormal(3, 0.5, n).round(2), lambda g, n: np.where(g.random(n) < 0.97, 30.9, g.lognormal(3, 0.5, n).round(2))),
    "amounts that shrink to 0": (lambda g, n: g.lognormal(2, 0.5, n).round(2), lambda g, n: (g.lognormal(2, 0.5, n) / 1500).round(2)),
    "nines among few values": (lambda g, n: g.integers(1, 11, n) + 0.0, lambda g, n: np.where(g.random(n) < 0.35, 9.0, g.integers(1, 11, n) + 0.0)),
    "nearly always one": (lambda g, n: g.choice([0.0, 1.0, 2.0], n, p=[0.2, 0.5, 0.3]), lambda g, n: g.choice([0.0, 1.0], n, p=[0.93, 0.07])),
    "one code more": (lambda g, n: [str(code) for code in g.integers(1, 9, n)], lambda g, n: [str(code) for code in np.where(g.random(n) < 0.4, 9, g.integers(1, 9, n))]),
    "another mix of hours": (lambda g, n: whole(g.normal(12, 3, n)).clip(0, 23), lambda g, n: whole(g.normal(16, 2, n)).clip(0, 23)),
}  # fmt: skip


@pytest.mark.parametrize("what", list(DRIFTS))
def test_a_drift_is_no_break(what: str, watch: Any, run: Run) -> None:
    make, drift = DRIFTS[what]
    rng = np.random.default_rng(311)
    watched = watch({"x": make(rng, 5000)}, ordered=False)

    alerts = run(watched, {"x": make(rng, 1500)}, {"x": drift(rng, 6000)}, rows=100)

    assert [alert.summary for _, alert in alerts if alert.state == "firing"] == []


BREAKS: dict[str, tuple[Make, Callable[[Values], Values], str]] = {
    "re-rounded": (lambda g, n: g.normal(70, 12, n).round(1), lambda x: (x / 0.45359237).round(1), "(kilograms -> pounds)"),
    "with all digits": (lambda g, n: g.normal(150, 25, n).round(1), lambda x: x * 0.45359237, "(pounds -> kilograms)"),
    "continuous": (lambda g, n: g.normal(70, 10, n), lambda x: x / 0.45359237, "kilograms -> pounds"),
    "cents": (lambda g, n: g.lognormal(3, 0.5, n).round(2), lambda x: (x * 100).round(), "units -> cents"),
    "the logarithm": (lambda g, n: g.lognormal(4, 1, n).round(2), np.log, "fit the logarithm of the reference"),
    "the exponential": (lambda g, n: g.normal(5, 1, n), np.exp, "fit the exponential of the reference"),
    "whole degrees": (lambda g, n: g.normal(15, 8, n).round(), lambda x: (x * 1.8 + 32).round(), "(Celsius -> Fahrenheit)"),
    "Kelvin": (lambda g, n: g.normal(15, 8, n).round(1), lambda x: (x + 273.15).round(2), "(Celsius -> Kelvin)"),
    "the sign": (lambda g, n: g.normal(70, 12, n).round(1), lambda x: -x, "(the sign flipped)"),
    "six hours": (lambda g, n: g.choice(24, n, p=HOURS) + 0.0, lambda x: (x + 6) % 24, "shifted by +6 h"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(BREAKS))
def test_a_break_that_resembles_a_drift_is_named(what: str, watch: Any, run: Run) -> None:
    make, broken, words = BREAKS[what]
    rng = np.random.default_rng(312)
    watched = watch({"x": make(rng, 5000)}, ordered=False)

    alerts = run(watched, {"x": make(rng, 1500)}, {"x": broken(make(rng, 4000))}, rows=100)

    (named,) = [alert.summary for _, alert in alerts if alert.state == "firing"]
    assert words in named


@pytest.mark.parametrize("how", ["hour", "pickup_hour", "Hour of day"])
def test_a_column_that_is_called_hour_holds_hours(how: str, watch: Any, run: Run) -> None:
    rng = np.random.default_rng(313)
    watched = watch({how: whole(rng.normal(12, 3, 5000)).clip(0, 23)}, ordered=False)

    alerts = run(watched, {how: (whole(rng.normal(12, 3, 4000)) + 4).clip(0, 23)}, rows=100)

    assert f"{how} is shifted by +4 h" in alerts[-1][1].summary


def test_a_fill_at_the_edge_of_what_it_needs_holds_once_it_fires(watch: Any, run: Run) -> None:
    rng = np.random.default_rng(314)
    watched = watch({"x": rng.normal(60, 12, 5000).round(1)}, ordered=False)
    filled = np.where(rng.random(60_000) < 0.31, 0.0, rng.normal(60, 12, 60_000).round(1))

    alerts = run(watched, {"x": filled}, rows=100)

    assert [alert.state for _, alert in alerts if alert.state in {"firing", "resolved"}] == ["firing"]


def test_significant_digits_are_those_that_a_number_needs() -> None:
    numbers = np.array([1.0, -20.0, 0.5, 123.0, 0.0312, 1.5e-8, 7.25e11, 1 / 3])

    assert significant_digits(numbers).tolist() == [1, 1, 1, 3, 3, 2, 3, 15]
