"""Sets of scored rows: some of the rows of one, and several as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import KEY_BYTES, LabelledRows, ModelKey, ScoredRows, Task

_Array = TypeVar("_Array", bound=NDArray[Any])


@dataclass(frozen=True, slots=True)
class RowLayout:
    """What is the same for all rows of one set: sets of one layout can be joined."""

    model: ModelKey
    task: Task
    classes: tuple[str, ...]
    probability_count: int
    """Columns of `probabilities`; 0 where there are none. Likewise the others."""
    item_count: int
    segment_count: int
    segmented_by: tuple[str, ...]
    has_entities: bool
    has_other_keys: bool
    reference: str
    code_count: int
    """Columns of `codes`; 0 where no row was drawn."""

    @classmethod
    def of(cls, rows: ScoredRows) -> RowLayout:
        """The layout of *rows*."""
        return cls(
            rows.model,
            rows.task,
            rows.classes,
            0 if rows.probabilities is None else rows.probabilities.shape[1],
            0 if rows.items is None else rows.items.shape[1],
            0 if rows.segments is None else len(rows.segments),
            rows.segmented_by,
            rows.entities is not None,
            rows.other_keys is not None,
            rows.reference,
            0 if rows.codes is None or rows.sampled is None else len(rows.codes),
        )


def taken(rows: ScoredRows, places: NDArray[np.intp]) -> ScoredRows:
    """The rows at *places*, in that order."""
    sampled: NDArray[np.intp] | None = None
    codes: NDArray[np.uint8] | None = None
    if rows.sampled is not None and rows.codes is not None:
        number = np.full(rows.row_count, -1, np.intp)
        number[rows.sampled] = np.arange(len(rows.sampled))
        of_taken = number[places]
        sampled = np.flatnonzero(of_taken >= 0)
        codes = rows.codes[:, of_taken[sampled]]
    return ScoredRows(
        rows.model,
        rows.task,
        rows.classes,
        keys=rows.keys[places],
        origins=rows.origins[places],
        places=rows.places[places],
        predicted_at=rows.predicted_at[places],
        scores=rows.scores[places],
        predictions=rows.predictions[places],
        steps=rows.steps[places],
        probabilities=_at(rows.probabilities, places),
        items=_at(rows.items, places),
        entities=_at(rows.entities, places),
        other_keys=_at(rows.other_keys, places),
        segments=None if rows.segments is None else rows.segments[:, places],
        segmented_by=rows.segmented_by,
        reference=rows.reference,
        sampled=sampled,
        codes=codes,
    )


def joined(sets: Sequence[ScoredRows]) -> ScoredRows:
    """All rows of *sets*, at least one and all of one layout, in their order."""
    first = sets[0]
    if len(sets) == 1:
        return first
    sampled: NDArray[np.intp] | None = None
    codes: NDArray[np.uint8] | None = None
    if first.codes is not None and first.sampled is not None:
        begins = np.cumsum([0, *(each.row_count for each in sets[:-1])])
        sampled = np.concatenate([begin + each.sampled for begin, each in zip(begins, sets, strict=True)])
        codes = np.concatenate([each.codes for each in sets if each.codes is not None], axis=1)
    return ScoredRows(
        first.model,
        first.task,
        first.classes,
        keys=np.concatenate([each.keys for each in sets]),
        origins=np.concatenate([each.origins for each in sets]),
        places=np.concatenate([each.places for each in sets]),
        predicted_at=np.concatenate([each.predicted_at for each in sets]),
        scores=np.concatenate([each.scores for each in sets]),
        predictions=np.concatenate([each.predictions for each in sets]),
        steps=np.concatenate([each.steps for each in sets]),
        probabilities=_all([each.probabilities for each in sets]),
        items=_all([each.items for each in sets]),
        entities=_all([each.entities for each in sets]),
        other_keys=_all_others(sets),
        segments=_all([each.segments for each in sets], axis=1),
        segmented_by=first.segmented_by,
        reference=first.reference,
        sampled=sampled,
        codes=codes,
    )


def in_time(rows: ScoredRows) -> ScoredRows:
    """*rows* in the order of their moments."""
    return taken(rows, np.argsort(rows.predicted_at, kind="stable"))


def labelled(
    rows: ScoredRows, labels: NDArray[np.float64], labelled_at: NDArray[np.float64], *, is_implied: bool
) -> LabelledRows:
    """*rows* with the labels that came to them."""
    is_any_drawn = rows.codes is not None and rows.sampled is not None and len(rows.sampled) > 0
    return LabelledRows(
        rows.model,
        rows.task,
        rows.classes,
        predicted_at=rows.predicted_at,
        labelled_at=labelled_at,
        scores=rows.scores,
        predictions=rows.predictions,
        labels=labels,
        steps=rows.steps,
        is_implied=np.full(rows.row_count, is_implied),
        probabilities=rows.probabilities,
        segments=rows.segments,
        segmented_by=rows.segmented_by,
        reference=rows.reference,
        sampled=rows.sampled if is_any_drawn else None,
        codes=rows.codes if is_any_drawn else None,
        origins=rows.origins[rows.sampled] if is_any_drawn else None,
    )


def halves(keys: NDArray[np.void]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The two halves of *keys*, KEY_BYTES each, as numbers that sort as the bytes do."""
    numbers = np.ascontiguousarray(keys).view(">u8").reshape(len(keys), KEY_BYTES // 8)
    return numbers[:, 0].astype(np.uint64), numbers[:, 1].astype(np.uint64)


def known_by(rows: ScoredRows) -> tuple[NDArray[np.void], NDArray[np.intp]]:
    """All keys by which *rows* are known, one or two a row, and the row of each."""
    places = np.arange(rows.row_count)
    if rows.other_keys is None:
        return rows.keys, places
    first, second = halves(rows.other_keys)
    others = np.flatnonzero((first != 0) | (second != 0))
    return np.concatenate([rows.keys, rows.other_keys[others]]), np.concatenate([places, others])


def uniform(keys: NDArray[np.void]) -> NDArray[np.uint64]:
    """A number for each of *keys*, uniform over 64 bits whatever the keys are: by it rows are drawn.

    Source: the finalizer of splitmix64, Steele, Lea and Flood (2014).
    """
    first, second = halves(keys)
    mixed: NDArray[np.uint64] = first ^ (second * np.uint64(0x9E3779B97F4A7C15))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _all_others(sets: Sequence[ScoredRows]) -> NDArray[np.void] | None:
    """Second keys of all rows, zero for those of sets without any."""
    if all(each.other_keys is None for each in sets):
        return None
    return np.concatenate(
        [np.zeros(each.row_count, f"V{KEY_BYTES}") if each.other_keys is None else each.other_keys for each in sets]
    )


def _at(array: _Array | None, places: NDArray[np.intp]) -> _Array | None:
    return None if array is None else array[places]  # type: ignore[return-value]


def _all(arrays: Sequence[_Array | None], *, axis: int = 0) -> _Array | None:
    present = [array for array in arrays if array is not None]
    return np.concatenate(present, axis=axis) if present else None  # type: ignore[return-value]
