"""Business numbers are found in the headers and the JSON of responses."""

from __future__ import annotations

import json

import pytest

from dashlight.decode.signals import SignalSource, read_signals, source_of
from dashlight.records import Exchange, Outcome


def exchange(
    body: bytes = b"",
    headers: dict[bytes, bytes] | None = None,
    *,
    status: int = 200,
    outcome: Outcome = "ok",
    content_type: bytes = b"application/json",
) -> Exchange:
    return Exchange(
        id=1, route="/buy", method="POST", path="/buy", query=b"", scheme="http", server=None, http_version="1.1",
        request_headers=(), response_headers=[(b"content-type", content_type), *(headers or {}).items()], status=status,
        error="", outcome=outcome, started_at=0.0, first_byte_seconds=None, duration_seconds=0.1, request_bytes=0,
        response_bytes=len(body), request_chunks=(), response_chunks=(body,), trace_id=0, span_id=0, trace_flags=0,
        own_span=None,
    )  # fmt: skip


REVENUE = source_of("revenue", "header:X-Revenue")
TOTAL = source_of("total", "field:order.items.0.price")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"12.5", 12.5),
        (b" 7 ", 7.0),
        (b"true", True),
        (b"FALSE", False),
        (b"gold", "gold"),
        (b"nan", None),
        (b"\xff", None),
    ],
)
def test_a_header_is_a_number_a_truth_or_a_category(text: bytes, value: object) -> None:
    ((name, found),) = read_signals([exchange(headers={b"x-revenue": text})], [REVENUE])

    assert name == "revenue"
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"order": {"items": [{"price": 3}]}}, [("total", 3)]),
        ({"order": {"items": [{"price": True}]}}, [("total", True)]),
        ({"order": {"items": [{"price": [3]}]}}, [("total", None)]),
        ({"order": {"items": []}}, []),
        ({"order": 5}, []),
        ([], []),
        ({"order": {"items": [{"price": None}]}}, []),
    ],
)
def test_a_field_is_reached_by_keys_and_numbers(answer: object, found: list[tuple[str, object]]) -> None:
    assert list(read_signals([exchange(json.dumps(answer).encode())], [TOTAL])) == found


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b"12"])
def test_what_is_no_json_says_nothing(body: bytes) -> None:
    assert list(read_signals([exchange(body)], [TOTAL])) == []


def test_failed_exchanges_and_other_types_say_nothing() -> None:
    body, headers = json.dumps({"order": {"items": [{"price": 3}]}}).encode(), {b"x-revenue": b"3"}
    failed = [exchange(body, headers, status=500), exchange(body, headers, outcome="error")]

    assert list(read_signals(failed, [REVENUE, TOTAL])) == []
    assert list(read_signals([exchange(body, content_type=b"text/html")], [TOTAL])) == []


@pytest.mark.parametrize("where", ["", "header:", "field:", "field:a..b", "cookie:x", "x-revenue"])
def test_what_is_no_place_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match=where or "^$"):
        source_of("revenue", where)


def test_a_source_is_one_or_the_other() -> None:
    assert SignalSource("revenue", header=b"x-revenue") == REVENUE
    assert TOTAL.path == ("order", "items", "0", "price")
