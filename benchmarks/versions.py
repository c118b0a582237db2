"""How often two versions are decided wrongly, how long a right decision takes, and whether intervals hold at every look.

`python -m benchmarks.versions`: simulated canaries, looked at after every pane. Constants of the method were chosen on seeds
below 1,000; what is printed is of seeds from 7,000 on.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp, log
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from dashlight.judge.versions.auc import SCORE_BINS, auc_evidence
from dashlight.judge.versions.bets import MEMORY_ROWS, OUTCOMES, SIZES, PairedBets, growth
from dashlight.judge.versions.distributions import distance_evidence
from dashlight.judge.versions.evidence import LEVEL, SequentialEvidence
from dashlight.judge.versions.pooled import pooled_evidence
from dashlight.judge.versions.quantiles import latency_evidence
from dashlight.window.histogram import LATENCY, Binning

Counts: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
FIRST_SEED = 7_000
POWER = 0.8
BINS = Binning(LATENCY)


@dataclass(frozen=True, slots=True)
class Canary:
    """A candidate beside a stable version."""

    name: str
    rate: float = 0.02
    """Of stable's failures."""
    more: float = 0.0
    """By so much candidate's is higher."""
    loss: float = 0.0
    """That is allowed."""
    share: float = 0.1
    """Of candidate in the traffic."""
    rows: int = 200
    """A pane."""
    panes: int = 100
    outages: bool = False
    """Whether the rate of both rises to ten times as much now and then."""
    ramp: bool = False
    """Whether candidate's share grows from 1 % to 60 % while the rate of both grows to ten times as much."""
    burst: int = 1
    """Failures of one version come so many at a time."""


NULLS = (
    Canary("at the border, 2 %, tenth of the traffic"),
    Canary("at the border, 0.2 %", rate=0.002, rows=500),
    Canary("at the border, 20 %, half of the traffic", rate=0.2, share=0.5),
    Canary("1 % more where 1 % is allowed", more=0.01, loss=0.01),
    Canary(
        "5 % more where 5 % is allowed, hundredth of the traffic", rate=0.1, more=0.05, loss=0.05, share=0.01, rows=400
    ),
    Canary("equal, 1 % is allowed (`worse` alone is wrong)", loss=0.01),
    Canary("few: ten exchanges a pane", rows=10, panes=300),
    Canary("the rate of both jumps to ten times as much", outages=True),
    Canary("candidate's share grows while both get worse", ramp=True),
    Canary("failures come in bursts of ten of one version (not valid)", burst=10),
)
POWERS = (
    Canary("2 % -> 4 %", more=0.02),
    Canary("2 % -> 4 %, half of the traffic", more=0.02, share=0.5),
    Canary("5 % -> 10 %", rate=0.05, more=0.05),
    Canary("0.1 % -> 0.5 %", rate=0.001, more=0.004),
    Canary("20 % -> 25 %, half of the traffic", rate=0.2, more=0.05, share=0.5),
    Canary("1 % -> 3 % where 1 % is allowed", rate=0.01, more=0.02, loss=0.01),
    Canary("equal at 2 % where 1 % is allowed: no worse", loss=0.01),
    Canary("equal at 0.5 % where 0.5 % is allowed: no worse", rate=0.005, loss=0.005),
)


def panes(canary: Canary, rng: np.random.Generator, runs: int = 1) -> Iterator[tuple[Counts, Counts]]:
    """What each pane holds of stable and of candidate, those that did not fail and those that did: shape (runs, 2)."""
    for number in range(canary.panes):
        share, rate = canary.share, np.full(runs, canary.rate)
        if canary.outages:
            rate *= np.where(rng.random(runs) < 0.1, 10, 1)
        if canary.ramp:
            done = number / canary.panes
            share, rate = 0.01 + 0.6 * done, rate * (1 + 9 * done)
        rows = rng.poisson(canary.rows, runs)
        candidate = rng.binomial(rows, share)
        yield drawn(rng, rows - candidate, rate, canary.burst), drawn(rng, candidate, rate + canary.more, canary.burst)


def drawn(rng: np.random.Generator, rows: Counts, rate: Floats, burst: int) -> Counts:
    """Rows of one version in a pane."""
    failed = np.minimum(burst * rng.binomial(rows, rate / burst), rows)
    return np.stack([rows - failed, failed], axis=-1)


