"""What the tee sees, keeps and hands on, one awkward conversation at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import pytest
import trio
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dashlight.capture.capture import Capture
from dashlight.capture.inbox import Captured
from dashlight.capture.spans import Spans
from dashlight.capture.tee import Tee
from dashlight.capture.trace_parent import sampler_from

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Converse: TypeAlias = Callable[..., Any]

ONE_PIECE = {"type": "http.request", "body": b'{"x": 1}', "more_body": False}
STARTED = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
ANSWER = {"type": "http.response.body", "body": b'{"y": 2}'}
BARE_SCOPE = {"type": "http", "method": "POST", "path": "/predict", "headers": [], "http_version": "1.1"}
GONE = {"type": "http.disconnect"}


def answering(*messages: MutableMapping[str, Any], reads: int = 1) -> Converse:
    """An app that reads so many messages and then sends these."""

    async def app(scope: Scope, receive: Receive, send: Send) -> str:
        for _ in range(reads):
            await receive()
        for message in messages:
            await send(message)
        return "the app's own value"

    return app


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_both_bodies_the_status_and_the_clock_are_kept(converse: Converse, backend: str) -> None:
    heard = converse(answering(STARTED, ANSWER), [ONE_PIECE], backend=backend)

    exchange = heard.exchange
    assert (exchange.method, exchange.path, exchange.status, exchange.outcome) == ("POST", "/predict", 200, "ok")
    assert (exchange.request_body, exchange.response_body) == (b'{"x": 1}', b'{"y": 2}')
    assert (exchange.request_bytes, exchange.response_bytes) == (8, 8)
    assert 0 <= exchange.first_byte_seconds <= exchange.duration_seconds < 5


def test_messages_are_handed_on_as_the_very_same_objects(converse: Converse) -> None:
    heard = converse(answering(STARTED, ANSWER), [ONE_PIECE])

    assert heard.sent[0] is STARTED
    assert heard.sent[1] is ANSWER
    assert heard.received[0] is ONE_PIECE
    assert heard.returned == "the app's own value"


def test_a_body_in_two_pieces_is_kept_whole(converse: Converse) -> None:
    pieces = [
        {"type": "http.request", "body": b'{"x":', "more_body": True},
        {"type": "http.request", "body": b" 1}"},
    ]
    app = answering(STARTED, {**ANSWER, "body": b"ab", "more_body": True}, {**ANSWER, "body": b"cd"}, reads=2)

    exchange = converse(app, pieces).exchange

    assert exchange.request_body == b'{"x": 1}'
    assert exchange.response_body == b"abcd"


def test_what_exceeds_the_limit_is_counted_and_not_kept(converse: Converse) -> None:
    long = {"type": "http.request", "body": b"a" * 50, "more_body": True}
    app = answering(STARTED, {**ANSWER, "body": b"b" * 1000}, reads=3)

    exchange = converse(app, [long, dict(long), {**long, "more_body": False}]).exchange

    assert exchange.request_body == b"a" * 64
    assert (exchange.request_bytes, exchange.response_bytes) == (150, 1000)
    assert exchange.request_truncated
    assert exchange.response_body == b"b" * 64
    assert exchange.response_truncated


def test_a_buffer_that_its_owner_reuses_is_copied(converse: Converse) -> None:
    buffer = bytearray(b"first")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(STARTED)
        await send({"type": "http.response.body", "body": memoryview(buffer), "more_body": True})
        buffer[:] = b"other"
        await send({"type": "http.response.body"})

    assert converse(app).exchange.response_body == b"first"


def test_an_app_that_never_reads_has_no_request_body_and_nothing_is_read_for_it(converse: Converse) -> None:
    heard = converse(answering(STARTED, ANSWER, reads=0), [ONE_PIECE])

    assert heard.received == []
    assert heard.exchange.request_bytes == 0


def test_a_body_message_without_a_body_is_an_empty_one(converse: Converse) -> None:
    exchange = converse(answering(STARTED, {"type": "http.response.body"}), [{"type": "http.request"}]).exchange

    assert (exchange.request_body, exchange.response_body, exchange.first_byte_seconds) == (b"", b"", None)


def test_an_exception_before_the_response_is_recorded_and_raised_as_it_is(converse: Converse) -> None:
    error = ValueError("no model")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    heard = converse(app)

    assert heard.raised is error
    assert (heard.exchange.outcome, heard.exchange.error, heard.exchange.status) == ("error", "ValueError", 500)


def test_an_exception_after_the_start_keeps_the_status_that_was_sent(converse: Converse) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(STARTED)
        raise KeyError("x")

    exchange = converse(app).exchange

    assert (exchange.outcome, exchange.error, exchange.status) == ("error", "KeyError", 200)


def test_an_exception_in_a_background_task_is_not_the_response_s(converse: Converse) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(STARTED)
        await send(ANSWER)
        raise RuntimeError

    heard = converse(app)

    assert isinstance(heard.raised, RuntimeError)
    assert (heard.exchange.outcome, heard.exchange.error) == ("ok", "")


def test_a_status_from_500_on_is_an_error(converse: Converse) -> None:
    exchange = converse(answering({**STARTED, "status": 503}, ANSWER), [ONE_PIECE]).exchange

    assert (exchange.outcome, exchange.status) == ("error", 503)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "ok"), (404, "ok"), (429, "ok"), (400, "refused"), (413, "refused"), (415, "refused"), (422, "refused")],
)
def test_what_the_app_does_not_take_is_refused(converse: Converse, status: int, outcome: str) -> None:
    exchange = converse(answering({**STARTED, "status": status}, ANSWER), [ONE_PIECE]).exchange

    assert (exchange.outcome, exchange.status) == (outcome, status)


def test_a_request_waits_until_its_answer_begins(converse: Converse, new_capture: Callable[..., Capture]) -> None:
    capture = new_capture()
    waiting: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        waiting.append(capture.inbox.waiting_count)
        await send(STARTED)
        waiting.append(capture.inbox.waiting_count)
        await send(ANSWER)

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError

    converse(app, [ONE_PIECE], capture=capture)
    converse(silent, [ONE_PIECE], capture=capture)

    assert waiting == [1, 0]
    assert (capture.inbox.waiting_count, capture.inbox.in_flight_count) == (0, 0)


def test_a_client_that_leaves_while_the_body_is_read_is_no_error(converse: Converse) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        assert message is GONE
        raise RuntimeError("client disconnected")

    assert converse(app, [GONE]).exchange.outcome == "client_disconnect"


def test_a_send_that_fails_means_that_the_client_has_gone(converse: Converse) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(STARTED)
        await send({**ANSWER, "more_body": True})

    heard = converse(app, send_error=OSError("broken pipe"))

    assert isinstance(heard.raised, OSError)
    assert heard.exchange.outcome == "client_disconnect"


def test_an_app_that_stops_streaming_noticed_the_client_leaving(converse: Converse) -> None:
    exchange = converse(answering(STARTED, {**ANSWER, "more_body": True}), [ONE_PIECE]).exchange

    assert (exchange.outcome, exchange.response_body) == ("client_disconnect", b'{"y": 2}')


def test_an_app_that_returns_without_a_word_has_failed(converse: Converse) -> None:
    exchange = converse(answering(), [ONE_PIECE]).exchange

    assert (exchange.outcome, exchange.error) == ("error", "no_response")


def test_a_cancelled_request_is_neither_ok_nor_an_error(converse: Converse) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    heard = converse(app)

    assert isinstance(heard.raised, asyncio.CancelledError)
    assert (heard.exchange.outcome, heard.exchange.error) == ("cancelled", "CancelledError")


def test_a_request_cancelled_by_trio_is_cancelled_too(new_capture: Converse, request_scope: Converse) -> None:
    capture = new_capture()

    async def nothing(*_: Any) -> Any:
        await trio.sleep_forever()

    async def run() -> None:
        with trio.move_on_after(0.01):
            tee = Tee(capture, request_scope(), nothing, nothing)
            try:
                await tee.receive()
            except BaseException as error:
                tee.fail(error)
                raise
            finally:
                tee.close()

    trio.run(run)

    (exchange,) = capture.inbox.take()
    assert (exchange.outcome, exchange.error) == ("cancelled", "Cancelled")


def test_the_response_ends_with_its_trailers(converse: Converse) -> None:
    trailers = {"type": "http.response.trailers", "headers": [], "more_trailers": False}
    more = {**trailers, "more_trailers": True}

    heard = converse(answering({**STARTED, "trailers": True}, ANSWER, more, trailers), [ONE_PIECE])

    assert heard.exchange.outcome == "ok"
    assert heard.sent[-1] is trailers


@pytest.mark.parametrize("kind", ["http.response.pathsend", "http.response.zerocopysend"])
def test_a_file_sent_by_the_server_has_the_size_that_its_headers_say(converse: Converse, kind: str) -> None:
    start = {**STARTED, "headers": [(b"Content-Length", b"1234")]}

    exchange = converse(answering(start, {"type": kind, "path": "/nowhere"}), [ONE_PIECE]).exchange

    assert (exchange.outcome, exchange.response_bytes, exchange.response_body) == ("ok", 1234, b"")


def test_a_file_in_several_messages_ends_with_the_last(converse: Converse) -> None:
    part = {"type": "http.response.zerocopysend", "file": 3, "more_body": True}

    heard = converse(answering(STARTED, part, {**part, "more_body": False}), [ONE_PIECE])

    assert (heard.exchange.outcome, heard.exchange.response_bytes) == ("ok", 0)


@pytest.mark.parametrize("kind", ["http.response.early_hint", "http.response.push", "http.response.debug", "x.y"])
def test_messages_of_other_kinds_pass_untouched(converse: Converse, kind: str) -> None:
    other = {"type": kind}

    heard = converse(answering(other, STARTED, ANSWER), [ONE_PIECE])

    assert heard.sent[0] is other
    assert heard.exchange.outcome == "ok"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_a_body_is_whole(
    converse: Converse, request_scope: Converse, method: str, status: int
) -> None:
    start = {**STARTED, "status": status, "headers": [(b"content-length", b"99")]}
    app = answering(start, {"type": "http.response.body", "body": b""}, reads=0)

    exchange = converse(app, scope=request_scope(method=method)).exchange

    assert (exchange.status, exchange.response_bytes, exchange.outcome) == (status, 0, "ok")


def test_credentials_in_headers_are_never_kept(converse: Converse) -> None:
    start = {**STARTED, "headers": [(b"Set-Cookie", b"s=1"), (b"Content-Type", b"text/plain")]}

    exchange = converse(answering(start, ANSWER), [ONE_PIECE]).exchange

    assert exchange.request_headers == [(b"content-type", b"application/json")]
    assert exchange.response_headers == [(b"content-type", b"text/plain")]


def test_the_prediction_id_goes_out_in_a_new_start_message_when_asked_for(
    converse: Converse, new_capture: Converse
) -> None:
    heard = converse(
        answering(STARTED, ANSWER), [ONE_PIECE], capture=new_capture(prediction_id_header=b"x-prediction-id")
    )

    sent = dict(heard.sent[0]["headers"])
    assert heard.sent[0] is not STARTED
    assert STARTED["headers"] == [(b"content-type", b"application/json")]
    assert int(sent[b"x-prediction-id"].replace(b"-", b""), 16) == heard.exchange.id
    assert sent[b"x-prediction-id"][14:15] == b"7"


def test_a_mistake_of_ours_is_counted_and_the_host_does_not_notice(converse: Converse) -> None:
    odd_start = {"type": "http.response.start"}  # no status: a KeyError for us, the server's business otherwise
    odd_request = {"type": "http.request", "body": 7}

    heard = converse(answering(odd_start, ANSWER), [odd_request])

    assert heard.sent == [odd_start, ANSWER]
    assert heard.raised is None
    assert heard.capture.failures == {"TypeError": 1, "KeyError": 1}


def test_a_request_under_way_is_in_flight_until_its_last_message(converse: Converse, new_capture: Converse) -> None:
    capture = new_capture()
    seen: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(capture.inbox.in_flight_count)
        await send(STARTED)
        await send(ANSWER)
        seen.append(capture.inbox.in_flight_count)

    converse(app, capture=capture)

    assert seen == [1, 0]


def test_nothing_of_the_exchange_is_measured_after_its_last_message(converse: Converse) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(STARTED)
        await send(ANSWER)
        await asyncio.sleep(0.05)  # a background task
        await send({"type": "http.response.debug"})

    assert converse(app).exchange.duration_seconds < 0.05


def test_our_own_failure_at_the_end_is_counted_too(converse: Converse, request_scope: Converse) -> None:
    scope = request_scope()

    async def app(given: Scope, receive: Receive, send: Send) -> None:
        del given["method"]
        raise ValueError

    async def silent(given: Scope, receive: Receive, send: Send) -> None:
        del given["method"]

    failing, returning = converse(app, scope=scope), converse(silent, scope=request_scope())

    assert isinstance(failing.raised, ValueError)
    # Once when it raised and once when it closed: the exchange could not be made.
    assert failing.capture.failures == {"KeyError": 1}
    assert returning.capture.failures == {"KeyError": 1}
    assert returning.exchanges == []
    assert returning.capture.captured() == Captured(exchanges=1, mistaken_exchanges=1)
    assert failing.capture.captured() == Captured(exchanges=1, mistaken_exchanges=1)


@pytest.fixture
def finished(new_capture: Converse) -> Any:
    """An exporter that keeps what the SDK finished, and a capture that makes spans through it."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = Spans("server", exported=False, sampler=sampler_from({}), version="0")
    spans._provider = provider
    spans._tracer = provider.get_tracer("test")
    return exporter, new_capture(spans=spans)


