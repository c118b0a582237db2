"""What can go wrong with an endpoint's traffic, as events of which the reference and any pane hold counts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.null import STRUCTURAL_PART, Floats
from dashlight.window.histogram import LATENCY
from dashlight.window.names import OTHER
from dashlight.window.outcomes import NOT_FAILURES, OutcomeCounts

Counts = NDArray[np.int64]

MOST_KINDS = 8
"""Kinds of failure of the reference that are watched one by one: the most frequent ones."""
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
"""The last one sees a tail that grows longer: what is a hundred times as frequent shows soon."""
FEWEST_SLOW = 1
"""Exchanges of the reference beyond a quantile without which it is none of them."""
SAME_BINS = 1
"""Bins within which two quantiles are the same: the time to the first byte then says what the latency says."""
_SHARES = {
    "error_rate": 0.3,
    "error_kind": 0.1,
    "new_failure": 0.2,
    "refusal_rate": 0.05,
    "refusal_kind": 0.05,
    "new_refusal": 0.05,
    "latency": 0.25,
    "first_byte": 0.05,
}
_UNDECODABLE_SHARE = 0.15
_HISTOGRAM = {"latency": "durations", "first_byte": "first_bytes"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """What an alert is about: one or several events of the same kind."""

    name: str
    """`error_rate`, `error_kind`, `new_failure`, the same of refusals, `latency`, `first_byte` or `undecodable_rate`."""
    kind: str
    """Of failure or refusal, where it is about one; else empty."""
    places: tuple[int, ...]
    """Of its events, the most frequent first; each holds those after it."""


@dataclass(frozen=True, slots=True)
class Slow:
    """The event that an exchange took longer than a quantile of the reference."""

    quantity: str
    quantile: str
    bin_: int
    """The last bin of the scale that is not slow."""
    share: float
    """Part of the reference that took longer."""

    @property
    def seconds(self) -> float:
        """Beyond which an exchange is slow."""
        return LATENCY.edge(self.bin_)


class TrafficEvents:
    """The events of one endpoint, laid out after what its reference holds."""

    def __init__(self, reference: OutcomeCounts) -> None:
        self.known_kinds = frozenset(reference.failures) - NOT_FAILURES
        """Kinds of failure that the reference has seen."""
        self.known_refusals = frozenset(reference.refusals)
        """Likewise kinds of refusal."""
        kinds = [kind for kind in reference.failures if kind in self.known_kinds and kind != OTHER][:MOST_KINDS]
        refusals = [kind for kind in reference.refusals if kind != OTHER][:MOST_KINDS]
        durations, first_bytes = _slow("latency", reference.durations), _slow("first_byte", reference.first_bytes)
        self.slow: tuple[Slow, ...] = (*durations, *(first_bytes if _differ(durations, first_bytes) else ()))
        """Those about slowness; they follow on the failures and the refusals."""
        quantities = [Quantity("error_rate", "", (0,))]
        quantities += [Quantity("error_kind", kind, (place + 1,)) for place, kind in enumerate(kinds)]
        quantities.append(Quantity("new_failure", "", (len(kinds) + 1,)))
        begin = len(kinds) + 2
        quantities.append(Quantity("refusal_rate", "", (begin,)))
        quantities += [Quantity("refusal_kind", kind, (begin + 1 + place,)) for place, kind in enumerate(refusals)]
        begin += len(refusals) + 2
        quantities.append(Quantity("new_refusal", "", (begin - 1,)))
        self._first_slow = begin
        for name in _HISTOGRAM:
            places = tuple(begin + place for place, slow in enumerate(self.slow) if slow.quantity == name)
            quantities += [Quantity(name, "", places)] if places else []
        self._kinds, self._refusals = kinds, refusals
        self._has_analysed = reference.analysed > 0
        if self._has_analysed:
            quantities.append(Quantity("undecodable_rate", "", (begin + len(self.slow),)))
        self.quantities = tuple(quantities)
        self.size = begin + len(self.slow) + self._has_analysed
        """How many events there are."""

    @property
    def weights(self) -> Floats:
        """Shares of the events in the budget, shape (size,), one in all."""
        weights = np.zeros(self.size)
        for quantity in self.quantities:
            share = _SHARES.get(quantity.name, _UNDECODABLE_SHARE)
            alike = sum(len(other.places) for other in self.quantities if other.name == quantity.name)
            weights[list(quantity.places)] = share / alike
        return np.asarray(weights / weights.sum())

    @property
    def is_failure(self) -> NDArray[np.bool_]:
        """Which events are failures, shape (size,)."""
        return np.arange(self.size) < len(self._kinds) + 2

    @property
    def is_refusal(self) -> NDArray[np.bool_]:
        """Which events are refusals, shape (size,)."""
        return ~self.is_failure & (np.arange(self.size) < self._first_slow)

    @property
    def is_slow(self) -> NDArray[np.bool_]:
        """Which events are slowness, shape (size,); what is neither that, a failure nor a refusal could not be read."""
        after = np.arange(self.size) - self._first_slow
        return (after >= 0) & (after < len(self.slow))

    def gates(self, gate: float) -> Floats:
        """The smallest rise worth waking somebody, shape (size,), where *gate* is that of a usual event."""
        return np.where(self.is_slow, gate, gate * STRUCTURAL_PART)

    def count(self, counts: OutcomeCounts) -> Counts:
        """How often each event occurred, and of how many exchanges, shape (2, size)."""
        held = np.zeros((2, self.size), np.int64)
        kinds = self._kinds
        exchanges = counts.exchanges
        held[1, : len(kinds) + 2] = exchanges
        if counts.failures:
            held[0, 0] = counts.failed
            held[0, 1 : len(kinds) + 1] = [counts.failures.get(kind, 0) for kind in kinds]
            held[0, len(kinds) + 1] = sum(self.new_failures(counts.failures).values())
        first = len(kinds) + 2
        held[1, first : self._first_slow] = exchanges
        if counts.refusals:
            held[0, first] = counts.refused
            held[0, first + 1 : self._first_slow - 1] = [counts.refusals.get(kind, 0) for kind in self._refusals]
            # One exchange may be of several kinds: there were as many at least. `other` may hold some twice.
            most = max(self.new_refusals(counts.refusals).values(), default=0)
            held[0, self._first_slow - 1] = min(most, counts.refused)
        for place, slow in enumerate(self.slow, self._first_slow):
            histogram = counts.durations if slow.quantity == "latency" else counts.first_bytes
            held[:, place] = histogram[slow.bin_ + 1 :].sum(), histogram.sum()
        if self._has_analysed:
            held[:, -1] = sum(counts.undecodable.values()), counts.analysed
        return held

    def new_failures(self, failures: Mapping[str, int]) -> dict[str, int]:
        """Of *failures*, by kind, those of kinds that the reference has not seen."""
        known = self.known_kinds | NOT_FAILURES
        return {kind: count for kind, count in failures.items() if kind not in known}

    def new_refusals(self, refusals: Mapping[str, int]) -> dict[str, int]:
        """Of *refusals*, by kind, those of kinds that the reference has not seen."""
        return {kind: count for kind, count in refusals.items() if kind not in self.known_refusals}

    def slow_at(self, place: int) -> Slow | None:
        """The slowness that event number *place* is about; None where it is about something else."""
        first = self._first_slow
        return self.slow[place - first] if first <= place < first + len(self.slow) else None


def _slow(quantity: str, histogram: Counts) -> list[Slow]:
    """The events beyond the quantiles of *histogram*, from the lowest; quantiles in one bin are one event."""
    total = int(histogram.sum())
    upto = np.cumsum(histogram)
    found: dict[int, Slow] = {}
    for name, share in QUANTILES.items():
        bin_ = int(np.searchsorted(upto, share * total))
        if total * (1 - share) >= FEWEST_SLOW and bin_ < LATENCY.bins - 1:
            found[bin_] = Slow(quantity, name, bin_, 1 - float(upto[bin_]) / total)
    return list(found.values())


def _differ(durations: Sequence[Slow], first_bytes: Sequence[Slow]) -> bool:
    if len(durations) != len(first_bytes):
        return True
    return any(abs(one.bin_ - other.bin_) > SAME_BINS for one, other in zip(durations, first_bytes, strict=True))
