"""What a label says, as a number: the place of a class, a number, a grade, the place of an item in a ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dashlight.labels.ids import item_of
from dashlight.labels.label import LabelValue
from dashlight.labels.rows import NO_CLASS, Task
from dashlight.privacy.hashing import HashKey

MOST_CHARACTERS = 1024
"""Of a class or an item."""
_NEGATIVE, _POSITIVE = frozenset({"0", "false"}), frozenset({"1", "true"})


def truth_of(
    value: LabelValue, task: Task, classes: Sequence[str], items: Sequence[int] | None, key: HashKey
) -> float | None:
    """What stands for *value* in `LabelledRows.labels`; None where it is no label of such a prediction.

    Of many classes a class that nothing was ever predicted as is a label: NO_CLASS. *items* are those of one ranking.
    """
    if isinstance(value, float | int) and not isinstance(value, bool) and not math.isfinite(value):
        return None
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return None
    if task in ("regression", "text"):
        return _number(value, is_grade=task == "text")
    if task == "ranking":
        return _place(value, () if items is None else items, key)
    spelled = spelling_of(value)
    if spelled in classes:
        return float(classes.index(spelled))
    if task == "multiclass":
        return float(NO_CLASS) if spelled else None
    # Of two classes the positive one may be meant by true or 1, whatever it is called.
    if spelled.lower() in _POSITIVE:
        return 1.0
    return 0.0 if spelled.lower() in _NEGATIVE else None


def spelling_of(value: LabelValue) -> str:
    """How a class or an item is written: 1.0 as `1`, true as `true`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip()
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _number(value: LabelValue, *, is_grade: bool) -> float | None:
    if isinstance(value, bool):
        return float(value) if is_grade else None  # a thumb up or down is a grade
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _place(value: LabelValue, items: Sequence[int], key: HashKey) -> float | None:
    """Place, from 1, of the item that was chosen; 0 where it is none of *items*, or nothing was chosen."""
    if isinstance(value, bool):
        return None if value else 0.0
    item = spelling_of(value)
    if not item:
        return 0.0
    (found,) = np.nonzero(np.asarray(items, np.uint64) == np.uint64(item_of(item, key)))
    return float(found[0] + 1) if len(found) else 0.0
