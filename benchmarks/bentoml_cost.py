"""What monitoring costs in BentoML: one service, bare and watched, through `bentoml serve`, in pairs of like blocks.

    python -m benchmarks.bentoml_cost --python PYTHON

PYTHON is the interpreter of an environment with BentoML and this package (`pip install -e '.[bentoml]'`); by default the
one that runs this. Both services run all the time with one worker each and are loaded in turn, at a fixed rate, with the
same requests. A run takes two minutes with the defaults: short, for a machine that others use too. What is noise, the
quartiles of the differences say. Exit status 1 where a span was lost on the way, so that its cost was not measured.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks.model_app import bodies
from benchmarks.overhead import RUN, machine, reference_of_the_traffic
from benchmarks.overhead_latency import Client
from benchmarks.overhead_slices import ROOT, NoResultError, clean_environ
from benchmarks.sink import counts_of, running_sink
from benchmarks.variants import variants

_PATIENCE_SECONDS = 60.0
_POOL = 4096
_SETTLED_SECONDS = 1.5
"""After a block, until what waits for the analysis has been analysed: that is part of its cost."""


@dataclass(frozen=True, slots=True)
class Block:
    """One load of one service."""

    p50_ms: float
    p99_ms: float
    cpu_us: float
    """A request, of all processes and threads of `bentoml serve`."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running `bentoml serve`."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """What all its processes have used."""
        return sum(time.clock_gettime(_cpu_clock(pid)) for pid in _family(self.pid))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the pairs and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="with BentoML and this package")
    parser.add_argument("--pairs", type=int, default=12, help="of blocks, bare and watched")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a block")
    asked = parser.parse_args(arguments)
    RUN.mkdir(exist_ok=True)
    print(machine(), flush=True)
    with running_sink() as sink, TemporaryDirectory() as home:
        environ = variants(sink, reference_of_the_traffic())["own"].environ | {"WATCHED": "1", "DASHLIGHT_CPU": "10%"}
        # As by default: BentoML's span of a request is the one that is sent.
        environ.pop("DASHLIGHT_SPANS")
        try:
            found, sent = _paired(asked, {"bare": {}, "watched": environ}, Path(home))
        except NoResultError as error:
            print(f"NO RESULT  {error}")
            return 1
        arrived = counts_of(sink).get("own", {}).get("traces", 0)
    if arrived != sent:
        print(f"NO RESULT  {arrived:.0f} spans arrived of {sent}")
        return 1
    _print_table(found, asked.rate)
    return 0


def _paired(
    asked: argparse.Namespace, services: Mapping[str, Mapping[str, str]], home: Path
) -> tuple[dict[str, list[Block]], int]:
    """The blocks of each service, and how many requests the watched one was sent."""
    pool = bodies(_POOL, seed=2)
    with ExitStack() as stack:
        served = {
            name: stack.enter_context(_serving(asked.python, home / name, environ))
            for name, environ in services.items()
        }
        clients = {name: Client(each.url, pool, rate=asked.rate) for name, each in served.items()}
        found: dict[str, list[Block]] = {name: [] for name in services}
        order, requests = list(services), int(asked.seconds * asked.rate)
        for taken in range(asked.pairs + 1):
            for name in order:
                block = _block(served[name], clients[name], asked.seconds, requests)
                # The first pair warms both up.
                found[name] += [block] if taken else []
            order.reverse()
            print(f"\r  pair {taken} of {asked.pairs}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    return found, requests * (asked.pairs + 1)


def _block(served: Served, client: Client, seconds: float, requests: int) -> Block:
    before = served.cpu_seconds()
    answered = sorted(client.block(seconds))
    # BentoML closes connections that idle.
    client.close()
    time.sleep(_SETTLED_SECONDS)
    cpu_us = (served.cpu_seconds() - before) / requests * 1e6
    return Block(1e3 * answered[len(answered) // 2], 1e3 * answered[int(0.99 * len(answered))], cpu_us)


@contextmanager
def _serving(python: Path, home: Path, environ: Mapping[str, str]) -> Iterator[Served]:
    home.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(python), "-m", "bentoml", "serve", "benchmarks.bentoml_app:Scores", "--host", "127.0.0.1", "--port"]
    child = subprocess.Popen(
        [*command, str(port)],
        cwd=ROOT,
        env=clean_environ({"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "true", **environ}),
        # Its access log is part of what it does by default.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _is_ready(url):
            if child.poll() is not None or time.monotonic() > deadline:
                raise NoResultError(f"{' '.join(command)} did not start")
            time.sleep(0.2)
        yield Served(url, child.pid)
    finally:
        child.terminate()
        child.wait()


def _is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/readyz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _family(first: int) -> set[int]:
    """The process *first* and all that descend from it: workers have sessions of their own."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            # After the name, which may hold anything, in parentheses: state, parent.
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {first}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _cpu_clock(pid: int) -> int:
    """The clock of what the process has used, all its threads and those that have ended: see clock_getcpuclockid(3)."""
    return (~pid << 3) | 2


def _print_table(found: Mapping[str, Sequence[Block]], rate: float) -> None:
    print(f"{len(found['bare'])} pairs at {rate:.0f} requests a second; medians, and the quartiles of the differences")
    print(f"| {'a request':14} | {'bare':>7} | {'watched':>7} | {'added':>7} | quartiles")
    print(f"|{'-' * 16}|{'-' * 8}:|{'-' * 8}:|{'-' * 8}:|------")
    for name, field in (("CPU, us", "cpu_us"), ("median, ms", "p50_ms"), ("99th, ms", "p99_ms")):
        bare, watched = ([float(getattr(block, field)) for block in found[each]] for each in ("bare", "watched"))
        added = [after - before for before, after in zip(bare, watched, strict=True)]
        low, _, high = quantiles(added, n=4)
        row = f"{median(bare):7.2f} | {median(watched):7.2f} | {median(added):7.2f}"
        print(f"| {name:14} | {row} | {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    sys.exit(main())
