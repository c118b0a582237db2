"""What becomes of labels whose predictions were found. Knows no store."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.labels.label import Fate, Label
from dashlight.labels.row_sets import RowLayout, joined, labelled, taken
from dashlight.labels.rows import Floats, LabelledRows, ScoredRows, Task
from dashlight.labels.store import WaitingCounts
from dashlight.labels.truth import MOST_CHARACTERS, truth_of
from dashlight.privacy.hashing import HashKey

HOUR_SECONDS: Final = 3600
TASKS_WITH_A_NEGATIVE: Final[frozenset[Task]] = frozenset({"binary", "ranking"})
NEGATIVE: Final = 0.0
"""The first of two classes; of a ranking: nothing was chosen."""
ORPHAN_SECONDS: Final = 3600
"""How long a label waits for a prediction that is not written yet."""
MOST_ORPHANS: Final = 100_000
"""Labels that wait so."""
MET_SECONDS: Final = 2 * 86400
"""How long rows that have met can be read again: a judge that lost what it knew begins where its checkpoint is."""
_TENTHS: Final[frozenset[Task]] = frozenset({"binary", "multiclass"})


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """What became of labels, and the rows that have one now."""

    fates: Sequence[Fate]
    """Of each label."""
    rows: LabelledRows | None
    """Those that matched; None where none did."""
    keys: Sequence[bytes]
    """Of these."""
    hours: Sequence[int]
    """Of these: the hour in which they were predicted, since the epoch."""
    troubles: Counter[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides besides the rows and the labels themselves."""

    at: float
    """When the labels came, seconds since the epoch."""
    label_window: float
    """How long predictions wait, in seconds."""
    implied_before: float
    """Predictions made before it that have no label are negative, for good; -inf where none are."""
    key: HashKey


def join(rows: ScoredRows, labels: Sequence[Label], known: Mapping[bytes, float], rules: Rules) -> Joined:
    """Joins each row with the label at its place; *known* are the labels that are there already, by key.

    Of several labels for one prediction the first stays, of clicks on one ranking too: what came first is what was seen
    first, and figures do not change by who sends twice.
    """
    seen = dict(known)
    implied_before = rules.implied_before if rows.task in TASKS_WITH_A_NEGATIVE else -math.inf
    fates: list[Fate] = []
    places: list[int] = []
    values: list[float] = []
    troubles: Counter[str] = Counter()
    predicted = rows.predicted_at.tolist()
    keys: list[bytes] = [each.tobytes() for each in rows.keys]
    items: list[list[int]] | None = None if rows.items is None else rows.items.tolist()
    for place, label in enumerate(labels):
        value = truth_of(label.value, rows.task, rows.classes, None if items is None else items[place], rules.key)
        key = keys[place]
        before = seen.get(key)
        if value is None:
            fates.append("invalid")
        elif before is not None:
            fates.append("duplicate")
            troubles["repeated" if before == value else "contradicted"] += 1
        elif rules.at - predicted[place] > rules.label_window:
            fates.append("too_late")
        elif predicted[place] < implied_before:
            # It was handed out as a negative, and evidence cannot be taken back.
            fates.append("duplicate" if value == NEGATIVE else "too_late")
            troubles["repeated" if value == NEGATIVE else "late_positive"] += 1
        else:
            fates.append("matched")
            seen[key] = value
            places.append(place)
            values.append(value)
    if not places:
        return Joined(fates, None, (), (), troubles)
    matched = taken(rows, np.array(places, np.intp))
    labelled_at = np.array([_known_at(labels[place].at, predicted[place], rules.at) for place in places], np.float64)
    return Joined(
        fates,
        labelled(matched, np.array(values), labelled_at, is_implied=False),
        [keys[place] for place in places],
        hours_of(matched.predicted_at).tolist(),
        troubles,
    )


def _known_at(said_at: float | None, predicted_at: float, at: float) -> float:
    """When a label became known: not before its prediction, and not after it came."""
    return at if said_at is None or not math.isfinite(said_at) else min(max(said_at, predicted_at), at)


