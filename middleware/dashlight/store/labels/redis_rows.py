"""Predictions as records of one length, as a Redis keeps them: one value a row, the number of its layout first.

The bins of those that are drawn lie in a hash for each slice of time and level, so that a level goes with one command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.labels.row_sets import RowLayout
from dashlight.labels.rows import KEY_BYTES, ScoredRows
from dashlight.store.labels.redis_home import RedisHome
from dashlight.store.labels.redis_link import Argument, blob, replies, whole
from dashlight.store.labels.sampling import zeros_of

LAYOUT_BYTES: Final = 4
_VOID: Final = f"V{KEY_BYTES}"
_AT_ONCE: Final = 2000
"""Keys of one command."""


def record_type(layout: RowLayout) -> np.dtype[np.void]:
    """The type of the records of rows of *layout*."""
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = [
        ("layout", "<u4"),
        ("origins", _VOID),
        ("places", "<i4"),
        ("predicted_at", "<f8"),
        ("scores", "<f8"),
        ("predictions", "<i2"),
        ("steps", "<i4"),
    ]
    if layout.probability_count:
        fields.append(("probabilities", "<f4", (layout.probability_count,)))
    if layout.item_count:
        fields.append(("items", "<u8", (layout.item_count,)))
    if layout.segment_count:
        fields.append(("segments", "u1", (layout.segment_count,)))
    if layout.has_entities:
        fields.append(("entities", _VOID))
    return np.dtype(fields)


def records_of(rows: ScoredRows, layout: RowLayout, number: int) -> NDArray[np.void]:
    """*rows* as records, without keys and codes; *number* is that of *layout*."""
    records = np.zeros(rows.row_count, record_type(layout))
    records["layout"] = number
    for name in (
        "origins",
        "places",
        "predicted_at",
        "scores",
        "predictions",
        "steps",
        "probabilities",
        "items",
        "entities",
    ):
        values = getattr(rows, name)
        if values is not None and name in (records.dtype.names or ()):
            records[name] = values
    if rows.segments is not None and layout.segment_count:
        records["segments"] = rows.segments.T
    return records


def rows_by_layout(
    found: Sequence[tuple[bytes, bytes]], layouts: Mapping[int, RowLayout]
) -> list[tuple[list[int], ScoredRows]]:
    """Rows of keys and values as they were *found*, those of one layout together, with their numbers in *found*.

    Those of other layouts than *layouts* are left out; StateError where a value is damaged.
    """
    by_layout: dict[int, list[int]] = {}
    for number, (_, value) in enumerate(found):
        by_layout.setdefault(int.from_bytes(value[:LAYOUT_BYTES], "little"), []).append(number)
    return [
        (numbers, _rows(layouts[layout], [found[each] for each in numbers]))
        for layout, numbers in by_layout.items()
        if layout in layouts
    ]


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


def _rows(layout: RowLayout, found: Sequence[tuple[bytes, bytes]]) -> ScoredRows:
    kind = record_type(layout)
    blob = b"".join(value for _, value in found)
    keys = b"".join(key for key, _ in found)
    if len(blob) != len(found) * kind.itemsize or len(keys) != len(found) * KEY_BYTES:
        raise StateError("corrupt", "predictions are cut")
    records = np.frombuffer(blob, kind)
    names = kind.names or ()
    return ScoredRows(
        layout.model,
        layout.task,
        layout.classes,
        keys=np.frombuffer(keys, _VOID),
        origins=records["origins"],
        places=records["places"],
        predicted_at=records["predicted_at"],
        scores=records["scores"],
        predictions=records["predictions"].astype(np.int32),
        steps=records["steps"],
        probabilities=records["probabilities"] if "probabilities" in names else None,
        items=records["items"] if "items" in names else None,
        entities=records["entities"] if "entities" in names else None,
        segments=np.ascontiguousarray(records["segments"].T) if "segments" in names else None,
        segmented_by=layout.segmented_by,
        reference=layout.reference,
    )
