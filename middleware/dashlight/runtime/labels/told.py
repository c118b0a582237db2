"""What an app tells by `dashlight.label`, as a label."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
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
    if isinstance(prediction_id, bool) or not isinstance(prediction_id, str | int | UUID | None):
        raise TypeError(f"dashlight.label: expected the id of a prediction, found {type(prediction_id).__name__}")
    scalar = getattr(value, "item", None)  # of NumPy
    plain = cast("Callable[[], object]", scalar)() if callable(scalar) else value
    if not isinstance(plain, str | int | float):
        raise TypeError(f"dashlight.label: expected a class, a number or a text, found {type(plain).__name__}")
    now = time.time()
    entry = {
        "prediction_id": str(prediction_id) if isinstance(prediction_id, UUID) else prediction_id,
        "label": plain,
        # As it is now, for it may wait.
        "at": now if at is None else at.timestamp() if isinstance(at, datetime) else at,
        "row": None if row is None else index(row),
        "step": None if step is None else index(step),
        "entity": entity,
        "within": within,
    }
    try:
        (found,) = labels_of(entry, now=now)
    except DecodeError as mistake:
        raise ValueError(f"dashlight.label: {mistake}") from None
    return found
