"""What the reference says of every event and functional of the columns, and how far they move by nature. Pure.

The bets of `evidence` are placed against borders some way beyond it, `null_bounds`: the further, the smaller the
shift that a bet is after and the shorter the reference.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.natural_variation import Movements, NaturalVariation, natural_variation
from dashlight.window.bins import reference_shares
from dashlight.window.columns import ColumnReference, is_numeric, unseen_is_other
from dashlight.window.events import event_counts, functionals
from dashlight.window.layout import STRUCTURAL_BINS

Floats = NDArray[np.float64]

SEASON_DEVIATIONS = 2.5
"""So many standard deviations of the slow movement are natural."""
STRUCTURAL_PART = 0.5
"""Missing, mistyped, out-of-range, unseen and rare values matter at half the size of a shift among the usual values."""
RARE_SHARE = 0.01
"""What fewer rows hold, or lack, is rare: from 0.5 to 2 % is four times as much, and no more than 0.14 in Cohen's h."""


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """The reference's events and functionals, and what of their movement is no drift."""

    rows: Floats
    """Shape (columns, 1): rows of the reference."""
    shares: Floats
    """Shape (columns, BINS): the reference's shares, none of them zero where a first occurrence is possible."""
    numeric: NDArray[np.bool_]
    """Shape (columns,)."""
    unseen_is_other: NDArray[np.bool_]
    """Shape (columns,): new categories are expected and count in "other" as well."""
    event_shares: Floats
    """Shape (columns, EVENT_COUNT): the reference's."""
    event_parts: Floats
    """Shape (columns, EVENT_COUNT): part of a shift among the usual values at which one of the event matters as much."""
    event_natural: Floats
    """Shape (columns, EVENT_COUNT): the Cohen's h that season and tolerance explain."""
    functionals: Floats
    """Shape (columns, FUNCTIONAL_COUNT, BINS)."""
    functional_means: Floats
    functional_deviations: Floats
    functional_natural: Floats
    """All of shape (columns, FUNCTIONAL_COUNT): the reference's mean and standard deviation, and the Cohen's h that
    season and tolerance explain."""
    variation: NaturalVariation

    def of_columns(self, columns: slice) -> "Null":
        """That of some of the columns."""
        arrays = {each.name: getattr(self, each.name)[columns] for each in fields(self) if each.name != "variation"}
        return replace(self, **arrays, variation=self.variation.of_columns(columns))


def null_of(columns: Sequence[ColumnReference], *, tolerated: float = 0.0, movements: Movements | None = None) -> Null:
    """The null of *columns*, wider by *tolerated*, in Cohen's h: shifts that are to be proven before anything alarms.

    *movements* as for `natural_variation`.
    """
    numeric, unseen = is_numeric(columns), unseen_is_other(columns)
    shares = reference_shares(columns)
    variation = natural_variation(columns, movements)
    held = np.clip(event_counts(shares, unseen), 0.0, 1.0)
    parts = np.where(np.minimum(held, 1 - held) < RARE_SHARE, STRUCTURAL_PART, 1.0)
    parts[:, :STRUCTURAL_BINS] = STRUCTURAL_PART
    scores = functionals(shares, numeric)
    means = np.einsum("ck,cfk->cf", shares, scores)
    squares = np.einsum("ck,cfk->cf", shares, scores**2)
    return Null(
        rows=np.array([column.rows for column in columns], np.float64)[:, np.newaxis],
        shares=shares,
        numeric=numeric,
        unseen_is_other=unseen,
        event_shares=held,
        event_parts=parts,
        event_natural=tolerated * parts + SEASON_DEVIATIONS * variation.tau,
        functionals=scores,
        functional_means=means,
        functional_deviations=np.sqrt(np.maximum(squares - means**2, 1e-12)),
        functional_natural=tolerated + SEASON_DEVIATIONS * variation.functional_tau,
        variation=variation,
    )


def shifted(shares: Floats, distance: Floats | float) -> Floats:
    """*shares* moved by Cohen's h = *distance*, kept in [0, 1]: sin(asin(sqrt(p)) + h/2) ** 2."""
    angle = np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0))) + distance / 2
    return np.asarray(np.sin(np.clip(angle, 0.0, np.pi / 2)) ** 2)
