"""One Monitor for each process: started late, forgotten by a fork, ended with the interpreter."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from dashlight.errors import DashlightError, traced
from dashlight.units import flag

if TYPE_CHECKING:
    from dashlight.labels.label import Label
    from dashlight.runtime.monitor import Monitor

Assemble: TypeAlias = "Callable[[Mapping[str, str], object, str, str], Monitor | None]"

logger = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Labels that are kept until there is a Monitor."""
_PATIENCE_SECONDS = 30.0
"""How long a strict start waits for the analysis: it loads numpy and reads the reference."""


class Process:
    """Holds the Monitor of this process, if there is one.

    Many instances of the middleware in a process share it. A child made by fork starts its own: threads do not
    survive a fork, and what the parent had queued is the parent's to send.
    """

    def __init__(self, assemble: Assemble | None = None) -> None:
        """*assemble* makes the Monitor of an environment, an app, and what an adapter calls that and its service; None: as `dashlight.runtime.assembly` does."""
        self._assemble = assemble
        self.monitor: Monitor | None = None
        self.refusal: str | None = None
        """Why the server should not start: a mistake in the settings under DASHLIGHT_STRICT."""
        self.application = ""
        """What an adapter says that this process serves; empty where the command line has to tell."""
        self.service = ""
        """Its `service.name` where OpenTelemetry's variables say none; empty: that of an unknown service."""
        self._early: deque[Label] = deque()
        """Labels that the app gave before there was a Monitor."""
        self._early_lost_count = 0
        """Those for which there was no room."""
        self._tried = False
        self._lock = threading.Lock()

    def start(self, app: object) -> Monitor | None:
        """The Monitor of this process, started now if need be; None where monitoring is off or impossible."""
        if self._tried:
            return self.monitor
        with self._lock:
            if not self._tried:
                self._begin(app)
                self._tried = True
        self._hand_on_labels()
        return self.monitor

    def take_label(self, label: Label) -> bool:
        """Whether *label* waits for the store now, or for the Monitor; False: it is lost. Returns at once."""
        monitor = self.monitor
        if monitor is not None:
            return monitor.labels.put(label)
        if self._tried:  # monitoring is off, or impossible, and the log has said why
            return False
        if len(self._early) >= MOST_WAITING:
            self._early_lost_count += 1
            return False
        if not self._early:
            atexit.unregister(self._tell_early)
            atexit.register(self._tell_early)
        self._early.append(label)
        if self._tried:  # meanwhile
            self._hand_on_labels()
        return True

    def _hand_on_labels(self) -> None:
        while self._early:
            with suppress(IndexError):  # another thread may do so as well
                label = self._early.popleft()
                if self.monitor is not None:
                    self.monitor.labels.put(label)
        if self.monitor is not None and self._early_lost_count:
            self.monitor.labels.lose(self._early_lost_count)
            self._early_lost_count = 0

    def _tell_early(self) -> None:
        if self._early:
            logger.warning(
                "labels given by dashlight.label are lost: no app that is watched ran in this process: %d",
                len(self._early) + self._early_lost_count,
            )

    def _begin(self, app: object) -> None:
        try:
            self.monitor = (self._assemble or _assemble)(os.environ, app, self.application, self.service)
        except DashlightError as mistake:
            logger.error("monitoring is off: %s", mistake)  # noqa: TRY400 - the mistake is the operator's, not a crash
            if _is_strict():
                self.refusal = f"Dashlight: {mistake}"
        except Exception as error:
            logger.error("monitoring is off: Dashlight could not start: %s", traced(error))  # noqa: TRY400 - no message
        else:
            if self.monitor is not None:
                atexit.register(self.monitor.close)

    async def settle(self) -> None:
        """Under DASHLIGHT_STRICT, waits until the analysis has started, or notes why the server should not start."""
        monitor = self.monitor
        if monitor is None or not _is_strict():
            return
        from anyio import to_thread

        await to_thread.run_sync(monitor.ready.wait, _PATIENCE_SECONDS)
        if monitor.refusal is not None:
            self.refusal = f"Dashlight: {monitor.refusal}"

    async def flush_aside(self) -> None:
        """Sends what is left, from a thread, so that the event loop goes on; ends within DASHLIGHT_SHUTDOWN_TIMEOUT."""
        monitor = self.monitor
        if monitor is None:
            return
        from anyio import CancelScope, to_thread  # works under asyncio and trio alike

        try:
            with CancelScope(shield=True):
                await to_thread.run_sync(partial(monitor.flush, leaving=True))
        except Exception as error:
            logger.error("the last events could not be sent at shutdown: %s", traced(error))  # noqa: TRY400 - no message

    def forget(self) -> None:
        """Starts from nothing, as a forked child does; what it serves stays the same."""
        application, service, monitor = self.application, self.service, self.monitor
        self.__init__(self._assemble)  # type: ignore[misc]
        self.application, self.service = application, service
        atexit.unregister(self._tell_early)
        if monitor is not None:
            # What the parent has open and queued is the parent's to send, also when the child exits.
            atexit.unregister(monitor.close)
            with suppress(Exception):
                monitor.forget()


def _assemble(environ: Mapping[str, str], app: object, application: str, service: str) -> Monitor | None:
    from dashlight.runtime.assembly import assemble  # loads the pipeline, which nobody needs before the first request

    return assemble(environ, app, application=application, service=service)


def _is_strict() -> bool:
    """Read here as well as in Settings, because it says what to do when the settings cannot be read."""
    try:
        return flag(os.environ.get("DASHLIGHT_STRICT") or "false")
    except ValueError:
        return False


process = Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=process.forget)
