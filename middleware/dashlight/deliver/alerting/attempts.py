"""One attempt over HTTP to hand a notice on, and what its answer means for the notice."""

from __future__ import annotations

from collections.abc import Callable, Collection

from dashlight.deliver.alerting.owed import DELIVERED, Verdict
from dashlight.deliver.transport.answer import CollectorAnswer, Send
from dashlight.deliver.transport.retry import meaning, retry_after_seconds

JSON = "application/json"
NOT_IMPLEMENTED = frozenset({501, 505})
"""The only failures of a server that do not pass. Those above 511 are of proxies whose server is away, such as 521."""


class Attempts:
    """A connection that is opened with the first attempt; whatever fails is told in the answer."""

    def __init__(self, connect: Callable[[], Send]) -> None:
        self._connect = connect
        self._send: Send | None = None

    def post(self, body: bytes, *, key: str) -> CollectorAnswer:
        """Posts JSON; *key* stays the same for as long as the same thing is told."""
        try:
            if self._send is None:
                self._send = self._connect()
            return self._send(body, content_type=JSON, key=key)
        except Exception as failure:
            return CollectorAnswer(failure="setting", detail=type(failure).__name__)

    def close(self) -> None:
        """Closes the connection."""
        if self._send is not None:
            self._send.close()


def verdict(answer: CollectorAnswer, *, at: float, hopeless: Collection[int] = ()) -> Verdict:
    """What *answer*, which came *at*, means for what was told; of the statuses *hopeless* nobody gets over.

    What our settings may have wrong (401, 403, 404, no trust, no such name) waits until it is put right. From 500 on it is
    a server that restarts or is away. Any other refusal ends it.
    """
    if answer.status in hopeless:
        return Verdict("rejected", reason=str(answer))
    found = meaning(answer, speaks_otlp=False)
    if found == "delivered":
        return DELIVERED
    if found == "retry" or (answer.status >= 500 and answer.status not in NOT_IMPLEMENTED):
        return Verdict("retry", retry_after_seconds(answer.retry_after, at=at, jitter=0.0), str(answer))
    if found in {"misconfigured", "refused"}:
        return Verdict("misconfigured", reason=str(answer))
    return Verdict("rejected", reason=str(answer))
