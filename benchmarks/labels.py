"""What waiting for labels costs: disk, memory, time to keep a prediction and to join a label.

Prints a table for each store; the Redis is one of its own, where redis-server is installed.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import subprocess
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
from dashlight.store.labels.redis_link import RedisLink
from dashlight.store.labels.redis_store import RedisLabelStore
from dashlight.store.labels.sqlite_store import SqliteLabelStore

KEY = HashKey(b"b" * 32)
MODEL = ("/score", "churn", "1")
SPAN_SECONDS = 80 * 86400.0
"""Over which predictions are spread."""
AT_ONCE = 256
"""Rows that the analysis gives at once."""


def predictions(
    begin: int, end: int, *, at: float, seconds: float, with_second_ids: bool = False, columns: int = 0
) -> ScoredRows:
    """Binary predictions numbered from *begin*, each of a request of its own, made in the *seconds* from *at* on."""
    count = end - begin
    draw = np.random.default_rng(begin)
    return ScoredRows(
        MODEL,
        "binary",
        ("no", "yes"),
        keys=np.frombuffer(b"".join(key_of(f"id-{number}", KEY) for number in range(begin, end)), "V16"),
        origins=np.frombuffer(draw.bytes(16 * count), "V16"),
        places=np.zeros(count, np.int32),
        predicted_at=at + np.sort(draw.random(count)) * seconds,
        scores=draw.random(count),
        predictions=draw.integers(0, 2, count, np.int32),
        steps=np.zeros(count, np.int32),
        other_keys=np.frombuffer(draw.bytes(16 * count), "V16") if with_second_ids else None,
        segments=draw.integers(0, 20, (1, count), np.uint8) if columns else None,
        segmented_by=("carrier",) if columns else (),
        reference="r" if columns else "",
        sampled=np.arange(count) if columns else None,
        codes=draw.integers(0, 36, (columns, count), np.uint8) if columns else None,
    )


def resident_bytes() -> int:
    """Memory of this process by now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds() -> float:
    """CPU time of all threads of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(store: LabelStore, rows: int, labels: int, *, with_second_ids: bool, columns: int) -> None:
    """Keeps *rows* and joins *labels*, and prints what that took."""
    at, each_seconds = time.time() - SPAN_SECONDS, SPAN_SECONDS / rows
    sets = [
        predictions(
            begin,
            min(begin + AT_ONCE, rows),
            at=at + begin * each_seconds,
            seconds=AT_ONCE * each_seconds,
            with_second_ids=with_second_ids,
            columns=columns,
        )
        for begin in range(0, rows, AT_ONCE)
    ]
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
    print(f"second ids              {'yes' if with_second_ids else 'no':>12}")
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
    print(f"memory, labels joined   {(resident_bytes() - before) / 2**20:>12.1f} MiB more than at first")
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


def in_a_file(rows: int, labels: int, *, with_second_ids: bool, columns: int) -> None:
    """SQLite, in a temporary directory."""
    with tempfile.TemporaryDirectory() as directory:
        store = SqliteLabelStore(
            Path(directory) / "labels.sqlite",
            hash_key=KEY,
            label_window=90 * 86400.0,
            most_bytes=1 << 30,
            clock=SystemClock(),
        )
        print("SQLite")
        measure(store, rows, labels, with_second_ids=with_second_ids, columns=columns)
        print(f"disk                    {bytes_in(directory) / 1e6:>12.1f} MB")
        store.close(10.0)
        print(f"disk, closed            {bytes_in(directory) / 1e6:>12.1f} MB")


def bytes_in(directory: str) -> int:
    """Bytes of all files in *directory*, logs too."""
    return sum(path.stat().st_size for path in Path(directory).iterdir())


def in_a_redis(server: str, rows: int, labels: int, *, with_second_ids: bool, columns: int) -> None:
    """A Redis of its own, on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [server, "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            time.sleep(1.0)
            store = RedisLabelStore(
                f"redis://127.0.0.1:{port}/0",
                application="benchmark",
                hash_key=KEY,
                label_window=90 * 86400.0,
                most_bytes=1 << 30,
                clock=SystemClock(),
            )
            link = RedisLink(f"redis://127.0.0.1:{port}/0")
            print("\nRedis")
            measure(store, rows, labels, with_second_ids=with_second_ids, columns=columns)
            print(f"the Redis's memory      {used_bytes(link) / 1e6:>12.1f} MB")
            print(f"the Redis's CPU         {server_cpu_seconds(process.pid):>12.1f} s")
            store.close(10.0)
            link.close()
        finally:
            process.kill()


def used_bytes(link: RedisLink) -> int:
    """Memory that a Redis uses for what it holds."""
    told = link.call("INFO", "memory")
    lines = told.decode().splitlines() if isinstance(told, bytes) else []
    return next(int(line.split(":")[1]) for line in lines if line.startswith("used_memory:"))


def server_cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measures as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--labels", type=int, default=60_000)
    parser.add_argument("--second-ids", action="store_true", help="each prediction has an id from outside too")
    parser.add_argument("--columns", type=int, default=0, help="bins of so many columns are kept of each prediction")
    arguments = parser.parse_args()
    kind = {"with_second_ids": arguments.second_ids, "columns": arguments.columns}
    in_a_file(arguments.rows, arguments.labels, **kind)
    server = shutil.which("redis-server")
    if server is None:
        print("\nRedis: redis-server is not installed")
    else:
        in_a_redis(server, arguments.rows, arguments.labels, **kind)


if __name__ == "__main__":
    main()
