"""Streams for `breaks.py`: columns that break upstream, and columns that merely drift."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Rng: TypeAlias = np.random.Generator
Values: TypeAlias = Any
"""The values of one column: an array, or a list of cells."""
Make: TypeAlias = Callable[[Rng, int], Values]
Change: TypeAlias = Callable[[Values, Rng], Values]

_DAY = np.array([1.0] * 6 + [6.0] * 14 + [2.5] * 4) / 100
HOURS = _DAY / _DAY.sum()
CITIES = ["Malmö", "Köln", "Orléans", "Graz", "Bergen"]


def digits(values: Values, significant: int) -> Values:
    """*values* at so many significant digits."""
    return np.array([float(f"{value:.{significant}g}") for value in np.asarray(values).tolist()])


def _whole(values: Values) -> Values:
    return np.maximum(1.0, np.round(values))


COLUMNS: dict[str, Make] = {
    "temperature": lambda g, n: g.normal(60, 12, n).round(1),
    "whole degrees": lambda g, n: g.normal(15, 8, n).round(),
    "weight": lambda g, n: g.normal(70, 12, n).round(1),
    "weight, continuous": lambda g, n: g.normal(70, 12, n),
    "height": lambda g, n: g.normal(1.75, 0.1, n).round(2),
    "amount": lambda g, n: g.lognormal(4, 1, n).round(2),
    "price": lambda g, n: g.lognormal(3, 0.5, n).round(2),
    "seconds": lambda g, n: g.gamma(3, 0.4, n).round(3),
    "whole seconds": lambda g, n: _whole(g.lognormal(4, 0.8, n)),
    "distance": lambda g, n: g.exponential(300, n),
    "share": lambda g, n: g.beta(2, 5, n),
    "score": lambda g, n: g.normal(0, 1, n),
    "age": lambda g, n: _whole(g.normal(35, 8, n)),
    "length": lambda g, n: _whole(g.normal(20, 3, n)),
    "tokens": lambda g, n: _whole(g.lognormal(5, 0.9, n)),
    "count": lambda g, n: g.poisson(8, n).astype(float),
    "clicks": lambda g, n: np.where(g.random(n) < 0.3, 0.0, g.poisson(4, n)).astype(float),
    "uniform, four digits": lambda g, n: digits(g.uniform(0.03, 0.2, n), 4),
    "sensor, three digits": lambda g, n: digits(g.lognormal(0, 1.5, n), 3),
    "heavy": lambda g, n: g.pareto(1.5, n),
    "two groups": lambda g, n: np.where(g.random(n) < 0.5, g.normal(10, 1, n), g.normal(20, 2, n)).round(1),
    "hour": lambda g, n: g.choice(24, n, p=HOURS).astype(float),
    "city": lambda g, n: g.choice(CITIES, n, p=[0.4, 0.3, 0.15, 0.1, 0.05]).tolist(),
    "code": lambda g, n: [f"{code:02d}" for code in g.choice(20, n)],
    "flag": lambda g, n: (g.random(n) < 0.2).tolist(),
}


def _some(share: float, value: object) -> Change:
    def fill(values: Values, rng: Rng) -> Values:
        is_filled = rng.random(len(values)) < share
        if isinstance(values, np.ndarray):
            return np.where(is_filled, value, values)  # type: ignore[call-overload]
        return [value if filled else old for filled, old in zip(is_filled, values, strict=True)]

    return fill


BREAKS: dict[str, tuple[str, str, Change]] = {
    "Fahrenheit -> Celsius": ("temperature", "unit", lambda v, _: ((v - 32) / 1.8).round(1)),
    "Celsius -> Fahrenheit, whole": ("whole degrees", "unit", lambda v, _: (v * 1.8 + 32).round()),
    "Fahrenheit -> Kelvin": ("temperature", "unit", lambda v, _: ((v + 459.67) / 1.8).round(1)),
    "kilograms -> pounds": ("weight", "unit", lambda v, _: (v / 0.45359237).round(1)),
    "kilograms -> pounds, continuous": ("weight, continuous", "unit", lambda v, _: v / 0.45359237),
    "pounds -> kilograms": ("weight", "unit", lambda v, _: v * 0.45359237),
    "metres -> feet": ("height", "unit", lambda v, _: (v / 0.3048).round(2)),
    "metres -> centimetres": ("height", "unit", lambda v, _: (v * 100).round()),
    "units -> cents": ("price", "unit", lambda v, _: (v * 100).round()),
    "cents, of amounts": ("amount", "unit", lambda v, _: (v * 100).round()),
    "seconds -> milliseconds": ("seconds", "unit", lambda v, _: (v * 1000).round()),
    "whole seconds -> milliseconds": ("whole seconds", "unit", lambda v, g: (v * 1000 + g.integers(-500, 500, len(v)))),
    "share -> percent": ("share", "unit", lambda v, _: v * 100),
    "the logarithm": ("amount", "unit", lambda v, _: np.log(v)),
    "the sign": ("weight", "unit", lambda v, _: -v),
    "a thousand times": ("distance", "unit", lambda v, _: v * 1000),
    "stuck": ("temperature", "constant", lambda v, _: np.full(len(v), 61.3)),
    "stuck category": ("city", "constant", lambda v, _: ["Graz"] * len(v)),
    "zeros in two of five": ("weight", "fill", _some(0.4, 0.0)),
    "-999 in two of five": ("score", "fill", _some(0.4, -999.0)),
    "the mean in two of five": ("weight, continuous", "fill", _some(0.4, 70.03)),
    "unknown in two of five": ("city", "fill", _some(0.4, "unknown")),
    "numbers in quotes": ("age", "encoding", lambda v, _: [str(each) for each in v]),
    "upper case": ("city", "encoding", lambda v, _: [each.upper() for each in v]),
    "a broken character set": ("city", "encoding", lambda v, _: [each.encode().decode("cp1252") for each in v]),
    "codes without zeros": ("code", "encoding", lambda v, _: [str(int(each)) for each in v]),
    "null": ("weight", "gone", lambda v, _: v * np.nan),
    "five hours later": ("hour", "hours", lambda v, _: (v + 5) % 24),
    "eight hours earlier": ("hour", "hours", lambda v, _: (v - 8) % 24),
    "whole prices": ("price", "rounding", lambda v, _: v.round()),
    "tens": ("age", "rounding", lambda v, _: v.round(-1)),
    "one decimal": ("score", "rounding", lambda v, _: v.round(1)),
    "single precision": ("price", "rounding", lambda v, _: v.astype(np.float32).astype(float)),
}  # fmt: skip


def _grid(values: Values) -> float | None:
    """The step between two numbers that *values* may be; None where they are continuous."""
    for decimals in (0, 1, 2, 3):
        if np.allclose(values, values.round(decimals), rtol=0, atol=1e-9):
            return float(10.0**-decimals)
    return None


def _as_before(name: str, values: Values, change: Change, rng: Rng) -> Values:
    """*values* changed before they were rounded, and then written with as many digits as before."""
    if "digits" in name:
        significant = 4 if "four" in name else 3
        return digits(change(values * (1 + rng.uniform(-0.5, 0.5, len(values)) * 10.0**-significant), rng), significant)
    grid = _grid(values)
    if grid is None:
        return change(values, rng)
    changed = change(values + rng.uniform(-0.5, 0.5, len(values)) * grid, rng)
    changed = np.round(changed, round(-np.log10(grid)))
    return np.maximum(changed, 1.0) if name in {"age", "length", "tokens", "whole seconds"} else changed


DRIFTS: dict[str, Change] = {
    "half a deviation up": lambda v, _: v + 0.5 * v.std(),
    "a deviation up": lambda v, _: v + v.std(),
    "three deviations up": lambda v, _: v + 3 * v.std(),
    "a deviation down": lambda v, _: v - v.std(),
    "spread 1.5 times": lambda v, _: v.mean() + 1.5 * (v - v.mean()),
    "spread halved": lambda v, _: v.mean() + 0.5 * (v - v.mean()),
    "0.4 times": lambda v, _: 0.4 * v,
    "half": lambda v, _: 0.5 * v,
    "1.5 times": lambda v, _: 1.5 * v,
    "1.57 times": lambda v, _: 1.57 * v,
    "twice": lambda v, _: 2 * v,
    "2.7 times": lambda v, _: 2.7 * v,
    "3.4 times": lambda v, _: 3.4 * v,
    "5 times": lambda v, _: 5 * v,
    "7.3 times": lambda v, _: 7.3 * v,
    "10 times, and wider": lambda v, g: 10 * v * g.lognormal(0, 0.15, len(v)),
    "10 times": lambda v, _: 10 * v,
    "30 times": lambda v, _: 30 * v,
    "another group, a third": lambda v, g: np.where(g.random(len(v)) < 0.33, g.normal(4, 0.5, len(v)) * v.std() + v.mean(), v),
    "another group, all": lambda v, g: g.normal(2, 0.7, len(v)) * v.std() + v.mean(),
    "a tail of a tenth": lambda v, g: np.where(g.random(len(v)) < 0.1, v.mean() + 5 * v.std() * g.exponential(1, len(v)), v),
    "the upper half alone": lambda v, g: g.choice(v[v > np.median(v)], len(v)),
    "the lower half alone": lambda v, g: g.choice(v[v <= np.median(v)], len(v)),
    "cut off at a quartile": lambda v, _: np.minimum(v, np.quantile(v, 0.75)),
    "one value a third": lambda v, g: np.where(g.random(len(v)) < 0.33, np.quantile(v, 0.8), v),
    "one value 96 of 100": lambda v, g: np.where(g.random(len(v)) < 0.96, np.quantile(v, 0.8), v),
    "a lognormal factor": lambda v, g: v * g.lognormal(0.8, 0.3, len(v)),
    "its square root": lambda v, _: np.sqrt(np.abs(v)),
}  # fmt: skip

CATEGORY_DRIFTS: dict[str, tuple[str, Change]] = {
    "city: another mix": ("city", lambda v, g: g.choice(CITIES, len(v), p=[0.05, 0.1, 0.15, 0.3, 0.4]).tolist()),
    "city: nearly all one": ("city", lambda v, g: g.choice(["Köln", *CITIES[2:]], len(v), p=[0.97, 0.01, 0.01, 0.01]).tolist()),
    "city: a new one": ("city", _some(0.5, "Oslo")),
    "city: all new": ("city", lambda v, g: g.choice(["Oslo", "Rom", "Wien"], len(v)).tolist()),
    "code: a new one": ("code", _some(0.4, "99")),
    "code: a new 0": ("code", _some(0.4, "00")),
    "code: another mix": ("code", lambda v, g: [f"{code:02d}" for code in np.minimum(g.poisson(4, len(v)), 19)]),
    "flag: often": ("flag", lambda v, g: (g.random(len(v)) < 0.9).tolist()),
    "flag: nearly always": ("flag", lambda v, g: (g.random(len(v)) < 0.98).tolist()),
    "hour: another mix": ("hour", lambda v, g: g.choice(24, len(v), p=HOURS[::-1]).astype(float)),
    "hour: nights": ("hour", lambda v, g: np.where(g.random(len(v)) < 0.5, g.choice(6, len(v)), v)),
    "hour: mornings": ("hour", lambda v, g: np.where(g.random(len(v)) < 0.5, np.round(g.normal(8, 2, len(v))).clip(0, 23), v)),
}  # fmt: skip

NUMERIC = [name for name in COLUMNS if name not in {"hour", "city", "code", "flag"}]


def drifted(name: str, change: Change, rng: Rng, rows: int) -> Values:
    """*rows* of a numeric column after it drifted, written as before."""
    return _as_before(name, COLUMNS[name](rng, rows), change, rng)
