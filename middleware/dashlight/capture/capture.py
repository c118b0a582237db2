"""What the requests of a process have in common on the request path."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from dashlight.capture.headers import KEPT_HEADERS
from dashlight.capture.inbox import Inbox
from dashlight.capture.route import RouteNames
from dashlight.capture.spans import Spans


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
    routes: RouteNames = field(default_factory=RouteNames)
    """What endpoints are called."""

    def count_failure(self, error: Exception) -> None:
        """Counts one of our own mistakes."""
        self.count(type(error).__name__)

    def count(self, reason: str) -> None:
        """Counts one under *reason*."""
        self.failures[reason] = self.failures.get(reason, 0) + 1
