"""Joins the stages on the analysis thread: decode -> window -> judge -> deliver."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from dashlight.clock import Clock
from dashlight.decode.batch import Decoder
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.traces import SpanEncoder
from dashlight.endpoint import EndpointPlan, WatchedEndpoint
from dashlight.judge.thresholds import ThresholdJudge
from dashlight.judge.traffic import quantities_of_process
from dashlight.publisher import Facts, Publisher, Publishing
from dashlight.records import Exchange
from dashlight.store.reference_file import ReferenceFile

logger = logging.getLogger("dashlight")

MOST_ENDPOINTS = 32
"""Endpoints with statistics of their own; the others are counted together, and the rows of their models not judged."""
OTHER_ENDPOINTS = "other"
_PANES_A_SCORE = 6
"""Scores leave once in so many panes: every minute with panes of ten seconds."""


class Pipeline:
    """All stages behind the inbox, for one process. Used by the analysis thread alone."""

    def __init__(
        self,
        *,
        decoder: Decoder,
        spans: SpanEncoder,
        delivery: Delivery,
        publishing: Publishing,
        endpoints: EndpointPlan,
        clock: Clock,
        reference_file: ReferenceFile | None = None,
    ) -> None:
        """*reference_file* is looked at after every pane: one that was replaced is compared with from then on."""
        self._decoder = decoder
        self._delivery = delivery
        self._publisher = Publisher(spans=spans, delivery=delivery, publishing=publishing)
        self._reference_file = reference_file
        in_flight = [rule for rule in endpoints.rules if rule.quantity == "in_flight"]
        self._in_flight = ThresholdJudge(in_flight)
        self._plan = replace(endpoints, rules=tuple(rule for rule in endpoints.rules if rule not in in_flight))
        self._endpoints: dict[str, WatchedEndpoint] = {}
        self._model_places, self._traffic_places = count(1), count(1)
        self._pane_end_at = clock.now() + endpoints.pane_seconds
        self._pane_count = 0
        self._rate = 1.0

    def analyse(self, exchanges: Sequence[Exchange]) -> Mapping[int, str]:
        """Decodes these exchanges and counts their rows; returns, by prediction id, the failures found inside."""
        batch = self._decoder.decode(exchanges)
        analysed: defaultdict[str, set[int]] = defaultdict(set)
        for prediction in batch.predictions:
            self._endpoint(prediction.endpoint).add(prediction, exchanges)
            rows_of: Counter[int] = Counter(prediction.features.exchange.tolist())
            analysed[prediction.endpoint] |= rows_of.keys()
            # One for all exchanges of as many rows, which nearly all are.
            facts = {
                rows: Facts(prediction.model, prediction.version, prediction.protocol, rows)
                for rows in set(rows_of.values())
            }
            for place, rows in rows_of.items():
                self._publisher.know(exchanges[place], facts[rows])
        for place, generation in batch.generations.items():
            self._publisher.know_generation(exchanges[place], generation)
        undecodable: defaultdict[str, list[tuple[Exchange, str]]] = defaultdict(list)
        for place, reason in batch.undecodable_places:
            exchange = exchanges[place]
            self._publisher.know_undecodable(exchange, reason)
            undecodable[exchange.route].append((exchange, reason))
            analysed[exchange.route].add(place)
        for place, _ in batch.failures:
            analysed[exchanges[place].route].add(place)
        for route, places in analysed.items():
            unread = undecodable[route]
            self._endpoint(route).add_analysed(
                len(places),
                undecodable=[reason for _, reason in unread],
                exchanges=[exchange for exchange, _ in unread],
            )
        return {exchanges[place].id: kind for place, kind in batch.failures}

    def count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str]) -> None:
        """Counts every exchange exactly: outcome, latency, traffic; makes the spans and events of some."""
        by_endpoint: dict[str, list[Exchange]] = {}
        for exchange in exchanges:
            by_endpoint.setdefault(exchange.route, []).append(exchange)
        for route, members in by_endpoint.items():
            self._endpoint(route).count(members, failures)
        self._publisher.send_exchanges(exchanges, failures, rate=self._rate)

    def tick(self, at: float, *, dropped_count: int, in_flight_count: int, rate: float) -> float:
        """Closes the pane if it is due; returns the seconds until the next one is."""
        self._rate = rate
        # A tick ends a round: what was decoded in it has been told.
        self._publisher.forget()
        if at < self._pane_end_at:
            return self._pane_end_at - at
        # A pane that ends late is a long pane; the one after it ends a whole pane from now.
        self._pane_end_at = at + self._plan.pane_seconds
        self._pane_count += 1
        for endpoint in self._endpoints.values():
            self._publisher.publish(endpoint.close_pane(at))
        self._publisher.publish(self._in_flight.update(quantities_of_process(in_flight=in_flight_count), at))
        self._look_at_reference_file(at)
        if self._pane_count % _PANES_A_SCORE == 0:
            self._publisher.tell_losses(dropped_count)
            for endpoint in self._endpoints.values():
                snapshots = endpoint.snapshots(in_flight_count=in_flight_count, dropped_count=dropped_count, rate=rate)
                self._publisher.send_scores(snapshots, endpoint=endpoint.name, at=at)
        return self._plan.pane_seconds

    def _look_at_reference_file(self, at: float) -> None:
        replaced = self._reference_file.replaced() if self._reference_file is not None else None
        if replaced is None:
            return
        logger.info("the reference file was replaced: version %s, %d rows", replaced.version, replaced.rows)
        self._plan = replace(self._plan, models=replace(self._plan.models, reference=replaced))
        for endpoint in self._endpoints.values():
            self._publisher.publish(endpoint.replace_reference(replaced, at))

    def flush(self, timeout_seconds: float) -> int:
        """Sends what is waiting; returns how many are still waiting then."""
        return self._delivery.flush(timeout_seconds)

    def close(self, timeout_seconds: float) -> None:
        """Sends what it can and stops."""
        self._delivery.close(timeout_seconds)

    def _endpoint(self, route: str) -> WatchedEndpoint:
        found = self._endpoints.get(route)
        if found is None and len(self._endpoints) >= MOST_ENDPOINTS:
            return self._other_endpoints()
        if found is None:
            found = self._endpoints[route] = WatchedEndpoint(
                route, places=self._model_places, traffic_places=self._traffic_places, plan=self._plan
            )
        return found

    def _other_endpoints(self) -> WatchedEndpoint:
        """What stands for all endpoints beyond the bound: their models have different columns, so none is judged."""
        found = self._endpoints.get(OTHER_ENDPOINTS)
        if found is None:
            found = self._endpoints[OTHER_ENDPOINTS] = WatchedEndpoint(
                OTHER_ENDPOINTS,
                places=self._model_places,
                traffic_places=self._traffic_places,
                plan=self._plan,
                most_models=0,
            )
            logger.warning("more than %d endpoints: the others are counted together, without drift", MOST_ENDPOINTS)
        return found