class ManyBets:
    """As `PairedBets` about one difference, in many runs at once: by the same `growth`."""

    def __init__(self, runs: int, difference: float) -> None:
        self._differences = np.array([difference])
        self._pending, self._recent = np.zeros((2, runs, 2)), np.zeros((2, runs, 2))
        self._capital = np.zeros((2, runs, SIZES))
        self.peak = np.zeros((2, runs))
        """Of the log of what speaks for larger, and for smaller, at any look so far."""

    def add(self, stable: Counts, candidate: Counts) -> None:
        """Takes a pane."""
        self._pending += [stable, candidate]
        full = self._pending.sum(axis=2).all(axis=0)
        bets = full & self._recent.any(axis=(0, 2))
        block, before = self._pending[:, bets], self._recent[:, bets]
        most = self._differences
        self._capital[0, bets] += growth(OUTCOMES, block[1], block[0], (before[1], before[0]), most)[:, 0]
        self._capital[1, bets] += growth(OUTCOMES, block[0], block[1], (before[0], before[1]), -most)[:, 0]
        self.peak = np.maximum(self.peak, np.logaddexp.reduce(self._capital, axis=2) - log(SIZES))
        self._recent[:, full] += self._pending[:, full]
        memory = np.maximum(self._recent.sum(axis=(0, 2)), MEMORY_ROWS)
        self._recent *= (MEMORY_ROWS / memory)[:, None]
        self._pending[:, full] = 0.0


def z_values(totals: Floats, loss: float) -> Floats:
    """Of the usual test of two proportions, from all rows so far; *totals* of shape (2, runs, 2)."""
    rows = np.maximum(totals.sum(axis=2), 1.0)
    rates = totals[..., 1] / rows
    error: Floats = np.sqrt((rates * (1 - rates) / rows).sum(axis=0))
    found: Floats = np.divide(rates[1] - rates[0] - loss, error, out=np.zeros(len(error)), where=error > 0)
    return found


def wrong(canary: Canary, runs: int) -> tuple[float, float, float]:
    """In what share of runs `worse`, `no_worse`, or the usual test at 5 % was wrong after any pane.

    About the border alone: where more values have to be shown on the way, wrong decisions are no more frequent.
    """
    rng = np.random.default_rng(FIRST_SEED)
    bets, totals, usual = ManyBets(runs, canary.loss), np.zeros((2, runs, 2)), np.zeros(runs, np.bool_)
    for pane in panes(canary, rng, runs):
        bets.add(*pane)
        totals += pane
        usual |= z_values(totals, canary.loss) > ndtri(1 - LEVEL)
    above, below = (bets.peak >= -log(LEVEL)).mean(axis=1)
    return float(above), float(below), float(usual.mean())


def fixed_rows(canary: Canary) -> float:
    """Candidate's exchanges that the usual test wants at the same level, once, with a power of 80 %."""
    rates = canary.rate, canary.rate + canary.more
    noise = rates[1] * (1 - rates[1]) + rates[0] * (1 - rates[0]) * canary.share / (1 - canary.share)
    both = float(ndtri(1 - LEVEL) + ndtri(POWER))
    return both**2 * noise / (canary.more - canary.loss) ** 2


def decided_after(canary: Canary, seed: int) -> tuple[str, float]:
    """What is decided, and after how many exchanges of candidate, in forty looks to the fixed number of them."""
    wanted = fixed_rows(canary)
    rows = max(2.0, wanted / canary.share / 40)
    rng = np.random.default_rng(seed)
    bets, seen = PairedBets(), 0
    for pane in panes(Canary("", canary.rate, canary.more, canary.loss, canary.share, round(rows), 400), rng):
        bets.add(pane[0][0], pane[1][0])
        seen += int(pane[1].sum())
        decision = bets.evidence.decision(canary.loss)
        if decision != "undecided":
            return decision, seen
    return "undecided", seen


def nulls(runs: int) -> None:
    """Prints the share of runs with a wrong decision."""
    print(f"| {runs:,} runs, looked at after every pane | `worse` | `no_worse` | usual test |\n|---|---|---|---|")
    for canary in NULLS:
        found = wrong(canary, runs)
        told = "-" if canary.more < canary.loss else f"{100 * found[1]:.1f} %"
        print(f"| {canary.name} | {100 * found[0]:.1f} % | {told} | {100 * found[2]:.1f} % |", flush=True)


def powers(runs: int) -> None:
    """Prints how long decisions take."""
    print(f"| {runs:,} runs | decided right | median | nine in ten | fixed sample |\n|---|---|---|---|---|")
    for canary in POWERS:
        wanted = "worse" if canary.more > canary.loss else "no_worse"
        found = [decided_after(canary, FIRST_SEED + run) for run in range(runs)]
        rows = [seen for decision, seen in found if decision == wanted]
        middle, most = np.quantile(rows, [0.5, 0.9])
        told = f"{100 * len(rows) / runs:.1f} % | {middle:,.0f} | {most:,.0f} | {fixed_rows(canary):,.0f}"
        print(f"| {canary.name} | {told} |", flush=True)


