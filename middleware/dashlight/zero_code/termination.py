"""What SIGTERM does below `dashlight run`: the process ends as it would have, once it has sent what is left.

The only signal handler that Dashlight ever sets. A server that knows no lifespan tells nobody that it ends: uvicorn puts back
the handler that it found, and raises the signal once more, so that not even `atexit` runs.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

from dashlight.runtime.process import process
from dashlight.zero_code.watched import unharmed


def flush_at_termination() -> None:
    """Sets the handler, where SIGTERM would simply end this process; to be called before a server sets its own."""
    if threading.current_thread() is not threading.main_thread():
        return
    with unharmed():
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _flush_and_end)


def _flush_and_end(number: int, _frame: FrameType | None) -> None:
    """Sends what is left, within DASHLIGHT_SHUTDOWN_TIMEOUT, and hands the signal on."""
    # First of all, so that a second signal ends the process at once.
    signal.signal(number, signal.SIG_DFL)
    with unharmed():
        if process.monitor is not None:
            process.monitor.flush(leaving=True)
    signal.raise_signal(number)
