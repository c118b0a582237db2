"""Searches for bodies that decoding does not bear: coverage-guided, for so many seconds.

    python -m benchmarks.fuzz_decode [--seconds 60] [--keep DIRECTORY]

A finding is a mistake, more than 20 MB, more than 50 ms of CPU, or (from 5 ms on) more than 50 times as long for each
byte as the bodies that it begins with take in the median.

Needs atheris (`pip install atheris`), which the other targets do not. A process of its own searches, with
instruments in the decoder; what it finds is tried again here without them, so that what is told is so.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.fuzz_inputs import USUAL, hostile_seeds, parts_of, seeds
from benchmarks.fuzz_limits import CAP_BYTES, fault_of, median_seconds_per_byte
from benchmarks.overhead_slices import ROOT, clean_environ


def search(directory: Path, *, seconds: int) -> tuple[Path, int]:
    """Searches below *directory*; where the findings are, and the status of the search."""
    corpus, findings = directory / "corpus", directory / "findings"
    for each in (corpus, findings):
        each.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate((*seeds(), *hostile_seeds())):
        (corpus / f"seed-{place:03d}").write_bytes(seed)
    limits = [
        f"-max_total_time={seconds}",
        f"-max_len={CAP_BYTES}",
        "-rss_limit_mb=2048",
        "-timeout=60",
        "-len_control=0",
    ]
    quiet = ["-print_final_stats=1", "-verbosity=1", f"-artifact_prefix={directory}/"]
    command = [sys.executable, "-m", "benchmarks.fuzz_worker", str(findings), str(corpus), *limits, *quiet]
    return findings, subprocess.run(command, cwd=ROOT, env=clean_environ({}), check=False).returncode


def confirmed(findings: Path) -> dict[str, str]:
    """What is wrong with each finding when it is tried again; those that were only slow under instruments are left."""
    usual = median_seconds_per_byte(USUAL)
    tried = {
        path.name: fault_of(parts_of(path.read_bytes()), usual_per_byte=usual) for path in sorted(findings.iterdir())
    }
    return {name: fault for name, fault in tried.items() if fault}


def main(arguments: Sequence[str] | None = None) -> int:
    """Tells what was found; the status is 1 where there is something."""
    parser = argparse.ArgumentParser(description="Searches for bodies that decoding does not bear.")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="directory for what is found and for the corpus; default: none")
    chosen = parser.parse_args(arguments)
    if find_spec("atheris") is None:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as passing:
        findings, status = search(chosen.keep or Path(passing), seconds=chosen.seconds)
        found = confirmed(findings)
        count = len(list(findings.iterdir()))
    for name, fault in found.items():
        print(f"{name}: {fault}")
    print(f"{count} suspected, {len(found)} confirmed; the search ended with status {status}")
    return int(bool(found) or status != 0)


if __name__ == "__main__":
    sys.exit(main())
