"""The bins of drawn predictions in a Redis: a hash for each slice of time and level, so that a level goes with one command."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.labels.rows import KEY_BYTES, ScoredRows
from dashlight.store.labels.redis_home import RedisHome
from dashlight.store.labels.redis_link import Argument, blob, replies, whole
from dashlight.store.labels.sampling import zeros_of

_AT_ONCE: Final = 2000
"""Keys of one command."""


def codes_to_write(
    home: RedisHome,
    rows: ScoredRows,
    sampled: NDArray[np.intp],
    codes: NDArray[np.uint8],
    *,
    layout: int,
    place: int,
) -> list[Argument]:
    """The bins of those of the *sampled* rows that the model's level draws, where they go, and how many they are."""
    level = whole(home.link.call("GET", home.level_name(rows.model)))
    zeros = zeros_of(rows.keys[sampled])
    arguments: list[Argument] = []
    for each in np.unique(zeros[zeros >= level]).tolist():
        chosen = np.flatnonzero(zeros == each)
        keys = np.frombuffer(rows.keys[sampled[chosen]].tobytes(), np.uint8).reshape(len(chosen), KEY_BYTES)
        arguments += [home.sample_name(layout, place, each), np.hstack([keys, codes[:, chosen].T]).tobytes()]
        arguments += [home.drawn_name(rows.model, place), each, len(chosen)]
    return arguments


def with_codes(home: RedisHome, layout: int, rows: ScoredRows) -> ScoredRows:
    """*rows* of that *layout* with the bins of those that are drawn."""
    code_count = home.layout(layout).code_count
    if not code_count or not rows.row_count:
        return rows
    slices = np.array([home.slice_of(at) for at in rows.predicted_at.tolist()], np.int64)
    zeros = zeros_of(rows.keys)
    asked: list[NDArray[np.intp]] = []
    commands: list[tuple[Argument, ...]] = []
    for place, level in sorted(set(zip(slices.tolist(), zeros.tolist(), strict=True))):
        alike = np.flatnonzero((slices == place) & (zeros == level))
        for begin in range(0, len(alike), _AT_ONCE):
            part = alike[begin : begin + _AT_ONCE]
            asked.append(part)
            keys = (key.tobytes() for key in rows.keys[part])
            commands.append(("HMGET", home.sample_name(layout, place, level), *keys))
    found = [each for reply in home.link.call_all(commands) for each in replies(reply)]
    numbers = np.concatenate(asked)
    is_there = np.array([each is not None for each in found], np.bool_)
    codes = [blob(each) for each in found if each is not None]
    if any(len(each) != code_count for each in codes):
        raise StateError("corrupt", "a sample of predictions is cut")
    sampled = numbers[is_there]
    order = np.argsort(sampled)
    bins = np.frombuffer(b"".join(codes), np.uint8).reshape(len(codes), code_count)
    return replace(rows, sampled=sampled[order], codes=np.ascontiguousarray(bins[order].T))