def span_of(label: Label, at: float, label_window: float) -> tuple[float, float]:
    """From when until when the prediction was made that a *label* without an id, come *at*, is about."""
    until_at = at if label.at is None or not math.isfinite(label.at) else min(label.at, at)
    within_seconds = 0.0 if math.isnan(label.within_seconds) else max(label.within_seconds, 0.0)
    return until_at - min(within_seconds, label_window), until_at


def packed_orphan(label: Label, at: float) -> bytes:
    """A label that came *at* and waits for its prediction; empty where it can be none."""
    if isinstance(label.value, str) and len(label.value) > MOST_CHARACTERS:
        return b""
    return json.dumps([label.value, label.at, at]).encode()


def orphan_of(content: bytes) -> Label:
    """What `packed_orphan` packed; StateError where it is damaged."""
    try:
        value, said_at, came_at = msgspec.convert(json.loads(content), tuple[str | float | bool, float | None, float])
    except (ValueError, RecursionError) as error:
        raise StateError("corrupt", f"a label that waits: {type(error).__name__}") from None
    return Label("", value, came_at if said_at is None else said_at)


def until_of(sets: Sequence[ScoredRows], *, before_at: float, most_rows: int) -> float:
    """Before when the *most_rows* oldest of all rows were made, and at most *before_at*; those of one moment go together."""
    if sum(rows.row_count for rows in sets) <= most_rows:
        return before_at
    made_at = np.partition(np.concatenate([rows.predicted_at for rows in sets]), most_rows - 1)
    return min(float(np.nextafter(made_at[most_rows - 1], np.inf)), before_at)


def hours_of(predicted_at: Floats) -> NDArray[np.int64]:
    """The hour, since the epoch, of each moment."""
    return np.floor(predicted_at / HOUR_SECONDS).astype(np.int64)


def tenths_of(scores: Floats, task: Task) -> NDArray[np.int64]:
    """The tenth in which each score lies, 0 to 9; -1 where there is none, or it is no probability."""
    if task not in _TENTHS:
        return np.full(len(scores), -1, np.int64)
    is_known = np.isfinite(scores)
    return np.where(is_known, np.clip(np.floor(np.where(is_known, scores, 0.0) * 10), 0, 9), -1).astype(np.int64)


def cells_of(rows: ScoredRows | LabelledRows) -> list[tuple[int, int, int]]:
    """Hour, tenth of the score and number of the rows in each such cell."""
    cells = hours_of(rows.predicted_at) * 16 + tenths_of(rows.scores, rows.task)
    found, counts = np.unique(cells + 1, return_counts=True)
    return [
        (int(cell) // 16, int(cell) % 16 - 1, int(count))
        for cell, count in zip(found.tolist(), counts.tolist(), strict=True)
    ]


def counts_of(cells: Sequence[tuple[int, int, int, int]]) -> WaitingCounts:
    """Cells of hour, tenth, predictions and labelled ones as arrays."""
    columns = np.array(cells, np.int64).reshape(len(cells), 4)
    return WaitingCounts(
        columns[:, 0].astype(np.float64) * HOUR_SECONDS, columns[:, 1].astype(np.int32), columns[:, 2], columns[:, 3]
    )


def grouped(groups: Sequence[tuple[list[int], ScoredRows]]) -> list[tuple[list[int], ScoredRows]]:
    """Groups of one layout as one, in the order of their labels."""
    by_layout: dict[RowLayout, list[tuple[list[int], ScoredRows]]] = {}
    for group in groups:
        by_layout.setdefault(RowLayout.of(group[1]), []).append(group)
    alike: list[tuple[list[int], ScoredRows]] = []
    for found in by_layout.values():
        numbers = np.concatenate([each for each, _ in found])
        order = np.argsort(numbers, kind="stable")
        alike.append((numbers[order].tolist(), taken(joined([rows for _, rows in found]), order)))
    return alike
