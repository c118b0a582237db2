"""Outputs as numbers that performance is measured by: scores, places of classes, items, steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.scored.meaning import ZERO_ONE, Meaning, is_number_of_class
from dashlight.counting.scored.outputs import Outputs, class_text, codes_of
from dashlight.labels.rows import MOST_CLASSES, MOST_ITEMS, NO_CLASS, Floats
from dashlight.labels.truth import place_of_two
from dashlight.window.facets.forecast_facets import Series, series_of
from dashlight.window.facets.ranking_facets import items_of

MOST_OPEN_CLASSES = 1000
"""Classes of a model whose classes nobody says; further ones are none of them."""
MOST_STEPS = 512
"""Of a forecast that are kept, from the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Rows of predictions in numbers; see `labels.rows.ScoredRows` for what each means."""

    meaning: Meaning
    """With the classes that were met in these rows."""
    rows: NDArray[np.intp]
    """Shape (measured,), ascending: the row of the outputs of each; those that say nothing are left out."""
    scores: Floats
    predictions: NDArray[np.int32]
    steps: NDArray[np.int32]
    probabilities: NDArray[np.float32] | None = None
    items: NDArray[np.uint64] | None = None
    dropped_steps: int = 0


def measured(outputs: Outputs, meaning: Meaning, item_of: Callable[[str], int]) -> Measured | None:
    """The rows of *outputs* as *meaning* says; None where it no longer fits what came.

    *item_of* says what is kept of an item of a ranking.
    """
    if meaning.task in {"binary", "multiclass"}:
        return _of_classes(outputs, meaning)
    if meaning.task == "ranking":
        return _of_ranking(outputs, meaning, item_of)
    if meaning.task == "text":
        told = np.array([cell is not None for cell in outputs.cells(meaning.prediction)], np.bool_)
        return _plain(meaning, np.full(outputs.table.rows, np.nan), told)
    if meaning.steps:
        return _of_steps(outputs, meaning)
    numbers = outputs.numbers(meaning.score)
    return _plain(meaning, numbers, np.isfinite(numbers))


def _plain(meaning: Meaning, scores: Floats, told: NDArray[np.bool_]) -> Measured:
    rows = np.flatnonzero(told)
    return Measured(meaning, rows, scores[rows], np.full(len(rows), NO_CLASS, np.int32), np.zeros(len(rows), np.int32))


def _of_classes(outputs: Outputs, meaning: Meaning) -> Measured | None:
    texts = [class_text(cell) for cell in outputs.cells(meaning.prediction)] if meaning.prediction in outputs else []
    if meaning.is_guess and _is_other(outputs, meaning, texts):
        return None
    if meaning.is_open:
        meaning = _with_met(meaning, texts)
    predictions = (
        codes_of(texts, meaning.classes, none=NO_CLASS) if texts else np.full(outputs.table.rows, NO_CLASS, np.int32)
    )
    probabilities: NDArray[np.float32] | None = None
    if meaning.probabilities:
        shares = _shares(np.array([outputs.numbers(name) for name in meaning.probabilities]))
        scores = np.full(outputs.table.rows, np.nan)
        known = ~np.isnan(shares).all(axis=0)
        scores[known] = np.nanmax(shares[:, known], axis=0)
        if not meaning.is_open:  # else nobody knows which column is whose
            tops = np.full(outputs.table.rows, NO_CLASS, np.int32)
            tops[known] = np.nanargmax(shares[:, known], axis=0)
            predictions = np.where(predictions == NO_CLASS, tops, predictions).astype(np.int32)
            probabilities = shares.T.astype(np.float32) if 2 < len(meaning.classes) <= MOST_CLASSES else None
    else:
        scores = _shares(outputs.numbers(meaning.score)) if meaning.score else np.full(outputs.table.rows, np.nan)
        if meaning.task == "binary":
            if meaning.is_of_top:
                scores = np.where(predictions == 0, 1 - scores, scores)
            elif not texts:
                # A NaN is at least nothing.
                predictions = np.where(np.isnan(scores), NO_CLASS, scores >= 0.5).astype(np.int32)
    rows = np.flatnonzero(~np.isnan(scores) | (predictions != NO_CLASS))
    steps = np.zeros(len(rows), np.int32)
    return Measured(
        meaning, rows, scores[rows], predictions[rows], steps, None if probabilities is None else probabilities[rows]
    )


def _is_other(outputs: Outputs, meaning: Meaning, texts: Sequence[str]) -> bool:
    """Whether what was taken for classes, by the numbers that came first, is something else."""
    if meaning.task == "binary":
        others = {*texts}.difference(("",))
        return meaning.classes == ZERO_ONE and any(place_of_two(text) is None for text in others)
    if meaning.score or meaning.probabilities or not outputs.is_numeric(meaning.prediction):
        return False
    return not all(cell is None or is_number_of_class(cell) for cell in outputs.cells(meaning.prediction))


def _shares(values: Floats) -> Floats:
    """*values* that are probabilities; NaN for others."""
    return np.where((values >= 0) & (values <= 1), values, np.nan)


def _with_met(meaning: Meaning, texts: Sequence[str]) -> Meaning:
    met = {text for text in texts if text}.difference(meaning.classes)
    if not met or len(meaning.classes) >= MOST_OPEN_CLASSES:
        return meaning
    # In the order in which they came: codes that were given stay.
    new = [text for text in dict.fromkeys(texts) if text in met]
    if meaning.task == "binary":
        classes = tuple(name or new[0] for name in meaning.classes)
        return replace(meaning, classes=classes, is_open=False)
    return replace(meaning, classes=(*meaning.classes, *new)[:MOST_OPEN_CLASSES])


def _of_ranking(outputs: Outputs, meaning: Meaning, item_of: Callable[[str], int]) -> Measured:
    cells = outputs.cells(meaning.prediction)
    items = np.zeros((len(cells), MOST_ITEMS), np.uint64)
    told = np.zeros(len(cells), np.bool_)
    for row, cell in enumerate(cells):
        listed = items_of(cell)
        if isinstance(listed, list) and listed:
            shown = [item_of(str(item)) for item in listed[:MOST_ITEMS]]
            items[row, : len(shown)] = shown
            told[row] = True
    plain = _plain(meaning, np.full(len(cells), np.nan), told)
    return replace(plain, items=items[plain.rows])


def _of_steps(outputs: Outputs, meaning: Meaning) -> Measured:
    columns = [name for name in meaning.steps if outputs.is_numeric(name)]
    values: list[list[float]]
    if columns or len(meaning.steps) > 1:
        values = np.array([outputs.numbers(name) for name in meaning.steps]).T.tolist()
    else:
        values = [_series(cell) for cell in outputs.cells(next(iter(meaning.steps)))]
    dropped = sum(max(0, len(each) - MOST_STEPS) for each in values)
    values = [each[:MOST_STEPS] for each in values]
    lengths = np.array([len(each) for each in values], np.intp)
    rows = np.repeat(np.arange(len(values)), lengths)
    scores = np.array([number for each in values for number in each], np.float64)
    steps = np.array([step for each in values for step in range(1, len(each) + 1)], np.int32)
    kept = np.isfinite(scores)
    predictions = np.full(int(kept.sum()), NO_CLASS, np.int32)
    return Measured(meaning, rows[kept], scores[kept], predictions, steps[kept], dropped_steps=dropped)


def _series(cell: object) -> list[float]:
    series = series_of(cell)
    if not isinstance(series, Series):
        return []
    return [float(value) for value in series.values]
