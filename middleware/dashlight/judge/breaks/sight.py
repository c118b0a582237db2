"""The recent rows of one column beside its reference, and how certain it is that they do not belong to it. Pure."""

from dataclasses import dataclass
from math import log, sqrt
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.words import printable
from dashlight.window.columns import ColumnReference, Profile
from dashlight.window.layout import STRUCTURAL_BINS

BreakKind: TypeAlias = Literal["gone", "new", "encoding", "fill", "constant", "swap", "hours", "unit", "rounding"]
Floats: TypeAlias = NDArray[np.float64]

DOUBT = 7.0
"""Nats by which the share of a reference is taken for wrong, e^-7 = 0.0009, where what it would mean is rarer yet."""
STANDING_PART = 0.5
"""Of what a break needs to fire, what it needs to fire on."""
CUTS = (0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99, 0.997)
"""Ranks at which the recent values are compared with the reference."""
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Finding:
    """A break that the recent rows show."""

    kind: BreakKind
    summary: str
    event: str
    """Of which the shares are told, in words that follow "share of"."""
    reference: float
    current: float
    nats: float
    """-ln of the chance, without a break, of rows as far off at one look; larger is more certain."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One column over some recent rows."""

    column: ColumnReference
    profile: Profile
    numbers: Floats
    """The finite ones, oldest first."""
    ordered: Floats
    """The same, ascending."""
    type_counts: NDArray[np.int64]
    """Rows of each type, shape (ABSENT + 1,)."""
    types: NDArray[np.uint8]
    """Shape (rows,), places in profile.TYPES or recent.ABSENT."""
    texts: NDArray[np.object_]
    """Shape (rows,); see RecentRows."""
    effective_rows: float
    """So many independent rows are these worth."""
    reference_rows: float
    """So many independent rows is the reference worth."""
    exchanges: int
    """How many brought them."""
    least_nats: float = 0.0
    """What is less certain is not worth a closer look."""
    stride: int = 1
    """Rows of traffic for each of these."""
    standing: BreakKind | None = None
    """The break of this column that fires already."""

    def least(self, kind: BreakKind, share: float) -> float:
        """The *share* of rows that a break of this *kind* needs: a part of it where it fires already, so that it holds."""
        return STANDING_PART * share if self.standing == kind else share

    def nearly_all(self, kind: BreakKind, share: float) -> float:
        """The same for a *share* near 1: what may be missing is several times as much where it fires already."""
        return 1 - (1 - share) / STANDING_PART**2 if self.standing == kind else share

    @property
    def name(self) -> str:
        """The column's name, as it may be shown."""
        return printable(self.column.name)

    @property
    def rows(self) -> int:
        """How many rows there are, null ones too."""
        return len(self.types)

    def share_of_type(self, *types: int) -> float:
        """Share of the rows whose type is one of *types*."""
        return float(sum(self.type_counts[type_] for type_ in types)) / self.rows

    def nats(self, current: float, reference: float) -> float:
        """Certainty that *current*, a share of these rows, is above *reference*, a share of the reference's."""
        return nats(current, upper_share(reference, self.reference_rows), self.effective_rows)

    def reference_share(self, text: str) -> float:
        """Share of the value written *text* in the reference, or a bound of it where it was not counted apart."""
        column = self.column
        if column.kind != "numeric":
            rows = max(column.rows, 1)
            if text in column.categories:
                return float(column.counts[STRUCTURAL_BINS + column.categories.index(text)]) / rows
            return float(column.counts[-1]) / rows / max(len(column.known), 1) if text in column.known else 0.0
        if self.profile.values:
            return dict(zip(self.profile.values, self.profile.shares, strict=True)).get(float(text), 0.0)
        if not column.low <= float(text) <= column.high:
            return 0.0
        frequent = dict(self.profile.frequent)
        if text in frequent:
            return frequent[text]
        return min(frequent.values()) if len(frequent) >= 5 else 0.0


def nats(current: float, reference: float, rows: float) -> float:
    """-ln of a bound of the chance that a share of *rows* is *current* or more where *reference* is expected.

    rows * (c ln(c/r) + (1-c) ln((1-c)/(1-r)));  0 where c <= r.

    Source: Chernoff (1952), Ann. Math. Stat. 23, 493-507; Hoeffding (1963), JASA 58, 13-30.
    """
    if current <= reference:
        return 0.0
    rest = 0.0 if current >= 1 else (1 - current) * log((1 - current) / (1 - reference))
    return rows * (current * log(current / reference) + rest)


def upper_share(share: float, rows: float) -> float:
    """What the true share may be where it was *share* among *rows*: share + sqrt(2 share DOUBT/rows) + DOUBT/rows."""
    return min(1.0, share + sqrt(2 * share * DOUBT / rows) + DOUBT / rows)


def reached(values: Floats, limits: Floats) -> tuple[Floats, Floats]:
    """Share of the ascending *values* below each of *limits*, and up to it, equal to nine digits being equal."""
    slack = _SAME * np.maximum(np.abs(limits), 1e-300)
    below = np.searchsorted(values, limits - slack, "left")
    up_to = np.searchsorted(values, limits + slack, "right")
    return below / len(values), up_to / len(values)


def distance(values: Floats, quantiles: Floats) -> float:
    """Largest difference between the distribution of the ascending *values* and that of *quantiles*, 0 to 1 (Kolmogorov)."""
    found, expected = reached(values, quantiles), reached(quantiles, quantiles)
    return float(max(np.abs(found[0] - expected[0]).max(), np.abs(found[1] - expected[1]).max()))


def nats_apart(sight: Sight, values: Floats) -> float:
    """Certainty that the ascending *values* of *sight* are no values of its reference, by the shares beyond CUTS."""
    quantiles = np.array(sight.profile.quantiles)
    cuts = quantiles[np.round(np.array(CUTS) * (len(quantiles) - 1)).astype(np.intp)]
    found, expected = reached(values, cuts), reached(quantiles, cuts)
    shares = [*zip(found[0], expected[0], strict=True), *zip(1 - found[1], 1 - expected[1], strict=True)]
    most = max(sight.nats(float(now), float(then)) for now, then in shares)
    return max(most - log(2 * len(CUTS)), 0.0)
