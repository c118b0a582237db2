"""Joins the stages on the analysis thread: decode -> window -> judge -> deliver."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import count

from dashlight.capture.ids import prediction_id
from dashlight.clock import Clock
from dashlight.decode.batch import Decoder
from dashlight.decode.columns import Sheet
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.redact import redact
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.events import alert_event, prediction_event, scores_event
from dashlight.deliver.traces import SpanEncoder
from dashlight.endpoint import EndpointPlan, WatchedEndpoint
from dashlight.judge.alerts import Alerts
from dashlight.judge.thresholds import ThresholdJudge
from dashlight.judge.traffic import quantities_of_process
from dashlight.judge.words import printable
from dashlight.records import Alert, Cell, Exchange
from dashlight.sampling import EventSampler

logger = logging.getLogger("dashlight")

MOST_ENDPOINTS = 32
"""Endpoints with statistics of their own; the others are counted together, and the rows of their models not judged."""
OTHER_ENDPOINTS = "other"
_MOST_ROWS_SENT = 100
"""Rows of a batch whose values an event holds."""
_MOST_SCORES_SENT = 400
"""Scores that an event holds; those of a model with more columns leave in several."""
_PANES_A_SCORE = 6
"""Scores leave once in so many panes: every minute with panes of ten seconds."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What decoding made known of one exchange, for its span and its event."""

    model: str
    version: str
    protocol: str
    rows: int | None
    """None where it was not decoded."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """What leaves the process, and in which form."""

    sampler: EventSampler
    payloads: bool
    """Whether events carry features and outputs, redacted."""
    redacted: Sequence[str]
    """Globs of columns to redact besides credentials."""
    ignored: Sequence[str]
    """Globs of columns that are left out."""
    trace_url: str
    model: str
    model_version: str


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
    ) -> None:
        self._decoder = decoder
        self._spans = spans
        self._delivery = delivery
        self._publishing = publishing
        in_flight = [rule for rule in endpoints.rules if rule.quantity == "in_flight"]
        self._in_flight = ThresholdJudge(in_flight)
        self._plan = replace(endpoints, rules=tuple(rule for rule in endpoints.rules if rule not in in_flight))
        self._endpoints: dict[str, WatchedEndpoint] = {}
        self._model_places = count(1)
        self._facts: dict[int, Facts] = {}
        self._undecodable: dict[int, str] = {}
        self._seq = 0
        self._pane_end_at = clock.now() + endpoints.pane_seconds
        self._pane_count = 0
        self._rate = 1.0
        self._lost: dict[str, int] = {}
        self._alerts = Alerts()

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
                self._facts[exchanges[place].id] = facts[rows]
        undecodable: defaultdict[str, list[str]] = defaultdict(list)
        for place, reason in batch.undecodable_places:
            exchange = exchanges[place]
            self._undecodable[exchange.id] = reason
            undecodable[exchange.route].append(reason)
            analysed[exchange.route].add(place)
        for place, _ in batch.failures:
            analysed[exchanges[place].route].add(place)
        for route, places in analysed.items():
            self._endpoint(route).add_analysed(len(places), undecodable=undecodable[route])
        return {exchanges[place].id: kind for place, kind in batch.failures}

    def count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str]) -> None:
        """Counts every exchange exactly: outcome, latency, traffic; makes the spans and events of some."""
        by_endpoint: dict[str, list[Exchange]] = {}
        for exchange in exchanges:
            by_endpoint.setdefault(exchange.route, []).append(exchange)
        for route, members in by_endpoint.items():
            self._endpoint(route).count(members, failures)
        if self._delivery.takes_spans:
            self._send_spans([each for each in exchanges if each.own_span is not None])
        if self._delivery.takes_events:
            self._send_predictions(exchanges, failures)

    def tick(self, at: float, *, dropped_count: int, in_flight_count: int, rate: float) -> float:
        """Closes the pane if it is due; returns the seconds until the next one is."""
        self._rate = rate
        # A tick ends a round: what was decoded in it has been told.
        self._facts.clear()
        self._undecodable.clear()
        if at < self._pane_end_at:
            return self._pane_end_at - at
        # A pane that ends late is a long pane; the one after it ends a whole pane from now.
        self._pane_end_at = at + self._plan.pane_seconds
        self._pane_count += 1
        for endpoint in self._endpoints.values():
            self._publish(endpoint.close_pane(at))
        self._publish(self._in_flight.update(quantities_of_process(in_flight=in_flight_count), at))
        if self._pane_count % _PANES_A_SCORE == 0:
            self._tell_losses(dropped_count)
        if self._delivery.takes_events and self._pane_count % _PANES_A_SCORE == 0:
            self._send_scores(at, dropped_count=dropped_count, in_flight_count=in_flight_count, rate=rate)
        return self._plan.pane_seconds

    def _tell_losses(self, dropped_count: int) -> None:
        """One line with all counts where more has been lost since the last one."""
        lost = {"exchanges inbox_full": dropped_count}
        for name, counts in self._delivery.counts().items():
            lost |= {f"{name} {reason}": count for reason, count in counts.dropped.items() if reason != "disabled"}
            lost[f"{name} rejected"] = counts.rejected
        lost = {what: count for what, count in lost.items() if count}
        if lost != self._lost:
            self._lost = lost
            logger.warning("lost so far: %s", ", ".join(f"{what} x {count}" for what, count in lost.items()))

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
            found = self._endpoints[route] = WatchedEndpoint(route, places=self._model_places, plan=self._plan)
        return found

    def _other_endpoints(self) -> WatchedEndpoint:
        """What stands for all endpoints beyond the bound: their models have different columns, so none is judged."""
        found = self._endpoints.get(OTHER_ENDPOINTS)
        if found is None:
            found = self._endpoints[OTHER_ENDPOINTS] = WatchedEndpoint(
                OTHER_ENDPOINTS, places=self._model_places, plan=self._plan, most_models=0
            )
            logger.warning("more than %d endpoints: the others are counted together, without drift", MOST_ENDPOINTS)
        return found

    def _send_spans(self, exchanges: Sequence[Exchange]) -> None:
        """Encodes spans here while the CPU budget has room, else on the delivery thread.

        One thread less that wants the interpreter costs the host less; but encoding is no analysis, and when the
        budget binds it must not take the room of it.
        """
        facts = [self._facts.get(each.id) for each in exchanges]
        held_bytes = sum(each.request_bytes + each.response_bytes for each in exchanges)
        work = partial(self._encode_spans, exchanges, facts)
        self._delivery.aside(work, size_bytes=held_bytes, at_once=self._rate >= 1)

    def _encode_spans(self, exchanges: Sequence[Exchange], facts: Sequence[Facts | None]) -> None:
        unknown = Facts(self._publishing.model, self._publishing.model_version, "", None)
        encode = self._spans.span
        spans: list[bytes] = []
        for exchange, known in zip(exchanges, facts, strict=True):
            fact = known or unknown
            try:
                spans.append(encode(exchange, model=fact.model, version=fact.version, rows=fact.rows))
            except Exception:
                logger.debug("a span cannot be encoded", exc_info=True)
                self._delivery.lose_span()
        self._delivery.send_spans(spans)

    def _send_predictions(self, exchanges: Iterable[Exchange], failures: Mapping[int, str]) -> None:
        keeps = self._publishing.sampler.keeps
        for exchange in exchanges:
            failed = exchange.outcome == "error" or exchange.id in failures
            if keeps(failed=failed, at=exchange.started_at):
                self._send_prediction(exchange, confessed=failures.get(exchange.id, ""))

    def _send_prediction(self, exchange: Exchange, *, confessed: str) -> None:
        publishing = self._publishing
        facts = self._facts.get(exchange.id)
        inputs = outputs = None
        if publishing.payloads and facts is not None:
            # Decoded once more, by itself: the columns of a batch no longer tell 5 from 5.0.
            decoded = decode_exchange(exchange, model=publishing.model, version=publishing.model_version)
            inputs, outputs = self._payload(decoded.features), self._payload(decoded.outputs)
        self._seq += 1
        event = prediction_event(
            exchange,
            seq=self._seq,
            model=facts.model if facts else publishing.model,
            version=facts.version if facts else publishing.model_version,
            protocol=facts.protocol if facts else "",
            rows=facts.rows if facts else None,
            inputs=inputs,
            outputs=outputs,
            undecoded=self._undecodable.get(exchange.id, ""),
            confessed=confessed,
        )
        self._delivery.send_event(event)

    def _payload(self, sheet: Sheet | None) -> dict[str, Cell] | None:
        """What an event may say of one side of an exchange."""
        if sheet is None:
            return None
        return redact(_by_name(sheet, self._publishing.ignored), also=self._publishing.redacted)

    def _publish(self, alerts: Iterable[Alert]) -> None:
        for alert in self._alerts.observe(alerts):
            self._log(alert)
            self._seq += 1
            identifier = prediction_id(alert.at)
            event = alert_event(alert, identifier=identifier, seq=self._seq, trace_url=self._publishing.trace_url)
            self._delivery.send_event(event)

    def _log(self, alert: Alert) -> None:
        # The name of a model may come from an answer.
        where = " ".join(printable(part) for part in (alert.model, alert.endpoint) if part) or "this process"
        if alert.state == "firing":
            logger.warning("firing: %s: %s", where, alert.summary)
        elif alert.state == "resolved":
            logger.info("resolved: %s: %s", where, alert.summary)

    def _send_scores(self, at: float, *, dropped_count: int, in_flight_count: int, rate: float) -> None:
        for endpoint in self._endpoints.values():
            for snapshot in endpoint.snapshots(dropped_count=dropped_count, in_flight_count=in_flight_count, rate=rate):
                for first in range(0, len(snapshot.scores), _MOST_SCORES_SENT):
                    self._seq += 1
                    event = scores_event(
                        snapshot.scores[first : first + _MOST_SCORES_SENT],
                        at=at,
                        identifier=prediction_id(at),
                        seq=self._seq,
                        endpoint=endpoint.name,
                        model=snapshot.model,
                        version=snapshot.version,
                    )
                    self._delivery.send_event(event)


def _by_name(sheet: Sheet, ignored: Sequence[str]) -> dict[str, Cell]:
    """Values by column: one value where there is one row, else a list of as many as an event may hold."""
    kept = [
        (place, name) for place, name in enumerate(sheet.names) if not any(fnmatchcase(name, each) for each in ignored)
    ]
    if len(sheet.values) == 1:
        return {name: sheet.values[0][place] for place, name in kept}
    rows = sheet.values[:_MOST_ROWS_SENT]
    return {name: [row[place] for row in rows] for place, name in kept}
