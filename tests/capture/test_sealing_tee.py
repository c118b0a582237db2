"""Raw ASGI conversations with apps whose ids are sealed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import pytest
import trio

from dashlight.capture.capture import Capture
from dashlight.capture.sealing_tee import MOST_BYTES, PATIENCE_SECONDS, SealingTee
from dashlight.labels.ids import as_text
from dashlight.records import Exchange

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Any, Receive, Send], Awaitable[Any]]
HEADER = b"x-prediction-id"
JSON = [(b"content-type", b"application/json")]
ASKED: Message = {"type": "http.request", "body": b'{"age":40}', "more_body": False}
GONE: Message = {"type": "http.disconnect"}
ANSWER = b'{"p":0.5}'


def start(*, status: int = 200, headers: Any = JSON, **more: Any) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers, **more}


def body(content: Any = ANSWER, **more: Any) -> Message:
    return {"type": "http.response.body", "body": content, **more}


class Talk:
    """One request to an app behind a tee that seals; what the server was sent, in its order."""

    def __init__(self, new_capture: Callable[..., Capture], request_scope: Callable[..., Any], **scope: Any) -> None:
        self.asked: list[Exchange] = []
        self.sent: list[Message] = []
        self.raised: BaseException | None = None
        self.fails_at = ""
        self.capture = new_capture(prediction_id_header=HEADER, max_body=1 << 20, seal=self.seal)
        self._scope = request_scope(**scope)
        self.waiting: list[Message] = [ASKED, GONE]

    def seal(self, exchange: Exchange) -> bytes | None:
        self.asked.append(exchange)
        return b"sealed"

    async def _receive(self) -> Message:
        return self.waiting.pop(0)

    async def _send(self, message: Message) -> None:
        if message["type"] == self.fails_at:
            raise OSError
        self.sent.append(message)

    async def _request(self, app: App) -> None:
        tee = SealingTee(self.capture, self._scope, self._receive, self._send)
        try:
            await app(self._scope, tee.receive, tee.send)
        except Exception as error:
            self.raised = error
            tee.fail(error)
        finally:
            tee.close()

    def through(self, app: App, *, backend: str = "asyncio") -> Exchange:
        if backend == "trio":
            trio.run(self._request, app)
        else:
            asyncio.run(self._request(app))
        (exchange,) = self.capture.inbox.take()
        return exchange

    @property
    def kinds(self) -> list[str]:
        return [message["type"].rpartition(".")[2] for message in self.sent]

    @property
    def known_as(self) -> str:
        (first, *_) = self.sent
        (value,) = [value for name, value in first["headers"] if name == HEADER]
        return str(value.decode())


@pytest.fixture
def talk(new_capture: Callable[..., Capture], request_scope: Callable[..., Any]) -> Callable[..., Talk]:
    def make(**scope: Any) -> Talk:
        return Talk(new_capture, request_scope, **scope)

    return make


def answering(*messages: Message, reads: int = 1) -> App:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        for _ in range(reads):
            await receive()
        for message in messages:
            await send(message)

    return app


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_whole_answer_is_sealed_and_its_start_comes_first(talk: Callable[..., Talk], backend: str) -> None:
    conversation = talk()

    exchange = conversation.through(answering(start(), body()), backend=backend)

    assert conversation.kinds == ["start", "body"]
    assert conversation.known_as == "sealed"
    assert (exchange.outcome, exchange.status, exchange.response_body) == ("ok", 200, ANSWER)
    (asked,) = conversation.asked
    assert (asked.id, asked.request_body, asked.response_body) == (exchange.id, ASKED["body"], ANSWER)
    assert (asked.route, asked.status, asked.outcome) == (exchange.route, 200, "ok")
    assert conversation.sent[1] == body()


SEALED: dict[str, tuple[Message, Message]] = {
    "a type with a charset": (start(headers=[(b"Content-Type", b"application/json; charset=utf-8")]), body()),
    "a type of JSON": (start(headers=[(b"content-type", b"application/vnd.api+json")]), body()),
    "no type": (start(headers=[]), body()),
    "no headers": ({"type": "http.response.start", "status": 200}, body()),
    "headers that are read once": (start(headers=iter(JSON)), body()),
    "a length": (start(headers=[*JSON, (b"content-length", b"9")]), body()),
    "another good status": (start(status=201), body()),
    "bytes of another kind": (start(), body(bytearray(ANSWER))),
    "the largest": (start(), body(b"[" + b" " * (MOST_BYTES - 2) + b"]")),
}
PLAIN: dict[str, tuple[Message, Message]] = {
    "a stream": (start(), body(b"", more_body=True)),
    "a first piece": (start(), body(more_body=True)),
    "nothing": (start(), body(b"")),
    "a body without its key": (start(), {"type": "http.response.body"}),
    "too large": (start(), body(b"[" + b" " * (MOST_BYTES - 1) + b"]")),
    "server-sent events": (start(headers=[(b"content-type", b"text/event-stream")]), body()),
    "lines of JSON": (start(headers=[(b"content-type", b"application/x-ndjson")]), body()),
    "a page": (start(headers=[(b"content-type", b"text/html")]), body()),
    "compressed": (start(headers=[*JSON, (b"content-encoding", b"gzip")]), body()),
    "a length beyond": (start(headers=[*JSON, (b"content-length", b"%d" % (MOST_BYTES + 1))]), body()),
    "a length that is none": (start(headers=[*JSON, (b"content-length", b"-1")]), body()),
    "an error": (start(status=500), body()),
    "a refusal": (start(status=422), body()),
    "nothing to say": (start(status=304), body(b"")),
    "a redirection": (start(status=307), body(b"")),
}


@pytest.mark.parametrize("messages", SEALED.values(), ids=SEALED)
def test_such_an_answer_is_sealed(talk: Callable[..., Talk], messages: tuple[Message, Message]) -> None:
    conversation = talk()

    conversation.through(answering(*messages))

    assert (conversation.kinds, conversation.known_as) == (["start", "body"], "sealed")


@pytest.mark.parametrize("messages", PLAIN.values(), ids=PLAIN)
def test_such_an_answer_gets_a_plain_id(talk: Callable[..., Talk], messages: tuple[Message, Message]) -> None:
    conversation = talk()

    exchange = conversation.through(answering(*messages))

    assert (conversation.kinds, conversation.known_as) == (["start", "body"], as_text(exchange.id))
    assert conversation.asked == []
    assert conversation.sent[1] is messages[1]


@pytest.mark.parametrize(
    "messages",
    [PLAIN[name] for name in ("server-sent events", "lines of JSON", "an error", "compressed", "a length beyond")],
)
def test_what_will_not_be_sealed_begins_at_once(talk: Callable[..., Talk], messages: tuple[Message, Message]) -> None:
    conversation = talk()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(messages[0])
        assert conversation.kinds == ["start"]
        await send(messages[1])

    conversation.through(app)

    assert conversation.raised is None


def test_a_start_waits_for_nothing_but_the_first_message(talk: Callable[..., Talk]) -> None:
    conversation = talk()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        await send(body(b"", more_body=True))
        assert conversation.kinds == ["start", "body"]
        await send(body(b"[1]"))

    exchange = conversation.through(app)

    assert conversation.raised is None
    assert conversation.known_as == as_text(exchange.id)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_start_leaves_before_the_app_waits_for_its_client(talk: Callable[..., Talk], backend: str) -> None:
    conversation = talk()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        await receive()
        assert conversation.kinds == ["start"]
        await send(body())

    exchange = conversation.through(app, backend=backend)

    assert conversation.raised is None
    assert conversation.known_as == as_text(exchange.id)
    assert conversation.kinds == ["start", "body"]


def test_a_start_leaves_after_a_while_where_no_body_comes(talk: Callable[..., Talk]) -> None:
    conversation = talk()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        while not conversation.sent:  # noqa: ASYNC110 - as an app that waits for something else
            await asyncio.sleep(0.001)
        await send(body())

    exchange = conversation.through(app)

    assert conversation.kinds == ["start", "body"]
    assert conversation.known_as == as_text(exchange.id)


def test_a_client_that_went_while_a_start_left_is_told_with_the_next_message(talk: Callable[..., Talk]) -> None:
    conversation = talk()
    conversation.fails_at = "http.response.start"

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        await asyncio.sleep(3 * PATIENCE_SECONDS)
        conversation.fails_at = "http.response.body"
        await send(body())

    exchange = conversation.through(app)

    assert isinstance(conversation.raised, OSError)
    assert exchange.outcome == "client_disconnect"


def test_what_is_sent_meanwhile_stays_behind_the_start(talk: Callable[..., Talk]) -> None:
    conversation = talk()
    slow = asyncio.Event()
    usual = conversation._send

    async def send_slowly(message: Message) -> None:
        if message["type"] == "http.response.start":
            await slow.wait()
        await usual(message)

    conversation._send = send_slowly  # type: ignore[method-assign]

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        listening = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        answering = asyncio.ensure_future(send(body()))
        await asyncio.sleep(0)
        slow.set()
        await asyncio.gather(listening, answering)

    conversation.through(app)

    assert conversation.raised is None
    assert conversation.kinds == ["start", "body"]


def test_an_answer_to_what_has_not_come_yet_begins_at_once(talk: Callable[..., Talk]) -> None:
    conversation = talk()
    conversation.waiting[0] = {**ASKED, "more_body": True}

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        assert conversation.kinds == ["start"]
        await send(body())

    conversation.through(app)

    assert conversation.raised is None


def test_a_request_that_nobody_reads_is_sealed_where_it_is_a_question_by_its_query(talk: Callable[..., Talk]) -> None:
    asking, telling = talk(method="GET", query_string=b"age=40"), talk()

    asking.through(answering(start(), body(), reads=0))
    exchange = telling.through(answering(start(), body(), reads=0))

    assert (asking.known_as, telling.known_as) == ("sealed", as_text(exchange.id))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE", "PATCH"])
def test_other_methods_are_left_alone(talk: Callable[..., Talk], method: str) -> None:
    conversation = talk(method=method)

    exchange = conversation.through(answering(start(), body()))

    assert (conversation.asked, conversation.known_as) == ([], as_text(exchange.id))


@pytest.mark.parametrize(
    "message",
    [
        {"type": "http.response.pathsend", "path": "/a.json"},
        {"type": "http.response.zerocopysend", "file": 3},
    ],
    ids=["pathsend", "zerocopysend"],
)
def test_a_file_follows_its_start(talk: Callable[..., Talk], message: Message) -> None:
    conversation = talk()

    exchange = conversation.through(answering(start(), message))

    assert conversation.kinds == ["start", message["type"].rpartition(".")[2]]
    assert (conversation.known_as, exchange.outcome) == (as_text(exchange.id), "ok")


def test_a_message_of_another_kind_stays_where_it_was(talk: Callable[..., Talk]) -> None:
    conversation = talk()

    conversation.through(answering(start(), {"type": "http.response.push", "path": "/"}, body()))

    assert conversation.kinds == ["start", "push", "body"]


def test_an_answer_with_trailers_gets_a_plain_id(talk: Callable[..., Talk]) -> None:
    conversation = talk()
    trailers = {"type": "http.response.trailers", "headers": []}

    exchange = conversation.through(answering(start(trailers=True), body(), trailers))

    assert conversation.kinds == ["start", "body", "trailers"]
    assert (conversation.known_as, exchange.outcome) == (as_text(exchange.id), "ok")


def test_an_app_that_fails_before_its_body_has_not_begun_its_answer(talk: Callable[..., Talk]) -> None:
    conversation = talk()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        raise ValueError

    exchange = conversation.through(app)

    assert isinstance(conversation.raised, ValueError)
    assert conversation.sent == []
    assert (exchange.outcome, exchange.error, exchange.status) == ("error", "ValueError", 500)


def test_an_app_that_returns_before_its_body_has_not_begun_its_answer(talk: Callable[..., Talk]) -> None:
    conversation = talk()

    exchange = conversation.through(answering(start()))

    assert conversation.sent == []
    assert (exchange.outcome, exchange.error) == ("error", "no_response")


def test_an_app_that_fails_after_its_body_is_told_of_as_ever(talk: Callable[..., Talk]) -> None:
    conversation = talk()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        await send(body(more_body=True))
        raise ValueError

    exchange = conversation.through(app)

    assert conversation.kinds == ["start", "body"]
    assert (exchange.outcome, exchange.error, exchange.status) == ("error", "ValueError", 200)


@pytest.mark.parametrize("fails_at", ["http.response.start", "http.response.body"])
def test_a_client_that_has_gone_is_told_to_the_app(talk: Callable[..., Talk], fails_at: str) -> None:
    conversation = talk()
    conversation.fails_at = fails_at

    exchange = conversation.through(answering(start(), body()))

    assert isinstance(conversation.raised, OSError)
    assert exchange.id
    assert conversation.kinds == (["start"] if fails_at.endswith("body") else [])


def test_who_has_gone_gets_nothing_sealed(talk: Callable[..., Talk]) -> None:
    conversation = talk()
    conversation.waiting = [ASKED, GONE]

    exchange = conversation.through(answering(start(), body(), reads=2))

    assert conversation.asked == []
    assert exchange.outcome == "client_disconnect"


def test_a_second_start_is_the_servers_to_refuse(talk: Callable[..., Talk]) -> None:
    conversation = talk()

    conversation.through(answering(start(), start(status=201), body()))

    assert conversation.kinds == ["start", "start", "body"]


def test_a_mistake_of_ours_gives_a_plain_id_and_is_counted(talk: Callable[..., Talk]) -> None:
    conversation = talk()

    def failing(exchange: Exchange) -> bytes | None:
        raise RuntimeError

    conversation.capture.seal = failing

    exchange = conversation.through(answering(start(), body()))

    assert conversation.known_as == as_text(exchange.id)
    assert conversation.capture.failures == {"RuntimeError": 1}


@pytest.mark.parametrize("seal", [None, lambda _: None], ids=["before it can be", "what cannot be"])
def test_what_is_not_sealed_gets_a_plain_id(talk: Callable[..., Talk], seal: Any) -> None:
    conversation = talk()
    conversation.capture.seal = seal

    exchange = conversation.through(answering(start(), body()))

    assert (conversation.kinds, conversation.known_as) == (["start", "body"], as_text(exchange.id))


def test_headers_that_fail_do_so_at_the_server(talk: Callable[..., Talk]) -> None:
    conversation = talk()

    def headers() -> Any:
        yield from JSON
        raise LookupError

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(start(headers=headers()))
        await send(body())

    conversation.through(app)

    assert conversation.kinds[0] == "start"
    with pytest.raises(LookupError):
        list(conversation.sent[0]["headers"])


def test_a_request_that_was_not_kept_as_a_whole_cannot_be_sealed(talk: Callable[..., Talk]) -> None:
    conversation = talk()
    conversation.waiting[0] = {**ASKED, "body": b"x" * (MOST_BYTES + 1)}

    exchange = conversation.through(answering(start(), body()))

    assert (conversation.asked, conversation.known_as) == ([], as_text(exchange.id))