Path: TypeAlias = Callable[[np.random.Generator], Iterator[SequentialEvidence]]


def means(rng: np.random.Generator) -> Iterator[SequentialEvidence]:
    """Losses between 0 and 1 of two means that are 0.05 apart."""
    values = np.linspace(0.0, 1.0, 33)
    bets = PairedBets(values)
    for _ in range(40):
        sides = [
            np.bincount((rng.beta(a, 8, rows) * 32).round().astype(int), minlength=33)
            for a, rows in ((2, 90), (2.5, 30))
        ]
        bets.add(*sides)
        yield bets.evidence


def sums(rng: np.random.Generator) -> Iterator[SequentialEvidence]:
    """Failures of 5 % and of 15 %, from sums alone."""
    totals = np.zeros((2, 2))
    for _ in range(40):
        totals += [[rng.binomial(90, 0.05), 90], [rng.binomial(30, 0.15), 30]]
        yield pooled_evidence((totals[0, 0], totals[0, 1]), (totals[1, 0], totals[1, 1]))


def latencies(share: float) -> Path:
    """A quantile of latencies, those of candidate longer by a half."""

    def path(rng: np.random.Generator) -> Iterator[SequentialEvidence]:
        sides = np.zeros((2, LATENCY.bins), np.int64)
        for _ in range(40):
            sides[0] += BINS.count(rng.lognormal(-3, 0.6, (1, 90)))
            sides[1] += BINS.count(1.5 * rng.lognormal(-3, 0.6, (1, 30)))
            yield latency_evidence(sides[0], sides[1], share)

    return path


def outputs(rng: np.random.Generator) -> Iterator[SequentialEvidence]:
    """Outputs over twenty bins, the first five of which candidate gives more often."""
    shares = np.full(20, 0.05), np.repeat([0.07, 0.05, 0.03], [5, 10, 5])
    sides = np.zeros((2, 20), np.int64)
    for _ in range(40):
        sides += [rng.multinomial(90, shares[0]), rng.multinomial(30, shares[1])]
        yield distance_evidence(sides[0], sides[1])


def areas(rng: np.random.Generator) -> Iterator[SequentialEvidence]:
    """Scores of two classes whose areas are equal, a fifth of the rows positive."""
    sides = np.zeros((2, 2, SCORE_BINS), np.int64)
    for _ in range(40):
        for side, rows in enumerate((90, 30)):
            labels = rng.random(rows) < 0.2
            scores = 1 / (1 + np.exp(-rng.normal(labels * 1.2, 1.0)))
            for label in (0, 1):
                places = (scores[labels == label] * SCORE_BINS).astype(int)
                sides[side, label] += np.bincount(places, minlength=SCORE_BINS)
        yield auc_evidence(sides[0], sides[1])


def paths() -> Iterator[tuple[str, Path, float]]:
    """Every sequence, with what it is about."""
    rounded = np.random.default_rng(1)
    grid = [float(((rounded.beta(a, 8, 4_000_000) * 32).round() / 32).mean()) for a in (2, 2.5)]
    yield "difference of means, bets", means, grid[1] - grid[0]
    yield "difference of rates, sums alone", sums, 0.1
    for share in (0.5, 0.9, 0.99):
        yield f"latency, {share:g} quantile", latencies(share), 0.5 * exp(-3 + 0.6 * float(ndtri(share)))
    yield "distance of outputs", outputs, 0.1
    yield "difference of AUC (asymptotic)", areas, 0.0


def coverage(runs: int) -> None:
    """Prints in what share of runs an interval of 95 % missed the truth at any look, and how wide it was at the last."""
    print(f"| {runs:,} runs of 40 looks | missed at any look | last interval, median |\n|---|---|---|")
    for name, path, truth in paths():
        missed, ends = 0, list[tuple[float, float]]()
        for run in range(runs):
            intervals = [each.interval() for each in path(np.random.default_rng(FIRST_SEED + run))]
            missed += any(not low <= truth <= high for low, high in intervals)
            ends.append(intervals[-1])
        low, high = np.median(np.array(ends), axis=0)
        print(f"| {name} ({truth:.3g}) | {100 * missed / runs:.1f} % | {low:.3g} to {high:.3g} |", flush=True)


def main() -> None:
    """Prints what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["nulls", "powers", "coverage"])
    parser.add_argument("--runs", type=int, default=1000)
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part == "nulls":
            nulls(arguments.runs)
        else:  # which take longer
            {"powers": powers, "coverage": coverage}[part](max(1, arguments.runs // 5))
        print()


if __name__ == "__main__":
    main()
