"""Searches for state files that are neither read nor refused: mutated ones, with checksums that fit, for so many seconds.

    python -m benchmarks.fuzz_state [--seconds 60] [--seed 1] [--keep DIRECTORY] [--guided]

Whatever a file says, reading it ends in a refusal or in a value, within bounds of time and memory, and what is done with that
value raises nothing. `--guided` looks at which code each file reaches; it needs atheris (`pip install atheris`).
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from benchmarks.fuzz_state_files import REFUSALS, Kind, kinds
from benchmarks.fuzz_state_mutations import mutated

MAX_CPU_SECONDS, MAX_CPU_SECONDS_EACH = 0.05, 5e-8
"""Time that reading a file may take: in any case, and for each of its bytes."""
MAX_BYTES_EACH, MAX_BYTES = 64, 16 << 20
"""Memory that reading a file may take: so many bytes for each of its own, and so many in any case."""
_HARMLESS_SECONDS = 0.002
"""What took less can hardly have taken much memory."""
_FROZEN_SECONDS = 20
_ATTEMPTS = 3


class _FrozenError(BaseException):
    """Reading or using a file does not come to an end."""


def fault_of(kind: Kind, blob: bytes, *, slowness: float = 1.0) -> str:
    """What is wrong with how *blob* is read and used as a file of this *kind*; empty where all is well."""
    most_seconds = slowness * (MAX_CPU_SECONDS + MAX_CPU_SECONDS_EACH * len(blob))
    signal.setitimer(signal.ITIMER_REAL, _FROZEN_SECONDS)
    try:
        seconds, value, fault = _read(kind, blob)
        for _ in range(_ATTEMPTS):
            if fault or seconds < most_seconds:
                break
            seconds = min(seconds, _read(kind, blob)[0])
        if fault or seconds > most_seconds:
            return fault or f"read in {1000 * seconds:.0f} ms, {len(blob)} bytes"
        if seconds > _HARMLESS_SECONDS:
            peak_bytes = _memory_bytes(kind, blob)
            if peak_bytes > MAX_BYTES_EACH * len(blob) + MAX_BYTES:
                return f"{peak_bytes / 1e6:.0f} MB for {len(blob)} bytes"
        if value is not None:
            kind.use(value)
    except _FrozenError:
        return f"no end after {_FROZEN_SECONDS} s"
    except Exception as error:
        return f"used: {_told(error)}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return ""


def prepare() -> None:
    """Makes ready for `fault_of`: what does not come to an end is ended, what is warned of or logged is no fault."""
    warnings.simplefilter("ignore")
    logging.disable()
    signal.signal(signal.SIGALRM, _raise_frozen)


def search(found: dict[str, bytes], *, seconds: float, seed: int) -> Counter[str]:
    """Mutates files for so many *seconds*; puts what is wrong into *found*, and tells how many files were what."""
    random, all_kinds = Random(seed), kinds()
    outcomes: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = random.choice(list(all_kinds))
        kind = all_kinds[name]
        blob = mutated(kind, random)
        fault = fault_of(kind, blob)
        outcomes[f"{name}: {'faults' if fault else _outcome(kind, blob)}"] += 1
        if fault:
            found.setdefault(f"{name}: {fault}", blob)
    return outcomes


def _read(kind: Kind, blob: bytes) -> tuple[float, Any, str]:
    """How long reading took, the value, and what is wrong."""
    began = time.thread_time()
    try:
        value = kind.read(blob)
    except REFUSALS:
        return time.thread_time() - began, None, ""
    except Exception as error:
        return time.thread_time() - began, None, f"read: {_told(error)}"
    return time.thread_time() - began, value, ""


def _outcome(kind: Kind, blob: bytes) -> str:
    return "refused" if _read(kind, blob)[1] is None else "read"


def _memory_bytes(kind: Kind, blob: bytes) -> int:
    tracemalloc.start()
    try:
        _read(kind, blob)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _told(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"{type(error).__name__} at {where}: {error!s:.120}"


def _raise_frozen(_signal: int, _frame: FrameType | None) -> None:
    raise _FrozenError


def main(arguments: Sequence[str] | None = None) -> int:
    """Tells what was found; the status is 1 where there is something."""
    parser = argparse.ArgumentParser(description="Searches for state files that are neither read nor refused.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="directory for the files that are found; default: none")
    parser.add_argument("--guided", action="store_true", help="by the code that each file reaches; needs atheris")
    chosen = parser.parse_args(arguments)
    prepare()
    found: dict[str, bytes] = {}
    if chosen.guided:
        if find_spec("atheris") is None:
            print("atheris is not installed: pip install atheris", file=sys.stderr)
            return 2
        command = [sys.executable, "-m", "benchmarks.fuzz_state_guided", str(int(chosen.seconds))]
        return subprocess.run(command, check=False).returncode
    outcomes = search(found, seconds=chosen.seconds, seed=chosen.seed)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:9} {outcome}")
    for fault, blob in found.items():
        print(f"{fault} ({len(blob)} bytes)")
        if chosen.keep is not None:
            chosen.keep.mkdir(parents=True, exist_ok=True)
            (chosen.keep / hashlib.sha256(blob).hexdigest()[:16]).write_bytes(blob)
    print(f"{sum(outcomes.values())} files, {len(found)} faults")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
