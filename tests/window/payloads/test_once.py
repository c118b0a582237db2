"""Rows to learn from, of which one payload that makes too many of them counts once."""

from __future__ import annotations

import numpy as np
import pytest

from dashlight.window.payloads.once import counted_once
from dashlight.window.tables import table_of_columns


def test_the_first_of_a_frequent_payload_stays() -> None:
    values = np.random.default_rng(1).normal(size=500)
    values[100:130] = 7.0
    values[300:340] = 9.0

    once = counted_once(table_of_columns({"a": values}))

    assert once.share == pytest.approx(0.08)
    assert once.places.tolist() == [*range(101), *range(130, 301), *range(340, 500)]


@pytest.mark.parametrize("share", [0.0, 0.04])
def test_what_is_little_stays_as_it_is(share: float) -> None:
    values = np.random.default_rng(2).normal(size=500)
    values[: int(share * 500)] = 7.0

    once = counted_once(table_of_columns({"a": values}))

    assert (once.share, len(once.places)) == (0.0, 500)


def test_rows_that_repeat_by_nature_all_stay() -> None:
    rng = np.random.default_rng(3)

    of_flags = counted_once(table_of_columns({"flag": (rng.random(1000) < 0.1).tolist()}))
    of_one = counted_once(table_of_columns({"a": np.zeros(1000)}))
    of_eight = counted_once(table_of_columns({"a": rng.integers(0, 40, 1000).astype(float)}))

    assert (of_flags.share, of_one.share, of_eight.share) == (0.0, 0.0, 0.0)


def test_no_rows_are_no_rows() -> None:
    assert counted_once(table_of_columns({"a": np.zeros(0)})).share == 0.0
