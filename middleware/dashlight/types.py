"""The types of others as we use them: of ASGI (https://asgi.readthedocs.io/en/latest/specs/main.html) and OpenTelemetry."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SpanLimits:
    """How much a span of ours may hold, by OpenTelemetry's variables; what is more is left out and counted in the span."""

    attributes: int = 128
    events: int = 128
    links: int = 128
    event_attributes: int = 128
    link_attributes: int = 128
    value_length: int | None = None
    """Characters of a text; None: as many as there are."""
