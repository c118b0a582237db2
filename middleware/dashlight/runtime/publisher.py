"""What leaves the process: spans, sampled predictions, alerts, scores; and what of it was lost."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from dashlight.capture.ids import prediction_id
from dashlight.counting.policy import Policy
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.llm.timing import seconds_per_output_token
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.redact import redact
from dashlight.decode.rows.selection import Selection
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import alert_event, prediction_event, scores_event
from dashlight.deliver.encoding.genai import genai_attributes
from dashlight.deliver.encoding.llm_attributes import llm_attributes
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.judge.words import listed, printable
from dashlight.records import Alert, Cell, Exchange, GenerationFacts
from dashlight.runtime.event_sampler import EventSampler
from dashlight.watching.endpoint import Snapshot

logger = logging.getLogger("dashlight")

_MOST_ROWS_SENT = 100
"""Rows of a batch whose values an event holds."""
_MOST_SCORES_SENT = 400
"""Scores that an event holds; those of a model with more columns leave in several."""
_NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Facts:
    """What decoding made known of one exchange, for its span and its event."""

    model: str
    version: str
    protocol: str
    rows: int | None
    """None where it was not decoded."""
    generation: GenerationFacts | None = None
    """None where no language model was asked."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """What an event or a span may carry."""

    sampler: EventSampler
    payloads: bool
    """Whether events carry features and outputs, redacted."""
    redacted: Sequence[str]
    """Globs of columns to redact besides credentials."""
    trace_url: str
    """Template of a link to a trace, for alerts."""
    genai: bool = False
    """Whether spans and events say what they know of language models in OpenTelemetry's words for them."""


