"""The collector as a route: each notice is an event `dashlight.alert`, in a request of its own."""

from __future__ import annotations

from collections.abc import Callable

from dashlight.clock import Clock
from dashlight.deliver.alerting.attempts import NOT_IMPLEMENTED
from dashlight.deliver.alerting.owed import DELIVERED, Verdict
from dashlight.deliver.delivery import EventFormat
from dashlight.deliver.encoding.events import alert_event
from dashlight.deliver.transport.answer import CollectorAnswer, Send
from dashlight.deliver.transport.retry import meaning, retry_after_seconds
from dashlight.records import Notice

COLLECTOR = "the collector"
_TOO_LARGE = 413


class CollectorRoute:
    """Where events go. For its own thread alone."""

    def __init__(
        self,
        form: EventFormat,
        *,
        shown: str,
        connect: Callable[[], Send],
        clock: Clock,
        jitter: Callable[[], float],
        trace_url: str = "",
    ) -> None:
        """*shown* is its address without secrets, for the log. *connect* is called with the first notice."""
        self._shown = shown
        self._form = form
        self._connect = connect
        self._clock = clock
        self._jitter = jitter
        self._trace_url = trace_url
        self._send: Send | None = None

    @property
    def name(self) -> str:
        """There is one: what is owed to it stays so where its address is corrected."""
        return COLLECTOR

    def deliver(self, notice: Notice, /) -> Verdict:
        """One attempt; where the event is too large for the collector, at once another without its details."""
        if self._send is None:
            try:
                self._send = self._connect()
            except (OSError, ValueError) as error:  # a certificate of the settings that is of no use
                return Verdict("misconfigured", reason=type(error).__name__)
        answer = self._attempt(self._send, notice, details=True)
        if answer.status == _TOO_LARGE:
            answer = self._attempt(self._send, notice, details=False)
        return self._verdict(answer)

    def repeat(self, _in_force: object, _at: float, /) -> None:
        """Nothing is sent again: what a collector took it has."""

    def close(self) -> None:
        """Closes the connection."""
        if self._send is not None:
            self._send.close()

    def _attempt(self, send: Send, notice: Notice, *, details: bool) -> CollectorAnswer:
        event = alert_event(notice, trace_url=self._trace_url, details=details)
        body = self._form.request([self._form.event(event, observed_at=self._clock.now())])
        return send(body, content_type=self._form.content_type, key=notice.id)

    def _verdict(self, answer: CollectorAnswer) -> Verdict:
        found, reason = meaning(answer, speaks_otlp=False), f"{answer} at {self._shown}"
        if found == "delivered":
            if self._form.rejected_count(answer.body):
                return Verdict("rejected", reason="taken in part, without the alert")
            return DELIVERED
        if found == "retry" or (answer.status >= 500 and answer.status not in NOT_IMPLEMENTED):
            after = retry_after_seconds(answer.retry_after, at=self._clock.now(), jitter=self._jitter())
            return Verdict("retry", after, reason)
        # A small event that is too large for it, too: somebody has set a limit too low.
        is_hopeless = found in {"poisoned", "rejected"}
        return Verdict("rejected" if is_hopeless else "misconfigured", reason=reason)
