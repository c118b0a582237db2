"""How often the guilty slice is found, and how often one is named that is none: `python -m benchmarks.slices`.

Streams of 20 to 100 columns, independent or correlated, of which 4,000 rows since the onset are searched. Planted slices are of
two columns with borders at any value, hold 5 to 15 % of the rows, and hurt more by so much that all rows together trip an alarm
within 1,000 to 4,000 rows: it takes 15.5 nats, rows until the alarm = 15.5 / KL(rate now, usual rate). Found is right where the
rows of the slice that is named and those of the planted one have a Jaccard index of 0.8 or more. In nulls nothing, or all, rose.

The method was designed on seeds below 1,000; what is printed is of seeds from 5,000 on. Rows are independent: clustered rows, of
which one bad caller may be a slice of his own, are no part of this. OPENBLAS_NUM_THREADS=1 for figures of CPU that can be compared.
"""

import argparse
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from benchmarks.slices_nulls import NULLS
from benchmarks.slices_worlds import World, planted_in, world_of
from numpy.typing import NDArray

from dashlight.judge.slices.rows import HurtRows
from dashlight.judge.slices.search import search_slice
from dashlight.judge.slices.words import bin_words
from dashlight.records import Slice

FIRST_SEED = 5_000
ROWS = 4_000
NATS = 15.5
"""That an alarm takes under the budget of one false alarm in thirty days."""
RIGHT = 0.8
"""Jaccard index of the rows."""
COLUMNS = (20, 40, 60, 100)
UNTIL_ALARM = (1_000, 2_000, 4_000)
SIZES = ((0.05, 0.08), (0.08, 0.115), (0.115, 0.15))
_HIGHEST = 0.97


@dataclass(frozen=True, slots=True)
class Setting:
    """What a planted slice makes worse."""

    name: str
    base: float
    usual_rows: int


