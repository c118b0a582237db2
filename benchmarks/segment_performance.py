"""What a fall of accuracy in one segment takes until its alert, and how often segments alert for nothing.

A model of two classes is wrong with a probability of 0 to 0.2 that its score tells. Its rows are of 20 segments of 5 % each. A
fall happens in one of them; the same labels of that segment alone are judged as if it were a model of its own, with the
reference's rows of that segment and the whole budget of a first model. The batches of both come hour by hour. Constants of
the method were chosen on seeds below 1,000; what is printed is of seeds from 5,000 on.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alert_budget import PERFORMANCE
from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.realised import RealisedWatch
from dashlight.judge.performance.segments.losses import SEGMENTS_PART, SegmentedLosses
from dashlight.judge.performance.segments.usual import usual_by_segment
from dashlight.labels.rows import LabelledRows
from dashlight.window.columns import ColumnReference, Reference
from dashlight.window.layout import BINS, STRUCTURAL_BINS
from dashlight.window.parts.segments import NO_SEGMENT, Segmentation, SegmentColumn
from dashlight.window.performance.counts import chosen_rows
from dashlight.window.performance_reference import PerformanceReference, ReferenceLoss

Floats: TypeAlias = NDArray[np.float64]

HOUR = 3600.0
START = 1_790_000_000.0 // HOUR * HOUR
PANE_SECONDS = 10.0
PANES = 30 * 86400 / PANE_SECONDS
SEGMENTS = 20
FIRST_SEED = 5_000
QUIET_HOURS = 72
EDGES = np.r_[np.linspace(0, 0.2, 6)[1:], 1 - np.linspace(0, 0.2, 6)[::-1][1:-1]]
WRITER = AlertWriter("performance", "risk", "1", "/predict")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the segments of a model are like."""

    name: str
    reference_rows: int = 20_000
    spread: float = 0.0
    """Standard deviation of the segments' own risk."""


SETTINGS = (
    Setting("segments alike, R = 20,000"),
    Setting("segments differ by 2 %, R = 20,000", spread=0.02),
    Setting("segments alike, R = 5,000", reference_rows=5_000),
    Setting("segments differ by 2 %, R = 5,000", reference_rows=5_000, spread=0.02),
)


def rows_of(
    rng: np.random.Generator, segments: NDArray[np.int64], own: Floats, at: float, *, rise: float = 0.0
) -> LabelledRows:
    """Rows of these *segments*, each with a risk of its *own* beside that of its score; segment 0 *rises*."""
    count = len(segments)
    wrong = rng.uniform(0.0, 0.2, count)
    scores = np.where(rng.random(count) < 0.5, wrong, 1 - wrong)
    risk = np.clip(wrong + own[segments] + rise * (segments == 0), 0.0, 1.0)
    labels = np.where(rng.random(count) < risk, scores < 0.5, scores >= 0.5).astype(np.float64)
    return LabelledRows(
        model=("/predict", "risk", "1"),
        task="binary",
        classes=("no", "yes"),
        predicted_at=np.full(count, at - HOUR / 2),
        labelled_at=np.full(count, at),
        scores=scores,
        predictions=(scores >= 0.5).astype(np.int32),
        labels=labels,
        steps=np.zeros(count, np.int32),
        is_implied=np.zeros(count, np.bool_),
        segments=segments.astype(np.uint8)[np.newaxis],
        segmented_by=("carrier",),
        reference="r",
    )


def performance_of(rows: LabelledRows) -> PerformanceReference:
    """What *rows* say as a reference."""
    bins = np.searchsorted(EDGES, rows.scores, side="right")
    wrong = (rows.labels != rows.predictions).astype(np.float64)
    sums = np.bincount(bins, wrong, minlength=10).astype(np.float64)
    loss = ReferenceLoss("error", 1.0, EDGES, np.bincount(bins, minlength=10), sums, sums)
    count = rows.row_count
    return PerformanceReference(
        "binary", ("no", "yes"), "y", "score", "", count, rows.scores, rows.predictions, rows.labels, (loss,)
    )