@pytest.mark.parametrize(
    ("scope", "wanted", "unwanted"),
    [
        (
            {"server": ("host", None), "http_version": ""},
            {"server.address": "host"},
            {"server.port", "network.protocol.version"},
        ),
        ({"server": None}, {"network.protocol.version": "1.1"}, {"server.address"}),
    ],
    ids=["a socket without a port", "no server known"],
)
def test_a_span_through_the_sdk_says_what_the_scope_knows(
    converse: Converse,
    finished: Any,
    scope: dict[str, Any],
    wanted: dict[str, Any],
    unwanted: set[str],
) -> None:
    exporter, capture = finished
    long = {"type": "http.request", "body": b"a" * 65}

    converse(answering(STARTED, ANSWER), [long], capture=capture, scope={**BARE_SCOPE, **scope})

    (span,) = exporter.get_finished_spans()
    assert wanted.items() <= span.attributes.items()
    assert not unwanted & set(span.attributes)
    assert span.attributes["dashlight.request.truncated"] is True
    assert span.name == "POST"


def test_an_app_that_says_nothing_has_a_span_without_a_status(converse: Converse, finished: Any) -> None:
    exporter, capture = finished

    converse(answering(), [ONE_PIECE], capture=capture)

    (span,) = exporter.get_finished_spans()
    assert span.attributes["error.type"] == "no_response"
    assert "http.response.status_code" not in span.attributes


