"""Runs a command in a process group of its own, within a time, and keeps nothing of what it writes."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

GRACE_SECONDS = 2.0
"""Between being asked to end and being made to."""
_LOOK_SECONDS = 0.05
_PIECE_BYTES = 65536
_MOST_LEFT_PIECES = 64
"""Of what a command that has ended had still to say."""


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How a run of a command ended."""

    how: str
    """`status_0`, `signal_9`, `timeout`, `app_ended`, or `not_started`."""
    seconds: float
    output_bytes: int
    detail: str = ""
    """Type of the error that kept it from starting."""

    @property
    def went_well(self) -> bool:
        """Whether its exit status was 0."""
        return self.how == "status_0"

    def __str__(self) -> str:
        """As a log has it, without a word of what the command wrote."""
        if self.how == "not_started":
            return f"could not be started ({self.detail})"
        how = self.how.replace("_", " ")
        ended = {"timeout": "was ended after its time", "app_ended": "was ended with the app"}.get(
            self.how, f"ended with {how}"
        )
        return f"{ended}: {self.seconds:.3g} s, {self.output_bytes} bytes of output"


def run_command(
    argv: Sequence[str],
    text: bytes,
    *,
    environ: Mapping[str, str],
    timeout_seconds: float,
    ended: threading.Event,
) -> CommandEnd:
    """Runs *argv*, no shell, with *text* on its standard input, and waits for its end.

    After *timeout_seconds*, or where *ended* is set, its process group gets SIGTERM, and SIGKILL two seconds later. What it has
    started in the background and left there when it ended by itself goes on.
    """
    began = time.monotonic()
    try:
        child = subprocess.Popen(  # noqa: S603 - the operator's own command
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return CommandEnd("not_started", time.monotonic() - began, 0, type(error).__name__)
    with _Talk(child, text) as talk:
        until = began + timeout_seconds
        while child.poll() is None and time.monotonic() < until and not ended.is_set():
            talk.go_on(_LOOK_SECONDS)
        status = child.poll()
        if status is None:
            _end_group(child, talk)
        else:
            talk.finish()
    seconds = time.monotonic() - began
    if status is None:
        return CommandEnd("app_ended" if ended.is_set() else "timeout", seconds, talk.output_bytes)
    return CommandEnd(f"status_{status}" if status >= 0 else f"signal_{-status}", seconds, talk.output_bytes)


class _Talk:
    """Gives a child what it is to read as it takes it, and counts what it writes, waiting for neither."""

    def __init__(self, child: subprocess.Popen[bytes], text: bytes) -> None:
        self.output_bytes = 0
        self._child = child
        self._left = text
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        for pipe, event in ((self._child.stdin, selectors.EVENT_WRITE), (self._child.stdout, selectors.EVENT_READ)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, event)
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                # What was not read makes closing fail.
                with suppress(OSError):
                    pipe.close()

    def go_on(self, seconds: float) -> None:
        """Does what can be done now, or waits for it for so long."""
        for key, event in self._selector.select(seconds):
            over = self._write(key.fd) if event & selectors.EVENT_WRITE else self._read(key.fd)
            if over:
                self._selector.unregister(key.fileobj)
                if event & selectors.EVENT_WRITE and self._child.stdin is not None:
                    self._child.stdin.close()

    def finish(self) -> None:
        """Counts what is still there to read."""
        if self._child.stdout is None:
            return
        for _ in range(_MOST_LEFT_PIECES):
            if self._read(self._child.stdout.fileno(), none_is_over=True):
                return

    def _write(self, descriptor: int) -> bool:
        try:
            self._left = self._left[os.write(descriptor, self._left[:_PIECE_BYTES]) :]
        except BlockingIOError:
            return False
        except OSError:  # it does not want to read
            return True
        return not self._left

    def _read(self, descriptor: int, *, none_is_over: bool = False) -> bool:
        try:
            piece = os.read(descriptor, _PIECE_BYTES)
        except BlockingIOError:
            return none_is_over
        except OSError:
            return True
        self.output_bytes += len(piece)
        return not piece


def _end_group(child: subprocess.Popen[bytes], talk: _Talk) -> None:
    """Ends *child* and all that it has started and that still belongs to its group."""
    _signal_group(child.pid, signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    while child.poll() is None and time.monotonic() < until:
        talk.go_on(_LOOK_SECONDS)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