def reference_of(rows: LabelledRows, segments: NDArray[np.int64]) -> tuple[Reference, Segmentation]:
    """*rows* as a reference, and its 20 segments."""
    codes = (segments + STRUCTURAL_BINS).astype(np.uint8)
    names = tuple(f"c{number:02}" for number in range(SEGMENTS))
    column = ColumnReference(
        name="carrier",
        role="feature",
        kind="categorical",
        rows=len(codes),
        counts=np.bincount(codes, minlength=BINS).astype(np.int64),
        edges=np.zeros(0),
        low=-np.inf,
        high=np.inf,
        categories=names,
        known=frozenset(),
        single_block_rows=0,
    )
    reference = Reference(
        (column,), "file", True, "r", START, sample=codes[np.newaxis], performance=performance_of(rows)
    )
    groups = np.full(BINS, NO_SEGMENT, np.uint8)
    groups[STRUCTURAL_BINS : STRUCTURAL_BINS + SEGMENTS] = np.arange(SEGMENTS)
    return reference, Segmentation("r", (SegmentColumn("carrier", 0, groups, names, 0),))


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is watched as a whole and by segment, and its segment 0 as a model of its own."""

    whole: RealisedWatch
    segments: SegmentedLosses
    alone: RealisedWatch
    own: Floats


def model_of(rng: np.random.Generator, setting: Setting) -> Model:
    """One whose reference is drawn anew."""
    own = rng.normal(0.0, setting.spread, SEGMENTS) if setting.spread else np.zeros(SEGMENTS)
    members = rng.permutation(np.arange(setting.reference_rows) % SEGMENTS)
    known = rows_of(rng, members, own, START)
    reference, segmentation = reference_of(known, members)
    share = PERFORMANCE / 2  # the first place of a machine

    def watch(performance: PerformanceReference | None, part: float) -> RealisedWatch:
        return RealisedWatch(performance, writer=WRITER, panes=PANES, share=share * part, pane_seconds=PANE_SECONDS)

    whole = watch(reference.performance, 1 - SEGMENTS_PART)
    segments = SegmentedLosses(
        reference.performance,
        usual_by_segment(reference, segmentation),
        segmentation,
        whole,
        writer=WRITER,
        panes=PANES,
        share=share,
        pane_seconds=PANE_SECONDS,
    )
    return Model(whole, segments, watch(performance_of(chosen_rows(known, members == 0)), 1.0), own)


def hours(
    rng: np.random.Generator, model: Model, count: int, labels_an_hour: int, rise: float = 0.0
) -> Iterator[tuple[LabelledRows, float, int]]:
    """The labels of each hour, when it ends, and labels of segment 0 since the fall; each segment has as many."""
    members = np.repeat(np.arange(SEGMENTS), labels_an_hour)
    for hour in range(count):
        at = START + HOUR * (hour + 1)
        passed = hour + 1 - QUIET_HOURS
        yield rows_of(rng, members, model.own, at, rise=rise if passed > 0 else 0.0), at, passed * labels_an_hour


def labels_until(setting: Setting, rise: float, seeds: Sequence[int], labels_an_hour: int) -> tuple[Floats, Floats]:
    """Labels of the segment from its fall to its alert, and as a model of its own; inf: none came, NaN: one before."""
    found = np.full((2, len(seeds)), np.inf)
    for column, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        model = model_of(rng, setting)
        for rows, at, labels in hours(rng, model, QUIET_HOURS + 2_000 // labels_an_hour, labels_an_hour, rise):
            model.whole.take(rows, at)
            ours = [
                each for each in model.segments.take(rows, at) if each is not None and each.segment == "carrier=c00"
            ]
            its_own = model.alone.take(chosen_rows(rows, np.flatnonzero(np.asarray(rows.segments)[0] == 0)), at)
            for place, news in enumerate((ours, its_own)):
                if news and found[place, column] == np.inf:
                    found[place, column] = labels if labels > 0 else np.nan
            if not (found[:, column] == np.inf).any():
                break
    return found[0], found[1]


def false_alarms(setting: Setting, seeds: Sequence[int], days: int, labels_an_hour: int) -> int:
    """Beginnings of alerts of any segment where nothing falls."""
    count = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        model = model_of(rng, setting)
        firing: set[str] = set()
        for rows, at, _ in hours(rng, model, 24 * days, labels_an_hour):
            model.whole.take(rows, at)
            for alert in model.segments.take(rows, at):
                if alert is not None:
                    count += alert.state == "firing" and alert.segment not in firing
                    (firing.add if alert.state == "firing" else firing.discard)(alert.segment)
    return count


def main() -> None:
    """Prints two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--null-seeds", type=int, default=20)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--labels", type=int, default=10, help="an hour, of each segment")
    parser.add_argument("--only", default="", help="falls or nulls")
    asked = parser.parse_args()
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    if asked.only in {"", "falls"}:
        print(
            "| accuracy of one of 20 segments falls: its labels until the alert, median (missed) | as a segment | as a model | ratio |"
        )
        print("|---|---:|---:|---:|")
        for setting in SETTINGS:
            for rise in (0.12, 0.25):
                both = labels_until(setting, rise, seeds, asked.labels)
                ours, alone = (float(np.nanmedian(each)) for each in both)
                told = " | ".join(f"{np.nanmedian(each):,.0f} ({int(np.isinf(each).sum())})" for each in both)
                print(f"| {setting.name}, by {rise:.0%} | {told} | {ours / alone:.2f} |", flush=True)
    if asked.only in {"", "nulls"}:
        months = asked.null_seeds * asked.days / 30
        print(
            f"\n| nothing falls: false alarms of 20 segments in {months:.0f} months (budget {months * PERFORMANCE / 2 * SEGMENTS_PART:.2f}) | |"
        )
        print("|---|---:|")
        for setting in SETTINGS:
            print(
                f"| {setting.name} | {false_alarms(setting, seeds[: asked.null_seeds], asked.days, asked.labels)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
