"""The processes of the demo: started, watched, and ended by their ids whatever happens."""

import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

STARTING_SECONDS = 30.0
ENDING_SECONDS = 8.0
LOOK_SECONDS = 0.05
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LAST_LINES = 12


class ChildError(Exception):
    """A process of the demo ended or would not start; says which, and the end of its log."""


class InterruptedByUserError(Exception):
    """Somebody wants the demo to end."""


class Children:
    """Processes that end when the `with` block does, in reverse order of their start.

    A signal is only noted when it comes and raises InterruptedByUserError at the next `pause`, so that it cannot
    fall between the start of a process and the note of it.
    """

    def __init__(
        self, *, logs: Path, environ: Mapping[str, str], directory: Path, ending_seconds: float = ENDING_SECONDS
    ) -> None:
        self._logs, self._environ, self._directory = logs, environ, directory
        self._ending_seconds = ending_seconds
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._interrupted = False

    def __enter__(self) -> Self:
        self._before = {each: signal.signal(each, self._note) for each in ENDING_SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)
        for each, before in self._before.items():
            signal.signal(each, before)

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
        """Start *command* with *environ* beside the common environment and give its process id.

        What it prints goes to NAME.log.
        """
        with (self._logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self._environ, **(environ or {})},
                cwd=self._directory,
            )
        self._running[name] = process
        return process.pid

    def is_running(self, name: str) -> bool:
        """Whether the process *name* has not ended yet. Raises ChildError where it ended with a failure."""
        status = self._running[name].poll()
        if status:
            raise ChildError(f"{name} ended with status {status}:\n{self._last_lines(name)}")
        return status is None

    def finish(self, name: str) -> None:
        """Wait until the process *name* has ended well."""
        while self.is_running(name):
            self.pause(LOOK_SECONDS)
        del self._running[name]

    def stop(self, name: str) -> None:
        """End the process *name*: kindly, and by force where that does not help."""
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(self._ending_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def pause(self, seconds: float) -> None:
        """Wait. Raises InterruptedByUserError where a signal has come."""
        end_at = time.monotonic() + seconds
        while not self._interrupted and (left := end_at - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))
        if self._interrupted:
            raise InterruptedByUserError

    def await_port(self, name: str, port: int) -> None:
        """Wait until the process *name* accepts connections on *port* of this machine."""
        end_at = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < end_at:
            if not self.is_running(name):
                raise ChildError(f"{name} ended before it listened:\n{self._last_lines(name)}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            self.pause(LOOK_SECONDS)
        raise ChildError(f"{name} did not listen on port {port} within {STARTING_SECONDS:.0f} seconds")

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True

    def _last_lines(self, name: str) -> str:
        return "\n".join((self._logs / f"{name}.log").read_text(errors="replace").splitlines()[-LAST_LINES:])


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
