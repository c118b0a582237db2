import gzip
import json
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.rows.reasons import Reason
from dashlight.records import Exchange

Make = Callable[..., Exchange]

MAX_BYTES = 20_000_000
REASONS = frozenset(Reason.__args__)  # type: ignore[attr-defined]
JSON = {"content-type": "application/json"}
GZIP = {**JSON, "content-encoding": "gzip"}
TENSOR = {"name": "x", "shape": [10**12, 10**12], "datatype": "FP32", "data": [1.5, 2.5]}

BOMBS = [
    pytest.param(gzip.compress(b"0" * (8 << 20)), GZIP, id="8 MB in 8 KB"),
    pytest.param(b"[" * 100_000 + b"]" * 100_000, JSON, id="100,000 lists deep"),
    pytest.param(b'{"a":' * 100_000, JSON, id="100,000 objects deep"),
    pytest.param(b"[NaN," + b"[" * 100_000, JSON, id="100,000 lists deep behind a NaN"),
    pytest.param(b'{"a": ' + b"9" * 5_000 + b"}", JSON, id="an integer of 5,000 digits"),
    pytest.param(b'{"a": ' + b"9" * 4_000 + b"}", JSON, id="an integer of 4,000 digits"),
    pytest.param(b'{"a": "\\ud800", "\\udfff": [1]}', JSON, id="lone surrogates"),
    pytest.param(json.dumps({"inputs": [TENSOR]}).encode(), JSON, id="a shape of 10**24"),
    pytest.param(b"{" + b",".join(b'"%x":0' % at for at in range(20_000)) + b"}", JSON, id="20,000 keys"),
    pytest.param(b'{"' + b"k" * 200_000 + b'": 1}', JSON, id="a key of 200,000 characters"),
    pytest.param((b'{"' + b"k" * 150 + b'":') * 20 + b"1" + b"}" * 20, JSON, id="names that grow with the depth"),
]


@pytest.mark.parametrize("path", ["/predict", "/v2/models/m/infer", "/v1/models/m:predict"])
@pytest.mark.parametrize(("body", "headers"), BOMBS)
def test_no_bomb_takes_much_memory(exchange: Make, body: bytes, headers: dict[str, str], path: str) -> None:
    asked = exchange(body, {"y": 1}, path=path, headers=headers)
    answered = exchange({"x": 1}, body, path=path, answer_headers=headers)

    for bomb in (asked, answered):
        tracemalloc.start()
        decode_exchange(bomb)
        Decoder(model="", version="").decode([bomb])
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak_bytes < MAX_BYTES


# Written after the samples that specifications give; mutated below.
BODIES = [
    b'{"age": 39, "income": 52000.5, "city": "Oslo", "active": true}',
    b'{"order": {"zip": "0150", "lines": [{"sku": "A", "qty": 2}]}, "at": [59.9, 10.7], "id": "o-9"}',
    b'[{"id": 1, "x": 0.5, "kind": "a"}, {"id": 2, "x": null, "kind": "b"}]',
    b'{"data": [[0.02, 18, 2.31], [0.03, 0, 7.07]]}',
    b'{"instances": [[5.1, 3.5], [6.7, 3.1]], "signature_name": "s"}',
    b'{"id": "42", "inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [5.1, 3.5, 1.4, 0.2]}]}',
    b'{"model_name": "m", "outputs": [{"name": "y", "shape": [2], "datatype": "BYTES", "data": ["0.9:0:a", "1:1"]}]}',
    b'{"predictions": [0, 1], "model_version": "3"}',
    b'{"error": "nothing found"}',
    b'{"detail": [{"type": "missing", "loc": ["body", 0, "age"], "msg": "Field required"}]}',
    b'[[{"label": "POS", "score": 0.98}, {"label": "NEG", "score": 0.02}]]',
    b'{"x": NaN, "y": Infinity, "z": "\\ud83d\\ude00"}',
    b"sl=5.1&sw=3.5",
    b'["fine", "awful"]',
    b"4.5",
    b"",
    gzip.compress(b'{"a": 1.0}'),
    b"\x89PNG\r\n\x1a\n",
]
PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"null",
    b"-",
    b"1e999",
    b"\\u",
    b"\\ud800",
    b"\xff",
    b"0",
    b"NaN",
    b"{}",
    b"[]",
]


@st.composite
def mutated_bodies(draw: st.DrawFn) -> bytes:
    body = draw(st.sampled_from(BODIES))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        stop = draw(st.integers(start, min(len(body), start + 8)))
        body = body[:start] + draw(st.sampled_from(PIECES) | st.binary(max_size=3)) + body[stop:]
    return body


kinds = st.sampled_from(
    ["", "application/json", "text/plain", "application/x-www-form-urlencoded", "text/csv", "image/png"]
)
headers = st.fixed_dictionaries(
    {"content-type": kinds},
    optional={
        "content-encoding": st.sampled_from(["gzip", "deflate", "br", "gzip, gzip"]),
        "inference-header-content-length": st.just("10"),
    },
)
paths = st.sampled_from(
    ["/predict", "/v1/models/m:predict", "/v2/models/m/versions/1/infer", "/v1/chat/completions", "/health", "", "%ff"]
)
exchanges_of = {
    "request": mutated_bodies(),
    "response": mutated_bodies(),
    "method": st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "HEAD"]),
    "path": paths,
    "query": st.sampled_from([b"", b"a=1&b=%ff", b"\xff\xfe=1"]),
    "status": st.sampled_from([200, 200, 200, 0, 201, 302, 404, 422, 500]),
    "outcome": st.sampled_from(["ok", "ok", "error", "cancelled"]),
    "headers": headers,
    "answer_headers": headers,
    "missing_bytes": st.sampled_from([0, 0, 7]),
    "missing_answer_bytes": st.sampled_from([0, 0, 7]),
}


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries(exchanges_of))
def test_no_exchange_raises_and_every_reason_is_known(exchange: Make, parts: dict[str, object]) -> None:
    decoded = decode_exchange(exchange(**parts))

    assert decoded.undecodable in REASONS - {"unforeseen"} | {""}
    assert (decoded.features is None) == (decoded.rows is None or not decoded.is_prediction)
    for sheet in (decoded.features, decoded.outputs):
        if sheet is not None:
            assert len(set(sheet.names)) == len(sheet.names)
            assert all(len(row) == len(sheet.names) for row in sheet.values)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries(exchanges_of), min_size=1, max_size=6), st.integers(1, 3))
def test_no_batch_raises_and_every_exchange_is_accounted_for(
    exchange: Make, parts: list[dict[str, object]], rounds: int
) -> None:
    exchanges = [exchange(**each) for each in parts]
    decoder = Decoder(model="m", version="1")
    for _ in range(rounds):
        batch = decoder.decode(exchanges)

    assert "unforeseen" not in {reason for _, reason in batch.undecodable}
    assert len({place for place, _ in batch.undecodable}) == len(batch.undecodable)
    for prediction in batch.predictions:
        for table in (prediction.features, prediction.outputs):
            assert table.numbers.shape == (len(table.number_names), table.rows)
            assert all(len(column) == table.rows for column in table.cells)
            assert len(table.exchange) == table.rows
            assert not set(table.number_names) & set(table.cell_names)
            assert set(table.exchange.tolist()) <= set(range(len(exchanges)))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_at_all_are_decoded_or_counted(exchange: Make, asked: bytes, answered: bytes) -> None:
    decoded = decode_exchange(exchange(asked, answered, headers={}, answer_headers={}))

    assert decoded.undecodable != "unforeseen"
