"""What counting takes of the memory of a process, by shape: known before anything is counted, at no cost to a row. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from typing import Final, Generic, TypeVar, cast

import numpy as np

from dashlight.counting.parts.sampling import pane_rows
from dashlight.counting.policy import Policy
from dashlight.decode.signals import SIGNALS
from dashlight.metrics.losses import SignalFate
from dashlight.window.columns import Reference
from dashlight.window.histogram import LATENCY
from dashlight.window.layout import BINS
from dashlight.window.parts.segments import Segmentation

NO_ROOM = SignalFate("rows", "dropped", "memory_full")
"""As what rows are counted of a model that there is no memory to watch."""
ENDPOINT_BYTES: Final = 600_000
"""Of an endpoint beside its models where it is judged: outcomes, latencies and sizes, what is usual of them, and traces."""
MOST_ENDPOINTS: Final = 32
"""Endpoints with statistics of their own, where there is memory for so many."""
MOST_MODELS = 8
"""Models and versions of an endpoint with statistics of their own; further ones are counted and not judged."""
MOST_SIGNALS = 64
"""Of the one that stands for all business numbers."""
_MODEL_BYTES = 260_000
"""Of a model beside its columns: mostly the payloads of the last minutes, by which repeated ones are told."""
_COLUMN_BYTES, _PAIR_BYTES, _DIMENSION_BYTES = 6_500, 24, 200
"""Of a column, of a pair of columns, and of a dimension of a direction: what is counted of them, as it is and as it is sent."""
_COUNT_BYTES: Final = 8
"""Of a count of a segment, that of 32 bits and, in a batch of many rows, what is to be added."""
SAMPLED_BYTES: Final = 33
"""Of a sampled row beside its bins: what became of it, when, its draw and its trace."""
_WORD_BYTES, _OBJECT_BYTES, _NUMBER_BYTES = 57, 16, 32

Key = TypeVar("Key")


class Room(Generic[Key]):
    """So many bytes, and who has how many of them."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = self.left_bytes = most_bytes
        self._held: dict[Key, int] = {}

    def take(self, key: Key, size_bytes: int) -> bool:
        """Gives *key* so many bytes in place of those that it has; False, and nothing is changed, where there is no room."""
        left_bytes = self.left_bytes + self._held.get(key, 0) - size_bytes
        if left_bytes < 0:
            return False
        self._held[key], self.left_bytes = size_bytes, left_bytes
        return True

    @property
    def names(self) -> Collection[Key]:
        """Who has any."""
        return self._held.keys()

    def held(self, key: Key) -> int:
        """How many bytes *key* has."""
        return self._held.get(key, 0)

    def give_back(self, key: Key) -> None:
        """What *key* has is free."""
        self.left_bytes += self._held.pop(key, 0)


def most_models_of(route: str) -> int:
    """How many models the endpoint *route* has statistics of."""
    return MOST_SIGNALS if route == SIGNALS else MOST_MODELS


def most_endpoints(policy: Policy) -> int:
    """Endpoints with statistics of their own under *policy*: they may take a sixth of what judging takes."""
    return max(1, min(MOST_ENDPOINTS, policy.judging_bytes // 6 // ENDPOINT_BYTES))


def counter_bytes(reference: Reference) -> int:
    """What a process takes that counts against *reference*, without that itself."""
    pairs = 0 if reference.pairs is None else len(reference.pairs.shares)
    dims = sum(direction.dims for direction in reference.directions)
    columns = len(reference.columns)
    sampled = 3 * pane_rows(columns) * (columns + SAMPLED_BYTES)  # twice as many are collected, and then sent
    return _MODEL_BYTES + _COLUMN_BYTES * columns + _PAIR_BYTES * pairs + _DIMENSION_BYTES * dims + sampled


def segment_bytes(segmentation: Segmentation, reference: Reference) -> int:
    """What it takes besides to count the segments of *reference*: in full, and at most as much again as it is sent."""
    return 2 * (segmentation.count + 1) * (len(reference.columns) * BINS + LATENCY.bins) * _COUNT_BYTES


def reference_bytes(reference: Reference) -> int:
    """What *reference* takes itself: its arrays, texts and numbers are counted one by one, once, when it is taken up."""
    return _size_of(reference)


def _size_of(value: object) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes + 2 * _WORD_BYTES
    if isinstance(value, str):
        return _WORD_BYTES + len(value)
    if isinstance(value, bool | None):
        return 0
    if isinstance(value, int | float):
        return _NUMBER_BYTES
    if is_dataclass(value) and not isinstance(value, type):
        return _OBJECT_BYTES + sum(8 + _size_of(getattr(value, each.name)) for each in fields(value))
    if isinstance(value, Mapping):
        held = cast("Mapping[object, object]", value)
        return 64 + sum(100 + _size_of(name) + _size_of(each) for name, each in held.items())
    if isinstance(value, frozenset):
        return 216 + sum(48 + _size_of(each) for each in cast("frozenset[object]", value))
    if isinstance(value, tuple):
        return _WORD_BYTES + sum(8 + _size_of(each) for each in cast("tuple[object, ...]", value))
    return _OBJECT_BYTES