def test_other_messages_that_are_received_pass(converse: Converse) -> None:
    other = {"type": "http.something"}

    assert converse(answering(STARTED, ANSWER), [other]).received == [other]


@pytest.mark.parametrize("header", [b"", b"x-prediction-id"], ids=["as it is", "with the prediction id"])
@pytest.mark.parametrize("once", [iter, lambda pairs: (pair for pair in pairs), lambda pairs: map(tuple, pairs)])
def test_headers_that_can_be_read_once_are_handed_on_complete(
    converse: Converse, new_capture: Converse, once: Any, header: bytes
) -> None:
    pairs = [(b"content-type", b"application/json"), (b"x-own", b"1")]
    app = answering({**STARTED, "headers": once(pairs)}, ANSWER)

    heard = converse(app, [ONE_PIECE], capture=new_capture(prediction_id_header=header))

    assert list(heard.sent[0]["headers"])[:2] == pairs
    assert heard.exchange.response_headers == pairs[:1]


@pytest.mark.parametrize("pairs", [((b"x-own", b"1"),), {(b"x-own", b"1")}, {b"x-own": b"1"}.items()])
def test_headers_that_can_be_read_again_stay_the_very_same(converse: Converse, pairs: Any) -> None:
    start = {**STARTED, "headers": pairs}

    heard = converse(answering(start, ANSWER), [ONE_PIECE])

    assert heard.sent[0] is start


