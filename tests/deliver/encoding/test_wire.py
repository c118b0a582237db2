from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from dashlight.deliver.encoding.wire import WireError, fields, read_varint


def test_the_fields_of_an_official_message_are_read() -> None:
    span = Span(trace_id=b"t" * 16, name="GET", kind=Span.SPAN_KIND_SERVER, start_time_unix_nano=2**63, flags=2**31)

    found = dict(fields(span.SerializeToString()))

    assert found == {1: b"t" * 16, 5: b"GET", 6: 2, 7: 2**63, 16: 2**31}


@pytest.mark.parametrize(
    "message",
    ["80", "0a05616263", "39aabb", "0b", "ffffffffffffffffffffff", "0a", "86"],
    ids=["varint", "text", "fixed64", "group", "endless varint", "length", "tag"],
)
def test_what_is_cut_short_or_foreign_is_refused(message: str) -> None:
    with pytest.raises(WireError):
        list(fields(bytes.fromhex(message)))


@given(st.binary())
def test_nothing_but_a_wire_error_is_ever_raised(message: bytes) -> None:
    with suppress(WireError):
        list(fields(message))


def test_a_varint_is_read_up_to_its_end() -> None:
    assert read_varint(bytes.fromhex("ffac0201"), 1) == (300, 3)
