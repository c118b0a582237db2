"""Payloads of kinds that were read wrongly, an example and variations of each: the table to make of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from dashlight.decode.exchange import decode_exchange
from dashlight.decode.rows.columns import Sheet
from dashlight.records import Exchange

Make = Callable[..., Exchange]
Rows = list[dict[str, Any]]
PROBLEM = {"content-type": "application/problem+json"}
MSGPACK = {"content-type": "application/msgpack"}


def arrow_stream(columns: Mapping[str, Sequence[Any]]) -> bytes:
    table: Any = pa.table(dict(columns))
    buffer: Any = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def rows(sheet: Sheet | None) -> Rows | None:
    """The rows of *sheet* by name; None where there is none."""
    return None if sheet is None else [dict(zip(sheet.names, row, strict=True)) for row in sheet.values]


@pytest.mark.parametrize(
    ("request_body", "headers", "reason"),
    [
        pytest.param(b'{"a": 1, "b": ', None, "invalid_json", id="JSON"),
        pytest.param(b'{"a": 1}\n{"a"', {"content-type": "application/jsonlines"}, "invalid_json", id="lines of JSON"),
        pytest.param(msgspec.msgpack.encode([1, 2])[:-1], MSGPACK, "invalid_body", id="msgpack"),
        pytest.param(
            b"--B\r\nContent-Disposition: form-data; name=x\r\n\r\n1",
            {"content-type": "multipart/form-data; boundary=B"},
            "invalid_body",
            id="a form of parts",
        ),
    ],
)
@pytest.mark.parametrize("missing", [0, 9], ids=["all kept", "a part kept"])
def test_truncated_is_what_we_cut_alone(
    exchange: Make, request_body: bytes, headers: Mapping[str, str] | None, reason: str, missing: int
) -> None:
    decoded = decode_exchange(exchange(request_body, {"y": 1}, headers=headers, missing_bytes=missing, status=422))

    assert decoded.undecodable == ("truncated" if missing else reason)
    assert ("truncated" in decoded.flags) == (missing > 0)


@pytest.mark.parametrize(
    ("request_body", "headers"),
    [
        pytest.param(
            msgspec.msgpack.encode([{"a": b"\x00\xff", "n": 1}, {"a": b"", "n": 2}, {"a": b"ab", "n": 3}]),
            MSGPACK,
            id="msgpack",
        ),
        pytest.param(
            msgspec.msgpack.encode({"rows": [{"a": b"text", "n": 1}, {"a": b"\xff", "n": 2}, {"a": b"", "n": 3}]}),
            MSGPACK,
            id="msgpack under a key",
        ),
        pytest.param(
            arrow_stream({"a": [b"ab", b"", b"\xff"], "n": [1, 2, 3]}),
            {"content-type": "application/vnd.apache.arrow.stream"},
            id="a column of Arrow",
        ),
    ],
)
def test_bytes_stay_bytes_whatever_they_are(exchange: Make, request_body: bytes, headers: Mapping[str, str]) -> None:
    decoded = decode_exchange(exchange(request_body, [1, 2, 3], headers=headers))

    assert [set(row["a"]) for row in rows(decoded.features) or []] == [{"bytes"}] * 3
    assert "mixed_type" not in decoded.flags
