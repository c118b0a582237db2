"""Breaks upstream: whether each is named, at every rate, and whether what merely drifts is not.

python -m benchmarks.breaks [--seeds 3] [breaks] [drifts]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from benchmarks.breaks_streams import BREAKS, CATEGORY_DRIFTS, COLUMNS, DRIFTS, NUMERIC, Values, drifted

from dashlight import DriftDetector
from dashlight.records import Alert

RATES = (1, 10, 26, 100, 1000, 20_000)
"""Rows a pane."""
REFERENCE_ROWS = 5000
BEFORE_PANES = 25
AFTER_ROWS, AFTER_PANES = 1000, 50
"""So long a change is watched, whichever is longer."""
PANE_SECONDS = 10.0


def fired(reference: Values, before: Values, after: Values, pane_rows: int) -> Iterator[tuple[float, Alert]]:
    """The alerts that fire, and how many panes after the change."""
    detector = DriftDetector({"x": reference}, pane_seconds=PANE_SECONDS)
    firing: set[str] = set()
    for values, began in ((before, False), (after, True)):
        for number in range(len(values) // pane_rows):
            pane = {"x": values[number * pane_rows : (number + 1) * pane_rows]}
            at = PANE_SECONDS * (number + 1 + (len(before) // pane_rows if began else 0))
            for alert in detector.update(pane, at=at):
                if alert.state == "firing" and alert.key not in firing:
                    yield (number + 1 if began else -1), alert
                (firing.add if alert.state == "firing" else firing.discard)(alert.key)


def kind(alert: Alert) -> str:
    """What a break is named as."""
    return alert.key.rsplit("/", 1)[1]


def of_breaks(seeds: int) -> None:
    """A row for each break, a column for each rate: panes until it is named, and what else is named."""
    print("| break | " + " | ".join(f"{rate:,} rows a pane" for rate in RATES) + " |")
    print("|---" * (len(RATES) + 1) + "|")
    for what, (column, expected, change) in BREAKS.items():
        cells: list[str] = []
        for rate in RATES:
            found = [_named(column, expected, change, rate, seed) for seed in range(seeds if rate < 20_000 else 1)]
            panes = [panes for panes, _ in found if panes is not None]
            wrong = sorted({each for _, others in found for each in others})
            missed = f", {len(found) - len(panes)} of {len(found)} missed" if len(panes) < len(found) else ""
            cells.append(
                (f"{np.median(panes):.0f}" if panes else "-") + missed + (f" ({', '.join(wrong)})" if wrong else "")
            )
        print(f"| {what} | " + " | ".join(cells) + " |", flush=True)


def _named(column: str, expected: str, change: object, rate: int, seed: int) -> tuple[float | None, set[str]]:
    rng, make = np.random.default_rng(seed + 7000), COLUMNS[column]
    after = max(AFTER_PANES * rate, AFTER_ROWS)
    reference, before, values = (make(rng, rows) for rows in (REFERENCE_ROWS, BEFORE_PANES * rate, after))
    panes, others, incidents = None, set[str](), dict[str, list[Alert]]()
    for since, alert in fired(reference, before, change(values, rng), rate):  # type: ignore[operator]
        incidents.setdefault(alert.incident, []).append(alert)
        if alert.source == "break" and kind(alert) == expected and since > 0:
            panes = since if panes is None else panes
            changed_at = PANE_SECONDS * BEFORE_PANES
            if not alert.since_earliest_at - PANE_SECONDS <= changed_at <= alert.since_latest_at + PANE_SECONDS:
                others.add(f"dated {(alert.since_at - changed_at) / PANE_SECONDS:+.0f} panes")
            if alert.place != 1:
                others.add("not first")
        elif alert.source == "break" or since < 0:
            others.add(kind(alert) if alert.source == "break" else "before the change")
    if len(incidents) > 1:
        others.add(f"{len(incidents)} incidents")
    return panes, others


def of_drifts(seeds: int) -> None:
    """What is named a break although it merely drifts."""
    runs, told, named = 0, 0, list[str]()
    cases = [(name, what, change) for name in NUMERIC for what, change in DRIFTS.items()]
    cases += [(name, what, change) for what, (name, change) in CATEGORY_DRIFTS.items()]
    for name, what, change in cases:
        for seed in range(seeds):
            rng = np.random.default_rng(seed + 9000)
            reference, before = COLUMNS[name](rng, REFERENCE_ROWS), COLUMNS[name](rng, 2000)
            after = drifted(name, change, rng, 6000) if name in NUMERIC else change(COLUMNS[name](rng, 6000), rng)
            alerts = [alert for _, alert in fired(reference, before, after, 100)]
            runs, told = runs + 1, told + any(alert.source == "drift" for alert in alerts)
            named += [f"{name}, {what}: {alert.summary}" for alert in alerts if alert.source == "break"]
    print(f"{runs} drifts, {told} told as drift, {len(named)} named a break")
    print("\n".join(named))


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", nargs="*", default=["breaks", "drifts"])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    if "breaks" in arguments.what:
        of_breaks(arguments.seeds)
    if "drifts" in arguments.what:
        of_drifts(arguments.seeds)


if __name__ == "__main__":
    main()
