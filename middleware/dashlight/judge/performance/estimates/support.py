"""Which rows lie where the reference has none: there nothing is known of how good the model is, and nothing is told.

A row lies outside where one of its values does (below or above the reference's range, a category or a kind of value that the
reference never had), or where two of its values never met in the reference although each is so frequent that by chance they
would have.

Source of the thought: Roschewitz and Glocker, arXiv 2308.07223: rows far from the reference void an estimate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.estimates.one_hot import Codes
from dashlight.window.columns import ColumnReference, unseen_is_other
from dashlight.window.layout import BINS, UNSEEN
from dashlight.window.reference.steps import Steps

MOST_PAIRED = 40
"""Columns of which pairs are looked at, the most important ones: 780 pairs, 1 MB."""
ENOUGH_EXPECTED = 20.0
"""Rows that a pair of values would have in the sample if its columns were independent, for its absence to say something."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Outside:
    """How many rows of a window lie outside the reference."""

    share: float
    """0 to 1."""
    columns: tuple[tuple[str, float], ...]
    """By which columns alone, or by `one with another`, and the share that does; the largest first, at most five."""


class Support:
    """What values the rows of a reference have, alone and in pairs."""

    def __init__(
        self, columns: Sequence[ColumnReference], pairs: Mapping[tuple[int, int], NDArray[np.bool_]] | None = None
    ) -> None:
        """*columns* are those that count; *pairs* say of two of them, by place, which bins never meet: `missing_pairs`."""
        self._names = [column.name for column in columns]
        self._missing = _missing(columns)
        self._pairs = dict(pairs or {})

    def outside(self, codes: Codes) -> Steps[Outside]:
        """How many rows of *codes*, shape (columns that count, rows), at least one row, lie outside."""
        rows = codes.shape[1]
        is_outside = np.zeros(rows, np.bool_)
        shares: dict[str, float] = {}
        for name, missing, of_column in zip(self._names, self._missing, codes, strict=True):
            alone = missing[of_column]
            shares[name] = float(alone.mean())
            is_outside |= alone
            yield
        for (one, other), missing in self._pairs.items():
            together = missing[codes[one], codes[other]]
            name = f"{self._names[one]} with {self._names[other]}"
            shares[name] = float(
                (together & ~self._missing[one][codes[one]] & ~self._missing[other][codes[other]]).mean()
            )
            is_outside |= together
            yield
        largest = sorted(shares.items(), key=lambda item: -item[1])[:_NAMED]
        return Outside(float(is_outside.mean()), tuple((name, share) for name, share in largest if share > 0))


def missing_pairs(columns: Sequence[ColumnReference], sample: Codes) -> Steps[dict[tuple[int, int], NDArray[np.bool_]]]:
    """Of every two of *columns*, by place, which bins never meet in *sample* although chance would have brought them together.

    *sample* has shape (columns, rows), at least one row. Arrays of shape (BINS, BINS); pairs that lack nothing are left out.
    """
    rows = sample.shape[1]
    shares = [np.bincount(codes, minlength=BINS) / rows for codes in sample]
    pairs: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for one, other in combinations(range(min(len(columns), MOST_PAIRED)), 2):
        joint = np.bincount(sample[one].astype(np.intp) * BINS + sample[other], minlength=BINS * BINS)
        expected = np.outer(shares[one], shares[other]) * rows
        missing = (joint.reshape(BINS, BINS) == 0) & (expected >= ENOUGH_EXPECTED)
        if missing.any():
            pairs[one, other] = missing
        yield
    return pairs


def _missing(columns: Sequence[ColumnReference]) -> NDArray[np.bool_]:
    """Bins that the reference's rows never had, shape (columns, BINS)."""
    missing: NDArray[np.bool_] = (
        np.array([column.counts for column in columns], np.int64).reshape(len(columns), BINS) == 0
    )
    # With so many categories that some are counted together, a new one is no more than another rare one.
    missing[unseen_is_other(columns), UNSEEN] = False
    return missing
