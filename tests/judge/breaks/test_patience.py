"""Columns whose rows hang together need more time, not more rows; and one break has one name at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.signal import lfilter

from dashlight.records import Alert

Run = Callable[..., list[tuple[int, Alert]]]


def slow(rng: np.random.Generator, rows: int) -> Any:
    return lfilter([1], [1, -0.99], rng.standard_normal(rows + 2000) * np.sqrt(1 - 0.99**2))[2000:]


def test_swapped_slow_columns_are_named_once_the_longer_span_shows_them(watch: Any, run: Run) -> None:
    rng = np.random.default_rng(130)
    watched = watch({"inside": slow(rng, 20_000), "outside": 50 + slow(rng, 20_000), "size": rng.random(20_000)})

    stream = {"inside": 50 + slow(rng, 6000), "outside": slow(rng, 6000), "size": rng.random(6000)}
    alerts = run(watched, stream)

    assert [alert.state for _, alert in alerts if alert.state != "pending"] == ["firing"]
    assert "inside and outside are swapped" in alerts[-1][1].summary
    assert 500 < alerts[-1][0] <= 5000


def test_a_lesser_break_does_not_rename_one_that_fires(awkward: Any, rows_of: Any, run: Run) -> None:
    rng = np.random.default_rng(131)
    first, second = rows_of(rng, 600), rows_of(rng, 400)
    first["age"] = first["age"] * 0
    second["age"] = np.round(second["age"], -1)

    alerts = [alert for _, alert in run(awkward, first, second) if alert.state != "pending"]

    assert [alert.key for alert in alerts] == ["break/m/%2Fe/feature/age/fill"]


def test_a_value_of_three_that_becomes_frequent_is_no_fill(watch: Any, run: Run) -> None:
    rng = np.random.default_rng(132)
    watched = watch({"x": rng.choice(3, 4000, p=[0.03, 0.47, 0.5]).astype(float), "y": rng.random(4000)})

    assert run(watched, {"x": rng.choice(3, 1000, p=[0.4, 0.3, 0.3]).astype(float), "y": rng.random(1000)}) == []


def test_a_long_quiet_column_of_the_reference_may_be_quiet_again(watch: Any, run: Run) -> None:
    rng = np.random.default_rng(133)
    quiet = np.where(np.arange(8000) // 1000 % 2 == 0, 3.5, rng.random(8000))
    watched = watch({"x": quiet, "y": rng.random(8000)})

    assert run(watched, {"x": np.full(1000, 3.5), "y": rng.random(1000)}) == []


def test_a_default_that_fills_a_slow_column_is_named_although_its_rows_hang_together(watch: Any, run: Run) -> None:
    rng = np.random.default_rng(134)
    watched = watch({"slow": slow(rng, 20_000), "size": rng.random(20_000)})

    filled = np.where(rng.random(2000) < 0.9, 999.0, slow(rng, 2000))
    alerts = [alert for _, alert in run(watched, {"slow": filled, "size": rng.random(2000)})]

    assert [alert.state for alert in alerts if alert.state != "pending"] == ["firing"]
    assert "slow is 999 in" in alerts[-1].summary
