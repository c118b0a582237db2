"""Streams on which detectors are compared: some in which nothing changes, some in which one thing does.

Every stream has twenty columns. Numbers hold NaN where a value is missing; categories are words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats: TypeAlias = NDArray[np.float64]
Column: TypeAlias = Floats | list[str | None]
Columns: TypeAlias = Mapping[str, Column]

NULL_ROWS = 50_000
BEFORE, AFTER = 5_000, 20_000
"""Rows of a drift stream before and after its change."""
DRIFT_REFERENCE_ROWS = 10_000
CLUSTER_ROWS = 20
DAY, WEEK_DAY = 4_800, 1_600
"""Rows of a day: of the daily stream, and of the weekly one."""
WEEKS_OF_REFERENCE = 5


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Rows to learn from and rows to watch, in time order."""

    reference: Columns
    current: Columns
    change: int | None = None
    """The first row of *current* that differs; None where nothing changes."""
    moved: tuple[str, ...] = ()
    """The columns that change."""


def drift(name: str, rng: np.random.Generator) -> Stream:
    """The stream *name* of DRIFTS: BEFORE rows like the reference, then AFTER rows with the change."""
    moved, change = DRIFTS[name]
    reference, before, after = (everyday(rng, rows) for rows in (DRIFT_REFERENCE_ROWS, BEFORE, AFTER))
    after |= change(rng, after)
    return Stream(reference, joined(before, after), BEFORE, moved)


def joined(first: Columns, second: Columns) -> dict[str, Column]:
    """The rows of *first* and then those of *second*, which has the same columns."""
    together: dict[str, Column] = {}
    for name, begin in first.items():
        end = second[name]
        if isinstance(begin, list):
            together[name] = [*begin, *end]
        else:
            together[name] = np.concatenate([begin, np.asarray(end, np.float64)])
    return together


def split(columns: Columns, rows: int) -> tuple[dict[str, Column], dict[str, Column]]:
    """The first *rows* of *columns*, and the others."""
    return (
        {name: values[:rows] for name, values in columns.items()},
        {name: values[rows:] for name, values in columns.items()},
    )


def everyday(rng: np.random.Generator, rows: int) -> dict[str, Column]:
    """Columns as a model has them: ten normal, four skewed, two mostly zero, four categories; two miss 1 %."""
    columns: dict[str, Column] = {f"normal {place}": rng.standard_normal(rows) for place in range(10)}
    columns |= {f"skewed {place}": np.exp(rng.standard_normal(rows)) for place in range(4)}
    columns |= {f"zeros {place}": _with_zeros(rng, np.exp(rng.standard_normal(rows)), 0.6) for place in range(2)}
    for name in ("normal 3", "skewed 2"):
        columns[name] = _with_missing(rng, np.asarray(columns[name]), 0.01)
    columns["five alike"] = _words(rng, np.full(5, 0.2), rows)
    columns["twenty"] = _words(rng, zipf(20), rows)
    columns["three"] = _words(rng, np.array([0.7, 0.2, 0.1]), rows)
    columns["two hundred"] = _words(rng, zipf(200), rows)
    return columns


def awkward(rng: np.random.Generator, rows: int) -> dict[str, Column]:
    """Shapes that trip detectors: heavy tails, ties, zeros, a constant, a rare flag, two thousand categories."""
    normal = rng.standard_normal
    return {
        "normal": normal(rows),
        "lognormal": np.exp(normal(rows)),
        "cauchy": rng.standard_cauchy(rows),
        "student 2": rng.standard_t(2, rows),
        "exponential": rng.exponential(size=rows),
        "mostly zero": _with_zeros(rng, rng.exponential(size=rows), 0.7),
        "few events": rng.poisson(2, rows).astype(np.float64),
        "many events": rng.poisson(200, rows).astype(np.float64),
        "uniform": rng.random(rows),
        "arcsine": rng.beta(0.5, 0.5, rows),
        "two humps": normal(rows) + rng.choice([-3.0, 3.0], rows),
        "rounded": np.round(normal(rows), 1),
        "pareto 1": rng.pareto(1.0, rows),
        "missing 5 %": _with_missing(rng, normal(rows), 0.05),
        "constant": np.full(rows, 3.0),
        "rare flag": (rng.random(rows) < 0.01).astype(np.float64),
        "five": _words(rng, np.full(5, 0.2), rows),
        "fifty": _words(rng, zipf(50), rows),
        "two thousand": _words(rng, zipf(2000), rows),
        "coin": _words(rng, np.full(2, 0.5), rows),
    }


