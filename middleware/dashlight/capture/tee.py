"""One request on its way: stands in for receive and send, and keeps what passes."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from time import perf_counter, time
from typing import Any

from opentelemetry import trace
from opentelemetry.context import detach

from dashlight.capture.headers import keep_part, kept, kept_in_lower_case
from dashlight.capture.ids import as_text, prediction_id
from dashlight.capture.inbox import Inbox
from dashlight.capture.route import UNMATCHED, route_of
from dashlight.capture.spans import ENDED, Spans, finish_server_span
from dashlight.records import Exchange, HandedOver, Headers, Outcome, outcome_of
from dashlight.types import Message, Receive, Scope, Send

MARK = "dashlight"
"""Key in the scope of a request that is already being watched: what is known of the app inside, then its Opened."""


@dataclass(slots=True)
class Capture:
    """What all requests of a process share on the request path."""

    inbox: Inbox
    spans: Spans
    max_body: int
    prediction_id_header: bytes = b""
    model_attributes: dict[str, str] = field(default_factory=dict[str, str])
    """Attributes that name the model, where settings do."""
    failures: dict[str, int] = field(default_factory=dict[str, int])
    """Our own mistakes on the request path, by exception type: counted, never seen by the app."""

    def count_failure(self, error: Exception) -> None:
        """Counts one of our own mistakes."""
        self.count(type(error).__name__)

    def count(self, reason: str) -> None:
        """Counts one under *reason*."""
        self.failures[reason] = self.failures.get(reason, 0) + 1


class Tee:
    """The receive and the send of one request; becomes an Exchange when the response has ended.

    Never calls receive of its own accord, never holds a message back, never changes one; the one exception is a
    new `http.response.start` where a header for the prediction id is asked for.
    """

    __slots__ = (
        "_capture", "_clock", "_disconnected", "_done", "_first_byte_seconds", "_headers", "_id", "_opened",
        "_receive", "_request_bytes", "_request_chunks", "_request_room", "_response_bytes", "_response_chunks",
        "_response_headers", "_response_room", "_scope", "_send", "_started_at", "_status", "_trailers",
    )  # fmt: skip

    def __init__(self, capture: Capture, scope: Scope, receive: Receive, send: Send) -> None:
        self._capture = capture
        self._scope = scope
        self._receive = receive
        self._send = send
        self._request_chunks: list[bytes] = []
        self._response_chunks: list[bytes] = []
        self._request_bytes = self._response_bytes = self._status = 0
        self._request_room = self._response_room = capture.max_body
        self._first_byte_seconds: float | None = None
        self._response_headers: Headers = ()
        self._disconnected = self._done = self._trailers = False
        raw_headers: Headers = scope.get("headers", ())
        self._headers = kept(raw_headers)
        self._started_at = time()
        self._id = prediction_id(self._started_at)
        self._opened = capture.spans.open(self._headers, raw_headers, self._described, scope.get(MARK))
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
                body = message.get("body")
                if body:
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
                    body = message.get("body")
                    if body:
                        self._see_body(body)
                    if not message.get("more_body") and not self._trailers:
                        self._end(outcome_of(self._status), "")
                elif kind == "http.response.start":
                    if not self._status:
                        self._capture.inbox.answered_count += 1
                    self._status = message["status"]
                    self._response_headers = kept_in_lower_case(message.get("headers", ()))
                    self._trailers = message.get("trailers", False)
                    if self._capture.prediction_id_header:
                        message = self._with_prediction_id(message)
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
        if self._done:
            return
        outcome: Outcome = "error" if isinstance(error, Exception) else "cancelled"
        try:
            self._end("client_disconnect" if self._disconnected else outcome, type(error).__qualname__)
        except Exception as ours:
            self._capture.count_failure(ours)

    def conclude(self, status: int, duration_seconds: float, handed: HandedOver | None) -> None:
        """Ends an exchange that did not pass here, *duration_seconds* after it began, with what is known of it."""
        self._capture.inbox.answered_count += 1
        self._status, self._opened.handed = status, handed
        self._started_at -= duration_seconds
        self._clock -= duration_seconds
        self._end(outcome_of(status), "")

    def close(self) -> None:
        """The app has returned or raised: what has no last message ends here."""
        try:
            if not self._done:
                # A response that was begun and not ended means that the app noticed the client leaving.
                gone = self._disconnected or self._status
                self._end("client_disconnect" if gone else "error", "" if gone else "no_response")
            token = self._opened.token
            if token is not None:
                detach(token)
        except Exception as ours:
            self._capture.count_failure(ours)

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
            sizes = [value for name, value in self._response_headers if name == b"content-length"]
            self._response_bytes = int(sizes[0]) if sizes and sizes[0].isdigit() else 0
            last = not message.get("more_body", False)
        else:
            return
        if last:
            self._end(outcome_of(self._status), "")

    def _with_prediction_id(self, message: Message) -> Message:
        header = (self._capture.prediction_id_header, as_text(self._id).encode("ascii"))
        return {**message, "headers": [*message.get("headers", ()), header]}

    def _end(self, outcome: Outcome, error: str) -> None:
        """Makes the Exchange, after writing on the span what has to be there before the last message leaves."""
        duration_seconds = perf_counter() - self._clock
        self._done = True
        capture, scope, opened = self._capture, self._scope, self._opened
        if not self._status:
            capture.inbox.answered_count += 1
        if opened.told is not None:
            status, kind = opened.told
            error = kind or error
            if opened.lean is not None and error:
                opened.lean.set_attribute("error.type", error)
            if status:
                self._status, outcome = status, outcome_of(status)
        capture.inbox.ended_count += 1
        route = route_of(scope)
        if opened.lean is None and opened.choice != "none":
            self._tell_span(route, outcome, error)
        capture.inbox.put(
            Exchange(
                self._id, route, scope["method"], scope["path"], scope.get("query_string", b""),
                scope.get("scheme", "http"), scope.get("server"), scope.get("http_version", ""),
                self._headers, self._response_headers, self._status, error, outcome,
                self._started_at, self._first_byte_seconds, duration_seconds,
                self._request_bytes, self._response_bytes, tuple(self._request_chunks), tuple(self._response_chunks),
                opened.trace_id, opened.span_id, opened.trace_flags,
                opened.lean.sealed() if opened.lean is not None else None, opened.handed,
            )
        )  # fmt: skip
        opened.handed = ENDED

    def _tell_span(self, route: str, outcome: Outcome, error: str) -> None:
        """Enriches the span of the app, or ends the one that the SDK made for us."""
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
        method = self._scope["method"]
        attributes = self._facts(outcome)
        if self._status:
            attributes["http.response.status_code"] = self._status
        if route != UNMATCHED:
            attributes["http.route"] = route
        failed = outcome == "error"
        if failed:
            attributes["error.type"] = error or str(self._status)
        finish_server_span(host, name=span_name(method, route), attributes=attributes, failed=failed)

    def _facts(self, outcome: Outcome) -> dict[str, Any]:
        """What is known of a request without decoding it, by the names of the semantic conventions and our own."""
        facts: dict[str, Any] = {
            "dashlight.event.id": as_text(self._id),
            "dashlight.outcome": outcome,
            "http.request.body.size": self._request_bytes,
            "http.response.body.size": self._response_bytes,
            **self._capture.model_attributes,
        }
        # Every attribute costs the app's SDK a microsecond here and three when it exports: no false ones.
        if self._request_bytes > self._capture.max_body:
            facts["dashlight.request.truncated"] = True
        return facts

    def _described(self) -> tuple[str, dict[str, Any]]:
        """Name and first attributes of a server span, for samplers to look at."""
        scope = self._scope
        attributes: dict[str, Any] = {
            "http.request.method": scope["method"],
            "url.path": scope["path"],
            "url.scheme": scope.get("scheme", "http"),
        }
        server = scope.get("server")
        if server:
            attributes["server.address"] = server[0]
            if server[1] is not None:
                attributes["server.port"] = server[1]
        if scope.get("http_version"):
            attributes["network.protocol.version"] = scope["http_version"]
        return scope["method"], attributes


def span_name(method: str, route: str) -> str:
    """Name of a server span: method and route, never a path."""
    return method if route == UNMATCHED else f"{method} {route}"
