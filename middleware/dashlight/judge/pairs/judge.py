"""Joint drift of the columns of one model at one endpoint: pairs that rise together more, or less, than they did. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import alert_key
from dashlight.judge.evidence.null import Floats
from dashlight.judge.evidence.proportions import ProportionBank, Proportions
from dashlight.judge.pairs.dependence import Margin
from dashlight.judge.pairs.effects import PairEffects, PairMeasure, PairScales, back_inside, beyond, is_real
from dashlight.judge.pairs.words import MovedPair, joint_causes, joint_summary
from dashlight.records import Alert, AlertState
from dashlight.window.columns import ColumnReference, PairReference, stacked_counts
from dashlight.window.layout import BINS
from dashlight.window.pairs import PairCounts, pairs_of

Places = NDArray[np.intp]

FEWEST_TRIALS = 50.0
"""A pair of which the reference saw fewer independent informative rows is not watched: it could prove nothing."""
MOST_MEASURED = 16
"""Pairs with evidence that are measured at the end of a pane, those with most of it: a tenth of a millisecond each."""
PANES_REMEMBERED = 2048
"""Moments of so many panes are kept, to say since when."""
SOON = 16
"""What fires again within so many times the rows that resolved it needs twice as many rows to resolve."""
MOST_PATIENCE = 64
"""But never more than so many times the rows that it took to fire."""


@dataclass(frozen=True, slots=True, eq=False)
class _Drift:
    """What is known of a joint drift that fired."""

    pairs: Places
    peaks: Floats
    """How far each of *pairs* surely was at the most, in Cohen's h, with its sign."""
    pane: int
    """In which it fired."""
    began: float
    """Rows seen when it began."""
    since_at: float
    took: float
    """Rows from then until it fired."""
    patience: int


