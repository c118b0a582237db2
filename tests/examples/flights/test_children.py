import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from examples.flights.children import ChildError, Children, InterruptedByUserError, free_ports

# Says when it runs, then waits for a signal that it takes, or refuses, to end by.
WAITING = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
)


def children(directory: Path) -> Children:
    return Children(logs=directory, environ=os.environ, directory=directory, ending_seconds=0.3)


def test_leaving_the_block_ends_every_process(tmp_path: Path) -> None:
    with children(tmp_path) as running:
        ids: list[int] = []
        for name, program in (("kind", WAITING), ("stubborn", STUBBORN)):
            ids.append(running.start(name, [sys.executable, "-c", program]))
            while (tmp_path / f"{name}.log").read_text() != "up\n":
                running.pause(0.01)

    for each in ids:
        with pytest.raises(ProcessLookupError):
            os.kill(each, 0)


def test_a_process_that_fails_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    with children(tmp_path) as running:
        running.start("broken", [sys.executable, "-c", "raise SystemExit('no such file')"])

        with pytest.raises(ChildError, match=r"broken ended with status 1:\nno such file"):
            running.finish("broken")


def test_a_process_that_ends_well_is_finished(tmp_path: Path) -> None:
    with children(tmp_path) as running:
        running.start("short", [sys.executable, "-c", "import os; print(os.environ['WORD'])"], {"WORD": "done"})
        running.finish("short")

    assert (tmp_path / "short.log").read_text() == "done\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["control-c", "terminate"])
def test_a_signal_ends_the_next_pause_and_the_processes(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)

    with children(tmp_path) as running:
        child = running.start("waiting", [sys.executable, "-c", WAITING])
        os.kill(os.getpid(), number)
        with pytest.raises(InterruptedByUserError):
            running.pause(60.0)

    assert signal.getsignal(number) is before
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_port_is_awaited_until_somebody_listens(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    program = f"import socket, signal; s = socket.create_server(('127.0.0.1', {port})); signal.pause()"

    with children(tmp_path) as running:
        running.start("server", [sys.executable, "-c", program])
        running.await_port("server", port)

        with socket.create_connection(("127.0.0.1", port)):
            pass


def test_a_server_that_ends_before_it_listens_is_an_error(tmp_path: Path) -> None:
    with children(tmp_path) as running:
        running.start("server", [sys.executable, "-c", "pass"])

        with pytest.raises(ChildError, match="server ended before it listened"):
            running.await_port("server", free_ports(1)[0])


def test_free_ports_differ() -> None:
    assert len(set(free_ports(5))) == 5