SETTINGS = (
    Setting("failures, usually 2 %, 4,000 rows of before", 0.02, 4_000),
    Setting("wrong predictions, usually 10 %, 4,000 rows of before", 0.1, 4_000),
    Setting("wrong predictions, usually 30 %, 4,000 rows of before", 0.3, 4_000),
    Setting("rows in the bins that rose, usually 10 %, reference of 20,000", 0.1, 20_000),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one search."""

    verdict: Slice
    overlap: float
    """Jaccard index of the slice that was named and the planted one."""
    cpu_seconds: float
    longest_step_seconds: float


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["planted", "curve", "nulls", "lift", "cost"], help="(%(default)s)")
    parser.add_argument("--nulls", type=int, default=2_000, help="(%(default)s)")
    parser.add_argument("--each", type=int, default=12, help="slices of each cell of the curve (%(default)s)")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="(%(default)s)")
    arguments = parser.parse_args()
    for part in arguments.parts:
        match part:
            case "planted":
                planted(arguments.seed)
            case "curve":
                curve(arguments.seed + 1_000, arguments.each)
            case "nulls":
                nulls(arguments.seed + 10_000, arguments.nulls)
            case "lift":
                lift(arguments.seed + 20_000)
            case _:
                cost(arguments.seed + 30_000)


def planted(seed: int) -> None:
    """40 slices of all kinds."""
    tally: Counter[str] = Counter()
    for number in range(40):
        rng = np.random.default_rng(seed + number)
        world = world_of(rng, COLUMNS[number % 4], correlated=number % 2 == 0)
        outcome = _planted(rng, world, SETTINGS[number // 4 % 4], UNTIL_ALARM[number % 3], (0.05, 0.15))
        tally[_called(outcome)] += 1
        if _called(outcome) != "right":
            print(
                f"  {number}: {_called(outcome)}, overlap {outcome.overlap:.2f} {outcome.verdict.summary}", flush=True
            )
    print(f"planted: of 40 slices {dict(tally)}", flush=True)


def curve(seed: int, each: int) -> None:
    """By what hurts, how large the slice is and how many rows the alarm takes."""
    print(
        f"\n| what hurts | rows of the slice | rows until the alarm | lift | right | other slice | none | of |\n{'|---' * 8}|"
    )
    for setting in SETTINGS:
        for least, most in SIZES:
            for until_alarm in UNTIL_ALARM:
                tally: Counter[str] = Counter()
                lifts: list[float] = []
                for _ in range(each):
                    seed += 1
                    rng = np.random.default_rng(seed)
                    world = world_of(rng, COLUMNS[seed % 4], correlated=seed // 4 % 2 == 0)
                    if lift_for(setting.base, (least + most) / 2, until_alarm) is None:
                        break
                    lifts.append(lift_for(setting.base, (least + most) / 2, until_alarm) or 0.0)
                    tally[_called(_planted(rng, world, setting, until_alarm, (least, most)))] += 1
                if lifts:
                    print(
                        f"| {setting.name} | {least:.1%} to {most:.1%} | {until_alarm:,} | +{100 * np.mean(lifts):.0f} points"
                        f" | {tally['right']} | {tally['other']} | {tally['none'] + tally['everywhere']} | {tally.total()} |",
                        flush=True,
                    )


def nulls(seed: int, count: int) -> None:
    """Streams without a slice: how many were named one."""
    print(f"\n| null | streams | named | everywhere | none | too few |\n{'|---' * 6}|")
    named = 0
    for number, null in enumerate(NULLS):
        tally: Counter[str] = Counter()
        streams = count // len(NULLS) + (number < count % len(NULLS))
        for place in range(streams):
            rng = np.random.default_rng(seed + 1_000 * number + place)
            world = world_of(rng, COLUMNS[place % 3], correlated=place % 4 != 0)
            now, usual, left_out = null.draw(rng, world, ROWS)
            tally[searched(world, now, usual, leave_out=left_out)[0].state] += 1
        named += tally["found"]
        states = " | ".join(str(tally[state]) for state in ("found", "everywhere", "none", "too_few"))
        print(f"| {null.name} | {streams} | {states} |", flush=True)
    print(f"named: {named} of {count}")


def lift(seed: int) -> None:
    """How often a slice of 5 % is found and confirmed whose lift is what is said to be detectable: 80 % were promised."""
    print(f"\n| usually | rows | of before | columns | lift said | named, of 25 |\n{'|---' * 6}|")
    for base, rows, usual_rows, columns in (
        (0.02, 4_000, 20_000, 40), (0.1, 4_000, 4_000, 20), (0.1, 4_000, 20_000, 100), (0.3, 4_000, 20_000, 40), (0.1, 2_000, 2_000, 40),
    ):  # fmt: skip
        named, lifts = 0, list[float]()
        for number in range(25):
            rng = np.random.default_rng(seed + number)
            world = world_of(rng, columns, correlated=number % 2 == 0)
            slice_ = planted_in(rng, world, 0.045, 0.055)
            usual = _hurt(rng, world, world.draw(rng, usual_rows), np.full(usual_rows, base))
            values = world.draw(rng, rows)
            said = searched(world, _hurt(rng, world, values, np.full(rows, base)), usual)[0].detectable_lift
            lifts.append(said)
            rates = np.where(slice_.holds(values), min(base + said, 1.0), base)
            named += searched(world, _hurt(rng, world, values, rates), usual)[0].state == "found"
        print(
            f"| {base:.0%} | {rows:,} | {usual_rows:,} | {columns} | +{100 * np.mean(lifts):.0f} points | {named} |",
            flush=True,
        )


def cost(seed: int) -> None:
    """CPU of a search, all its steps, and the longest of them."""
    print(f"\n| columns | CPU, median of 9 | longest step |\n{'|---' * 3}|")
    for columns in (20, 40, 100, 500):
        outcomes: list[Outcome] = []
        for number in range(9):
            rng = np.random.default_rng(seed + number)
            outcomes.append(_planted(rng, world_of(rng, columns, correlated=True), SETTINGS[3], 2_000, (0.05, 0.15)))
        seconds = float(np.median([outcome.cpu_seconds for outcome in outcomes]))
        longest = float(np.median([outcome.longest_step_seconds for outcome in outcomes]))
        print(f"| {columns} | {seconds:.3f} s | {1_000 * longest:.1f} ms |", flush=True)


def lift_for(base: float, share: float, until_alarm: int) -> float | None:
    """By how much the rate of *share* of the rows has to rise for an alarm within so many rows; None: by no rise."""
    low, high = 0.0, _HIGHEST - base
    if _divergence(base + share * high, base) * until_alarm < NATS:
        return None
    for _ in range(50):
        middle = (low + high) / 2
        enough = _divergence(base + share * middle, base) * until_alarm >= NATS
        low, high = (low, middle) if enough else (middle, high)
    return high


def searched(
    world: World, now: HurtRows, usual: HurtRows | None, *, leave_out: Collection[int] = ()
) -> tuple[Slice, Sequence[tuple[int, tuple[int, ...]]], float, float]:
    """The verdict with its conditions in bins, the CPU seconds of it, and the seconds of its longest step."""
    asked: list[tuple[int, tuple[int, ...]]] = []
    words = bin_words(world.columns)

    def noted(place: int, bins: Collection[int]) -> str:
        asked.append((place, tuple(bins)))
        return words(place, bins)

    steps = search_slice(now, usual, world.columns, leave_out=leave_out, words=noted)
    begun, longest = time.process_time(), 0.0
    while True:
        step = time.thread_time()
        try:
            next(steps)
        except StopIteration as end:
            verdict: Slice = end.value
            break
        longest = max(longest, time.thread_time() - step)
    return verdict, asked[len(asked) - len(verdict.conditions) :], time.process_time() - begun, longest


def _planted(
    rng: np.random.Generator, world: World, setting: Setting, until_alarm: int, sizes: tuple[float, float]
) -> Outcome:
    values, rise = world.draw(rng, ROWS), None
    while rise is None:
        inside = planted_in(rng, world, *sizes).holds(values)
        rise = lift_for(setting.base, float(inside.mean()), until_alarm)
    now = _hurt(rng, world, values, np.where(inside, setting.base + rise, setting.base))
    usual = _hurt(rng, world, world.draw(rng, setting.usual_rows), np.full(setting.usual_rows, setting.base))
    verdict, conditions, seconds, longest = searched(world, now, usual)
    named = np.full(ROWS, bool(conditions))
    for place, bins in conditions:
        named &= now.within(place, bins)
    overlap = float((named & inside).sum() / max((named | inside).sum(), 1))
    return Outcome(verdict, overlap, seconds, longest)


def _hurt(rng: np.random.Generator, world: World, values: NDArray[np.float64], rates: NDArray[np.float64]) -> HurtRows:
    return HurtRows(world.codes(values), (rng.random(len(rates)) < rates).astype(np.float64))


def _called(outcome: Outcome) -> str:
    if outcome.verdict.state != "found":
        return outcome.verdict.state
    return "right" if outcome.overlap >= RIGHT else "other"


def _divergence(rate: float, base: float) -> float:
    return rate * log(rate / base) + (1 - rate) * log((1 - rate) / (1 - base))


if __name__ == "__main__":
    main()
