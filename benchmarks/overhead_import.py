"""How long the import takes, in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from benchmarks.overhead_slices import ROOT, clean_environ

STATEMENTS = ("import dashlight", "from dashlight import DashlightMiddleware")
_INTERPRETERS = 9
_TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


def import_seconds() -> dict[str, float]:
    """Median over fresh interpreters, for each statement."""
    return {statement: median(_seconds(statement) for _ in range(_INTERPRETERS)) for statement in STATEMENTS}


def _seconds(statement: str) -> float:
    command = [sys.executable, "-c", _TIMED.format(statement)]
    child = subprocess.run(command, cwd=ROOT, env=clean_environ({}), stdout=subprocess.PIPE, check=True)
    return float(child.stdout)
