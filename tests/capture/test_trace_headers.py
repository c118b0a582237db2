"""What a client sends as headers of its trace is read in a time that its length allows."""

from __future__ import annotations

import pytest
from opentelemetry.baggage import get_all

from dashlight.capture.plugins import W3C
from dashlight.capture.trace_parent import propagated_parent, w3c_parent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "state", [" " * 60_000, " " * 60_000 + ",", "a=1" + " " * 60_000 + "x", "a=" + "1" * 511], ids=len
)
def test_a_tracestate_that_is_long_or_mostly_spaces_is_left_out(state: str) -> None:
    headers = [(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()), (b"tracestate", state.encode())]

    ours, official = w3c_parent(headers), propagated_parent(W3C.extract(headers))

    assert ours is not None
    assert official is not None
    assert ours.trace_id == official.trace_id == int(TRACE, 16)
    assert not ours.trace_state
    assert not official.trace_state


def test_spaces_in_a_tracestate_are_no_part_of_it() -> None:
    parent = w3c_parent(
        [(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()), (b"tracestate", b"a=1" + b" " * 9000 + b",\t  b=2")]
    )

    assert parent is not None
    assert dict(parent.trace_state) == {"a": "1", "b": "2"}


def test_a_header_longer_than_baggage_may_be_is_not_looked_at() -> None:
    context = W3C.extract([(b"baggage", b"a=" + b"1" * 9000)])

    assert get_all(context) == {}
