from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from dashlight.deliver.alerting.subprocesses import CommandEnd, run_command

ENVIRON = {"PATH": "/usr/bin:/bin"}


def run(script: str, text: bytes = b"", *, seconds: float = 20.0, ended: threading.Event | None = None) -> CommandEnd:
    return run_command(
        ["sh", "-c", script], text, environ=ENVIRON, timeout_seconds=seconds, ended=ended or threading.Event()
    )


def is_alive(process: int) -> bool:
    try:
        # A zombie is over: nobody here is its parent.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def written(path: Path) -> str:
    """What *path* holds once it is there."""
    until = time.monotonic() + 20
    while not (path.exists() and path.read_text().strip()) and time.monotonic() < until:
        time.sleep(0.01)
    return path.read_text()


def test_the_exit_status_is_told() -> None:
    assert [run(f"exit {status}").how for status in (0, 1, 255)] == ["status_0", "status_1", "status_255"]
    assert run("kill -9 $$").how == "signal_9"


def test_a_long_text_and_a_long_output_get_through_at_the_same_time() -> None:
    text = b"x" * 3_000_000

    end = run("cat", text)

    assert (end.how, end.output_bytes) == ("status_0", 3_000_000)


def test_what_it_does_not_read_is_no_failure() -> None:
    assert run("exit 0", b"x" * 1_000_000).how == "status_0"
    assert run("exec <&-; exit 0", b"x" * 1_000_000).how == "status_0"


def test_after_its_time_all_that_it_started_is_ended(tmp_path: Path) -> None:
    inner = tmp_path / "inner"

    # Neither the shell nor its child heeds SIGTERM.
    end = run(
        f"trap '' TERM; (trap '' TERM; echo $$ > /dev/null; sleep 300) & echo $! > {inner}; wait; sleep 300",
        seconds=0.5,
    )

    assert end.how == "timeout"
    process = int(written(inner))
    until = time.monotonic() + 10
    while is_alive(process) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_alive(process)


def test_the_end_of_the_app_ends_it(tmp_path: Path) -> None:
    ended, began = threading.Event(), tmp_path / "began"
    found: list[CommandEnd] = []
    thread = threading.Thread(target=lambda: found.append(run(f"echo $$ > {began}; sleep 300", ended=ended)))

    thread.start()
    process = int(written(began))
    ended.set()
    thread.join(20)

    assert [each.how for each in found] == ["app_ended"]
    assert not is_alive(process)


def test_what_it_leaves_in_the_background_is_left_and_not_waited_for(tmp_path: Path) -> None:
    left = tmp_path / "left"

    end = run(f"sleep 60 & echo $! > {left}; exit 0")

    assert end.how == "status_0"
    process = int(left.read_text())
    assert is_alive(process)
    os.kill(process, 9)


def test_it_has_a_group_of_its_own_and_sees_nothing_but_its_environment(tmp_path: Path) -> None:
    out = tmp_path / "out"

    run(f"ps -o pgid= -p $$ > {out} 2>/dev/null; env >> {out}")

    assert str(os.getpgrp()) not in out.read_text().split()
    assert "PYTEST_CURRENT_TEST" not in out.read_text()


def test_a_program_that_cannot_be_started_is_told_by_the_kind_of_error() -> None:
    end = run_command(["/no/such"], b"", environ=ENVIRON, timeout_seconds=1, ended=threading.Event())

    assert (end.how, end.detail) == ("not_started", "FileNotFoundError")
    assert str(end) == "could not be started (FileNotFoundError)"
