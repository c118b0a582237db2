"""How often alarms on performance are false, and how many labels they take: `make bench-performance-alarms`.

A model of two classes is wrong with a probability of 0 to 0.2 that its score tells, 0.1 in the mean; labels come hour by hour
under one false alarm in thirty days for the model. Every seed draws its own reference. Constants of the method were chosen
on seeds below 1,000; what is printed is of seeds from 5,000 on.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from benchmarks.performance_feeds import FEEDS, feed_alarms
from numpy.typing import NDArray

from dashlight.judge.alert_budget import PERFORMANCE
from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.parted import PARTED_PART, PartedWatch
from dashlight.judge.performance.realised import REALISED_PART, RealisedWatch
from dashlight.labels.rows import LabelledRows
from dashlight.window.performance_reference import PerformanceReference, ReferenceLoss

Floats: TypeAlias = NDArray[np.float64]

HOUR = 3600.0
START = 1_790_000_000.0 // HOUR * HOUR
PANE_SECONDS = 10.0
PANES = 30 * 86400 / PANE_SECONDS
BINS = 10
FIRST_SEED = 5_000
KNOWN = 10**9
"""Rows of a reference whose risk is as good as known."""
MOST_LABELS = 12_000
"""After a change, for which an alarm is waited."""
WRITER = AlertWriter("performance", "risk", "1", "/predict")


@dataclass(frozen=True, slots=True)
class Stream:
    """Labels of one kind."""

    name: str
    reference_rows: int = 10_000
    """0: it is learned from the first labels."""
    labels_an_hour: int = 100
    every_hours: int = 1
    """Hours between two batches of labels."""
    delay_days: float = 0.0
    """Mean delay of a label, exponential."""
    keep: Callable[[Floats], Floats] | None = None
    """With which probability a score gets a label."""
    input_season: float = 0.0
    """By how much the mean probability of being wrong, as scores tell it, moves over the day; likewise what follows."""
    risk_season: float = 0.0
    cluster: int = 1
    """Rows on end that share their luck."""


NULLS = (
    Stream("independent, R = 10,000"),
    Stream("independent, R = 1,000", reference_rows=1_000),
    Stream("learned from the first labels", reference_rows=0),
    Stream("learned, season of the risk", reference_rows=0, risk_season=0.03),
    Stream("learned, the same, 1,000 labels an hour", reference_rows=0, risk_season=0.03, labels_an_hour=1_000),
    Stream("learned, clusters of 10 rows", reference_rows=0, cluster=10),
    Stream("5,000 labels an hour", labels_an_hour=5_000),
    Stream("label delay of 5 days in the mean", delay_days=5.0),
    Stream("labels mostly of high scores", keep=lambda scores: np.where(scores > 0.5, 0.9, 0.1)),
    Stream("labels of unsure scores only", keep=lambda scores: (np.abs(scores - 0.5) < 0.36).astype(np.float64)),
    Stream("season of the inputs", input_season=0.5),
    Stream("season of the risk, 7 to 13 %", risk_season=0.03),
    Stream("the same, 1,000 labels an hour", risk_season=0.03, labels_an_hour=1_000),
    Stream("clusters of 10 rows", cluster=10),
    Stream("one batch a day", every_hours=24),
)


@dataclass(frozen=True, slots=True)
class Fall:
    """A change to the worse."""

    name: str
    rise: float
    reference_rows: int
    """0: it is learned from the first labels."""
    only_bin: bool = False
    labels_an_hour: int = 100
    after_hours: int = 72
    ramp_hours: int = 0
    """It comes evenly over so many hours; 0: at once."""

    def part(self, hour: int) -> float:
        """Of the rise, in this hour."""
        passed = hour + 1 - self.after_hours
        return float(passed > 0) if not self.ramp_hours else min(max(passed / self.ramp_hours, 0.0), 1.0)


FALLS = (
    Fall("accuracy .90 to .85, risk known", 0.05, KNOWN),
    Fall("accuracy .90 to .85, R = 10,000", 0.05, 10_000),
    Fall("accuracy .90 to .85, R = 1,000", 0.05, 1_000),
    Fall("accuracy .90 to .80, R = 10,000", 0.10, 10_000),
    Fall("a tenth of the scores: wrong by .5 more, R = 10,000", 0.5, 10_000, only_bin=True),
    Fall("1,000 an hour, learned: .90 to .80, two days after", 0.1, 0, labels_an_hour=1_000),
    Fall("1,000 an hour, learned: .90 to .80, two hours after", 0.1, 0, labels_an_hour=1_000, after_hours=27),
    Fall(
        "1,000 an hour, learned: .90 to .80 within six hours, two hours after",
        0.1,
        0,
        labels_an_hour=1_000,
        after_hours=27,
        ramp_hours=6,
    ),
)


def reference_of(rng: np.random.Generator, rows: int) -> PerformanceReference:
    """The reference of so many rows of the model."""
    edges = np.r_[np.linspace(0, 0.2, BINS // 2 + 1)[1:], 1 - np.linspace(0, 0.2, BINS // 2 + 1)[::-1][1:-1]]
    mids = np.linspace(0, 0.2, BINS // 2 + 1)[:-1] + 0.2 / BINS
    risks = np.r_[mids, mids[::-1]]
    held = rng.multinomial(rows, np.full(BINS, 1 / BINS))
    wrong = rng.binomial(held, risks).astype(np.float64)
    nothing = np.zeros(0)
    return PerformanceReference(
        task="binary",
        classes=("no", "yes"),
        label="y",
        score="score",
        prediction="",
        rows=rows,
        scores=nothing,
        predictions=nothing.astype(np.int32),
        labels=nothing,
        losses=(ReferenceLoss("error", 1.0, edges, held, wrong, wrong),),
    )


def batches(
    stream: Stream, rng: np.random.Generator, hours: int, fall: Fall | None = None
) -> Iterator[tuple[LabelledRows, Floats, float]]:
    """Labelled rows hour by hour, the loss that their scores lead to expect, and when they came."""
    waiting: dict[int, list[tuple[Floats, Floats, Floats]]] = {}
    for hour in range(hours):
        count = stream.labels_an_hour
        phase = np.sin(2 * np.pi * hour / 24)
        wrong = 0.2 * rng.beta(1 + stream.input_season * phase, 1 - stream.input_season * phase, count)
        scores = np.where(rng.random(count) < 0.5, wrong, 1 - wrong)
        risk = wrong + stream.risk_season * phase
        if fall is not None:
            hit = (scores > 0.84) & (scores < 0.88) if fall.only_bin else np.ones(count, np.bool_)
            risk = risk + fall.rise * fall.part(hour) * hit
        luck = np.repeat(rng.random(-(-count // stream.cluster)), stream.cluster)[:count]
        labels = np.where(luck < risk, scores < 0.5, scores >= 0.5).astype(np.float64)
        kept = np.ones(count, np.bool_) if stream.keep is None else rng.random(count) < stream.keep(scores)
        predicted_at = START + HOUR * (hour + rng.random(count))
        delays = rng.exponential(stream.delay_days * 24, count) if stream.delay_days else np.zeros(count)
        due = hour + delays.astype(np.int64)
        due += -due % stream.every_hours
        for moment in np.unique(due[kept]).tolist():
            which = kept & (due == moment)
            waiting.setdefault(moment, []).append((scores[which], labels[which], predicted_at[which]))
        if hour in waiting:
            scores, labels, predicted_at = (np.concatenate(each) for each in zip(*waiting.pop(hour), strict=True))
            at = START + HOUR * (hour + 1)
            yield _rows(scores, labels, predicted_at, at), np.minimum(scores, 1 - scores), at


def _rows(scores: Floats, labels: Floats, predicted_at: Floats, at: float) -> LabelledRows:
    count = len(scores)
    return LabelledRows(
        model=("/predict", "risk", "1"),
        task="binary",
        classes=("no", "yes"),
        predicted_at=predicted_at,
        labelled_at=np.full(count, at),
        scores=scores,
        predictions=(scores >= 0.5).astype(np.int32),
        labels=labels,
        steps=np.zeros(count, np.int32),
        is_implied=np.zeros(count, np.bool_),
    )


def watches(reference: PerformanceReference | None) -> tuple[RealisedWatch, PartedWatch]:
    """Both, under the budget of the first model."""
    share = PERFORMANCE / 2  # the first place of a machine
    realised = RealisedWatch(reference, writer=WRITER, panes=PANES, share=share, pane_seconds=PANE_SECONDS)
    return realised, PartedWatch(reference, writer=WRITER, panes=PANES, share=share, pane_seconds=PANE_SECONDS)


def false_alarms(stream: Stream, seeds: Sequence[int], days: int) -> tuple[int, int]:
    """Beginnings of alerts on labels of which nothing is worse, over all *seeds*: realised, parted."""
    counts = [0, 0]
    for seed in seeds:
        rng = np.random.default_rng(seed)
        reference = reference_of(rng, stream.reference_rows) if stream.reference_rows else None
        both = watches(reference)
        firing = [False, False]
        for rows, expected, at in batches(stream, rng, 24 * days):
            for place, news in enumerate((both[0].take(rows, at), both[1].take(rows, expected, at))):
                for alert in news:
                    counts[place] += alert.state == "firing" and not firing[place]
                    firing[place] = alert.state == "firing"
    return counts[0], counts[1]


def labels_until(fall: Fall, seeds: Sequence[int]) -> tuple[Floats, Floats]:
    """Labels from the change to the alert, by seed, of both; inf where it did not come, NaN where it came before."""
    found = np.full((2, len(seeds)), np.inf)
    labels_an_hour = fall.labels_an_hour
    stream = Stream(fall.name, labels_an_hour=labels_an_hour)
    hours = fall.after_hours + MOST_LABELS // labels_an_hour
    for column, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        both = watches(reference_of(rng, fall.reference_rows) if fall.reference_rows else None)
        for rows, expected, at in batches(stream, rng, hours, fall):
            passed = round((at - START) / HOUR) - fall.after_hours
            for place, news in enumerate((both[0].take(rows, at), both[1].take(rows, expected, at))):
                if news and found[place, column] == np.inf:
                    found[place, column] = passed * labels_an_hour if passed > 0 else np.nan
            if not (found[:, column] == np.inf).any():
                break
    return found[0], found[1]


def main() -> None:
    """Prints three tables in Markdown."""
    parser = argparse.ArgumentParser(description="False alarms on performance, and how many labels alarms take.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--only", default="", help="nulls, falls or feeds")
    asked = parser.parse_args()
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    months = asked.seeds * asked.days / 30
    if asked.only in {"", "nulls"}:
        allowed = months * PERFORMANCE / 2 * REALISED_PART
        print(
            f"| nothing is worse: false alarms in {months:.0f} months (budget {allowed:.1f} each) | realised | parted |"
        )
        print("|---|---:|---:|")
        for stream in NULLS:
            print(f"| {stream.name} | {' | '.join(map(str, false_alarms(stream, seeds, asked.days)))} |", flush=True)
    if asked.only in {"", "falls"}:
        print(
            "\n| labels until the alarm, at 100 an hour where nothing else is said: median (90th percentile; missed) | realised | parted |"
        )
        print("|---|---:|---:|")
        for fall in FALLS:
            print(f"| {fall.name} | {' | '.join(map(_told, labels_until(fall, seeds)))} |", flush=True)
    if asked.only in {"", "feeds"}:
        print(
            f"\n| labels that come as ever, or no more: alarms in {asked.seeds} runs | false | true | hours until it |"
        )
        print("|---|---:|---:|---:|")
        for feed in FEEDS:
            print(f"| {feed.name} | {' | '.join(feed_alarms(feed, seeds))} |", flush=True)


def _told(labels: Floats) -> str:
    missed = int(np.isinf(labels).sum())
    middle, late = np.nanquantile(labels, [0.5, 0.9], method="higher")
    return f"{middle:,.0f} ({f'{late:,.0f}' if np.isfinite(late) else 'missed'}; {missed})"


if __name__ == "__main__":
    assert PARTED_PART == REALISED_PART
    main()
