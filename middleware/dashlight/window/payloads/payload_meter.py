"""How often the rows of a reference repeat: what traffic may repeat before it says the same thing again. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role, Table
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BLOCK_ROWS
from dashlight.window.payload_reference import PayloadReference
from dashlight.window.payloads.hashing import Hashes, PayloadHasher
from dashlight.window.payloads.heavy_hitters import HeavyHitters

MOST_FREQUENT = 64
"""Payloads whose frequency a reference keeps."""
_COUNTED = 8192
"""Payloads counted at once: of so many distinct rows all, of more the frequent ones."""
_SAMPLED = 4096
"""Distinct payloads of which it is known exactly how often they came: all of those whose hash ends alike."""


class PayloadMeter:
    """Takes the rows of a reference in their order, however many there will be, in bounded memory."""

    def __init__(self, columns: Sequence[ColumnReference], key: int) -> None:
        """*columns* are those of the reference, of both roles; hashes are made under *key*."""
        self._key = key
        self._role: Role = payload_role(columns)
        self._hasher = PayloadHasher([column.name for column in columns if column.role == self._role], key)
        self._frequent = HeavyHitters(_COUNTED)
        self._pending: Hashes = np.zeros(0, np.uint64)
        self._most_in_block = 0
        self._sample: Hashes = np.zeros(0, np.uint64)
        self._sample_counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._mask = 0

    def add(self, table: Table) -> None:
        """Take the next rows."""
        hashes = self._hasher.hashes(table)
        distinct, counts = np.unique(hashes, return_counts=True)
        self._frequent.add(hashes.tolist())
        self._take_sample(distinct, counts)
        waiting = np.concatenate([self._pending, hashes])
        whole = len(waiting) // BLOCK_ROWS[0] * BLOCK_ROWS[0]
        self._pending = waiting[whole:].copy()
        if whole:
            blocks = waiting[:whole].reshape(-1, BLOCK_ROWS[0])
            self._most_in_block = max(self._most_in_block, _most_alike(np.sort(blocks, axis=1)))

    @property
    def role(self) -> Role:
        """Of the rows that are to be taken."""
        return self._role

    def reference(self) -> PayloadReference | None:
        """What was learned; None where no row came."""
        rows = self._frequent.total
        if not rows:
            return None
        ordered = sorted(self._frequent.counts.items(), key=lambda counted: (-counted[1], counted[0]))
        listed = [counted for counted in ordered[:MOST_FREQUENT] if counted[1] > 1]
        rest = ordered[len(listed)][1] if len(ordered) > len(listed) else 0
        # Of every so many payloads one is in the sample: a frequent one that happens to be says nothing of the others.
        alone = int(np.count_nonzero(self._sample_counts == 1)) * (self._mask + 1)
        return PayloadReference(
            key=self._key,
            role=self._role,
            rows=rows,
            alone_share=min(alone / rows, 1.0),
            hashes=np.array([each for each, _ in listed], np.uint64),
            counts=np.array([count for _, count in listed], np.int64) + self._frequent.shortfall,
            unlisted_count=max(rest + self._frequent.shortfall, 1),
            block_share=self._most_in_block / BLOCK_ROWS[0],
        )

    def _take_sample(self, distinct: Hashes, counts: NDArray[np.int64]) -> None:
        held = distinct & np.uint64(self._mask) == 0
        joined, places = np.unique(np.concatenate([self._sample, distinct[held]]), return_inverse=True)
        sums = np.bincount(places, np.concatenate([self._sample_counts, counts[held]]), len(joined))
        while len(joined) > _SAMPLED:
            self._mask = 2 * self._mask + 1
            kept = joined & np.uint64(self._mask) == 0
            joined, sums = joined[kept], sums[kept]
        self._sample, self._sample_counts = joined, sums.astype(np.int64)


def payload_role(columns: Sequence[ColumnReference]) -> Role:
    """The role whose columns make a payload: the features, or the outputs where there are none."""
    return "feature" if any(column.role == "feature" for column in columns) else "output"


def _most_alike(ordered: Hashes) -> int:
    """The most rows of one hash in any of the *ordered* blocks, shape (blocks, rows)."""
    low, high = 1, ordered.shape[1]
    while low < high:
        middle = (low + high + 1) // 2
        if (ordered[:, middle - 1 :] == ordered[:, : ordered.shape[1] - middle + 1]).any():
            low = middle
        else:
            high = middle - 1
    return low
