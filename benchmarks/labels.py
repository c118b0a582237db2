"""What waiting for labels costs: disk, memory, time to keep a prediction and to join a label.

Prints a table. `--redis URL` does the same in a Redis.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from dashlight.clock import SystemClock
from dashlight.labels.ids import key_of
from dashlight.labels.label import Label
from dashlight.labels.rows import ScoredRows
from dashlight.labels.store import LabelStore
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.sqlite_store import SqliteLabelStore

KEY = HashKey(b"b" * 32)
MODEL = ("/score", "churn", "1")
AT_ONCE = 256
"""Rows that the analysis gives at once."""


def predictions(begin: int, end: int, *, at: float) -> ScoredRows:
    """Binary predictions numbered from *begin*, each of a request of its own."""
    count = end - begin
    draw = np.random.default_rng(begin)
    return ScoredRows(
        MODEL,
        "binary",
        ("no", "yes"),
        keys=np.frombuffer(b"".join(key_of(f"id-{number}", KEY) for number in range(begin, end)), "V16"),
        origins=np.frombuffer(draw.bytes(16 * count), "V16"),
        places=np.zeros(count, np.int32),
        predicted_at=at + np.sort(draw.random(count)) * count / 1000,
        scores=draw.random(count),
        predictions=draw.integers(0, 2, count, np.int32),
        steps=np.zeros(count, np.int32),
    )


def resident_bytes() -> int:
    """Memory of this process by now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds() -> float:
    """CPU time of all threads of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(store: LabelStore, rows: int, labels: int) -> None:
    """Keeps *rows* and joins *labels*, and prints what that took."""
    at = time.time() - rows / 1000
    sets = [predictions(begin, min(begin + AT_ONCE, rows), at=at + begin / 1000) for begin in range(0, rows, AT_ONCE)]
    store.keep(sets[0])
    store.flush(60.0)
    before, cpu_before, wall_before, keeping = resident_bytes(), cpu_seconds(), time.perf_counter(), 0.0
    for number, each in enumerate(sets[1:], 1):
        begin = time.perf_counter()
        store.keep(each)
        keeping += time.perf_counter() - begin
        if number % 64 == 0:
            store.flush(60.0)
    store.flush(60.0)
    kept = rows - sets[0].row_count
    print(f"kept                    {rows:>12,} predictions in {time.perf_counter() - wall_before:.1f} s")
    print(f"CPU, all threads        {(cpu_seconds() - cpu_before) / kept * 1e6:>12.2f} us a prediction")
    print(f"of that, in keep()      {keeping / kept * 1e6:>12.3f} us a prediction")
    print(f"growth of memory        {(resident_bytes() - before) / 2**20:>12.1f} MiB")
    draw = np.random.default_rng(7)
    chosen = draw.choice(rows, labels, replace=False)
    for at_once in (5000, 100, 1):
        count = max(min(len(chosen) // 3, 300 * at_once), 1)
        part, chosen = chosen[:count], chosen[count:]
        cpu_before, begin = cpu_seconds(), time.perf_counter()
        fates = [
            fate
            for place in range(0, count, at_once)
            for fate in store.label([Label(f"id-{n}", "yes") for n in part[place : place + at_once]], time.time())
        ]
        took, cpu = time.perf_counter() - begin, cpu_seconds() - cpu_before
        matched = fates.count("matched") / count
        print(
            f"joined, {at_once:>5} at once  {count / took:>12,.0f} labels a second ({cpu / count * 1e6:.0f} us), {matched:.0%} matched"
        )
    begin, cursor, read = time.perf_counter(), 0, 0
    while True:
        met = store.met(cursor, most_rows=10_000)
        cursor, read = met.cursor, read + sum(each.row_count for each in met.rows)
        if met.is_all:
            break
    print(f"read by the judge       {read / (time.perf_counter() - begin):>12,.0f} rows a second")
    begin = time.perf_counter()
    store.waiting(MODEL, since_at=0.0)
    print(f"counts of what waits    {(time.perf_counter() - begin) * 1e3:>12.2f} ms")
    print(f"troubles                {dict(store.troubles())}")


def main() -> None:
    """Measures as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--labels", type=int, default=60_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        store = SqliteLabelStore(
            Path(directory) / "labels.sqlite",
            hash_key=KEY,
            label_window=90 * 86400.0,
            most_bytes=1 << 30,
            clock=SystemClock(),
        )
        print("SQLite")
        measure(store, arguments.rows, arguments.labels)
        size = sum(path.stat().st_size for path in Path(directory).iterdir())
        print(
            f"disk                    {size / 1e6:>12.1f} MB (with the log), {len(list(Path(directory).iterdir()))} files"
        )
        store.close(10.0)
        size = sum(path.stat().st_size for path in Path(directory).iterdir())
        print(f"disk, closed            {size / 1e6:>12.1f} MB")


if __name__ == "__main__":
    main()
