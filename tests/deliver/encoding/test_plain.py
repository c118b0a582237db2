from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.deliver.encoding.plain import Budget, plain, plain_text
from dashlight.deliver.encoding.protobuf import any_value


class Colour(StrEnum):
    """An enumeration of texts."""

    RED = "red"


class Level(IntEnum):
    """An enumeration of numbers."""

    HIGH = 3


PLAIN_FORMS: dict[str, tuple[Any, Any]] = {
    "nothing": (None, None),
    "a truth value": (True, True),
    "a whole number": (-7, -7),
    "a fraction": (0.25, 0.25),
    "infinity": (math.inf, math.inf),
    "text": ("naïve", "naïve"),
    "text of an enumeration": (Colour.RED, "red"),
    "number of an enumeration": (Level.HIGH, 3),
    "a lone surrogate": ("a\ud800b", "a\ufffdb"),
    "the largest number of 64 bits": (2**63 - 1, 2**63 - 1),
    "one more": (2**63, "9223372036854775808"),
    "one less than the smallest": (-(2**63) - 1, "-9223372036854775809"),
    "bytes": (bytearray(b"\xff"), b"\xff"),
    "a tuple": ((1, "a"), [1, "a"]),
    "a set": (frozenset({4}), [4]),
    "a mapping with a key that is no text": ({1: 2}, {"1": 2}),
    "a key with a lone surrogate": ({"\udfff": 2}, {"\ufffd": 2}),
    "a date": (date(2013, 7, 4), "2013-07-04"),
    "a decimal fraction": (Decimal("1.10"), "1.10"),
    "a UUID": (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "a number of numpy": (np.int32(5), 5),
    "a fraction of numpy that is one of Python's": (np.float64(0.5), 0.5),
    "a short fraction of numpy": (np.float32(0.5), 0.5),
    "a long fraction of numpy": (np.longdouble("0.5"), 0.5),
    "a truth value of numpy": (np.bool_(True), True),
    "a moment of numpy": (np.datetime64("2013-07-04"), "2013-07-04"),
    "an array of numpy": (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    "an array without dimensions": (np.array(1.5), 1.5),
}


@pytest.mark.parametrize(("value", "expected"), PLAIN_FORMS.values(), ids=PLAIN_FORMS.keys())
def test_every_value_has_a_plain_form(value: object, expected: object) -> None:
    found = plain(value, Budget())

    assert found == expected
    assert type(found) is type(expected)


def test_nan_stays_nan() -> None:
    found = plain(float("nan"), Budget())

    assert isinstance(found, float)
    assert math.isnan(found)


def test_a_number_of_five_thousand_digits_is_written_in_hexadecimal() -> None:
    assert plain(10**5000, Budget()) == hex(10**5000)


@pytest.mark.parametrize("value", [object(), 1j, np.complex128(1)], ids=["an object", "complex", "complex of numpy"])
def test_what_has_no_plain_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        plain(value, Budget())


def test_nothing_is_cut_that_fits() -> None:
    budget = Budget()

    plain({"a": ["b", b"c", 1]}, budget)

    assert not budget.cut


def test_text_is_cut_between_characters() -> None:
    budget = Budget()

    found = plain("ä" * 5000, budget)

    assert found == "ä" * 4096
    assert budget.cut


def test_bytes_are_cut() -> None:
    budget = Budget()

    found = plain(b"x" * 9000, budget)

    assert found == b"x" * 8192
    assert budget.cut


def test_a_thousand_items_are_kept() -> None:
    budget = Budget()

    assert plain(range(1000), budget) == list(range(1000))
    assert not budget.cut
    assert plain(range(1001), budget) == list(range(1000))
    assert budget.cut


def test_a_mapping_keeps_its_first_thousand_items() -> None:
    budget = Budget()

    found = plain({str(number): number for number in range(1200)}, budget)

    assert isinstance(found, dict)
    assert len(found) == 1000
    assert budget.cut


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def test_sixteen_levels_are_kept() -> None:
    budget = Budget()

    assert plain(nested(16), budget) == nested(16)
    assert not budget.cut


@pytest.mark.parametrize("deep", [nested(5000), {"a": nested(17)}], ids=["list", "mapping"])
def test_deeper_levels_are_replaced(deep: object) -> None:
    budget = Budget()

    found = plain(deep, budget)

    assert "(nested too deep)" in str(found)
    assert budget.cut


def test_a_mapping_that_is_too_deep_is_replaced() -> None:
    value: object = 1
    for _ in range(17):
        value = {"k": value}

    assert str(plain(value, Budget())).count("'k'") == 16


def test_the_budget_bounds_the_whole() -> None:
    budget = Budget()

    found = plain([["x" * 1000] * 1000] * 1000, budget)

    assert len(any_value(found)) < 300_000
    assert budget.cut


def test_a_used_up_budget_leaves_nothing_of_text() -> None:
    budget = Budget(0)

    assert plain_text("abc", budget) == ""
    assert budget.cut


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON_LIKE)
def test_whatever_becomes_plain_can_be_encoded(value: object) -> None:
    any_value(plain(value, Budget()))