def zipf(categories: int) -> Floats:
    """Shares that fall with the rank as rank ** -1.1."""
    shares = np.arange(1, categories + 1) ** -1.1
    return np.asarray(shares / shares.sum())


def _independent(reference_rows: int, rng: np.random.Generator) -> Stream:
    return Stream(*split(awkward(rng, reference_rows + NULL_ROWS), reference_rows))


def _clusters(rng: np.random.Generator) -> Stream:
    """Twenty equal rows of one entity arrive together."""
    entities = everyday(rng, (20_000 + NULL_ROWS) // CLUSTER_ROWS)
    rows: dict[str, Column] = {}
    for name, values in entities.items():
        if isinstance(values, list):
            rows[name] = [word for word in values for _ in range(CLUSTER_ROWS)]
        else:
            rows[name] = np.repeat(values, CLUSTER_ROWS)
    return Stream(*split(rows, 20_000))


def remembering(
    rho: float, rng: np.random.Generator, *, columns: int = 20, rows: int = NULL_ROWS, reference_rows: int = 20_000
) -> Stream:
    """AR(1): each row remembers the one before."""
    burn_in = 2_000
    noise = rng.standard_normal((burn_in + reference_rows + rows, columns)) * np.sqrt(1 - rho**2)
    return Stream(*split(_named(lfilter([1.0], [1.0, -rho], noise, axis=0)[burn_in:]), reference_rows))


def _daily(rng: np.random.Generator) -> Stream:
    """A swing of half a standard deviation over the day, its peak at another hour in every column."""
    rows = 10 * DAY + NULL_ROWS
    days = np.arange(rows)[:, np.newaxis] / DAY
    swing = 0.5 * np.sin(2 * np.pi * (days + np.arange(20) / 20))
    return Stream(*split(_named(rng.standard_normal((rows, 20)) + swing), 10 * DAY))


def _weekly(rng: np.random.Generator) -> Stream:
    """A swing over the day, and weekends half a standard deviation away, in half of the columns downwards."""
    reference_rows = WEEKS_OF_REFERENCE * 7 * WEEK_DAY
    rows = reference_rows + NULL_ROWS
    days = np.arange(rows)[:, np.newaxis] / WEEK_DAY
    swing = 0.4 * np.sin(2 * np.pi * (days + np.arange(20) / 20))
    weekend = np.where(days.astype(np.int64) % 7 >= 5, 0.5, 0.0) * np.where(np.arange(20) % 2, -1.0, 1.0)
    return Stream(*split(_named(rng.standard_normal((rows, 20)) + swing + weekend), reference_rows))


def _named(values: Floats) -> dict[str, Column]:
    return {f"x{place}": np.ascontiguousarray(column) for place, column in enumerate(values.T)}


NULLS: Mapping[str, Callable[[np.random.Generator], Stream]] = {
    "independent, R = 10,000": partial(_independent, 10_000),
    "independent, R = 2,000": partial(_independent, 2_000),
    "independent, R = 500": partial(_independent, 500),
    "clusters of 20": _clusters,
    "AR(1) 0.9": partial(remembering, 0.9),
    "AR(1) 0.99": partial(remembering, 0.99),
    "daily rhythm": _daily,
    "weekly and daily rhythm": _weekly,
}


def _moved_means(names: tuple[str, ...], by: float, rng: np.random.Generator, rows: Columns) -> dict[str, Column]:  # noqa: ARG001
    return {name: np.asarray(rows[name], np.float64) + by for name in names}


def _widened(by: float, rng: np.random.Generator, rows: Columns) -> dict[str, Column]:  # noqa: ARG001
    return {"normal 0": np.asarray(rows["normal 0"], np.float64) * by}


def _bimodal(rng: np.random.Generator, rows: Columns) -> dict[str, Column]:  # noqa: ARG001
    """Two humps at +-0.8, mean and variance as before."""
    return {"normal 0": rng.choice([-0.8, 0.8], AFTER) + 0.6 * rng.standard_normal(AFTER)}


def _laplace(rng: np.random.Generator, rows: Columns) -> dict[str, Column]:  # noqa: ARG001
    """Peaked with heavy tails, mean and variance as before."""
    return {"normal 0": rng.laplace(0.0, np.sqrt(0.5), AFTER)}


def _tail(rng: np.random.Generator, rows: Columns) -> dict[str, Column]:
    values = np.asarray(rows["normal 0"], np.float64)
    return {"normal 0": np.where(rng.random(AFTER) < 0.02, 10 * rng.standard_normal(AFTER), values)}


def _mixed(share: float, rng: np.random.Generator, rows: Columns) -> dict[str, Column]:  # noqa: ARG001
    """*share* of all rows goes from the three most frequent categories to the others, in proportion."""
    shares = zipf(20)
    frequent, others = shares[:3].sum(), shares[3:].sum()
    return {
        "twenty": _words(rng, np.where(np.arange(20) < 3, 1 - share / frequent, 1 + share / others) * shares, AFTER)
    }


def _new_category(share: float, rng: np.random.Generator, rows: Columns) -> dict[str, Column]:
    new = (rng.random(AFTER) < share).tolist()
    return {"twenty": ["new" if is_new else str(word) for is_new, word in zip(new, rows["twenty"], strict=True)]}


def _missing(share: float, rng: np.random.Generator, rows: Columns) -> dict[str, Column]:
    """Of a column that misses 1 % already, *share* is missing."""
    return {"normal 3": _with_missing(rng, np.asarray(rows["normal 3"], np.float64), (share - 0.01) / 0.99)}


def _correlated(correlation: float, rng: np.random.Generator, rows: Columns) -> dict[str, Column]:  # noqa: ARG001
    first, second = (np.asarray(rows[f"normal {place}"], np.float64) for place in range(2))
    return {"normal 1": correlation * first + np.sqrt(1 - correlation**2) * second}


def _gradual(rng: np.random.Generator, rows: Columns) -> dict[str, Column]:  # noqa: ARG001
    return {"normal 0": np.asarray(rows["normal 0"], np.float64) + 0.5 * np.minimum(np.arange(AFTER) / 10_000, 1.0)}


def _recurring(rng: np.random.Generator, rows: Columns) -> dict[str, Column]:  # noqa: ARG001
    return {"normal 0": np.asarray(rows["normal 0"], np.float64) + 0.5 * (np.arange(AFTER) // 2_000 % 2 == 0)}


Change: TypeAlias = Callable[[np.random.Generator, Columns], dict[str, Column]]
"""The columns that change, from the rows as they would have been."""

_FIRST = ("normal 0",)
_TEN = tuple(f"normal {place}" for place in range(10))

DRIFTS: Mapping[str, tuple[tuple[str, ...], Change]] = {
    "mean +0.15 sd, ten columns": (_TEN, partial(_moved_means, _TEN, 0.15)),
    "mean +0.25 sd": (_FIRST, partial(_moved_means, _FIRST, 0.25)),
    "mean +0.5 sd": (_FIRST, partial(_moved_means, _FIRST, 0.5)),
    "mean +1 sd": (_FIRST, partial(_moved_means, _FIRST, 1.0)),
    "sd x 1.25": (_FIRST, partial(_widened, 1.25)),
    "sd x 1.5": (_FIRST, partial(_widened, 1.5)),
    "bimodal, same mean and sd": (_FIRST, _bimodal),
    "laplace, same mean and sd": (_FIRST, _laplace),
    "tail, 2 % of rows x 10": (_FIRST, _tail),
    "category mix 0.1": (("twenty",), partial(_mixed, 0.1)),
    "category mix 0.2": (("twenty",), partial(_mixed, 0.2)),
    "new category 1 %": (("twenty",), partial(_new_category, 0.01)),
    "new category 5 %": (("twenty",), partial(_new_category, 0.05)),
    "missing 1 -> 3 %": (("normal 3",), partial(_missing, 0.03)),
    "missing 1 -> 10 %": (("normal 3",), partial(_missing, 0.1)),
    "correlation 0 -> 0.5": (("normal 0", "normal 1"), partial(_correlated, 0.5)),
    "correlation 0 -> 0.8": (("normal 0", "normal 1"), partial(_correlated, 0.8)),
    "gradual to +0.5 sd over 10,000": (_FIRST, _gradual),
    "recurring +0.5 sd, 2,000 on, 2,000 off": (_FIRST, _recurring),
}


def _words(rng: np.random.Generator, shares: Floats, rows: int) -> list[str | None]:
    names = np.array([f"c{place}" for place in range(len(shares))], object)
    words: list[str | None] = names[rng.choice(len(shares), rows, p=shares)].tolist()
    return words


def _with_missing(rng: np.random.Generator, values: Floats, share: float) -> Floats:
    return np.where(rng.random(len(values)) < share, np.nan, values)


def _with_zeros(rng: np.random.Generator, values: Floats, share: float) -> Floats:
    return np.where(rng.random(len(values)) < share, 0.0, values)
