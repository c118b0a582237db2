"""What leaves the process of exchanges: spans, and events of some."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dashlight.counting.policy import Policy
from dashlight.decode.batch import DecodedBatch
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.metrics.genai import genai_attributes
from dashlight.records import Exchange
from dashlight.runtime.event_publisher import EventPublisher
from dashlight.runtime.event_sampler import EventSampler
from dashlight.runtime.facts import Facts, KnownFacts

logger = logging.getLogger("dashlight")

_NOTHING: Mapping[str, object] = {}


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
        self._genai = publishing.genai
        self._policy = policy
        self.known = KnownFacts(model=policy.model, version=policy.model_version)
        """What is known of the exchanges of this round, until they have been told of."""
        self._events = EventPublisher(
            delivery=delivery,
            sampler=publishing.sampler,
            payloads=publishing.payloads,
            redacted=publishing.redacted,
            genai=publishing.genai,
            policy=policy,
            numbers=numbers,
        )

    def keep_readings(self, exchanges: Sequence[Exchange], batch: DecodedBatch) -> None:
        """Keeps of *batch*, decoded from *exchanges*, what their events will need; behind all that is known of them."""
        self._events.keep_readings(exchanges, batch, self.known)

    def send_exchanges(
        self, exchanges: Sequence[Exchange], failures: Mapping[int, str], slow: Collection[int], *, rate: float
    ) -> None:
        """Sends the spans that we opened, and events of some.

        *failures* were found inside answers, *slow* exchanges were so for their endpoint, both by prediction id; *rate* is
        the share of exchanges that is analysed now.
        """
        if self._delivery.takes_spans:
            self._send_spans([each for each in exchanges if each.own_span is not None], failures, rate=rate)
        if self._delivery.takes_events:
            self._events.send(exchanges, failures, slow, self.known)

    def _send_spans(self, exchanges: Sequence[Exchange], failures: Mapping[int, str], *, rate: float) -> None:
        """Encodes spans here while the CPU budget has room, else on the delivery thread.

        One thread less that wants the interpreter costs the app less; but encoding is no analysis, and when the
        budget binds it must not take the room of it.
        """
        facts = [self.known.of.get(each.id) for each in exchanges]
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
            except Exception:
                logger.debug("a span cannot be encoded", exc_info=True)
                self._delivery.lose_span()
        ended = (each.started_at + each.duration_seconds for each in exchanges)
        self._delivery.send_spans(spans, since_at=min(ended, default=math.inf))

    def _genai_attributes(self, exchange: Exchange, facts: Facts) -> Mapping[str, object]:
        if not self._genai or facts.generation is None:
            return _NOTHING
        return genai_attributes(facts.generation, first_byte_seconds=exchange.first_byte_seconds)
