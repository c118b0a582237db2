import json
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.decode.rows.reasons import Reason
from dashlight.records import Exchange

Make = Callable[..., Exchange]

CAP = 1 << 18
"""Bytes of a body that are kept by default."""
MAX_BYTES = 20_000_000
SECONDS = 1.0
"""Twenty times what is promised: the machine that runs the tests may be busy."""
REASONS = frozenset(Reason.__args__)  # type: ignore[attr-defined]
EVENTS = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}
CHAT = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
CALL = (
    '{"choices": [{"index": 0, "delta": {"tool_calls": [{"index": %s, "function": {"name": "f", "arguments": %s}}]}}]}'
)


def call(index: object, arguments: str) -> bytes:
    return f"data: {CALL % (json.dumps(index), json.dumps(arguments))}\n\n".encode()


BOMBS = [
    pytest.param(b"data:1\n\n" * (CAP // 8), EVENTS, id="events of one byte"),
    pytest.param(b"data: x\n" + b"\n" * CAP, EVENTS, id="ends of lines"),
    pytest.param(b":\n" * (CAP // 2), EVENTS, id="empty comments"),
    pytest.param(b"data:x\n" * (CAP // 7), EVENTS, id="one event of many lines"),
    pytest.param(b"x" * CAP, EVENTS, id="bare text"),
    pytest.param(b'{"a":1}\n' * (CAP // 8), EVENTS, id="lines of JSON"),
    pytest.param(b'{"choices": [' + b"{}," * 87_000 + b"{}]}", JSON, id="87,000 choices"),
    pytest.param(b'data: {"choices": [' + b"{}," * 80_000 + b"{}]}\n\n", EVENTS, id="80,000 choices in a chunk"),
    pytest.param(
        b"".join(b'data:{"choices":[{"index":%d,"text":"x"}]}\n\n' % index for index in range(5000)),
        EVENTS,
        id="5,000 choices in as many chunks",
    ),
    pytest.param(call(10**9, "{}") + call(-1, "{}") + call(10**300, "{}"), EVENTS, id="a tool index of 10**9"),
    pytest.param(call(0, "[" * 100_000 + "]" * 100_000), EVENTS, id="a bomb in arguments"),
    pytest.param(call(0, '{"a":' * 50_000), EVENTS, id="another one"),
    pytest.param(call(0, "9" * 5_000), EVENTS, id="an integer of 5,000 digits in arguments"),
    pytest.param(b"data: " + b"[" * (CAP - 10) + b"\n\n", EVENTS, id="a bomb in an event"),
    pytest.param(b'data:{"text":"\\ud800"}\n\ndata: \xff\xfe\n\n', EVENTS, id="half a character"),
    pytest.param(b'{"choices":[{"message":{"content":[' + b"{}," * 80_000 + b"{}]}}]}", JSON, id="80,000 parts"),
    pytest.param(b'{"data":[' + b'{"index":0},' * 20_000 + b"{}]}", JSON, id="20,000 vectors"),
    pytest.param(b'{"type":"message","content":[' + b"{}," * 80_000 + b"{}]}", JSON, id="80,000 blocks"),
]
PATHS = [
    ("/v1/chat/completions", CHAT),
    ("/v1/completions", {"prompt": ["a"] * 50}),
    ("/v1/embeddings", {"input": "a"}),
    ("/v1/responses", {"model": "m", "input": "a"}),
    ("/v1/messages", CHAT),
    ("/generate_stream", {"inputs": "a"}),
    ("/ask", {"prompt": "a"}),
]


@pytest.mark.parametrize(("path", "asked"), PATHS[1:3], ids=[path for path, _ in PATHS[1:3]])
@pytest.mark.parametrize(("body", "headers"), BOMBS)
def test_no_answer_takes_much_time_or_memory(
    exchange: Make, body: bytes, headers: dict[str, str], path: str, asked: dict[str, object]
) -> None:
    bomb = exchange(asked, body, path=path, answer_headers=headers)
    started = time.process_time()
    decoded = decode_exchange(bomb)
    took = time.process_time() - started
    tracemalloc.start()
    Decoder(model="", version="").decode([bomb])
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert decoded.undecodable in REASONS - {"unforeseen"} | {""}
    assert took < SECONDS
    assert peak_bytes < MAX_BYTES


@pytest.mark.parametrize(
    "messages",
    [
        [{}] * 80_000,
        [{"role": "user", "content": [{"text": "a"}] * 15_000}],
        [{"role": "user", "content": "x" * 20}] * 5_000,
        [{"role": "user", "content": "é" * 100_000}],
    ],
    ids=["80,000 messages", "15,000 parts", "5,000 texts", "a long text"],
)
def test_no_question_takes_much_time_or_memory(exchange: Make, messages: list[object]) -> None:
    bomb = exchange({"model": "m", "messages": messages}, {"choices": []}, path="/v1/chat/completions")
    started = time.process_time()
    decoded = decode_exchange(bomb)
    took = time.process_time() - started
    tracemalloc.start()
    Decoder(model="", version="").decode([bomb])
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert decoded.rows == 1
    assert took < SECONDS
    assert peak_bytes < MAX_BYTES


# Written after the samples that specifications give; cut and mutated below.
STREAMS = [
    (
        b'data: {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "one"}, "finish_reason": null}]}\n\n'
        b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}}]}\n\n'
        b'data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}\n\ndata: [DONE]\n\n'
    ),
    (
        b'event: message_start\r\ndata: {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 4}}}\r\n\r\n'
        b'event: content_block_delta\r\ndata: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}\r\n\r\n'
        b'event: error\r\ndata: {"type": "error", "error": {"message": "Overloaded"}}\r\n\r\n'
    ),
    (
        b'data: {"type": "response.output_text.delta", "output_index": 0, "delta": "He"}\n\n'
        b'data: {"type": "response.completed", "response": {"object": "response", "output": [{"type": "message", "content": [{"text": "Hey"}]}]}}\n\n'
    ),
    b'data:{"token": {"text": " up", "special": false}, "generated_text": " up", "details": {"finish_reason": "length"}}\n\n',
    b'data: {"model_name": "llm", "model_version": "1", "text_output": "h\xc3\xa9"}\n\ndata: {"error": "no memory"}\n\n',
    "bare text, ünïcödé".encode(),
    b'{"token": "a"}\n{"token": "b"}\n',
]
PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"null",
    b"data:",
    b"\n",
    b"\r",
    b"\n\n",
    b"\xff",
    b"0",
    b"-1",
    b"1e999",
    b"[]",
    b"{}",
]


@st.composite
def mutated_streams(draw: st.DrawFn) -> bytes:
    body = draw(st.sampled_from(STREAMS))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        stop = draw(st.integers(start, min(len(body), start + 8)))
        body = body[:start] + draw(st.sampled_from(PIECES) | st.binary(max_size=3)) + body[stop:]
    return body


def decoded_stream(exchange: Make, body: bytes, path: str, asked: object) -> Decoded:
    return decode_exchange(exchange(asked, body, path=path, answer_headers=EVENTS))


@settings(max_examples=150, deadline=None)
@given(mutated_streams(), st.sampled_from(PATHS))
def test_no_mutated_stream_raises(exchange: Make, body: bytes, place: tuple[str, dict[str, object]]) -> None:
    decoded = decoded_stream(exchange, body, *place)

    assert decoded.undecodable == ""
    assert decoded.generation is not None
    if decoded.outputs is not None:
        assert all(len(row) == len(decoded.outputs.names) for row in decoded.outputs.values)


@pytest.mark.parametrize("body", STREAMS)
def test_a_stream_may_be_cut_at_every_byte(exchange: Make, body: bytes) -> None:
    found = [decoded_stream(exchange, body[:end], "/ask", {"prompt": "Hi"}) for end in range(len(body))]

    assert {decoded.undecodable for decoded in found[1:]} == {""}
    # What was said before stays said.
    lengths = [len(decoded.generation.output_text) for decoded in found if decoded.generation is not None]
    assert lengths[-1] > 0


KEYS = st.sampled_from(
    ["choices", "message", "delta", "content", "tool_calls", "function", "arguments", "index", "usage", "type", "text",
     "name", "output", "response", "token", "details", "error", "data", "embedding", "object", "role"]
)  # fmt: skip


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), nested, max_leaves=25
)


@settings(max_examples=150, deadline=None)
@given(st.lists(values, min_size=1, max_size=4), st.sampled_from(PATHS))
def test_the_right_keys_over_anything_never_raise(
    exchange: Make, answers: list[object], place: tuple[str, dict[str, object]]
) -> None:
    path, asked = place
    body = b"".join(f"data: {json.dumps(answer)}\n\n".encode() for answer in answers)
    stream = exchange(asked, body, path=path, answer_headers=EVENTS)
    whole = exchange(asked, json.dumps(answers[0]).encode(), path=path)

    for answer in (stream, whole):
        assert decode_exchange(answer).undecodable in REASONS - {"unforeseen"} | {""}


@settings(max_examples=100, deadline=None)
@given(values, values, st.sampled_from(PATHS))
def test_the_right_keys_over_anything_may_be_asked(
    exchange: Make, first: object, second: object, place: tuple[str, dict[str, object]]
) -> None:
    asked = {
        "messages": [first, {"role": "user", "content": second}],
        "prompt": first,
        "input": second,
        "inputs": first,
    }

    assert decode_exchange(exchange(asked, {}, path=place[0])).undecodable in REASONS - {"unforeseen"} | {""}
