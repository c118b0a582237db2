"""How the CPU of a server with workers is measured."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.bentoml_cost import Served

WORKER = "import time; began = time.process_time()\nwhile time.process_time() < began + 0.2: pass\nprint(flush=True); input()"
ARBITER = (
    "import subprocess, sys\n"
    "worker = subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)\n"
    "worker.wait()"
)


def test_the_work_of_a_worker_in_a_session_of_its_own_counts() -> None:
    command = [sys.executable, "-c", ARBITER, WORKER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as arbiter:
        assert arbiter.stdout is not None
        arbiter.stdout.readline()

        used = Served("", arbiter.pid).cpu_seconds()

        arbiter.communicate(b"\n")
    assert used >= 0.2
    assert Served("", os.getpid()).cpu_seconds() > 0
