"""DASHLIGHT_ON_ALERT: a command for each transition, one at a time, with the notice as JSON on its standard input."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from dashlight.deliver.alerting.document import AlertContext, document
from dashlight.deliver.alerting.owed import DELIVERED, Verdict
from dashlight.deliver.alerting.subprocesses import CommandEnd, run_command
from dashlight.deliver.encoding.plain import Budget, plain_text
from dashlight.metrics.losses import SignalFate
from dashlight.records import Notice

MOST_TRIES = 3
PAUSES_SECONDS = (10.0, 60.0)
"""Before the second and the third try."""

logger = logging.getLogger("dashlight")


class Tries(Protocol):
    """What was tried, over restarts: the command may be what restarts the app."""

    def begin(self, identifier: str, /) -> int:
        """Notes that a try begins, before it does; which one it is, 0 where an earlier one went well."""
        ...

    def finish(self, identifier: str, /) -> None:
        """Notes that it went well."""
        ...


class CommandRoute:
    """The command."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        timeout_seconds: float,
        context: AlertContext,
        tries: Tries,
    ) -> None:
        """*environ* is what the command gets to see, without secrets; the id of the notice joins it."""
        self._name = name
        self._argv = argv
        self._environ = environ
        self._timeout_seconds = timeout_seconds
        self._context = context
        self._tries = tries
        self._interrupted = threading.Event()
        self._ends: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """Of its kind; what the command is called and given may be a secret."""
        return self._name

    def deliver(self, notice: Notice, /) -> Verdict:
        """One run of the command, three at most for a notice."""
        if self._interrupted.is_set():
            return Verdict("retry", reason="app_ended")
        number = self._tries.begin(notice.id)
        if number == 0:
            return DELIVERED
        if number > MOST_TRIES:
            # The last try ended with the process, or nobody heard how it ended.
            return Verdict("rejected", reason=f"tried {MOST_TRIES} times")
        end = self._run(notice)
        self._ends[end.how] += 1
        if end.went_well:
            self._tries.finish(notice.id)
            logger.info("the command of DASHLIGHT_ON_ALERT %s, for %s", end, notice.id)
            return DELIVERED
        logger.warning("the command of DASHLIGHT_ON_ALERT %s, try %d of %d for %s", end, number, MOST_TRIES, notice.id)
        if number >= MOST_TRIES:
            return Verdict("rejected", reason=end.how)
        return Verdict("retry", PAUSES_SECONDS[number - 1], end.how)

    def repeat(self, in_force: Sequence[Notice], at: float, /) -> float | None:
        """None: it runs once."""
        del in_force, at
        return None

    def fates(self) -> dict[SignalFate, int]:
        """How often it ended in which way since the start."""
        return {
            SignalFate(
                "commands", "delivered" if how == "status_0" else "rejected", "" if how == "status_0" else how
            ): n
            for how, n in tuple(self._ends.items())
        }

    def interrupt(self) -> None:
        """Ends a run under way, and begins no other. From any thread."""
        self._interrupted.set()

    def resume(self) -> None:
        """Runs again."""
        self._interrupted.clear()

    def close(self) -> None:
        """Nothing is open between two runs."""

    def _run(self, notice: Notice) -> CommandEnd:
        told = {
            "DASHLIGHT_ALERT_ID": notice.id,
            "DASHLIGHT_ALERT_KEY": notice.key,
            "DASHLIGHT_ALERT_TRANSITION": notice.transition,
        }
        # A variable cannot hold a zero.
        told = {name: plain_text(text, Budget()).replace("\0", "") for name, text in told.items()}
        return run_command(
            self._argv,
            msgspec.json.encode(document(notice, self._context)) + b"\n",
            environ={**self._environ, **told},
            timeout_seconds=self._timeout_seconds,
            ended=self._interrupted,
        )
