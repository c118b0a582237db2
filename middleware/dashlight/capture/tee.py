"""One request on its way: stands in for receive and send, and keeps what passes."""

from __future__ import annotations

from collections.abc import Awaitable
from time import perf_counter, time
from typing import Any

from msgspec import structs
from opentelemetry import trace
from opentelemetry.context import detach
from opentelemetry.trace import Span

from dashlight.capture.capture import Capture
from dashlight.capture.ending import SERVER_ERROR, SETTLING_SECONDS, breaks_answer, outcome_of, raised
from dashlight.capture.headers import keep_part, kept, readable, said_bytes, with_header
from dashlight.capture.http_span import first_attributes, of_route, sizes, span_name
from dashlight.capture.ids import prediction_id
from dashlight.capture.inbox import Settling
from dashlight.capture.spans import ENDED, finish_server_span
from dashlight.labels.ids import as_text
from dashlight.records import Exchange, HandedOver, Headers, Outcome
from dashlight.types import Message, Receive, Scope, Send

MARK = "dashlight"
"""Key in the scope of a request that is already being watched: what is known of the app inside, then its Opened."""


class Tee:
    """The receive and the send of one request; becomes an Exchange when the response has ended.

    Never calls receive of its own accord, never holds a message back, never changes one; the exceptions are a new
    `http.response.start` where a header for the prediction id is asked for, or where its headers can be read but once.
    """

    __slots__ = (
        "_capture", "_clock", "_disconnected", "_done", "_first_byte_seconds", "_headers", "_id", "_may_break", "_opened",
        "_path", "_receive", "_request_bytes", "_request_chunks", "_request_room", "_response_bytes",
        "_response_chunks", "_response_headers", "_response_room", "_scope", "_send", "_settling", "_started_at",
        "_status", "_trailers",
    )  # fmt: skip

    def __init__(self, capture: Capture, scope: Scope, receive: Receive, send: Send, *, here: bool = False) -> None:
        self._capture = capture
        self._scope = scope
        # Before any router sees it: Starlette below 0.33 takes it apart.
        self._path: str = scope["path"]
        self._receive = receive
        self._send = send
        self._request_chunks: list[bytes] = []
        self._response_chunks: list[bytes] = []
        self._request_bytes = self._response_bytes = self._status = 0
        self._request_room = self._response_room = capture.max_body
        self._first_byte_seconds: float | None = None
        self._response_headers: Headers = ()
        self._disconnected = self._done = self._may_break = self._trailers = False
        self._settling: Settling | None = None
        raw_headers: Headers = scope.get("headers", ())
        self._headers = kept(raw_headers, capture.header_names)
        self._started_at = time()
        self._id = prediction_id(self._started_at)
        self._opened = capture.spans.open(self._headers, raw_headers, self._described, scope.get(MARK), here=here)
        # It goes with every copy of the scope, so that an adapter finds it wherever it stands.
        scope[MARK] = self._opened
        capture.inbox.begun_count += 1
        # Last, so that our own preparation is not counted as the model's time.
        self._clock = perf_counter()

    async def receive(self) -> Message:
        """The app's receive: hands on the server's message, untouched."""
        message = await self._receive()
        try:
            if message["type"] == "http.request":
                if body := message.get("body"):
                    size = len(body)
                    self._request_bytes += size
                    # The usual case without a call: a piece that is `bytes` and fits is kept as it is.
                    if size <= self._request_room and type(body) is bytes:
                        self._request_chunks.append(body)
                        self._request_room -= size
                    else:
                        self._request_room -= keep_part(self._request_chunks, body, self._request_room)
            elif message["type"] == "http.disconnect":
                self._disconnected = True
        except Exception as error:
            self._capture.count_failure(error)
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """The app's send: looks at the message, then hands it on.

        It is no coroutine itself: of the last message it gives the server's own awaitable, which spares a frame.
        """
        if not self._done:
            try:
                kind = message["type"]
                if kind == "http.response.body":
                    if body := message.get("body"):
                        self._see_body(body)
                    if not message.get("more_body") and not self._trailers:
                        self._end_well(may_break=not body)
                elif kind == "http.response.start":
                    message = readable(message)
                    self._capture.inbox.answered_count += not self._status
                    self._status = message["status"]
                    self._trailers = message.get("trailers", False)
                    self._response_headers = self._capture.kept_of_response(message)
                    if name := self._capture.prediction_id_header:
                        message = with_header(message, name, self._known_as())
                else:
                    self._see_rarer(kind, message)
            except Exception as error:
                self._capture.count_failure(error)
        return self._send(message) if self._done else self._send_watched(message)

    async def _send_watched(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError:
            # How a server says that the client has gone (ASGI 2.4).
            self._disconnected = True
            raise

    def fail(self, error: BaseException) -> None:
        """Notes the exception that leaves the app."""
        try:
            if self._settling is not None and breaks_answer(error):
                self._amend(self._settling, error)
            elif not self._done:
                outcome, kind = raised(error, is_disconnected=self._disconnected)
                if outcome == "error" and not self._status:
                    # What every server makes of an exception before the answer has begun.
                    self._status = SERVER_ERROR
                    self._capture.inbox.answered_count += 1
                self._end(outcome, kind)
        except Exception as ours:
            self._capture.count_failure(ours)

    def conclude(self, status: int, duration_seconds: float, handed: HandedOver | None, error: str = "") -> None:
        """Ends an exchange that did not pass here, *duration_seconds* after it began, with what is known of it."""
        self._capture.inbox.answered_count += bool(status)
        self._status, self._opened.handed, self._opened.told = status, handed, (0, error) if error else None
        self._started_at -= duration_seconds
        self._clock -= duration_seconds
        self._end_well()

    def close(self) -> None:
        """The app has returned or raised: what has no last message ends here."""
        try:
            if not self._done:
                # A response that was begun and not ended means that the app noticed the client leaving.
                gone = self._disconnected or self._status
                self._end("client_disconnect" if gone else "error", "" if gone else "no_response")
            elif self._settling is not None:
                self._settle(self._settling)
            if self._opened.token is not None:
                detach(self._opened.token)
        except Exception as ours:
            self._capture.count_failure(ours)
        if self._opened.handed is not ENDED:  # no Exchange could be made
            self._capture.lose(has_span=self._opened.lean is not None)

    def _known_as(self) -> bytes:
        """What the header for the prediction id says."""
        return as_text(self._id).encode("ascii")

    def _see_body(self, body: bytes) -> None:
        if self._first_byte_seconds is None:
            self._first_byte_seconds = perf_counter() - self._clock
        size = len(body)
        self._response_bytes += size
        if size <= self._response_room and type(body) is bytes:
            self._response_chunks.append(body)
            self._response_room -= size
        else:
            self._response_room -= keep_part(self._response_chunks, body, self._response_room)

    def _see_rarer(self, kind: str, message: Message) -> None:
        """Trailers, and bodies that the server reads from a file: their size is what the headers say."""
        if kind == "http.response.trailers":
            last = not message.get("more_trailers", False)
        elif kind in {"http.response.pathsend", "http.response.zerocopysend"}:
            if self._first_byte_seconds is None:
                self._first_byte_seconds = perf_counter() - self._clock
            self._response_bytes = said_bytes(self._response_headers)
            last = not message.get("more_body", False)
        else:
            return
        if last:
            self._end_well()

    def _end_well(self, *, may_break: bool = False) -> None:
        """Ends with the last message; *may_break*: with one that may have been put to a stream that broke."""
        outcome = outcome_of(self._status, is_disconnected=self._disconnected)
        self._may_break = may_break and outcome == "ok"
        self._end(outcome, "")

    def _end(self, outcome: Outcome, error: str) -> None:
        """Makes the Exchange, after writing on the span what has to be there before the last message leaves."""
        duration_seconds, self._done = perf_counter() - self._clock, True
        capture, scope, opened = self._capture, self._scope, self._opened
        capture.inbox.answered_count += not self._status
        if opened.told is not None:
            status, kind = opened.told
            error = kind or error
            if opened.lean is not None and error:
                opened.lean.set_attribute("error.type", error)
            if status:
                self._status, outcome = status, outcome_of(status)
        if opened.claim is not None:
            opened.claim.end()
        capture.inbox.ended_count += 1
        route = capture.routes.name(scope, self._path, capture.count)
        if opened.lean is None and opened.choice != "none":
            self._tell_span(route, outcome, error)
        exchange = Exchange(
            self._id, route, scope["method"], self._path, scope.get("query_string", b""),
            scope.get("scheme", "http"), scope.get("server"), scope.get("http_version", ""),
            self._headers, self._response_headers, self._status, error, outcome,
            self._started_at, self._first_byte_seconds, duration_seconds,
            self._request_bytes, self._response_bytes, tuple(self._request_chunks), tuple(self._response_chunks),
            opened.trace_id, opened.span_id, opened.trace_flags,
            opened.lean.sealed() if opened.lean is not None else None, opened.handed, self._client_address(),
        )  # fmt: skip
        opened.handed = ENDED
        kept_bytes = 2 * capture.max_body - self._request_room - self._response_room
        if self._may_break:
            self._settling = Settling(exchange, perf_counter() + SETTLING_SECONDS)
            capture.inbox.put_settling(self._settling, kept_bytes)
        else:
            capture.inbox.put(exchange, kept_bytes)

    def _amend(self, settling: Settling, error: BaseException) -> None:
        """The answer was broken after all."""
        outcome, kind = raised(error, is_disconnected=self._disconnected)
        settling.exchange = structs.replace(settling.exchange, outcome=outcome, error=kind)
        if settling.is_taken:
            self._capture.count("broken_answer_counted_as_ok")
        host = self._opened.host
        if host is not None and self._opened.choice != "server" and host.is_recording():
            host.set_attributes({"dashlight.outcome": outcome, "error.type": kind})

    def _settle(self, settling: Settling) -> None:
        """The app has returned: it is known now how the answer ended."""
        settling.is_settled = True
        host, ended = self._opened.host, settling.exchange
        if host is not None and self._opened.choice == "server":
            ended_ns = int((ended.started_at + ended.duration_seconds) * 1e9)
            self._finish(host, ended.route, ended.outcome, ended.error, ended_ns)

    def _tell_span(self, route: str, outcome: Outcome, error: str) -> None:
        """Enriches the span of the app, or ends the one that the SDK made for us, unless the answer may break yet."""
        opened = self._opened
        current = trace.get_current_span()
        if opened.choice == "inner":
            # Inside send the current span is the one that the app within us has opened.
            opened.host = current
            ids = current.get_span_context()
            if ids.is_valid:
                opened.trace_id, opened.span_id, opened.trace_flags = ids.trace_id, ids.span_id, int(ids.trace_flags)
        host = opened.host
        if host is None or not host.is_recording():
            return
        if opened.choice != "server":
            facts = self._facts(outcome)
            if opened.told is not None and error:
                facts["error.type"] = error
            host.set_attributes(facts)
            return
        if current is not host:
            self._capture.spans.note_inner(current, opened)
        if not self._may_break:
            self._finish(host, route, outcome, error)

    def _finish(self, span: Span, route: str, outcome: Outcome, error: str, ended_ns: int | None = None) -> None:
        attributes = self._facts(outcome)
        if self._status:
            attributes["http.response.status_code"] = self._status
        attributes |= of_route(route)
        if outcome == "error":
            attributes["error.type"] = error or str(self._status)
        name = span_name(self._scope["method"], route)
        finish_server_span(span, name=name, attributes=attributes, failed=outcome == "error", ended_ns=ended_ns)

    def _described(self) -> tuple[str, dict[str, Any]]:
        attributes = first_attributes(self._scope, self._headers, client_address=self._client_address())
        return self._scope["method"], attributes

    def _client_address(self) -> str:
        client = self._scope.get("client") if self._capture.keeps_client_address else None
        return str(client[0]) if client else ""

    def _facts(self, outcome: Outcome) -> dict[str, Any]:
        """What is known of a request without decoding it, by the names of the semantic conventions and our own."""
        return {
            "dashlight.event.id": as_text(self._id),
            "dashlight.outcome": outcome,
            **sizes(self._request_bytes, self._response_bytes, kept_bytes=self._capture.max_body),
            **self._capture.model_attributes,
        }