class PairJudge:
    """Watches the pairs of columns of one model at one endpoint, pane by pane: one alert for all of them."""

    def __init__(
        self,
        columns: Sequence[ColumnReference],
        reference: PairReference,
        *,
        panes: float,
        tolerance: float = 0.02,
        share: float = 0.15,
        importance: Mapping[str, float] | None = None,
        model: str = "",
        version: str = "",
        endpoint: str = "",
    ) -> None:
        """Set up the evidence against *reference*, which is that of *columns*.

        *panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*. A pair's
        part of it is the product of what *importance* says of its columns (1 where it says nothing).
        """
        self._names = reference.names
        first, second = self._first, self._second = pairs_of(len(reference.names))
        held = (reference.shares, reference.trials, reference.phi, reference.tau)
        known = Proportions(*(of.astype(np.float64) for of in held))
        each = np.array([(importance or {}).get(name, 1.0) for name in reference.names], np.float64)
        if (each < 0).any():
            raise ValueError("importance must not be negative")
        weights = each[first] * each[second] * (known.trials / known.phi >= FEWEST_TRIALS)
        watched = weights > 0
        weights *= share / max(weights.sum(), 1e-12)
        self._bank = ProportionBank(known, weights=weights, panes=panes, up=watched, down=watched)
        self._measure = PairMeasure(reference, _margin(columns, reference))
        self._scales = PairScales(len(reference.names))
        self._gate = float(np.sqrt(tolerance))
        self._model, self._version, self._endpoint = model, version, endpoint
        self._pane, self._rows = -1, 0.0
        self._past = np.zeros((PANES_REMEMBERED, 2))
        """When each of the last panes ended, and how many rows there were before it."""
        self._alert: Alert | None = None
        self._drift: _Drift | None = None
        self._patience, self._soon = 1, -1.0

    @property
    def margins(self) -> NDArray[np.float32]:
        """Evidence of every pair, shape (m,), in nats over its threshold; -inf where it is not watched."""
        return self._bank.margins

    def is_between(self, names: Collection[str]) -> bool:
        """Whether every pair that shows something now is one of two columns in *names*."""
        pairs = np.flatnonzero(self._bank.margins >= 0) if self._drift is None else self._drift.pairs
        held = np.array([name in names for name in self._names], np.bool_)
        return bool(held[self._first[pairs]].all() and held[self._second[pairs]].all())

    def update(self, counts: PairCounts, at: float) -> list[Alert]:
        """Take the counts of the pane that ended *at*.

        Returns:
            The alert, if its state changed, or if it fires on and was told anew: after 1, 2, 4, ... panes.
        """
        if not counts.rows or not len(self._bank.margins):
            return []
        self._pane += 1
        self._past[self._pane % PANES_REMEMBERED] = at, self._rows
        self._rows += counts.rows
        self._scales.add(counts)
        margins = self._bank.update(counts.agreeing, counts.informative)
        over = np.flatnonzero(margins >= 0)
        if len(over) > MOST_MEASURED:
            over = over[np.argsort(margins[over])[-MOST_MEASURED:]]
        if self._drift is not None:
            return self._go_on(self._drift, over, at)
        return self._watch(over, at)

    def _watch(self, over: Places, at: float) -> list[Alert]:
        """The news where nothing fires yet, and the pairs *over* have evidence."""
        if not len(over):
            return self._ended("inactive", at)
        found = self._measure.effects(self._scales, over)
        real = is_real(found)
        told = real.any(axis=0)
        since_at, began = self._beginning(over[told] if told.any() else over)
        # Columns moved, each by itself: they have alerts of their own, and this evidence says no more than that.
        self._bank.reset(over[~told])
        if not told.any():
            return self._ended("inactive", at)
        sure = real & beyond(found, self._gate)
        if not sure.any():
            return [] if self._alert is not None else self._told("pending", found, over, real, at=at, since_at=since_at)
        if self._alert is not None:
            since_at = self._alert.since_at
        fired = sure.any(axis=0)
        self._patience = min(2 * self._patience, MOST_PATIENCE) if self._rows <= self._soon else 1
        took = max(self._rows - began, 1.0)
        self._drift = _Drift(over[fired], _peaks(found, sure)[fired], self._pane, began, since_at, took, self._patience)
        return self._told("firing", found, over, sure, at=at, since_at=since_at)

    def _go_on(self, drift: _Drift, over: Places, at: float) -> list[Alert]:
        """The news while it fires."""
        pairs = np.union1d(drift.pairs, over)
        found = self._measure.effects(self._scales, pairs)
        real = is_real(found)
        sure = real & beyond(found, self._gate)
        among = np.searchsorted(pairs, drift.pairs)
        known = np.zeros(len(pairs))
        known[among] = drift.peaks
        if self._is_over(drift, found, sure, known, has_evidence=len(over) > 0):
            self._bank.reset(pairs)
            self._drift = None
            return self._ended("resolved", at)
        self._bank.reset(pairs[(known == 0) & ~real.any(axis=0)])
        fired_for = self._pane - drift.pane
        if fired_for & (fired_for - 1):
            return []
        peaks = _peaks(found, sure)
        peaks = np.where(np.abs(peaks) > np.abs(known), peaks, known)
        kept = np.flatnonzero(peaks)
        kept = kept[np.argsort(-np.abs(peaks[kept]), kind="stable")[:MOST_MEASURED]]
        kept.sort()
        self._drift = replace(drift, pairs=pairs[kept], peaks=peaks[kept])
        # Those that are going are told as well, by the scale that shows most of them still.
        shown = np.broadcast_to(peaks != 0, sure.shape)
        return self._told("firing", found, pairs, shown, at=at, since_at=drift.since_at)

    def _is_over(
        self, drift: _Drift, found: PairEffects, sure: NDArray[np.bool_], peaks: Floats, *, has_evidence: bool
    ) -> bool:
        """Whether a scale about as long as it took to fire shows that it is over.

        Longer scales, and such as remember what was before the drift, are no witnesses.
        """
        since_began = self._rows - drift.began
        usable = self._scales.between(drift.took * drift.patience, since_began)
        if not len(usable):
            return False
        moved = peaks != 0
        if has_evidence:
            over = back_inside(found, peaks, self._gate)[usable].all(axis=1)
        else:
            over = ~sure[usable][:, moved].any(axis=1)
        if not over.any():
            return False
        self._soon = self._rows + SOON * drift.took * drift.patience
        return True

    def _beginning(self, pairs: Places) -> tuple[float, float]:
        """Since when the leading one of *pairs* has evidence: the moment, and the rows seen before."""
        leading = pairs[self._bank.margins[pairs].argmax()]
        age = min(self._bank.age(int(leading)), self._pane + 1, PANES_REMEMBERED)
        first = (self._pane + 1 - age) % PANES_REMEMBERED
        before = max(self._pane - age, self._pane + 1 - PANES_REMEMBERED, 0)
        return float(self._past[before % PANES_REMEMBERED, 0]), float(self._past[first, 1])

    def _told(
        self,
        state: AlertState,
        found: PairEffects,
        pairs: Places,
        shown: NDArray[np.bool_],
        *,
        at: float,
        since_at: float,
    ) -> list[Alert]:
        """The alert on those of *pairs* that are *shown* on some scale, shape (scales, pairs), the furthest first."""
        strength = np.where(shown, np.abs(found.sizes) - found.errors, -np.inf)
        best = strength.argmax(axis=0)
        order = np.argsort(-strength.max(axis=0), kind="stable")[: int(shown.any(axis=0).sum())]
        first, second = self._measure.columns(pairs)
        moved = [
            MovedPair(
                self._names[first[place]],
                self._names[second[place]],
                float(found.reference[place]),
                float(found.current[best[place], place]),
            )
            for place in order.tolist()
        ]
        scale = best[order[0]]
        self._alert = Alert(
            key=alert_key("drift", self._model, self._endpoint, "joint"),
            source="drift",
            model=self._model,
            version=self._version,
            endpoint=self._endpoint,
            column=None,
            role=None,
            state=state,
            summary=joint_summary(moved),
            at=at,
            since_at=since_at,
            rows=int(self._scales.rows[scale]),
            score=float(np.abs(found.sizes[scale, order[0]])),
            causes=joint_causes(moved),
        )
        return [self._alert]

    def _ended(self, state: AlertState, at: float) -> list[Alert]:
        known, self._alert = self._alert, None
        if known is None:
            return []
        summary = f"the columns depend on one another as in the reference again; it was: {known.summary}"
        return [replace(known, state=state, at=at, summary=summary)]


def _margin(columns: Sequence[ColumnReference], reference: PairReference) -> Margin:
    """Of the paired columns the shares of the reference's rows that are low and high."""
    counts = stacked_counts(columns)[reference.places].reshape(-1, BINS)
    rows = np.maximum(counts.sum(axis=1), 1)
    low, high = (counts * (reference.signs < 0)).sum(axis=1), (counts * (reference.signs > 0)).sum(axis=1)
    return Margin(low / rows, high / rows)


def _peaks(found: PairEffects, sure: NDArray[np.bool_]) -> Floats:
    """The furthest that each pair surely is on any scale, with its sign; 0 where it surely is nowhere."""
    least = np.where(sure, np.abs(found.sizes) - found.errors, 0.0)
    best = least.argmax(axis=0)
    every = np.arange(len(best))
    return np.asarray(least[best, every] * np.sign(found.sizes[best, every]))
