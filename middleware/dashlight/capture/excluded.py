"""A request whose URL is excluded: counted when it ends, and not watched."""

from __future__ import annotations

from collections.abc import Awaitable
from time import perf_counter, time
from typing import Final

from opentelemetry.context import detach

from dashlight.capture.capture import Capture
from dashlight.capture.ending import SERVER_ERROR, outcome_of, raised
from dashlight.capture.headers import said_bytes
from dashlight.capture.request_context import begin_anew
from dashlight.capture.route import UNMATCHED
from dashlight.records import Exchange, HandedOver, Outcome
from dashlight.types import Message, Receive, Scope, Send

_ENDING: Final = frozenset({"http.response.body", "http.response.pathsend", "http.response.zerocopysend"})


class Excluded:
    """The send of one such request; becomes an Exchange without a body, an id or a trace when the response has ended.

    It has no span, and begins outside of the context of another request.
    """

    __slots__ = ("_capture", "_clock", "_done", "_response_bytes", "_scope", "_send", "_status", "_token", "receive")

    def __init__(self, capture: Capture, scope: Scope, receive: Receive, send: Send) -> None:
        self._capture = capture
        self._scope = scope
        self._send = send
        self.receive = receive
        """The app's receive: the server's own."""
        self._done = False
        self._status = self._response_bytes = 0
        self._token = begin_anew()
        self._clock = perf_counter()

    def send(self, message: Message) -> Awaitable[None]:
        """The app's send: looks at the message, then hands it on."""
        if not self._done:
            try:
                kind = message["type"]
                if kind == "http.response.start":
                    self._status = message["status"]
                elif kind in _ENDING:
                    self._response_bytes += len(message.get("body", b""))
                    if not message.get("more_body"):
                        self._end(outcome_of(self._status), "")
            except Exception as error:
                self._capture.count_failure(error)
        return self._send(message)

    def fail(self, error: BaseException) -> None:
        """Notes the exception that leaves the app."""
        try:
            if not self._done:
                outcome, kind = raised(error, is_disconnected=isinstance(error, OSError) and self._status > 0)
                if outcome == "error" and not self._status:
                    # What every server makes of an exception before the answer has begun.
                    self._status = SERVER_ERROR
                self._end(outcome, kind)
        except Exception as ours:
            self._capture.count_failure(ours)

    def conclude(self, status: int, duration_seconds: float, _handed: HandedOver | None, error: str = "") -> None:
        """Ends an exchange that did not pass here, *duration_seconds* after it began."""
        self._status = status
        self._clock -= duration_seconds
        self._end(outcome_of(status), error)

    def close(self) -> None:
        """The app has returned or raised: what has no last message ends here."""
        try:
            if not self._done:
                self._end("client_disconnect" if self._status else "error", "" if self._status else "no_response")
            if self._token is not None:
                detach(self._token)
        except Exception as ours:
            self._capture.count_failure(ours)

    def _end(self, outcome: Outcome, error: str) -> None:
        self._done = True
        duration_seconds = perf_counter() - self._clock
        method: str = self._scope["method"]
        request_bytes = 0 if method == "GET" else said_bytes(self._scope.get("headers", ()))
        self._capture.inbox.put_excluded(
            Exchange(
                0, UNMATCHED, method, "", b"", "", None, "", (), (), self._status, error, outcome,
                time() - duration_seconds, None, duration_seconds, request_bytes, self._response_bytes, (), (),
                0, 0, 0, None, is_bodiless=True,
            )
        )  # fmt: skip
