"""SIGTERM below `dashlight run`, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from dashlight.zero_code.termination import flush_at_termination

MONITORED = """
import signal, sys
from dashlight.runtime.process import process
from dashlight.zero_code.termination import flush_at_termination

class Monitor:
    def flush(self, timeout_seconds=None, *, leaving=False):
        print("flushed", leaving, flush=True)
        {flushing}
    def close(self):
        print("closed", flush=True)

process.monitor = Monitor()
flush_at_termination()
{then}
"""


def ended(then: str, flushing: str = "") -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a process that is monitored, and does *then*."""
    code = MONITORED.format(then=then, flushing=flushing or "pass")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_what_is_left_is_sent_and_the_signal_ends_the_process_as_it_would_have() -> None:
    assert ended("signal.raise_signal(signal.SIGTERM); print('alive')") == (-signal.SIGTERM, "flushed True\n", "")


def test_a_mistake_of_ours_does_not_keep_the_process_alive() -> None:
    status, said, _ = ended("signal.raise_signal(signal.SIGTERM); print('alive')", flushing="raise KeyError")

    assert (status, said) == (-signal.SIGTERM, "flushed True\n")


def test_a_second_signal_does_not_wait_for_the_first() -> None:
    then = "signal.raise_signal(signal.SIGTERM); print('alive')"

    status, said, _ = ended(then, flushing="signal.raise_signal(signal.SIGTERM); print('waited')")

    assert (status, said) == (-signal.SIGTERM, "flushed True\n")


def test_a_server_that_puts_back_what_it_found_and_raises_again_loses_nothing() -> None:
    then = """
found = signal.signal(signal.SIGTERM, lambda *_: print("shut down", flush=True))
signal.raise_signal(signal.SIGTERM)
signal.signal(signal.SIGTERM, found)
signal.raise_signal(signal.SIGTERM)
"""

    assert ended(then)[:2] == (-signal.SIGTERM, "shut down\nflushed True\n")


@pytest.mark.parametrize("before", ["signal.SIG_IGN", "print"])
def test_whoever_handles_the_signal_already_keeps_it(before: str) -> None:
    code = (
        "import signal\nfrom dashlight.zero_code.termination import flush_at_termination\n"
        f"signal.signal(signal.SIGTERM, {before})\nflush_at_termination()\n"
        f"assert signal.getsignal(signal.SIGTERM) is {before}"
    )

    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_from_another_thread_nothing_is_set() -> None:
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=flush_at_termination)

    thread.start()
    thread.join()

    assert signal.getsignal(signal.SIGTERM) is before


def test_a_process_that_serves_nothing_ends_as_ever() -> None:
    code = (
        "import time\nfrom dashlight.zero_code.termination import flush_at_termination\n"
        "flush_at_termination()\nprint('ready', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        asked_at = time.monotonic()
        child.terminate()

        assert child.wait(30) == -signal.SIGTERM
        assert time.monotonic() - asked_at < 30
