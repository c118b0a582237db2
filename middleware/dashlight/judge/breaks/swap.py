"""Two columns whose values changed places. Pure."""

from collections.abc import Collection
from math import sqrt
from typing import Literal

import numpy as np

from dashlight.judge.breaks.sight import Finding, Floats, Sight, distance, nats_apart
from dashlight.window.layout import UNSEEN
from dashlight.window.profile import TEXT_TYPE
from dashlight.window.recent.texts import hash_of
from dashlight.window.recent.values import TEXT_CHARACTERS

MISFIT = 0.35
"""Less far from their own references two columns that are alike could be by themselves."""
_BELONGS = 0.9
_STRANGER = 0.98
"""Where both columns are slow, and fit the other's range alone, they must have nothing in common with their own."""
_FEW_ROWS = 32
FEWEST_VALUES = 32


def misfit(sight: Sight) -> float:
    """How little the recent values are those of the reference, 0 to 1: a distance, or the share of unknown categories."""
    if sight.column.kind == "numeric":
        strange = sight.share_of_type(TEXT_TYPE)
        if len(sight.numbers) < FEWEST_VALUES or not sight.profile.quantiles:
            return strange
        return max(strange, distance(sight.ordered, np.array(sight.profile.quantiles)))
    if sight.column.kind != "categorical":
        return 0.0
    return 1 - _share_in(sight, _categories(sight))


def swapped(first: Sight, second: Sight) -> Finding | None:
    """Whether each of two columns that do not fit their references fits the other's far better."""
    own = misfit(first), misfit(second)
    if min(own) < first.least("swap", MISFIT):
        return None
    fits = _fits(first, second, own[0]), _fits(second, first, own[1])
    if "no" in fits or ("well" not in fits and min(own) < _STRANGER):
        return None
    certainty = max(_certainty(first, own[0]), _certainty(second, own[1]))
    names = f"{first.name} and {second.name}"
    what = f"{names} are swapped: each fits the reference of the other, and not its own"
    look = "; look at the order of the columns where the request is built"
    return Finding("swap", what + look, f"{first.name} unlike its reference", 0.0, own[0], certainty)


def _fits(sight: Sight, other: Sight, own: float) -> Literal["no", "roughly", "well"]:
    """How the values of *sight*, which differ from their reference by *own*, go with that of *other*."""
    if other.column.kind != "numeric":
        return "well" if _share_in(sight, _categories(other)) >= _BELONGS else "no"
    numbers = sight.numbers
    if sight.column.kind != "numeric" and sight.column.hash_key is None:
        numbers = np.array([number for text in sight.texts.tolist() if (number := _number(text)) is not None])
    if len(numbers) < max(FEWEST_VALUES, 0.5 * sight.rows) or not other.profile.quantiles:
        return "no"
    quantiles = np.array(other.profile.quantiles)
    if distance(np.sort(numbers), quantiles) <= min(0.15 + 0.7 / sqrt(other.effective_rows), 0.5, own / 1.8):
        return "well"
    # What follows the weather is not distributed like a whole reference, but within it.
    is_slow = other.effective_rows < _FEW_ROWS
    return "roughly" if is_slow and _within(numbers, quantiles) >= _BELONGS and _tells(sight, quantiles) else "no"


def _tells(sight: Sight, quantiles: Floats) -> bool:
    """Whether values within *quantiles* would be odd for *sight* itself."""
    own = np.array(sight.profile.quantiles)
    return len(own) == 0 or _within(own, quantiles) <= 1 - MISFIT


def _within(numbers: Floats, quantiles: Floats) -> float:
    return float(((numbers >= quantiles[0]) & (numbers <= quantiles[-1])).mean())


def _certainty(sight: Sight, own: float) -> float:
    column = sight.column
    if column.kind == "numeric" and sight.share_of_type(TEXT_TYPE) >= MISFIT:
        return sight.nats(sight.share_of_type(TEXT_TYPE), sight.profile.types[TEXT_TYPE])
    if column.kind == "numeric":
        return nats_apart(sight, sight.ordered)
    return sight.nats(own, (float(column.counts[UNSEEN]) + column.single_block_rows) / max(column.rows, 1))


def _categories(sight: Sight) -> Collection[str]:
    return {name[:TEXT_CHARACTERS] for name in (*sight.column.categories, *sight.column.known)}


def _share_in(sight: Sight, known: Collection[str]) -> float:
    """Share of the texts of *sight* that are *known*; 1 where there are too few to tell."""
    texts = [text for text in sight.texts.tolist() if text is not None]
    if len(texts) < FEWEST_VALUES:
        return 1.0 if sight.column.kind != "numeric" else 0.0
    return sum(hash_of(text) in known for text in texts) / len(texts)


def _number(text: object) -> float | None:
    try:
        return float(str(text))
    except ValueError:
        return None
