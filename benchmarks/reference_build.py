"""How long `dashlight reference build` takes over a CSV file like a year of flights: its parsing, and all its counting.

    python -m benchmarks.reference_build [--rows 336000] [--runs 3]

Twenty columns: ten of numbers, six of categories, two of truth values, two of moments, one of which orders the rows.
Each run is a process of its own, from its start to its end; the file is made before.
"""

from __future__ import annotations

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

ROWS = 336_000
RUNS = 3
_SEED = 5
_CATEGORIES = (3, 16, 105, 220, 1400, 4000)
_YEAR_SECONDS = 365 * 86_400
_FIRST = np.datetime64("2013-01-01T00:00:00")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the file, build its reference a few times, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--runs", type=int, default=RUNS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.csv"
        write(path, chosen.rows)
        print(f"{chosen.rows:,} rows x 20 columns, {path.stat().st_size / 1e6:.0f} MB of CSV")
        for _ in range(chosen.runs):
            before = _used()
            seconds = _built(path)
            busy = _used() - before
            print(f"{seconds:.2f} s ({busy:.2f} s of CPU), {chosen.rows / seconds:,.0f} rows/s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"at most {peak:,.0f} MB of memory")


def write(path: Path, rows: int) -> None:
    """A file of so many *rows* in order of `seen_at`."""
    rng = np.random.default_rng(_SEED)
    columns: dict[str, list[str]] = {}
    for place in range(10):
        numbers = [f"{number:.{place % 4}f}" for number in rng.normal(100 * (place + 1), 30, rows).tolist()]
        if place in {3, 7}:
            for row in rng.integers(0, rows, rows // 50).tolist():
                numbers[row] = ""
        columns[f"number_{place}"] = numbers
    for count in _CATEGORIES:
        share = 1 / np.arange(1, count + 1)
        codes = rng.choice(count, rows, p=share / share.sum()).tolist()
        columns[f"of_{count}"] = [f"code {code:04d}" for code in codes]
    for place in range(2):
        columns[f"truth_{place}"] = np.where(rng.random(rows) < 0.3, "true", "false").tolist()
    seen_at = _FIRST + np.sort(rng.integers(0, _YEAR_SECONDS, rows))
    columns["seen_at"] = [f"{moment}Z" for moment in np.datetime_as_string(seen_at).tolist()]
    columns["due_at"] = np.datetime_as_string(seen_at + rng.integers(0, 9999, rows)).tolist()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _used() -> float:
    """Seconds of CPU of all runs so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _built(path: Path) -> float:
    command = [sys.executable, "-m", "dashlight.cli.main", "reference", "build", str(path), "--time", "seen_at"]
    command += ["--output", str(path.with_suffix(".json"))]
    began = perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return perf_counter() - began


if __name__ == "__main__":
    main()
