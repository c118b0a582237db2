"""The lean span: what the application and its clients see of a span that is encoded later, in a batch."""

import traceback
from collections.abc import Mapping
from time import time_ns
from typing import Any, TypeAlias

from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags, TraceState
from opentelemetry.util import types

from dashlight.records import OwnSpan
from dashlight.types import SpanLimits

_PLAIN = OwnSpan()
USUAL_LIMITS = SpanLimits()
_Event: TypeAlias = tuple[str, int, Mapping[str, object]]
_Link: TypeAlias = tuple[int, int, int, str, Mapping[str, object]]
_IS_REMOTE = 0x200
"""Beside the trace flags of a link: OTLP's mark of a span in another process."""


class LeanSpan(Span):
    """A span of ids and little else, a real parent for children and for outgoing propagation.

    It makes its SpanContext only when somebody asks, and keeps what the application sets on it.
    """

    __slots__ = ("_extras", "_limits", "parent", "span_id", "trace_flags", "trace_id")

    def __init__(
        self,
        trace_id: int,
        span_id: int,
        trace_flags: int,
        parent: SpanContext | None,
        limits: SpanLimits = USUAL_LIMITS,
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.trace_flags = trace_flags
        self.parent = parent
        self._limits = limits
        self._extras: _Extras | None = None

    def get_span_context(self) -> SpanContext:
        """The ids of this span, local to this process."""
        state = self.parent.trace_state if self.parent is not None else TraceState.get_default()
        return SpanContext(self.trace_id, self.span_id, False, TraceFlags(self.trace_flags), state)

    def is_recording(self) -> bool:
        """Whether it is sampled."""
        return bool(self.trace_flags & TraceFlags.SAMPLED)

    def set_attribute(self, key: str, value: types.AttributeValue) -> None:
        """Keeps one attribute, if sampled."""
        if self.is_recording():
            self._kept().set_attribute(key, value)

    def set_attributes(self, attributes: Mapping[str, types.AttributeValue]) -> None:
        """Keeps several attributes, if sampled."""
        if self.is_recording():
            kept = self._kept()
            for key, value in attributes.items():
                kept.set_attribute(key, value)

    def add_event(self, name: str, attributes: types.Attributes = None, timestamp: int | None = None) -> None:
        """Keeps an event, if sampled; *timestamp* in nanoseconds since the epoch, now if missing."""
        if self.is_recording():
            self._kept().add_event((name, timestamp or time_ns(), dict(attributes or {})))

    def add_link(self, context: SpanContext, attributes: types.Attributes = None) -> None:
        """Keeps a link to another span, if sampled."""
        if self.is_recording():
            flags = int(context.trace_flags) | (_IS_REMOTE if context.is_remote else 0)
            state = context.trace_state.to_header()
            self._kept().add_link((context.trace_id, context.span_id, flags, state, dict(attributes or {})))

    def update_name(self, name: str) -> None:
        """Takes a name of the application's choice."""
        if self.is_recording():
            self._kept().name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Takes a status; as in the SDK, OK is final and UNSET changes nothing."""
        if not self.is_recording():
            return
        wanted = status if isinstance(status, Status) else Status(status, description)
        kept = self._kept()
        if kept.status_code == StatusCode.OK.value or wanted.status_code is StatusCode.UNSET:
            return
        kept.status_code = wanted.status_code.value
        kept.status_description = wanted.description or ""

    def record_exception(
        self,
        exception: BaseException,
        attributes: types.Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - the signature of the API
    ) -> None:
        """Keeps an exception as the event that the SDK would make of it."""
        described: dict[str, Any] = {
            "exception.type": _qualified_name(exception),
            "exception.message": str(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**described, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """Nothing: the span ends with the last message of the response."""

    def sealed(self) -> OwnSpan | None:
        """What is to be exported of it; None where it is not sampled."""
        if not self.is_recording():
            return None
        parent, extras = self.parent, self._extras
        if parent is None and extras is None:
            return _PLAIN
        return OwnSpan(
            parent_id=parent.span_id if parent is not None else 0,
            trace_state=parent.trace_state.to_header() if parent is not None else "",
            parent_is_remote=parent.is_remote if parent is not None else False,
            **(extras.as_fields() if extras is not None else {}),
        )

    def _kept(self) -> "_Extras":
        if self._extras is None:
            self._extras = _Extras(self._limits)
        return self._extras


class _Extras:
    """What the application set on a span, within its limits: as the specification has it, what comes first stays."""

    __slots__ = (
        "_limits", "attributes", "dropped_attributes", "dropped_events", "dropped_links", "events", "links", "name",
        "status_code", "status_description",
    )  # fmt: skip

    def __init__(self, limits: SpanLimits) -> None:
        self._limits = limits
        self.name: str | None = None
        self.attributes: dict[str, object] = {}
        self.events: list[_Event] = []
        self.links: list[_Link] = []
        self.status_code = 0
        self.status_description = ""
        self.dropped_attributes = self.dropped_events = self.dropped_links = 0

    def set_attribute(self, key: str, value: object) -> None:
        if key in self.attributes or len(self.attributes) < self._limits.attributes:
            self.attributes[key] = value
        else:
            self.dropped_attributes += 1

    def add_event(self, event: _Event) -> None:
        if len(self.events) < self._limits.events:
            self.events.append(event)
        else:
            self.dropped_events += 1

    def add_link(self, link: _Link) -> None:
        if len(self.links) < self._limits.links:
            self.links.append(link)
        else:
            self.dropped_links += 1

    def as_fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if name != "_limits"}


def _qualified_name(exception: BaseException) -> str:
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
