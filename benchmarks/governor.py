"""Whether every exchange is analysed while a reference is learned and while alerts are in force: a served app, a steady rate."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import sleep

import httpx
from benchmarks.model_app import NUMERIC, Row, rows
from benchmarks.overhead_latency import Client, served

BLOCK_SECONDS = 10.0
"""Between two looks at the metrics; a pane."""
REFERENCE_ROWS = 2000
_POOL = 8192
_TOKEN = "of-the-benchmark-alone"
_SERIES = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>[0-9.e+-]+)")


@dataclass(frozen=True, slots=True)
class Looked:
    """What the metrics said at one moment."""

    requests: float
    """Of /predict."""
    analysed: float
    """Of those."""
    rate: float
    """Share that is analysed."""
    firing: float
    """Alerts that fire."""
    is_learned: bool
    """Whether a reference is in force."""


def looked(metrics: str) -> Looked:
    """The figures in an answer of the metrics endpoint."""

    def total(name: str, *labels: str) -> float:
        found = [each for each in _SERIES.finditer(metrics) if each["name"] == name]
        return sum(float(each["value"]) for each in found if all(label in (each["labels"] or "") for label in labels))

    route = 'http_route="/predict"'
    learning = total("dashlight_model_state", route, 'dashlight_model_state="learning"')
    return Looked(
        requests=total("dashlight_requests_total", route),
        analysed=total("dashlight_analysed_total", route),
        rate=total("dashlight_analysed_rate"),
        firing=total("dashlight_alert_in_force", 'dashlight_alert_state="firing"'),
        is_learned=not learning,
    )


def moved(row: Row) -> Row:
    """*row* after a change upstream: each number as in feet what was in metres."""
    return {name: round(3.281 * float(value), 3) if name in NUMERIC else value for name, value in row.items()}


def run(rate: float, *, quiet_blocks: int, moved_blocks: int) -> Iterator[Looked]:
    """Looks after each block of *rate* requests a second: first as usual, then with every number moved."""
    environ: Mapping[str, str] = {
        "DASHLIGHT_METRICS": "true",
        "DASHLIGHT_TOKEN": _TOKEN,
        "DASHLIGHT_REFERENCE_ROWS": str(REFERENCE_ROWS),
    }
    usual = rows(_POOL, seed=3)
    pools = ([usual] * quiet_blocks) + ([[moved(row) for row in usual]] * moved_blocks)
    with served("watched", environ) as url:

        def look() -> Looked:
            answer = httpx.get(f"{url}/dashlight/metrics", headers={"authorization": f"Bearer {_TOKEN}"})
            while answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:  # no pane has ended yet
                sleep(1.0)
                answer = httpx.get(answer.url, headers=answer.request.headers)
            return looked(answer.raise_for_status().text)

        for pool in pools:
            client = Client(url, [json.dumps(row).encode() for row in pool], rate=rate)
            client.block(BLOCK_SECONDS)
            client.close()
            yield look()
        # The last exchanges are counted with the end of their pane.
        sleep(BLOCK_SECONDS + 2)
        yield look()


def main() -> None:
    """Prints each look, and ends with 1 where something was not analysed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=80.0, help="requests a second (80)")
    parser.add_argument("--quiet", type=int, default=6, help="blocks of ten seconds as usual (6)")
    parser.add_argument("--moved", type=int, default=6, help="blocks of ten seconds with every number moved (6)")
    asked = parser.parse_args()
    print("seconds   requests   analysed   rate   learned   firing")
    lowest, last = 1.0, None
    for place, last in enumerate(run(asked.rate, quiet_blocks=asked.quiet, moved_blocks=asked.moved), 1):
        lowest = min(lowest, last.rate)
        print(
            f"{place * BLOCK_SECONDS:7.0f}   {last.requests:8.0f}   {last.analysed:8.0f}   {last.rate:4.2f}"
            f"   {'yes' if last.is_learned else 'no':>7}   {last.firing:6.0f}",
            flush=True,
        )
    if last is None or last.analysed != last.requests or lowest < 1:
        sys.exit("not everything was analysed")
    print("everything was analysed")


if __name__ == "__main__":
    main()
