"""Exchanges of one endpoint that show what an alert about its traffic would say, by their traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.exchanges.kinds import trace_name
from dashlight.judge.traffic.events import Slow
from dashlight.judge.traffic.rules import LATENCIES, Rule
from dashlight.records import Exchange
from dashlight.window.outcomes import NOT_FAILURES
from dashlight.window.trace_ids import MOST_EACH, Trace, TraceIds


def quantities_of(exchanges: Sequence[Exchange]) -> NDArray[np.float64]:
    """Seconds that each took, seconds to its first byte (NaN: none), bytes asked and answered, shape (4, exchanges)."""
    return np.array([_quantities(exchange) for exchange in exchanges], np.float64).T


class EndpointTraces:
    """Remembers the last exchanges that failed, were refused, slow or unreadable."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """*rules* are the operator's: what is slower than they allow is slow."""
        self._ids = TraceIds()
        self._slow_rules = tuple(rule for rule in rules if rule.quantity in LATENCIES and rule.is_upper)
        self._slow: Sequence[Slow] = ()
        self._known_kinds: frozenset[str] | None = None
        self._known_refusals: frozenset[str] | None = None

    def follow(
        self, *, known_kinds: frozenset[str] | None, known_refusals: frozenset[str] | None, slow: Sequence[Slow]
    ) -> None:
        """Looks for what the judge wants to be shown: kinds that are not known, None while they are learned, and *slow*."""
        self._known_kinds, self._known_refusals, self._slow = known_kinds, known_refusals, slow

    def keep_undecodable(self, exchanges: Sequence[Exchange]) -> None:
        """Remembers the last of *exchanges*, which no protocol could read."""
        for exchange in exchanges[-MOST_EACH:]:
            self._ids.keep("undecodable_rate", exchange.trace_id, started_at=exchange.started_at)

    def keep_refused(self, refused: Sequence[tuple[str, Exchange]]) -> None:
        """Remembers the last of those *refused*, each with the kind of refusal."""
        known = self._known_refusals
        for kind, exchange in refused[-MOST_EACH:]:
            new = () if known is None or kind in known else ("new_refusal",)
            for name in ("refusal_rate", f"refusal_kind {kind}", *new):
                self._ids.keep(name, exchange.trace_id, started_at=exchange.started_at)

    def take(self) -> Mapping[str, tuple[Trace, ...]]:
        """What is remembered, by what it shows; nothing is from then on."""
        return self._ids.take()

    def keep(
        self, exchanges: Sequence[Exchange], times: NDArray[np.float64], failed: Sequence[tuple[str, Exchange]]
    ) -> None:
        """Remembers the last of *exchanges* that *failed*, with the kind of failure, or were slow.

        *times*, shape (2 or more, exchanges), has the seconds to the last byte and to the first.
        """
        known = self._known_kinds
        for kind, exchange in failed:
            if kind in NOT_FAILURES:
                continue
            names = ["error_rate", f"error_kind {kind}"]
            if known is not None and kind not in known:
                names.append("new_failure")
            for name in names:
                self._ids.keep(name, exchange.trace_id, started_at=exchange.started_at)
        for slow in self._slow:
            taken = times[0 if slow.quantity == "latency" else 1]
            for place in np.flatnonzero(taken > slow.seconds)[-MOST_EACH:]:
                name, exchange = f"{slow.quantity} {slow.quantile}", exchanges[int(place)]
                self._ids.keep(name, exchange.trace_id, started_at=exchange.started_at)
        for rule in self._slow_rules:
            taken = times[0 if rule.quantity.startswith("latency") else 1]
            for place in np.flatnonzero(taken > rule.threshold)[-MOST_EACH:]:
                exchange = exchanges[int(place)]
                self._ids.keep(trace_name(rule), exchange.trace_id, started_at=exchange.started_at)


def _quantities(exchange: Exchange) -> tuple[float, float, int, int]:
    first_byte = exchange.first_byte_seconds
    return (
        exchange.duration_seconds,
        first_byte if first_byte is not None else np.nan,
        exchange.request_bytes,
        exchange.response_bytes,
    )
