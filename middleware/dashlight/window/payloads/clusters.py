"""Rows that hang together by a key, a session or a user: as many of them as they are worth count.

Of n rows, n_k of the key k, the mean varies as that of n**2 / sum(n_k**2) independent rows where rows of one key are
alike (Kish (1965), "Survey Sampling"): the effective number of rows. So large a part q of the rows counts, of every key
q n_k up to one more or less: each row is as likely to count as any other, so that shares stay what they are, and whatever
is judged has that many rows. A key that is new counts once until it has lasted. Keys are hashed, and forgotten soon.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Prediction, Role, Table
from dashlight.window.columns import LargestCluster
from dashlight.window.payloads.hashing import PayloadHasher
from dashlight.window.tables import selected, taken

LOUD = 3.0
"""Times what the largest key of the reference had, from which on a key says nothing of the others any more."""
MOST_KEYS = 1 << 16
"""Told apart in one stretch; rows of further ones count as independent."""
STRETCH_ROWS = 1000
"""Of a reference, over which rows of one key are looked for: twice that at most."""
_GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it less whole ones lie evenly between 0 and 1."""
NO_KEY = 0
"""What the hash of nothing is."""


class Clusters:
    """Chooses rows by their keys: an effective part of the last stretch and of the one before."""

    def __init__(self, largest: LargestCluster = LargestCluster()) -> None:  # noqa: B008  # frozen
        """A key of more rows than is usual beside the *largest* of the reference is worth one row, and none of the others'."""
        self._usual = largest
        self._largest = LargestCluster(0.0, 0)
        self._now: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._rows, self._rows_before = 0, 0
        self._squares = 0
        """Sum, over the keys of both stretches, of the square of their rows."""
        self._parts: dict[int, float] = {}
        """Of every key, the parts of its rows so far less those that were chosen; it begins anywhere from 0 to 1."""
        self._chosen: dict[int, int] = {}
        """Rows of each key that were chosen in this stretch: one, and as many as it was worth in the one before."""
        self._loud_rows = 0
        """Of both stretches, of the keys that have more than a key may."""
        self._loud: set[int] = set()
        self._keyless = 0

    @property
    def rows(self) -> int:
        """Of this stretch."""
        return self._rows

    @property
    def largest(self) -> LargestCluster:
        """What one key had at most in the stretches that ended."""
        return self._largest if self._largest.rows else LargestCluster()

    def chosen(self, keys: Iterable[int]) -> NDArray[np.bool_]:
        """Which rows with these *keys*, NO_KEY where one has none, count."""
        return np.array([self._choose(key) for key in keys], np.bool_)

    def turn(self) -> None:
        """Begin the next stretch."""
        rows = self._rows + self._rows_before
        most = max((count + self._before.get(key, 0) for key, count in self._now.items()), default=0)
        if rows:
            self._largest = LargestCluster(max(self._largest.share, most / rows), max(self._largest.rows, most))
        self._before, self._now = self._now, {}
        self._rows_before, self._rows, self._chosen = self._rows, 0, {}
        self._parts = {key: part for key, part in self._parts.items() if key in self._before}
        loud = self._loud = {key for key, count in self._before.items() if count > self._limit(self._rows_before)}
        self._loud_rows = sum(self._before[key] for key in loud)
        held = sum(self._before.values())
        self._squares = sum(count * count for key, count in self._before.items() if key not in loud)
        self._squares += self._rows_before - held + len(loud)

    def _limit(self, rows: int) -> float:
        """So many of *rows* are no more than a key may have."""
        return LOUD * max(self._usual.share * rows, self._usual.rows)

    def _choose(self, key: int) -> bool:
        self._rows += 1
        held = self._now.get(key, 0)
        if key == NO_KEY or (not held and len(self._now) >= MOST_KEYS):
            # A key of its own.
            self._squares += 1
            self._keyless += 1
            return self._part + self._keyless * _GOLDEN % 1 >= 1
        self._now[key] = held + 1
        before = self._before.get(key, 0)
        if key in self._loud:
            self._loud_rows += 1
            return False
        if held + before >= self._limit(self._rows + self._rows_before):
            self._loud.add(key)
            # Its rows lie beside all sums from now on.
            self._loud_rows += held + before + 1
            self._squares += 1 - (held + before) ** 2
            return False
        self._squares += 2 * (held + before) + 1
        part = self._part
        begun = self._parts.get(key, key / 2**64) + part
        self._parts[key] = begun % 1
        # A key that comes all at once has as many before it is known how little they are worth.
        if begun < 1 or self._chosen.get(key, 0) >= 1 + part * before:
            return False
        self._chosen[key] = self._chosen.get(key, 0) + 1
        return True

    @property
    def _part(self) -> float:
        """Of the rows that counts; one where every row has a key of its own."""
        return min((self._rows + self._rows_before - self._loud_rows) / self._squares, 1.0)


def has_column(table: Table, name: str) -> bool:
    """Whether *table* has a column *name*."""
    return name in table.number_names or name in table.cell_names


def without_column(table: Table, name: str) -> Table:
    """*table* without its column *name*."""
    names = {*table.number_names, *table.cell_names} - {name}
    return selected(table, names) if has_column(table, name) else table


class ClusterColumn:
    """The column by which rows hang together, which is no feature."""

    def __init__(self, name: str, key: int) -> None:
        """Values are told apart by their hashes under *key*."""
        self.name = name
        self._hasher = PayloadHasher([name], key, is_exact=True)

    def parted(self, prediction: Prediction) -> tuple[Prediction, Sequence[int] | None]:
        """*prediction* without it, and its hashes; None where it is not there."""
        if not has_column(prediction.features, self.name):
            return prediction, None
        keys: list[int] = self._hasher.hashes(prediction.features).tolist()
        return replace(prediction, features=without_column(prediction.features, self.name)), keys


def effective(
    chunks: Iterable[Mapping[Role, Table]], name: str, kept: list[NDArray[np.bool_]], clusters: Clusters
) -> Iterator[dict[Role, Table]]:
    """The rows of *chunks*, in their order, as many as they are worth by the key in their column *name*, without that.

    *clusters*, new ones, choose them. Which of them count is appended to *kept*, a chunk at a time.
    """
    hasher = PayloadHasher([name], NO_KEY, is_exact=True)
    for chunk in chunks:
        tables: dict[Role, Table] = {role: without_column(table, name) for role, table in chunk.items()}
        keyed: Sequence[Table] = [table for table in chunk.values() if has_column(table, name)]
        if not keyed:
            kept.append(np.ones(max((table.rows for table in chunk.values()), default=0), np.bool_))
            yield tables
            continue
        keys = hasher.hashes(keyed[0]).tolist()
        masks: list[NDArray[np.bool_]] = [np.zeros(0, np.bool_)]
        for start in range(0, len(keys), STRETCH_ROWS):
            masks.append(clusters.chosen(keys[start : start + STRETCH_ROWS]))
            if clusters.rows >= STRETCH_ROWS:
                clusters.turn()
        mask = np.concatenate(masks)
        kept.append(mask)
        places = np.flatnonzero(mask)
        yield {role: taken(table, places) if table.rows == len(mask) else table for role, table in tables.items()}
