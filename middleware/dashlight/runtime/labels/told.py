"""What an app tells by `dashlight.label`, as a label."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from operator import index
from typing import cast
from uuid import UUID

from dashlight.errors import DecodeError
from dashlight.labels.entry import labels_of
from dashlight.labels.label import Label


def told_label(
    prediction_id: object,
    value: object,
    *,
    at: float | str | datetime | None,
    row: int | None,
    step: int | None,
    entity: str | int | None,
    within: str | float | None,
) -> Label:
    """The label of these arguments of `dashlight.label`, which became known now where *at* does not say when.

    Raises:
        TypeError: *prediction_id* or *value* of a type that no prediction has.
        ValueError: an empty id, a value that is no label, a moment in the future.
    """
    known_as, plain = _plain(prediction_id), _plain(value)
    if isinstance(known_as, bool) or not isinstance(known_as, str | int | UUID | None):
        raise TypeError(f"dashlight.label: expected the id of a prediction, found {type(prediction_id).__name__}")
    if not isinstance(plain, str | int | float):
        raise TypeError(f"dashlight.label: expected a class, a number or a text, found {type(plain).__name__}")
    now = time.time()
    entry = {
        "prediction_id": str(known_as) if isinstance(known_as, UUID) else known_as,
        "label": plain,
        # As it is now, for it may wait.
        "at": now if at is None else at.timestamp() if isinstance(at, datetime) else at,
        "row": None if row is None else index(row),
        "step": None if step is None else index(step),
        "entity": _plain(entity),
        "within": within,
    }
    try:
        (found,) = labels_of(entry, now=now)
    except DecodeError as mistake:
        raise ValueError(f"dashlight.label: {mistake}") from None
    return found


def _plain(value: object) -> object:
    """*value* as Python's own: of NumPy what it holds, of a database's number the nearest float."""
    scalar = getattr(value, "item", None)  # of NumPy
    plain = cast("Callable[[], object]", scalar)() if callable(scalar) else value
    if not isinstance(plain, Decimal | Fraction):
        return plain
    try:
        return float(plain)
    except OverflowError:
        return math.inf
