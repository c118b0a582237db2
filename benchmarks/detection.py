"""Alarms, measured: `make bench-detection`, or `python -m benchmarks.detection --help`.

    nulls    streams in which nothing changes: how often each method alarms
    drifts   streams in which one thing changes: how soon
    real     flights, car loans, employment: shuffled (every alarm is false) and in time order
    flights  ours on the flights of a year at 50, 150 and 300 rows a pane, with dates
    shifts   whether a shift of the size that is told as detectable is detected
    months   simulated months of a hundred columns without drift, straight into the drift judge
    cost     an evaluation and its parts, set-up, memory

Nulls, drifts and real come as one table: Dashlight, the PSI and KS windows of common practice, river's detectors.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.detection_cost import costs
from benchmarks.detection_months import month
from benchmarks.detection_real import download, flights_year
from benchmarks.detection_runs import METHODS, PANE_ROWS, SLOW, Line, Wanted, lines
from benchmarks.detection_shifts import promises
from benchmarks.detection_table import against_the_oracle, notes, of_costs, of_months, of_promises, rendered, verdicts

PARTS = ("nulls", "drifts", "real", "flights", "shifts", "months", "cost")
TABLE = PARTS[:3]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the parts that are asked for, all by default."""
    asked = _asked(arguments)
    if asked.real:
        download(asked.data)
    if any(part in asked.parts for part in TABLE):
        _table(asked)
    if "flights" in asked.parts:
        _flights()
    if "shifts" in asked.parts:
        print("\nminimum_detectable_shift: columns in which a shift of that size was found within those rows\n")
        print(of_promises(list(promises(asked.seeds)), markdown=asked.markdown), flush=True)
    if "months" in asked.parts:
        _months(asked)
    if "cost" in asked.parts:
        figures = []
        for figure in costs(quick=asked.quick):
            print(f"{figure.what}: {figure.value:.3g} {figure.unit}", file=sys.stderr, flush=True)
            figures.append(figure)
        print(f"\n{of_costs(figures, markdown=asked.markdown)}", flush=True)
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: all of them")
    parser.add_argument(
        "--seeds", type=_seeds, metavar="FROM:TO", help="default 100:110; for designing take those below 100"
    )
    parser.add_argument("--streams", nargs="+", default=["*"], metavar="PATTERN", help="only these rows of the table")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS, metavar="METHOD", help=str(METHODS))
    parser.add_argument("--months", type=int, default=3, help="months for each size of reference; the first of --seeds")
    parser.add_argument("--share", type=float, default=1.0, help="of each month, 0 to 1")
    parser.add_argument(
        "--rows", type=_sizes, default=(500, 2_000, 10_000, 100_000), help="reference rows of the months"
    )
    parser.add_argument("--real", action="store_true", help="download NannyML's wheel (pip, 23 MB) into --data")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with NannyML's wheel; without it: not run")
    parser.add_argument("--markdown", action="store_true", help="tables as Markdown")
    parser.add_argument(
        "--quick", action="store_true", help="one seed (0), no KSWIN, a hundredth of a month: no result"
    )
    asked = parser.parse_args(arguments)
    asked.parts = asked.parts or list(PARTS)
    if unknown := [part for part in asked.parts if part not in PARTS]:
        parser.error(f"unknown part {', '.join(unknown)}: one of {', '.join(PARTS)}")
    if asked.real and asked.data is None:
        parser.error("--real needs --data DIR")
    if asked.quick:
        asked.seeds, asked.months, asked.share = (asked.seeds or range(1))[:1], 1, min(asked.share, 0.01)
        asked.methods = [method for method in asked.methods if method != SLOW]
    # A quick look is for designing: it must not wear out the seeds on which figures are reported.
    asked.seeds = asked.seeds or range(100, 110)
    return asked


def _table(asked: argparse.Namespace) -> None:
    wanted = Wanted(asked.parts, asked.seeds, asked.streams, asked.methods, asked.data)
    found: list[Line] = list(lines(wanted))
    seeds = f"seeds {asked.seeds[0]} to {asked.seeds[-1]}"
    print(f"{seeds}; evaluated every 100 rows\n")
    print(rendered(found, asked.methods, markdown=asked.markdown))
    print("\n" + "\n".join(notes(found)))
    print("\nDashlight against its targets")
    print("\n".join(verdicts(found)), flush=True)
    if "drifts" in asked.parts:
        print("\nrows until the alarm, median, beside an oracle that knows the change\n")
        print(against_the_oracle(found, pane_rows=PANE_ROWS, markdown=asked.markdown), flush=True)


def _flights() -> None:
    print("\nflights of 2013, the held-out part of January and February first, then March to December")
    for pane_rows in (50, 150, 300):
        held_out, spans = flights_year(pane_rows)
        print(
            f"{pane_rows} rows a pane: held-out part {'quiet' if not held_out else f'{held_out} panes in false alarm'}"
        )
        for column in dict.fromkeys(span.column for span in spans):
            dates = [f"{_day(span.began)} to {_day(span.ended)}" for span in spans if span.column == column]
            print(f"    {column}: {', '.join(dates)}", flush=True)


def _day(moment: str) -> str:
    return moment[5:10] or "the end"


def _months(asked: argparse.Namespace) -> None:
    first = asked.seeds[0]
    found = []
    for reference_rows in asked.rows:
        for seed in range(first, first + asked.months):
            found.append(month(reference_rows, seed=seed, share=asked.share))
            print(found[-1], file=sys.stderr, flush=True)
    part = "" if asked.share == 1 else f" ({asked.share:.0%} of each)"
    print(f"\nsimulated months without drift{part}: 100 columns, a pane every 10 s, one alarm a month allowed\n")
    print(of_months(found, markdown=asked.markdown), flush=True)


def _seeds(text: str) -> range:
    first, _, end = text.partition(":")
    found = range(int(first), int(end) if end else int(first) + 1)
    if not found:
        raise argparse.ArgumentTypeError(f"{text}: no seed at all")
    return found


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(size.replace("_", "")) for size in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
