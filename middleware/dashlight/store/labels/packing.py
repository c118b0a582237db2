"""Rows as bytes: a column after the other, each in the smallest type that holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.labels.row_sets import RowLayout
from dashlight.labels.rows import KEY_BYTES, LabelledRows, ScoredRows

_Column: TypeAlias = tuple[str, tuple[int, ...], bytes]
"""Type, shape, and the items; of a column whose items are all the same, one of them."""
_TYPES = {
    np.dtype(name).str: np.dtype(name)
    for name in ("?", "i1", "i2", "i4", "i8", "u1", "u8", "f4", "f8", f"V{KEY_BYTES}")
}
_MOST_ITEMS = 1 << 24
_DECODER = msgspec.msgpack.Decoder(dict[str, _Column])
_NARROW = (np.int8, np.int16, np.int32)


def packed_rows(rows: ScoredRows) -> bytes:
    """All of *rows* but their codes, their second keys, and what their layout says."""
    return _packed(
        {
            "keys": rows.keys,
            "entities": rows.entities,
            "origins": rows.origins,
            "places": rows.places,
            "predicted_at": rows.predicted_at,
            "scores": rows.scores,
            "predictions": rows.predictions,
            "steps": rows.steps,
            "probabilities": rows.probabilities,
            "items": rows.items,
            "segments": rows.segments,
        }
    )


def rows_of(content: bytes, layout: RowLayout) -> ScoredRows:
    """What `packed_rows` packed; StateError where it is damaged."""
    columns = _unpacked(content)
    try:
        rows = ScoredRows(
            layout.model,
            layout.task,
            layout.classes,
            keys=columns["keys"],
            origins=columns["origins"],
            places=columns["places"].astype(np.int32),
            predicted_at=columns["predicted_at"],
            scores=columns["scores"],
            predictions=columns["predictions"].astype(np.int32),
            steps=columns["steps"].astype(np.int32),
            probabilities=columns.get("probabilities"),
            items=columns.get("items"),
            entities=columns.get("entities"),
            segments=columns.get("segments"),
            segmented_by=layout.segmented_by,
            reference=layout.reference,
        )
    except KeyError as error:
        raise StateError("corrupt", f"a batch of predictions has no {error}") from None
    if any(len(column) != rows.row_count for name, column in columns.items() if name != "segments"):
        raise StateError("corrupt", "a batch of predictions has columns of several lengths")
    return rows


def packed_labelled(rows: LabelledRows) -> bytes:
    """All of *rows* but what their layout says."""
    return _packed(
        {
            "predicted_at": rows.predicted_at,
            "labelled_at": rows.labelled_at,
            "scores": rows.scores,
            "predictions": rows.predictions,
            "labels": rows.labels,
            "steps": rows.steps,
            "is_implied": rows.is_implied,
            "probabilities": rows.probabilities,
            "segments": rows.segments,
            "sampled": None if rows.sampled is None else rows.sampled.astype(np.int32),
            "codes": rows.codes,
            "origins": rows.origins,
        }
    )


def labelled_of(content: bytes, layout: RowLayout, *, begin: int, end: int) -> LabelledRows:
    """Rows from *begin* up to *end* of what `packed_labelled` packed; StateError where it is damaged."""
    columns = _unpacked(content)
    part = slice(begin, end)
    probabilities, segments = columns.get("probabilities"), columns.get("segments")
    try:
        sampled = _sampled_of(columns)
        which = slice(0, 0) if sampled is None else slice(*np.searchsorted(sampled, (begin, end)).tolist())
        return LabelledRows(
            layout.model,
            layout.task,
            layout.classes,
            predicted_at=columns["predicted_at"][part],
            labelled_at=columns["labelled_at"][part],
            scores=columns["scores"][part],
            predictions=columns["predictions"][part].astype(np.int32),
            labels=columns["labels"][part],
            steps=columns["steps"][part].astype(np.int32),
            is_implied=columns["is_implied"][part],
            probabilities=None if probabilities is None else probabilities[part],
            segments=None if segments is None else segments[:, part],
            segmented_by=layout.segmented_by,
            reference=layout.reference,
            sampled=None if sampled is None else sampled[which] - begin,
            codes=None if sampled is None else columns["codes"][:, which],
            origins=None if sampled is None else columns["origins"][which],
        )
    except KeyError as error:
        raise StateError("corrupt", f"labels that have met have no {error}") from None


def _sampled_of(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.intp] | None:
    """Which of some labelled rows have their bins; None: none of them. KeyError where these are not there."""
    if "sampled" not in columns:
        return None
    sampled, codes, origins = columns["sampled"], columns["codes"], columns["origins"]
    fits = sampled.ndim == 1 and codes.ndim == 2 and codes.shape[1:] == origins.shape == sampled.shape
    if not fits or sampled.dtype.kind != "i" or codes.dtype != np.uint8 or bool((np.diff(sampled) <= 0).any()):
        raise StateError("corrupt", "a sample of labels that have met is of other rows")
    if len(sampled) and not 0 <= sampled[0] <= sampled[-1] < len(columns["labels"]):
        raise StateError("corrupt", "a sample of labels that have met is of other rows")
    return sampled.astype(np.intp)


def packed_codes(sampled: NDArray[np.intp], codes: NDArray[np.uint8]) -> bytes:
    """The bins of the rows that were drawn, and which rows these are."""
    return _packed({"sampled": sampled.astype(np.int32), "codes": codes})


def codes_of(content: bytes) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """What `packed_codes` packed; StateError where it is damaged."""
    columns = _unpacked(content)
    try:
        return columns["sampled"].astype(np.intp), columns["codes"].astype(np.uint8, copy=False)
    except KeyError as error:
        raise StateError("corrupt", f"a sample of predictions has no {error}") from None


def packed_layout(layout: RowLayout) -> str:
    """The text by which *layout* is known."""
    return json.dumps(asdict(layout))


def layout_of(text: str) -> RowLayout:
    """What `packed_layout` packed; StateError where it is damaged."""
    try:
        return msgspec.convert(json.loads(text), RowLayout)
    except (ValueError, RecursionError) as error:  # of which msgspec's errors are some
        raise StateError("corrupt", f"a layout of predictions: {error}") from None


def keys_of(content: bytes) -> NDArray[np.void]:
    """Keys that stand one after the other; StateError where the last is cut."""
    if len(content) % KEY_BYTES:
        raise StateError("corrupt", "the keys of a batch of predictions are cut")
    return np.frombuffer(content, f"V{KEY_BYTES}")


def _packed(columns: Mapping[str, NDArray[Any] | None]) -> bytes:
    return msgspec.msgpack.encode({name: _column(each) for name, each in columns.items() if each is not None})


def _column(array: NDArray[Any]) -> _Column:
    if array.dtype == np.int32 and array.size:
        least, most = int(array.min()), int(array.max())
        array = array.astype(
            next(each for each in _NARROW if np.iinfo(each).min <= least and most <= np.iinfo(each).max)
        )
    content = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    name = content.dtype.str
    if name not in _TYPES:
        raise TypeError(f"{array.dtype} is no type of a column")
    if array.size > 1 and content.ndim == 1:
        one = content[:1].tobytes()
        blob = content.tobytes()
        return (name, array.shape, one if blob == one * len(array) else blob)
    return (name, array.shape, content.tobytes())


def _unpacked(content: bytes) -> dict[str, NDArray[Any]]:
    try:
        return {name: _array(*column) for name, column in _DECODER.decode(content).items()}
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise StateError("corrupt", f"a batch of predictions: {type(error).__name__}") from None


def _array(name: str, shape: tuple[int, ...], blob: bytes) -> NDArray[Any]:
    items = np.frombuffer(blob, _TYPES[name])
    count = int(np.prod(shape, dtype=np.int64)) if shape and min(shape) >= 0 else -1
    if not 0 <= count <= _MOST_ITEMS:
        raise ValueError("shape")
    return np.broadcast_to(items, shape) if len(items) == 1 < count else items.reshape(shape)
