"""What would leave for a sample request: it goes all the way of a request, up to the wire."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from dashlight.collector.received import items_of_lines, items_of_protobuf
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.errors import DashlightError
from dashlight.runtime.assembly import assemble
from dashlight.runtime.assembly.requested import Requested
from dashlight.types import Message

SAMPLE_PATH, SAMPLE_MODEL = "/dashlight-check", "dashlight-check"
_AGENT = "dashlight-check"
SAMPLE_REQUEST = b'{"age": 41, "city": "Oslo", "amount": 12.5, "email": "someone@example.com"}'
SAMPLE_ANSWER = b'{"score": 0.5}'
_PATIENCE_SECONDS = 60.0
_NOT_MADE = ("STATE_DIR", "HEARTBEAT", "ON_ALERT", "PAGERDUTY", "WEBHOOK", "WEBHOOK_TEMPLATE", "ALERTMANAGER", "FALSE_ALARMS", "WINDOW", "EXCLUDED_URLS", "SPOOL_KEY")  # fmt: skip
"""What a sample does not need, or must not touch: no other process is to notice that it is tried."""


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One request as it would have left."""

    endpoint: Endpoint
    content_type: str
    body: bytes

    def items(self, kind: str) -> list[dict[str, Any]]:
        """What it holds, in plain words; *kind* is `spans`, `events` or `metrics`."""
        if self.content_type == "application/x-ndjson":
            return items_of_lines(self.body)
        if "json" in self.content_type:
            return msgspec.json.decode(self.body, type=list[dict[str, Any]])
        signals = {"spans": "traces", "metrics": "metrics"}
        return items_of_protobuf(signals.get(kind, "logs"), self.body)  # type: ignore[arg-type]


@dataclass(slots=True)
class SampleRun:
    """What came of it."""

    refusal: DashlightError | None = None
    """Why nothing would be watched."""
    requests: list[SentRequest] = field(default_factory=list[SentRequest])
    warnings: list[str] = field(default_factory=list[str])
    """What the log would say at WARNING and above."""


def sample_run(asked: Requested, environ: Mapping[str, str], *, request: bytes, answer: bytes) -> SampleRun:
    """Makes all that *environ* asks for, but a state directory and what alerts people, and passes one exchange through it."""
    left = {name: value for name, value in environ.items() if name not in {f"DASHLIGHT_{each}" for each in _NOT_MADE}}
    tried = {
        **left,
        # Whoever receives it sees that it is a test.
        "DASHLIGHT_MODEL": SAMPLE_MODEL,
        # No pane ends meanwhile, and the sample is chosen.
        "DASHLIGHT_PANE": "1h",
        "DASHLIGHT_SAMPLE_RATE": "1",
        # Nothing of it waits for a label, in a store that others may share.
        "DASHLIGHT_EXCLUDED_AGENTS": _AGENT,
        "DASHLIGHT_ENABLED": "true",
    }
    run = SampleRun()
    heard = _Heard(run.warnings, known={*asked.unusual, *asked.unspoken})
    logger = logging.getLogger("dashlight")
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(heard)
    try:
        _pass_through(run, tried, request, answer)
    finally:
        logger.removeHandler(heard)
        logger.propagate = propagates
    return run


def _pass_through(run: SampleRun, environ: Mapping[str, str], request: bytes, answer: bytes) -> None:
    try:
        monitor = assemble(environ, None, connect=lambda endpoint: _Recorder(run, endpoint))
    except DashlightError as mistake:
        run.refusal = mistake
        return
    if monitor is None:  # pragma: no cover - it is enabled
        return
    try:
        monitor.ready.wait(_PATIENCE_SECONDS)
        run.refusal = monitor.refusal
        if run.refusal is None:
            asyncio.run(_exchange(monitor, request, answer))
            monitor.flush(_PATIENCE_SECONDS)
    finally:
        monitor.close()


async def _exchange(monitor: Any, request: bytes, answer: bytes) -> None:
    """One exchange through the front door."""
    headers = [(b"content-type", b"application/json"), (b"host", b"127.0.0.1"), (b"user-agent", _AGENT.encode())]
    scope: Any = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": SAMPLE_PATH,
        "query_string": b"",
        "headers": headers,
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": request, "more_body": False}

    async def send(message: Message) -> None:
        """Nobody listens."""

    tee = monitor.open(scope, receive, send)
    if tee is None:
        return
    await tee.receive()
    await tee.send({"type": "http.response.start", "status": 200, "headers": headers[:1]})
    await tee.send({"type": "http.response.body", "body": answer})
    tee.close()


class _Recorder:
    """A connection that takes everything and keeps it."""

    def __init__(self, run: SampleRun, endpoint: Endpoint) -> None:
        self._run = run
        self._endpoint = endpoint

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:  # noqa: ARG002 - as a Send is called
        self._run.requests.append(SentRequest(self._endpoint, content_type, body))
        return CollectorAnswer(200)

    def close(self) -> None:
        """Nothing to close."""


class _Heard(logging.Handler):
    """Keeps what is logged, once, but for what is *known*."""

    def __init__(self, told: list[str], *, known: set[str]) -> None:
        super().__init__(logging.WARNING)
        self._told = told
        self._known = known

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one line."""
        sentence = record.getMessage()
        if not any(each in sentence for each in self._known) and "monitoring is off" not in sentence:
            self._told.append(sentence)
