"""`dashlight labels wanted`: how many more labels would decide how good a model is, and of which predictions."""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from dashlight.cli.applications import add_state, directory_of, failed
from dashlight.cli.subparsers import Subparsers
from dashlight.clock import SystemClock
from dashlight.deliver.encoding.identifiers import uuid_text
from dashlight.errors import DashlightError
from dashlight.judge.performance.coverage import label_coverage, predictions_by_score
from dashlight.judge.performance.displayed import displayed
from dashlight.judge.performance.measure import Measure
from dashlight.judge.performance.wanted import labels_until_decided, labels_until_narrow, wanted_labels
from dashlight.judge.words import number, printable
from dashlight.labels.ids import id_of_row, id_of_step, key_of
from dashlight.labels.rows import ModelKey, ScoredRows, Task
from dashlight.labels.store import LabelStore
from dashlight.privacy.hashing import HashKey
from dashlight.store.hash_key import given_hash_key, kept_hash_key
from dashlight.store.labels.sqlite_file import FILE
from dashlight.store.labels.sqlite_store import SqliteLabelStore
from dashlight.units import seconds
from dashlight.window.performance.counts import PerformanceCounts
from dashlight.window.performance.course import PerformanceCourse
from dashlight.window.performance.strata import NO_SCORE, TENTHS

