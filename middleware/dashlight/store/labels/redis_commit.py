"""Labels in a Redis: those that are known, and what is stored of new ones, all at once or not at all."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final

from dashlight.errors import StateError
from dashlight.labels.rows import LabelledRows, ModelKey
from dashlight.store.labels.joining import HOUR_SECONDS
from dashlight.store.labels.packing import packed_labelled
from dashlight.store.labels.redis_home import RedisHome, model_digest
from dashlight.store.labels.redis_link import Argument, Reply, as_number, blob, replies, whole
from dashlight.store.labels.redis_scripts import COMMIT, KNOWN

_DOUBLE: Final = struct.Struct("<d")


def known_of(home: RedisHome, model: ModelKey, places: Sequence[tuple[int, bytes]]) -> tuple[float, dict[bytes, float]]:
    """The moment before which all of a model is decided, and the labels that keys have; *places* are slices and keys."""
    pairs = [argument for pair in places for argument in pair]
    implied, *found = replies(home.link.run(KNOWN, (home.prefix, model_digest(model), *pairs)))
    labels = {key: _value(value) for (_, key), value in zip(places, found, strict=True) if value is not None}
    return as_number(implied, none=-math.inf), labels


def commit(
    home: RedisHome,
    model: ModelKey,
    implied_before: float,
    implied_from_now: float | None,
    sets: Sequence[tuple[int, LabelledRows]],
    *,
    labels: Sequence[tuple[int, bytes, bytes]],
    cells: Sequence[tuple[int, int, int]] = (),
    at: float,
) -> bool:
    """Whether all of it was stored; False where another process changed what was known."""
    arguments: list[Argument] = [
        home.prefix,
        model_digest(model),
        "" if implied_before == -math.inf else repr(implied_before),
        "" if implied_from_now is None else repr(implied_from_now),
        int(at) << 20,
        len(sets),
        len(cells),
        len(labels),
    ]
    for layout, rows in sets:
        arguments += [layout, rows.row_count, packed_labelled(rows)]
    for hour, field, count in cells:
        place = home.slice_of(hour * float(HOUR_SECONDS))
        arguments += [place, field, count, max(home.seconds_left(place), 1)]
    for place, key, value in labels:
        arguments += [place, key, value, max(home.seconds_left(place), 1)]
    return whole(home.link.run(COMMIT, arguments)) == 0


def packed_value(value: float) -> bytes:
    """A label as it is stored."""
    return _DOUBLE.pack(value)


def _value(reply: Reply) -> float:
    content = blob(reply)
    if len(content) != _DOUBLE.size:
        raise StateError("corrupt", "a label is damaged")
    return float(_DOUBLE.unpack(content)[0])
