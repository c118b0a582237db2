"""What leaves the process of exchanges: spans, and events of some."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from dashlight.counting.policy import Policy
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.llm.timing import seconds_per_output_token
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.redact import redact
from dashlight.decode.rows.selection import Selection
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import prediction_event
from dashlight.deliver.encoding.llm_attributes import llm_attributes
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.errors import traced
from dashlight.metrics.genai import genai_attributes
from dashlight.privacy.hashing import HashKey
from dashlight.records import Cell, Exchange, GenerationFacts
from dashlight.runtime.event_sampler import EventSampler

logger = logging.getLogger("dashlight")

_MOST_ROWS_SENT = 100
"""Rows of a batch whose values an event holds."""
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
    hash_key: HashKey | None = None
    """The operator's: what is redacted can be followed by its hash; None: it is only redacted."""
    genai: bool = False
    """Whether spans and events say what they know of language models in OpenTelemetry's words for them."""


class Publisher:
    """Makes spans and events of exchanges, with what decoding made known of them, and hands them to delivery."""

    def __init__(
        self,
        *,
        spans: SpanEncoder,
        delivery: Delivery,
        publishing: Publishing,
        policy: Policy,
        numbers: Iterator[int],
    ) -> None:
        """*numbers* are those of all events of this process, in the order in which they are made."""
        self._spans = spans
        self._delivery = delivery
        self._publishing = publishing
        self._policy = policy
        self._selection = Selection(policy.features, policy.prediction, policy.ignored)
        self._facts: dict[int, Facts] = {}
        self._undecodable: dict[int, str] = {}
        self._numbers = numbers

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
            self._send_spans([each for each in exchanges if each.own_span is not None], failures, rate=rate)
        if self._delivery.takes_events:
            self._send_predictions(exchanges, failures)

    def _send_spans(self, exchanges: Sequence[Exchange], failures: Mapping[int, str], *, rate: float) -> None:
        """Encodes spans here while the CPU budget has room, else on the delivery thread.

        One thread less that wants the interpreter costs the app less; but encoding is no analysis, and when the
        budget binds it must not take the room of it.
        """
        facts = [self._facts.get(each.id) for each in exchanges]
        held_bytes = sum(each.kept_bytes for each in exchanges)
        work = partial(self._encode_spans, exchanges, facts, failures)
        self._delivery.aside(work, size_bytes=held_bytes, at_once=rate >= 1)

    def _encode_spans(
        self, exchanges: Sequence[Exchange], facts: Sequence[Facts | None], failures: Mapping[int, str]
    ) -> None:
        unknown = Facts(self._policy.model, self._policy.model_version, "", None)
        encode = self._spans.span
        spans: list[bytes] = []
        for exchange, known in zip(exchanges, facts, strict=True):
            fact = known or unknown
            try:
                span = encode(
                    exchange,
                    model=fact.model,
                    version=fact.version,
                    rows=fact.rows,
                    confessed=failures.get(exchange.id, ""),
                    extra=self._genai_attributes(exchange, fact),
                )
                spans.append(span)
            except Exception as error:
                logger.debug("a span cannot be encoded: %s", traced(error))
                self._delivery.lose_span()
        self._delivery.send_spans(spans, since_at=min(map(_ended_at, exchanges), default=math.inf))

    def _send_predictions(self, exchanges: Iterable[Exchange], failures: Mapping[int, str]) -> None:
        keeps = self._publishing.sampler.keeps
        for exchange in exchanges:
            if keeps(failed=exchange.outcome == "error", at=exchange.started_at):
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
        event = prediction_event(
            exchange,
            seq=next(self._numbers),
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
        self._delivery.send_event(event, since_at=_ended_at(exchange))

    def _genai_attributes(self, exchange: Exchange, facts: Facts | None) -> Mapping[str, object]:
        if not self._publishing.genai or facts is None or facts.generation is None:
            return _NOTHING
        return genai_attributes(facts.generation, first_byte_seconds=exchange.first_byte_seconds)

    def _payload(self, sheet: Sheet | None) -> dict[str, Cell] | None:
        """What an event may say of one side of an exchange."""
        if sheet is None:
            return None
        return redact(_by_name(sheet), also=self._publishing.redacted, key=self._publishing.hash_key)


def _ended_at(exchange: Exchange) -> float:
    return exchange.started_at + exchange.duration_seconds


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
