"""All streams by what is asked of them. A new kind of stream is a mapping of names to makers, added here."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
from benchmarks import detection_memory
from benchmarks.detection_streams import DRIFTS, NULLS, Stream, drift

Make: TypeAlias = Callable[[np.random.Generator], Stream]
"""A stream, drawn with the generator of a seed."""

QUIET: Sequence[Mapping[str, Make]] = (NULLS, detection_memory.QUIET)
"""Streams in which nothing changes."""
CHANGING: Sequence[Mapping[str, Make]] = ({name: partial(drift, name) for name in DRIFTS}, detection_memory.CHANGING)
"""Streams in which one thing does."""


def drawn(name: str, make: Make, seed: int) -> Stream:
    """The stream *name* with this *seed*: another name has other numbers."""
    return make(np.random.default_rng([seed, zlib.crc32(name.encode())]))
