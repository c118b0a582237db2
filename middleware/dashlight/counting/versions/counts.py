"""Outcomes of exchanges by model and version, as they add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.versions.report import OTHER_VERSIONS, UNKNOWN_VERSION
from dashlight.window.histogram import LATENCY

ModelKey: TypeAlias = tuple[str, str]
"""Model and version."""
NOT_DECODED: Final[Mapping[int, ModelKey]] = {}
"""Model and version by exchange: of none."""
OTHER: Final[ModelKey] = ("", OTHER_VERSIONS)
"""All that there is no place for."""
NO_VERSIONS: Final = frozenset({"", OTHER_VERSIONS, UNKNOWN_VERSION})
"""What is the name of none; empty where nobody knows which it was."""
MOST_VERSIONS: Final = 16
"""Models and versions of one endpoint counted under their names."""


@dataclass(frozen=True, slots=True, eq=False)
class VersionCounts:
    """What became of the exchanges of one version."""

    asked: int
    failed: int
    """Those that the service is to blame for."""
    refused: int
    durations: NDArray[np.int64]
    """Shape (LATENCY.bins,)."""

    def __add__(self, other: VersionCounts) -> VersionCounts:
        """Both together."""
        return VersionCounts(
            self.asked + other.asked,
            self.failed + other.failed,
            self.refused + other.refused,
            self.durations + other.durations,
        )


def no_exchanges() -> VersionCounts:
    """Of a version that nobody asked."""
    return VersionCounts(0, 0, 0, np.zeros(LATENCY.bins, np.int64))


def merged_versions(panes: Sequence[Mapping[ModelKey, VersionCounts]]) -> dict[ModelKey, VersionCounts]:
    """The sum of what several processes counted; beyond MOST_VERSIONS those asked least together as `OTHER`."""
    merged: dict[ModelKey, VersionCounts] = {}
    for pane in panes:
        for key, counts in pane.items():
            merged[key] = merged[key] + counts if key in merged else counts
    named = sorted((key for key in merged if any(key) and key != OTHER), key=lambda key: -merged[key].asked)
    for key in named[MOST_VERSIONS:]:
        counts = merged.pop(key)
        merged[OTHER] = merged[OTHER] + counts if OTHER in merged else counts
    return merged
