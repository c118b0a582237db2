"""What monitoring costs, measured: `make bench`, or `python -m benchmarks.overhead --help`.

Prints the CPU that each variant adds to a bare app, the growth of memory, the added latency, the CPU budget under
overload and the time of the import, each beside its target. Exit status 1 where something was lost on the way, so
that its cost was not measured; a missed target is marked, and left to the reader to judge on a noisy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from benchmarks.model_app import ANSWERED, write_training_file
from benchmarks.overhead_budget import held_budget
from benchmarks.overhead_import import import_seconds
from benchmarks.overhead_latency import RATE, added_latency
from benchmarks.overhead_memory import growth
from benchmarks.overhead_slices import ROOT, Added, NoResultError, added_by_variant, clean_environ
from benchmarks.sink import running_sink
from benchmarks.variants import Variant, variants

RUN = ROOT / "bench-run"
PARTS = ("cpu", "memory", "latency", "budget", "import")
_REFERENCE_ROWS = 20_000
_MEGABYTE = 2**20


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the parts that are asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for part in PARTS:
        parser.add_argument(f"--{part}", action="store_true", help=f"this part ({part}); default: all parts")
    parser.add_argument("--rounds", type=int, default=11, help="slices of every variant (at least 9 for a result)")
    parser.add_argument("--variants", default="", help="only these, between commas; see --list")
    parser.add_argument("--list", action="store_true", help="list the variants and stop")
    parser.add_argument("--quick", action="store_true", help="a short look: no result")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE, too")
    asked = parser.parse_args(arguments)
    if asked.list:
        for name, variant in variants("", Path()).items():
            print(f"{name:12} {variant.does}")
        return 0
    wanted = [part for part in PARTS if getattr(asked, part)] or PARTS
    RUN.mkdir(exist_ok=True)
    figures: dict[str, Any] = {"machine": machine(), "quick": asked.quick}
    print(f"{figures['machine']}{'; quick, so no result' if asked.quick else ''}\n", flush=True)
    with running_sink() as sink:
        reference = reference_of_the_traffic()
        measure: Mapping[str, Callable[[], Any]] = {
            "cpu": lambda: _cpu(sink, reference, asked),
            "memory": lambda: _memory(sink, reference),
            "latency": lambda: _latency(sink, reference, quick=asked.quick),
            "budget": lambda: _budget(sink, reference, quick=asked.quick),
            "import": _import,
        }
        lost = False
        for part in wanted:
            try:
                figures[part] = measure[part]()
            except NoResultError as error:
                print(f"NO RESULT  {error}", flush=True)
                figures[part] = {"no result": str(error)}
                lost = True
            print(flush=True)
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=1, default=_plain) + "\n")
    return 1 if lost else 0


def machine() -> str:
    """On what figures were measured."""
    return f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def reference_of_the_traffic() -> Path:
    """A reference of the same traffic, made by the command line in advance."""
    training, reference = RUN / "training.csv", RUN / "reference.json"
    write_training_file(training, count=_REFERENCE_ROWS, seed=0)
    command = ["reference", "build", str(training), "--output", str(reference), "--prediction", *ANSWERED]
    subprocess.run(
        [sys.executable, "-m", "dashlight.cli.main", *command],
        cwd=ROOT,
        env=clean_environ({}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return reference


def _cpu(sink: str, reference: Path, asked: argparse.Namespace) -> dict[str, Added]:
    known = variants(sink, reference)
    names = [name.strip() for name in asked.variants.split(",") if name.strip()] or list(known)
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"unknown variants {', '.join(unknown)}: one of {', '.join(known)}")
    rounds = min(asked.rounds, 3) if asked.quick else asked.rounds
    added = added_by_variant(known, names, sink=sink, reference=reference, rounds=rounds)
    _print_table(known, added, rounds)
    own, peer, sdk = (added.get(name) for name in ("own", "prometheus", "sdk"))
    if own is not None and peer is not None:
        _judge("everything on, own spans, below prometheus-fastapi-instrumentator", own.min_us, peer.min_us, "us")
    if own is not None:
        _judge("of that on the event loop", own.loop_min_us, 10, "us")
    if sdk is not None:
        _judge("everything on, span by the host's SDK", sdk.min_us, 120, "us")
    return added


def _print_table(known: Mapping[str, Variant], added: Mapping[str, Added], rounds: int) -> None:
    quietest = min(each.bare_us for each in added.values())
    print(f"CPU microseconds a request, added to a bare app of {quietest:.1f}; {rounds} rounds")
    print(f"| {'variant':10} | {'min':>6} | {'median':>6} | {'on the loop: min':>16} | {'median':>6} | does")
    print(f"|{'-' * 12}|{'-' * 7}:|{'-' * 7}:|{'-' * 17}:|{'-' * 7}:|------")
    for name, each in added.items():
        figures = f"{each.min_us:6.1f} | {each.median_us:6.1f} | {each.loop_min_us:16.1f} | {each.loop_median_us:6.1f}"
        print(f"| {name:10} | {figures} | {known[name].does}")


def _memory(sink: str, reference: Path) -> Any:
    found = growth(sink, reference, "own")
    _judge(f"memory growth over {found.requests} requests", found.growth_bytes / _MEGABYTE, 2, "MB")
    return found


def _latency(sink: str, reference: Path, *, quick: bool) -> Any:
    found = added_latency(sink, reference, pairs=4 if quick else 14, block_seconds=2.0 if quick else 3.0)
    _judge(f"added p99 at {RATE:.0f} requests/s", found.p99_ms, 0.3, f"ms (+-{found.p99_noise_ms:.3f})")
    print(
        f"           added p50 {found.p50_ms:.3f} ms; bare p50 {found.bare_p50_ms:.3f}, p99 {found.bare_p99_ms:.3f} ms"
    )
    return found


def _budget(sink: str, reference: Path, *, quick: bool) -> Any:
    found = held_budget(sink, reference, seconds=6.0 if quick else 20.0)
    print(f"{found.multiple:.1f} times the rate that fits DASHLIGHT_CPU={found.share:.0%}: {found.rate:.0f} requests/s")
    _judge("share of a core that the analysis took", 100 * found.taken_share, 100 * found.share, "%")
    print(f"           effective rate {found.analysed_rate:.1%} said, {found.expected_rate:.1%} would fit")
    _judge("requests counted wrongly", abs(found.counted - found.sent), 0, f"of {found.sent}")
    _judge("alerts", found.alerts, 0, "on traffic that does not drift")
    return found


def _import() -> dict[str, float]:
    found = import_seconds()
    for statement, seconds in found.items():
        _judge(statement, seconds, 0.3, "s")
    return found


def _judge(what: str, value: float, most: float, unit: str) -> None:
    print(f"{'ok' if value <= most else 'MISSED':10} {what}: {value:.3g} {unit}, at most {most:.3g}", flush=True)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} is not plain")


if __name__ == "__main__":
    sys.exit(main())
