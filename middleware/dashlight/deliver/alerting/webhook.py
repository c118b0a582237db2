"""Webhooks: JSON, a message for Slack and the like, or what a template makes of it, on transitions and every four hours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from dashlight.clock import Clock
from dashlight.deliver.alerting.attempts import Attempts, verdict
from dashlight.deliver.alerting.owed import Verdict
from dashlight.records import Notice

REMIND_SECONDS = 4 * 3600.0
SPACING_SECONDS = 1.0
"""Between two messages: Slack takes one a second."""
_LOOK_SECONDS = 60.0
SLACK_REFUSALS = frozenset({403, 404, 410})
"""Slack says so of a webhook that was taken away, and of a channel that is closed: neither comes back."""

WriteNotice: TypeAlias = Callable[[Notice, int], object]
"""(notice, number of the reminder or 0) -> what is sent as JSON."""


class WebhookRoute:
    """One webhook."""

    def __init__(
        self,
        name: str,
        attempts: Attempts,
        *,
        write: WriteNotice,
        clock: Clock,
        hopeless: frozenset[int] = frozenset(),
        is_quiet: Callable[[str], bool] = lambda _key: False,
    ) -> None:
        """*hopeless* are the statuses that end a notice; of what *is_quiet*, by its key, nobody is reminded."""
        self._name = name
        self._attempts = attempts
        self._write = write
        self._clock = clock
        self._hopeless = hopeless
        self._is_quiet = is_quiet
        self._reminded: dict[str, int] = {}
        """By id of what is in force, how many reminders of it are over."""
        self._sent_at = float("-inf")
        self._closed = threading.Event()

    @property
    def name(self) -> str:
        """Of its kind, scheme and host: the rest of the URL is a secret."""
        return self._name

    def deliver(self, notice: Notice, /) -> Verdict:
        """One attempt to tell it."""
        return self._tell(notice, 0)

    def repeat(self, in_force: Sequence[Notice], at: float, /) -> float | None:
        """Reminds of what is in force and was told a multiple of four hours ago; those that an absence hid are left out."""
        over = {each.id: max(int((at - each.at) // REMIND_SECONDS), 0) for each in in_force}
        self._reminded = {each: self._reminded.get(each, count) for each, count in over.items()}
        for notice in in_force:
            if over[notice.id] > self._reminded[notice.id]:
                if not self._is_quiet(notice.key):
                    found = self._tell(notice, over[notice.id])
                    if found.outcome in {"retry", "misconfigured"}:
                        break
                self._reminded[notice.id] = over[notice.id]
        return at + _LOOK_SECONDS

    def close(self) -> None:
        """Closes the connection."""
        self._closed.set()
        self._attempts.close()

    def _tell(self, notice: Notice, reminder: int) -> Verdict:
        wait_seconds = self._sent_at + SPACING_SECONDS - self._clock.monotonic()
        if wait_seconds > 0 and self._closed.wait(wait_seconds):
            return Verdict("retry", reason="closed")
        body = msgspec.json.encode(self._write(notice, reminder))
        key = f"{notice.id}.{reminder}" if reminder else notice.id
        answer = self._attempts.post(body, key=key)
        self._sent_at = self._clock.monotonic()
        return verdict(answer, at=self._clock.now(), hopeless=self._hopeless)
