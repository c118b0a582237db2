"""What the requests of a process have in common on the request path."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field

from dashlight.capture.headers import KEPT_HEADERS, kept_in_lower_case
from dashlight.capture.inbox import Captured, Inbox
from dashlight.capture.route import RouteNames
from dashlight.capture.signals import Signals
from dashlight.capture.spans import Spans
from dashlight.records import Exchange, Headers
from dashlight.types import Message


@dataclass(slots=True)
class Capture:
    """What all requests of a process share on the request path."""

    inbox: Inbox
    spans: Spans
    max_body: int
    prediction_id_header: bytes = b""
    header_names: Container[bytes] = KEPT_HEADERS
    """Of the request headers to keep, in lower case."""
    keeps_client_address: bool = False
    model_attributes: dict[str, str] = field(default_factory=dict[str, str])
    """Attributes that name the model, where settings do."""
    failures: dict[str, int] = field(default_factory=dict[str, int])
    """Our own mistakes on the request path, by exception type: counted, never seen by the app."""
    lost_count: int = 0
    """Exchanges that such a mistake cost."""
    lost_span_count: int = 0
    """Those of them with a span of ours."""
    routes: RouteNames = field(default_factory=RouteNames)
    """What endpoints are called."""
    signals: Signals = field(default_factory=Signals)
    """What the app tells by name."""
    response_header_names: Container[bytes] = KEPT_HEADERS
    """Of the response headers to keep, in lower case."""
    seal: Callable[[Exchange], bytes | None] | None = None
    """Makes a sealed id of an exchange whose answer is complete, on the event loop; None until it can, and where none is
    asked for."""

    def kept_of_response(self, message: Message) -> Headers:
        """The headers to keep of the start of a response."""
        return kept_in_lower_case(message.get("headers", ()), self.response_header_names)

    def count_failure(self, error: Exception) -> None:
        """Counts one of our own mistakes."""
        self.count(type(error).__name__)

    def lose(self, *, has_span: bool = False) -> None:
        """Counts an exchange that is lost by a mistake of ours, which is counted by itself."""
        self.lost_count += 1
        self.lost_span_count += has_span

    def captured(self) -> Captured:
        """What has been captured and what of it was lost since the start; from any thread."""
        inbox = self.inbox
        # Lost before captured: what is lost meanwhile is captured already.
        dropped, dropped_spans = inbox.dropped_count - inbox.dropped_excluded_count, inbox.dropped_span_count
        lost, lost_spans = self.lost_count, self.lost_span_count
        return Captured(
            exchanges=inbox.captured_count + lost,
            spans=inbox.captured_span_count + lost_spans,
            dropped_exchanges=max(dropped, 0),
            dropped_spans=dropped_spans,
            mistaken_exchanges=lost,
            mistaken_spans=lost_spans,
        )

    def count(self, reason: str) -> None:
        """Counts one under *reason*."""
        self.failures[reason] = self.failures.get(reason, 0) + 1
