from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from dashlight.deliver.encoding.plain import Budget
from dashlight.deliver.encoding.protobuf import (
    any_value,
    attribute,
    fixed32_field,
    fixed64_field,
    key_value,
    length_delimited,
    varint_field,
)
from dashlight.deliver.encoding.varint import varint


def read_back(value: AnyValue) -> Any:
    """The Python value of an AnyValue, by the official classes."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [read_back(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return {each.key: read_back(each.value) for each in value.kvlist_value.values}
    return getattr(value, kind)


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**63, "80808080808080808001")],
)
def test_a_varint_is_written_as_the_specification_does(number: int, written: str) -> None:
    assert varint(number).hex() == written


def test_a_negative_number_takes_ten_bytes() -> None:
    assert varint(-2).hex() == "feffffffffffffffff01"


def test_fields_are_read_back_by_the_official_classes() -> None:
    written = (
        length_delimited(5, b"name")
        + varint_field(6, number=2)
        + fixed64_field(7, number=2**63)
        + fixed32_field(16, number=2**31)
    )

    span = Span.FromString(written)

    assert (span.name, span.kind, span.start_time_unix_nano, span.flags) == ("name", 2, 2**63, 2**31)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_any_value_is_read_back_as_it_was(value: Any) -> None:
    assert read_back(AnyValue.FromString(any_value(value))) == value


def test_nan_is_a_double() -> None:
    found = AnyValue.FromString(any_value(math.nan))

    assert found.WhichOneof("value") == "double_value"
    assert math.isnan(found.double_value)


def test_a_pair_is_read_back() -> None:
    found = KeyValueList.FromString(key_value(1, "clé", value=[1, "a"]))

    assert [(pair.key, read_back(pair.value)) for pair in found.values] == [("clé", [1, "a"])]


def test_an_attribute_is_made_plain_first() -> None:
    [found] = KeyValueList.FromString(attribute(1, "\ud800", value=(2**70,), budget=Budget())).values

    assert isinstance(found, KeyValue)
    assert (found.key, read_back(found.value)) == ("\ufffd", ["1180591620717411303424"])


def test_an_attribute_beyond_the_budget_is_left_out() -> None:
    budget = Budget(0)

    assert attribute(1, "key", value=1, budget=budget) == b""
    assert budget.cut