def test_headers_in_which_the_app_fails_fail_where_the_server_reads_them(converse: Converse) -> None:
    def failing() -> Any:
        yield b"x-own", b"1"
        raise ArithmeticError

    heard = converse(answering({**STARTED, "headers": failing()}, ANSWER), [ONE_PIECE])
    read = iter(heard.sent[0]["headers"])

    assert next(read) == (b"x-own", b"1")
    with pytest.raises(ArithmeticError):
        next(read)


@pytest.mark.parametrize(("keeps", "address"), [(False, ""), (True, "10.0.0.9")], ids=["by default", "if asked for"])
def test_the_address_of_the_client_is_kept_only_if_asked_for(
    converse: Converse,
    new_capture: Converse,
    request_scope: Converse,
    keeps: bool,  # noqa: FBT001
    address: str,
) -> None:
    capture = new_capture(keeps_client_address=keeps)
    scopes = [request_scope(client=client) for client in (("10.0.0.9", 5), None)]

    found = [
        converse(answering(STARTED, ANSWER), [ONE_PIECE], capture=capture, scope=scope).exchange for scope in scopes
    ]

    assert [each.client_address for each in found] == [address, ""]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_span_of_the_sdk_s_says_what_was_called_and_by_what(
    converse: Converse,
    new_capture: Converse,
    request_scope: Converse,
    keeps: bool,  # noqa: FBT001
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = Spans("server", exported=False, sampler=sampler_from({}), version="0")
    spans._provider, spans._tracer = provider, provider.get_tracer("test")
    headers = [(b"host", b"model.example:9000"), (b"user-agent", b"curl/8")]

    capture = new_capture(spans=spans, keeps_client_address=keeps)
    converse(
        answering(STARTED, ANSWER), [ONE_PIECE], capture=capture, scope=request_scope(headers=headers, client=("c", 1))
    )

    (span,) = exporter.get_finished_spans()
    said = dict(span.attributes or {})
    assert (said["server.address"], said["server.port"]) == ("model.example", 9000)
    assert (said["user_agent.original"], said.get("client.address")) == ("curl/8", "c" if keeps else None)


def test_what_was_answered_is_captured_once_however_it_ended(converse: Converse, new_capture: Converse) -> None:
    capture = new_capture()

    converse(answering(STARTED, ANSWER), capture=capture)
    converse(answering(), capture=capture)

    assert capture.captured() == Captured(exchanges=2)
