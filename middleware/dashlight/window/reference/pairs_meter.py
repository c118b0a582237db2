"""The reference of pairs, from binned rows in their order: how often each pair agrees, and how much that moved."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import ColumnReference, PairReference
from dashlight.window.layout import BINS, BLOCK_ROWS
from dashlight.window.pairs import PairCounter, bin_signs, paired_places, pairs_of
from dashlight.window.reference.steps import Steps, finished

Floats = NDArray[np.float64]

LEAST_ROWS = 200
FEWEST_BLOCKS, FEWEST_SHORTEST = 12, 4
"""Blocks of which a variance is believed; of the shortest length fewer say something, there being no shorter one."""
SURE = 3.5
"""Standard errors by which a variance must exceed that of independent rows."""
ALIKE = 2.0
"""Standard errors within which a pair counts as alike to the others of its columns."""
SURE_GROWTH = 2.5
"""Standard errors by which a variance must grow with the length of blocks to be a season."""
INDEPENDENT_PAIRS = 6
"""The pairs of a column overlap: their mean is known as well as that of about six independent ones."""
STILL_GROWING = 0.6
"""Part of its early growth with which the variance must grow on to be a season and no short memory."""
SETTLING_BYTES = 16 * 2**20
"""So much is kept before the signs are settled: 160,000 rows of 100 columns, a season long enough to be typical."""
_PAIRS_A_STEP = 40_000
"""Pairs counted in one step, those of several blocks together."""
_MEASURABLE_ROWS = 1.0
"""A pair that is expected to agree, or not to, in fewer rows of the shortest block is not measured."""


class ConcordanceMeter:
    """Takes the binned rows of a reference in their order."""

    def __init__(self, columns: Sequence[ColumnReference], *, ordered: bool = True) -> None:
        """*columns* need to be laid out, not counted. *ordered* says that the rows come in time order."""
        self._places = paired_places(columns)
        self._names = tuple(columns[int(place)].name for place in self._places)
        self._rows = 0
        self._waiting: list[NDArray[np.uint8]] = []
        self._counted: _Counted | None = None
        self._ordered = ordered

    def add(self, codes: NDArray[np.uint8]) -> None:
        """Take the bins of the next rows, shape (columns, rows)."""
        if len(self._places) < 2:
            return
        self._rows += codes.shape[1]
        paired = codes[self._places]
        if self._counted is not None:
            finished(self._counted.add(paired))
            return
        self._waiting.append(paired)
        if self._rows * len(self._places) > SETTLING_BYTES:
            finished(self._settle())

    def reference(self) -> PairReference | None:
        """What the rows say; None of fewer than two numeric columns or LEAST_ROWS rows. No rows can be added after it."""
        return finished(self.reference_steps())

    def reference_steps(self) -> Steps[PairReference | None]:
        """As `reference`, some blocks of rows at a time."""
        if self._rows < LEAST_ROWS:
            return None
        counted = self._counted
        if counted is None:
            counted = yield from self._settle()
        counted.finish()
        shares = counted.agreeing / np.maximum(counted.informative, 1.0)
        phi, tau = np.ones(len(shares)), np.zeros(len(shares))
        if self._ordered:
            phi, tau = _memory(counted.spreads, shares, counted.informative, len(self._places))
        return PairReference(
            names=self._names,
            places=self._places,
            signs=counted.signs,
            shares=shares.astype(np.float32),
            trials=counted.informative.astype(np.float32),
            phi=phi.astype(np.float32),
            tau=tau.astype(np.float32),
        )

    def _settle(self) -> Steps["_Counted"]:
        """Give the bins their signs, by the rows so far, and count those rows."""
        codes = np.concatenate(self._waiting, axis=1)
        self._waiting.clear()
        offset = (np.arange(len(codes)) * BINS)[:, np.newaxis]
        counts = np.zeros(len(codes) * BINS, np.int64)
        for start in range(0, codes.shape[1], 4096):  # the offset makes eight bytes of each
            counts += np.bincount((codes[:, start : start + 4096] + offset).ravel(), minlength=len(counts))
        self._counted = _Counted(bin_signs(counts.reshape(-1, BINS)))
        yield from self._counted.add(codes)
        return self._counted


class _Counted:
    """Agreement in all rows, and its spread between blocks of every length."""

    def __init__(self, signs: NDArray[np.int8]) -> None:
        self.signs = signs
        self._counter = PairCounter(np.arange(len(signs)), signs)
        pairs = len(pairs_of(len(signs))[0])
        self.agreeing, self.informative = np.zeros(pairs), np.zeros(pairs)
        self.spreads = [_Spread(rows, pairs) for rows in BLOCK_ROWS]
        self._pending = np.zeros((len(signs), 0), np.uint8)

    def add(self, codes: NDArray[np.uint8]) -> Steps[None]:
        codes = np.concatenate([self._pending, codes], axis=1)
        block = BLOCK_ROWS[0]
        whole = codes.shape[1] // block * block
        for start in range(0, whole, block):
            agreeing, informative = self._take(codes[:, start : start + block])
            for spread in self.spreads:
                spread.add(agreeing, informative)
            if start // block % max(_PAIRS_A_STEP // max(agreeing.size, 1), 1) == 0:
                yield
        self._pending = codes[:, whole:].copy()

    def finish(self) -> None:
        self._take(self._pending)
        self._pending = self._pending[:, :0]

    def _take(self, codes: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        counts = self._counter.count(codes)
        agreeing, informative = counts.agreeing.astype(np.float64), counts.informative.astype(np.float64)
        self.agreeing += agreeing
        self.informative += informative
        return agreeing, informative


class _Spread:
    """The spread of agreement between blocks of one length."""

    def __init__(self, rows: int, pairs: int) -> None:
        self.rows = rows
        self.blocks = 0
        self._joined = 0
        self._agreeing, self._informative = np.zeros(pairs), np.zeros(pairs)
        self._sum, self._mean, self._squares = np.zeros(pairs), np.zeros(pairs), np.zeros(pairs)

    def add(self, agreeing: Floats, informative: Floats) -> None:
        """Take a block of the shortest length."""
        self._agreeing += agreeing
        self._informative += informative
        self._joined += BLOCK_ROWS[0]
        if self._joined < self.rows:
            return
        # Weighted by the informative rows: West (1979), CACM 22, 532-535. The share itself and no arc sine of it, which
        # exaggerates where blocks hold a few independent rows only.
        shift = self._agreeing / np.maximum(self._informative, 1.0) - self._mean
        self._sum += self._informative
        part = shift * self._informative / np.maximum(self._sum, 1.0)
        self._mean += part
        self._squares += (self._sum - self._informative) * shift * part
        self.blocks += 1
        self._joined = 0
        self._agreeing[:] = 0
        self._informative[:] = 0

    def ratios(self, shares: Floats) -> Floats:
        """Variance between blocks, divided by that of independent rows that agree in *shares* of all, none 0 or 1."""
        return np.asarray(self._squares / (self.blocks - 1) / (shares * (1 - shares)))


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """Blocks of one length of which there are enough."""

    rows: int
    error: float
    """Relative standard error of a ratio: sqrt(2 / (blocks - 1))."""
    mean: float
    """Of all ratios."""
    excess: Floats
    """What the ratios exceed 1 by, and a standard error, where that is significant; else 0. Shape (m,)."""

    @property
    def depends(self) -> bool:
        """Whether rows hang together over so many rows."""
        return self.mean > 1 + SURE * self.error / float(np.sqrt(INDEPENDENT_PAIRS))


def _memory(spreads: Sequence[_Spread], shares: Floats, informative: Floats, paired: int) -> tuple[Floats, Floats]:
    """Short memory phi and slow movement tau of every pair, by the rules of judge.variation."""
    fewest = [FEWEST_SHORTEST if spread.rows == BLOCK_ROWS[0] else FEWEST_BLOCKS for spread in spreads]
    enough = [spread for spread, blocks in zip(spreads, fewest, strict=True) if spread.blocks >= blocks]
    rows = max(spreads[0].blocks * BLOCK_ROWS[0], 1)
    rarer = np.minimum(shares, 1 - shares) * informative / rows * BLOCK_ROWS[0]
    measurable = rarer > _MEASURABLE_ROWS
    if not enough or not measurable.any():
        return np.ones(len(shares)), np.zeros(len(shares))
    scales = [_scale(spread, shares, measurable, paired) for spread in enough]
    excess = np.stack([scale.excess for scale in scales])
    lengths = np.array([[scale.rows] for scale in scales], np.float64)
    slow = _slow(scales, excess, lengths) if len(scales) == len(BLOCK_ROWS) else np.zeros(len(shares))
    # The ratio grows by tau**2 with every informative row, of which there are fewer than rows.
    per_row = np.maximum(informative / rows, 1e-9)
    phi = 1 + np.maximum(excess - slow * lengths, 0.0).max(axis=0)
    if scales[-1].depends and scales[-1].rows < BLOCK_ROWS[-1]:
        phi = np.maximum(phi, 1 + _extrapolated(scales))
    return phi, np.sqrt(slow / per_row)


def _scale(spread: _Spread, shares: Floats, measurable: NDArray[np.bool_], paired: int) -> _Scale:
    ratios = np.where(measurable, spread.ratios(np.where(measurable, shares, 0.5)), 1.0)
    error = float(np.sqrt(2 / (spread.blocks - 1)))
    first, second = pairs_of(paired)
    held = np.bincount(first, measurable, paired) + np.bincount(second, measurable, paired)
    sums = np.bincount(first, ratios * measurable, paired) + np.bincount(second, ratios * measurable, paired)
    means = sums / np.maximum(held, 1.0)
    known = 1 + SURE * error / np.sqrt(np.clip(held, 1.0, INDEPENDENT_PAIRS))
    depends = (means > known)[first] | (means > known)[second]
    # What is true of both columns is likely true of the pair, which is not known so well by itself, if at all.
    typical = np.minimum(means[first], means[second])
    alike = depends & (ratios <= typical * (1 + ALIKE * error))
    pooled = error / float(np.sqrt(INDEPENDENT_PAIRS))
    upper = np.maximum(np.where(alike, typical * (1 + pooled), ratios * (1 + error)) - 1, 0.0)
    significant = (ratios > 1 + SURE * error) | depends
    return _Scale(spread.rows, error, float(ratios[measurable].mean()), np.where(significant, upper, 0.0))


def _slow(scales: Sequence[_Scale], excess: Floats, lengths: Floats) -> Floats:
    """Growth of *excess*, shape (scales, m), by row where it does not level off and is no chance; else 0."""
    early, late = np.diff(excess, axis=0) / np.diff(lengths, axis=0)
    doubt = np.hypot((1 + excess[2]) * scales[2].error, (1 + excess[1]) * scales[1].error)
    means = [scale.mean for scale in scales]
    pooled = np.hypot(means[2] * scales[2].error, means[1] * scales[1].error) / np.sqrt(INDEPENDENT_PAIRS)
    grows = (excess[2] - excess[1] > SURE_GROWTH * doubt) | (means[2] - means[1] > SURE_GROWTH * pooled)
    return np.asarray(np.where(grows & (late > np.maximum(STILL_GROWING * early, 0.0)), late, 0.0))


def _extrapolated(scales: Sequence[_Scale]) -> Floats:
    """Excess over blocks longer than the reference can show: it grows on as it last grew, at most linearly."""
    last = scales[-1]
    before, mean = (scales[-2].rows, scales[-2].mean) if len(scales) > 1 else (1, 1.0)
    growth = np.clip(np.log(last.mean / max(mean, 1.0)) / np.log(last.rows / before), 0.0, 1.0)
    return np.asarray((1 + last.excess) * (BLOCK_ROWS[-1] / last.rows) ** growth - 1)