_STEP_ROWS: Final = 10_000
_CANDIDATES: Final = 50_000
"""The newest predictions without a label, among which those that help most are sought."""
_MARGIN: Final = 0.01
_MEASURES: Final[Mapping[Task, str]] = {
    "binary": "accuracy", "multiclass": "accuracy", "regression": "mae", "ranking": "ctr", "text": "mean_grade",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One prediction whose label would help."""

    id: str
    """Ours, where the label finds the prediction by it; else empty."""
    row: int
    predicted_at: float
    score: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where predictions are kept, and of which time they are looked at."""

    store: LabelStore
    key: HashKey
    since_at: float
    at: float


def add_to(actions: Subparsers) -> None:
    """Adds `labels wanted` to the actions of `labels`."""
    wanted = actions.add_parser(
        "wanted",
        help="say how many more labels decide, and of which predictions",
        description="Reads the predictions and labels in the state directory, and changes nothing.",
    )
    wanted.add_argument("--model", metavar="TEXT", default="", help="part of the name of the model (all)")
    wanted.add_argument("--measure", metavar="NAME", default="", help="such as recall or mae (accuracy; by task)")
    goal = wanted.add_mutually_exclusive_group()
    goal.add_argument("--limit", metavar="VALUE", type=float, help="decided is: the measure is above or below it")
    goal.add_argument("--margin", metavar="VALUE", type=float, help=f"decided is: known to so much ({_MARGIN})")
    wanted.add_argument("--since", metavar="TIME", default="30d", help="predictions no older than that (30d)")
    wanted.add_argument("--most", metavar="NUMBER", type=int, default=20, help="predictions to list (20)")
    wanted.add_argument("--csv", action="store_true", help="the predictions alone, as CSV, to fill in their labels")
    add_state(wanted)
    wanted.set_defaults(run=run)


def run(arguments: argparse.Namespace, now: float | None = None) -> int:
    """Prints what is wanted; returns 0, or 2 after one line on stderr that says what is wrong."""
    at = time.time() if now is None else now
    try:
        since_at = at - seconds(arguments.since)
        if not (arguments.margin or _MARGIN) > 0:
            raise ValueError(f"--margin {arguments.margin:g}: expected a number above 0")  # noqa: TRY301
        if arguments.most < 1:
            raise ValueError(f"--most {arguments.most}: expected a number from 1")  # noqa: TRY301
        path = directory_of(arguments) / FILE
        key = given_hash_key(os.environ) or kept_hash_key(path.parent)
        if not path.exists() or key is None:
            raise ValueError(f"{path.parent} holds no predictions: is DASHLIGHT_LABELS on?")  # noqa: TRY301
        store = SqliteLabelStore(path, hash_key=key, label_window=at, most_bytes=1 << 62, clock=SystemClock())
        try:
            _print_all(_Kept(store, key, since_at, at), arguments)
        finally:
            store.close(0.0)
    except (OSError, ValueError, DashlightError) as error:
        return failed("labels wanted", error)
    return 0


def _print_all(kept: _Kept, arguments: argparse.Namespace) -> None:
    counts = _counted(kept)
    chosen = {model: each for model, each in counts.items() if arguments.model in " ".join(model)}
    if not chosen:
        which = f" of a model with {arguments.model!r} in its name" if arguments.model and counts else ""
        raise ValueError(f"no prediction{which} made within {arguments.since} has a label: any will do to begin with")
    writer = csv.writer(sys.stdout, lineterminator="\n") if arguments.csv else None
    if writer is not None:
        writer.writerow(["prediction_id", "label", "model", "row", "predicted_at", "score"])
    for place, model in enumerate(sorted(chosen)):
        sentences, wanted = _of_model(kept, arguments, model, chosen[model])
        if writer is not None:
            writer.writerows(
                [each.id, "", model[1] or model[0], each.row, _time(each.predicted_at), each.score] for each in wanted
            )
            continue
        print("\n" * bool(place) + "\n".join(sentences))
        if wanted:
            print(f"  {'prediction id':<40}{'row':>6}  {'predicted at':<22}score")
        for each in wanted:
            print(
                f"  {each.id or '(not known by an id of ours)':<40}{each.row:>6}  {_time(each.predicted_at):<22}{each.score}"
            )


def _counted(kept: _Kept) -> dict[ModelKey, PerformanceCounts]:
    """What is labelled of the predictions made from *since_at* on, by model."""
    courses: dict[ModelKey, PerformanceCourse] = {}
    cursor, is_all = 0, False
    while not is_all:
        met = kept.store.met(cursor, most_rows=_STEP_ROWS)
        for rows in met.rows:
            courses.setdefault(rows.model, PerformanceCourse(kept.at - kept.since_at)).add(rows, kept.at)
        is_all = met.is_all or met.cursor == cursor
        cursor = met.cursor
    counts = {model: course.by_prediction(0.0, kept.at + 1) for model, course in courses.items()}
    return {model: each for model, each in counts.items() if each is not None and each.rows}


def _of_model(
    kept: _Kept, arguments: argparse.Namespace, model: ModelKey, counts: PerformanceCounts
) -> tuple[list[str], list[_Wanted]]:
    waiting = kept.store.waiting(model, since_at=kept.since_at)
    predictions = predictions_by_score(waiting)
    unlabelled = kept.store.unlabelled(model, since_at=kept.since_at, most_rows=_CANDIDATES)
    wanted: list[_Wanted] = []
    if unlabelled is not None:
        found = wanted_labels(unlabelled, counts, predictions, arguments.most)
        wanted = [
            _wanted(unlabelled, place, stratum, kept.key)
            for place, stratum in zip(found.places.tolist(), found.strata.tolist(), strict=True)
        ]
    total, labelled = label_coverage(waiting)
    name = " ".join(printable(part) for part in model if part)
    sentences = [f"{name}: {labelled:,} of {total:,} predictions have a label"]
    shown = displayed(counts, predictions)
    sought = arguments.measure or _MEASURES[counts.task]
    measure = next((each for each in shown.measures if each.name == sought), None)
    sentences += [*shown.words, _decision(measure, sought, arguments)]
    sentences.append("these would help most:" if wanted else "no prediction waits for a label")
    return sentences, wanted


def _decision(measure: Measure | None, sought: str, arguments: argparse.Namespace) -> str:
    if measure is None:
        return f"{printable(sought)} cannot be said: how many labels decide it neither"
    value, low, high = (number(each) for each in (measure.value, measure.low, measure.high))
    figure = f"{measure.name} {value} ({low} to {high}, {measure.rows:,} labels)"
    if arguments.limit is not None:
        more, goal = labels_until_decided(measure, arguments.limit), f"against {number(arguments.limit)}"
    else:
        margin = arguments.margin or _MARGIN
        more, goal = labels_until_narrow(measure, margin), f"to {number(margin)} to both sides"
    if more is None:
        return f"{figure}: no million labels decide it {goal}"
    return f"{figure}: decided {goal}" if not more else f"{figure}: {more:,} more labels would decide it {goal}"


def _wanted(rows: ScoredRows, place: int, stratum: int, key: HashKey) -> _Wanted:
    own = next((each for each in _ids(rows, place) if key_of(each, key) == rows.keys[place].tobytes()), "")
    score = "none" if stratum == NO_SCORE else f"{stratum / TENTHS:.1f} to {(stratum + 1) / TENTHS:.1f}"
    return _Wanted(own, int(rows.places[place]), float(rows.predicted_at[place]), score)


def _ids(rows: ScoredRows, place: int) -> Iterator[str]:
    """By which the row may be known: its exchange's alone, or with its number where that had several."""
    whole = uuid_text(int.from_bytes(rows.origins[place].tobytes(), "big")).decode()
    step = int(rows.steps[place])
    for each in (whole, id_of_row(whole, int(rows.places[place]))):
        yield id_of_step(each, step) if step else each


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