class Publisher:
    """Makes events and spans of what the stages found, and hands them to delivery."""

    def __init__(self, *, spans: SpanEncoder, delivery: Delivery, publishing: Publishing, policy: Policy) -> None:
        self._spans = spans
        self._delivery = delivery
        self._publishing = publishing
        self._policy = policy
        self._selection = Selection(policy.features, policy.prediction, policy.ignored)
        self._facts: dict[int, Facts] = {}
        self._undecodable: dict[int, str] = {}
        self._seq = 0
        self._lost: dict[str, int] = {}

    def know(self, exchange: Exchange, facts: Facts) -> None:
        """Remember what decoding made known of *exchange* until its span and event are made."""
        self._facts[exchange.id] = facts

    def know_generation(self, exchange: Exchange, generation: GenerationFacts) -> None:
        """Remember likewise what is known of the language model that *exchange* asked."""
        known = self._facts.get(exchange.id)
        facts = known or Facts(self._policy.model, self._policy.model_version, generation.protocol, None)
        self._facts[exchange.id] = replace(facts, generation=generation)

    def know_undecodable(self, exchange: Exchange, reason: str) -> None:
        """Remember why *exchange* could not be decoded."""
        self._undecodable[exchange.id] = reason

    def forget(self) -> None:
        """What was known of exchanges has been told."""
        self._facts.clear()
        self._undecodable.clear()

    def send_exchanges(self, exchanges: Sequence[Exchange], failures: Mapping[int, str], *, rate: float) -> None:
        """Send the spans that we opened, and events of some; *rate* is the share of exchanges that is analysed now."""
        if self._delivery.takes_spans:
            self._send_spans([each for each in exchanges if each.own_span is not None], rate=rate)
        if self._delivery.takes_events:
            self._send_predictions(exchanges, failures)

    def publish(self, alerts: Iterable[Alert]) -> None:
        """Log and send alerts whose state changed."""
        for alert in alerts:
            self._log(alert)
            self._seq += 1
            identifier = prediction_id(alert.at)
            event = alert_event(alert, identifier=identifier, seq=self._seq, trace_url=self._publishing.trace_url)
            self._delivery.send_event(event)

    def _log(self, alert: Alert) -> None:
        # The name of a model may come from an answer.
        where = " ".join(printable(part) for part in (alert.model, alert.endpoint) if part) or "this process"
        if alert.state == "firing":
            beside = f" (together with {listed(alert.moved_with)})" if alert.moved_with else ""
            logger.warning("firing: %s: %s%s", where, alert.summary, beside)
        elif alert.state == "resolved":
            logger.info("resolved: %s: %s", where, alert.summary)

    def send_scores(self, snapshots: Iterable[Snapshot], *, endpoint: str, at: float) -> None:
        """Send the scores of one endpoint at the moment *at*."""
        if not self._delivery.takes_events:
            return
        for snapshot in snapshots:
            for first in range(0, len(snapshot.scores), _MOST_SCORES_SENT):
                self._seq += 1
                event = scores_event(
                    snapshot.scores[first : first + _MOST_SCORES_SENT],
                    at=at,
                    identifier=prediction_id(at),
                    seq=self._seq,
                    endpoint=endpoint,
                    model=snapshot.model,
                    version=snapshot.version,
                    state=snapshot.state,
                )
                self._delivery.send_event(event)

    def counts(self, dropped_count: int) -> dict[str, int]:
        """What was delivered, what was lost and why, and our own mistakes, each since the start; by what it was."""
        found = {"exchanges inbox_full": dropped_count}
        for name, counts in self._delivery.counts().items():
            found[f"{name} delivered"] = counts.delivered
            found |= {f"{name} {reason}": count for reason, count in counts.dropped.items() if reason != "disabled"}
            found[f"{name} rejected"] = counts.rejected
        return {what: count for what, count in found.items() if count}

    def tell_losses(self, counts: Mapping[str, int]) -> None:
        """One line with all losses of *counts* where more has been lost since the last one."""
        # Newer metrics replace older ones: nothing is lost by that.
        lost = {what: count for what, count in counts.items() if not what.endswith((" delivered", " replaced"))}
        if lost != self._lost:
            self._lost = lost
            logger.warning("lost so far: %s", ", ".join(f"{what} x {count}" for what, count in lost.items()))

    def _send_spans(self, exchanges: Sequence[Exchange], *, rate: float) -> None:
        """Encodes spans here while the CPU budget has room, else on the delivery thread.

        One thread less that wants the interpreter costs the host less; but encoding is no analysis, and when the
        budget binds it must not take the room of it.
        """
        facts = [self._facts.get(each.id) for each in exchanges]
        held_bytes = sum(each.request_bytes + each.response_bytes for each in exchanges)
        work = partial(self._encode_spans, exchanges, facts)
        self._delivery.aside(work, size_bytes=held_bytes, at_once=rate >= 1)

    def _encode_spans(self, exchanges: Sequence[Exchange], facts: Sequence[Facts | None]) -> None:
        unknown = Facts(self._policy.model, self._policy.model_version, "", None)
        encode = self._spans.span
        spans: list[bytes] = []
        for exchange, known in zip(exchanges, facts, strict=True):
            fact = known or unknown
            try:
                extra = self._genai_attributes(exchange, fact)
                spans.append(encode(exchange, model=fact.model, version=fact.version, rows=fact.rows, extra=extra))
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
        policy = self._policy
        facts = self._facts.get(exchange.id)
        inputs = outputs = None
        if self._publishing.payloads and facts is not None and facts.rows is not None:
            # Decoded once more, by itself: the columns of a batch no longer tell 5 from 5.0.
            decoded = decode_exchange(
                exchange, model=policy.model, version=policy.model_version, selection=self._selection
            )
            inputs, outputs = self._payload(decoded.features), self._payload(decoded.outputs)
        self._seq += 1
        event = prediction_event(
            exchange,
            seq=self._seq,
            model=facts.model if facts else policy.model,
            version=facts.version if facts else policy.model_version,
            protocol=facts.protocol if facts else "",
            rows=facts.rows if facts else None,
            inputs=inputs,
            outputs=outputs,
            undecoded=self._undecodable.get(exchange.id, ""),
            confessed=confessed,
            extra={**_llm_attributes(exchange, facts), **self._genai_attributes(exchange, facts)},
        )
        self._delivery.send_event(event)

    def _genai_attributes(self, exchange: Exchange, facts: Facts | None) -> Mapping[str, object]:
        if not self._publishing.genai or facts is None or facts.generation is None:
            return _NOTHING
        return genai_attributes(facts.generation, first_byte_seconds=exchange.first_byte_seconds)

    def _payload(self, sheet: Sheet | None) -> dict[str, Cell] | None:
        """What an event may say of one side of an exchange."""
        if sheet is None:
            return None
        return redact(_by_name(sheet), also=self._publishing.redacted)


def _llm_attributes(exchange: Exchange, facts: Facts | None) -> Mapping[str, object]:
    if facts is None or facts.generation is None:
        return _NOTHING
    generation = facts.generation
    per_token = seconds_per_output_token(
        first_byte_seconds=exchange.first_byte_seconds if generation.is_streamed else None,
        duration_seconds=exchange.duration_seconds,
        tokens=generation.output_tokens,
    )
    return llm_attributes(
        generation, first_byte_seconds=exchange.first_byte_seconds, seconds_per_output_token=per_token
    )


def _by_name(sheet: Sheet) -> dict[str, Cell]:
    """Values by column: one value where there is one row, else a list of as many as an event may hold."""
    if len(sheet.values) == 1:
        return dict(zip(sheet.names, sheet.values[0], strict=True))
    rows = sheet.values[:_MOST_ROWS_SENT]
    return {name: [row[place] for row in rows] for place, name in enumerate(sheet.names)}
