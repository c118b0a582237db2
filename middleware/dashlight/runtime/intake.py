"""What becomes of exchanges that were taken from the inbox: decoded, counted, and told of by spans and events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from dashlight.capture.inbox import Captured
from dashlight.counting.agents import agents_of
from dashlight.counting.claims import Claim, claim_of
from dashlight.counting.machine import OTHER_ENDPOINTS, MachineCounter
from dashlight.counting.policy import Policy
from dashlight.counting.scored.binned import Binned
from dashlight.decode.batch import DecodedBatch, Decoder
from dashlight.decode.refused_field import name_of_missing, refused_for
from dashlight.records import Exchange, Outcome
from dashlight.runtime.facts import Facts
from dashlight.runtime.labels.keeping import PredictionKeeper
from dashlight.runtime.publisher import Publisher
from dashlight.runtime.signals import SignalIntake
from dashlight.window.parts.sampled_rows import FAILED, FINE, REFUSED

_MOST_ASKED_FOR = 1000
_CODES: Mapping[Outcome, int] = {"error": FAILED, "refused": REFUSED}


class Intake:
    """Decodes and counts the exchanges of one process, and has their spans and events made."""

    def __init__(
        self,
        decoder: Decoder,
        counter: MachineCounter,
        publisher: Publisher,
        policy: Policy,
        *,
        signals: SignalIntake | None = None,
        keeping: PredictionKeeper | None = None,
    ) -> None:
        """*signals* reads business numbers of exchanges, *keeping* keeps predictions for their labels; None: nobody does."""
        self._signals = signals
        self._decoder = decoder
        self._counter = counter
        self._publisher = publisher
        self._keeping = keeping
        self._agents = agents_of(policy.excluded_agents)
        self._asked_for: set[str] = set()
        """Names of fields that the app says are missing: by them its schema is known."""
        self._answered_count = 0
        self._exchange_count = self._span_count = 0
        """Exchanges that were to be counted here, and those of them with a span of ours."""

    @property
    def handed(self) -> Captured:
        """What was to be counted here."""
        return Captured(self._exchange_count, self._span_count)

    def take_answered(self) -> int:
        """Exchanges that were no plumbing, since this was last asked."""
        count, self._answered_count = self._answered_count, 0
        return count

    def analyse(self, exchanges: Sequence[Exchange]) -> Mapping[int, str]:
        """Decodes these exchanges and counts their rows; returns, by prediction id, the failures found inside."""
        batch = self._decoder.decode(exchanges)
        known = self._publisher.known
        marks = np.zeros(len(exchanges), np.uint8)
        analysed: defaultdict[str, set[int]] = defaultdict(set)
        binned: dict[int, Binned] = {}
        for number, prediction in enumerate(batch.predictions):
            bins: list[Binned] | None = None if self._keeping is None else []
            claim: Claim = "earned" if prediction.has_columns else "provisional"
            self._counter.endpoint(prediction.endpoint, claim).add(prediction, exchanges, marks, bins)
            if bins:
                binned[number] = bins[0]
            rows_of: Counter[int] = Counter(prediction.features.exchange.tolist())
            analysed[prediction.endpoint] |= rows_of.keys()
            # One for all exchanges of as many rows, which nearly all are.
            facts = {
                rows: Facts(prediction.model, prediction.version, prediction.protocol, rows)
                for rows in set(rows_of.values())
            }
            for place, rows in rows_of.items():
                known.of[exchanges[place].id] = facts[rows]
        self._take_failed(batch, exchanges)
        if self._keeping is not None:
            self._keeping.keep(batch, exchanges, binned)
        failures = dict(batch.failures)
        for place, generation in batch.generations.items():
            exchange = exchanges[place]
            known.add_generation(exchange, generation)
            endpoint = self._counter.endpoint(exchange.route, "provisional")
            endpoint.add_generation(generation, exchange, failures.get(place, ""))
        undecodable: defaultdict[str, list[tuple[Exchange, str]]] = defaultdict(list)
        for place, reason in batch.undecodable:
            exchange = exchanges[place]
            known.undecodable[exchange.id] = reason
            undecodable[exchange.route].append((exchange, reason))
            analysed[exchange.route].add(place)
        for place in np.flatnonzero(marks).tolist():
            known.anomalies[exchanges[place].id] = int(marks[place])
        self._publisher.keep_readings(exchanges, batch)
        if self._signals is not None:
            self._signals.read(exchanges)
        for place, _ in batch.failures:
            analysed[exchanges[place].route].add(place)
        for route, places in analysed.items():
            unread = undecodable[route]
            self._counter.endpoint(route, "provisional").add_analysed(
                len(places),
                undecodable=[reason for _, reason in unread],
                exchanges=[exchange for exchange, _ in unread],
            )
        return {exchanges[place].id: kind for place, kind in failures.items()}

    def _take_failed(self, batch: DecodedBatch, exchanges: Sequence[Exchange]) -> None:
        """What failed and refused exchanges asked, where their endpoint is known by good ones."""
        if not (batch.failed or batch.unread):
            return
        outcomes = np.array([_CODES.get(exchange.outcome, FINE) for exchange in exchanges], np.uint8)
        outcomes[[place for place, _ in batch.failures]] = FAILED
        asked = self._publisher.known.asked
        for prediction in batch.failed:
            places: list[int] = prediction.features.exchange.tolist()
            asked |= dict.fromkeys((exchanges[place].id for place in places), (prediction.model, prediction.version))
            self._counter.endpoint(prediction.endpoint, "none").add_failed(prediction, exchanges, outcomes)
        for place in batch.unread:
            self._counter.endpoint(exchanges[place].route, "none").add_unread()

    def count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str], *, rate: float) -> None:
        """Counts every exchange exactly: outcome, latency, traffic; makes the spans and events of some.

        *rate* is the share of exchanges that is analysed now.
        """
        self._exchange_count += len(exchanges)
        self._span_count += sum(each.own_span is not None for each in exchanges)
        if failures:
            # From here on for all alike: what is counted, the span and the event.
            exchanges = [replace(each, outcome="error") if each.id in failures else each for each in exchanges]
        slow: set[int] = set()
        try:
            self._count(exchanges, failures, slow)
        finally:  # a mistake of ours in the counts costs no span and no event
            self._publisher.send_exchanges(exchanges, failures, slow, rate=rate)

    def _count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str], slow: set[int]) -> None:
        """Adds to *slow* the ids of those that were slow for their endpoint."""
        by_endpoint: dict[str, list[Exchange]] = {}
        claims: dict[str, Claim] = {}
        for exchange in exchanges:
            claim = claim_of(exchange, self._agents)
            route = OTHER_ENDPOINTS if claim is None else exchange.route
            by_endpoint.setdefault(route, []).append(exchange)
            self._answered_count += claim is not None
            if claim == "provisional":
                claims[route] = claim
        refusals = {each.id: self._refused_for(each) for each in exchanges if each.outcome == "refused"}
        known = self._publisher.known
        decoded = {id_: (its.model, its.version) for id_, its in known.of.items() if its.rows is not None}
        for route, members in by_endpoint.items():
            endpoint = self._counter.endpoint(route, claims.get(route, "none"))
            places = endpoint.count(members, failures, refusals, decoded, known.asked)
            slow.update(members[place].id for place in places)

    def count_excluded(self, exchanges: Sequence[Exchange]) -> None:
        """Counts exchanges of excluded URLs, where nobody judges: no claim, no span, no event comes of them."""
        self._counter.endpoint(OTHER_ENDPOINTS, "none").count(exchanges, {})

    def _refused_for(self, exchange: Exchange) -> tuple[str, ...]:
        known = self._counter.endpoint(exchange.route, "none").column_names | self._asked_for
        reasons = refused_for(exchange, known)
        if len(self._asked_for) < _MOST_ASKED_FOR:
            self._asked_for |= set(filter(None, map(name_of_missing, reasons)))
        return reasons
