"""Events of exchanges: of those that the sampler keeps, with what is known of each."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from dashlight.counting.anomalies import NEW_CATEGORY, OUT_OF_RANGE, WRONG_TYPE
from dashlight.counting.policy import Policy
from dashlight.decode.as_sent import readings_of, values_as_sent
from dashlight.decode.batch import DecodedBatch
from dashlight.decode.llm.timing import seconds_per_output_token
from dashlight.decode.rows.columns import Row, Sheet
from dashlight.decode.rows.redact import Redaction
from dashlight.decode.rows.selection import Selection
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import Event, prediction_event
from dashlight.deliver.encoding.llm_attributes import llm_attributes
from dashlight.metrics.genai import genai_attributes
from dashlight.privacy.hashing import HashKey
from dashlight.records import Cell, Exchange, Outcome
from dashlight.runtime.event_sampler import REASONS, EventSampler, Kept, Reason
from dashlight.runtime.facts import Facts, KnownFacts

logger = logging.getLogger("dashlight")

_MOST_ROWS_SENT = 100
"""Rows of a batch whose values an event holds."""
_MOST_BYTES_TOGETHER, _BYTES_BESIDE = 1 << 18, 1 << 12
"""Of the bodies of exchanges whose events are handed to delivery at once, and what is reckoned for each beside them: what
events hold is in memory until then."""


class EventPublisher:
    """Makes the events of exchanges and hands them to delivery."""

    def __init__(
        self,
        *,
        delivery: Delivery,
        sampler: EventSampler,
        payloads: bool,
        redacted: Sequence[str],
        hash_key: HashKey | None,
        genai: bool,
        policy: Policy,
        numbers: Iterator[int],
    ) -> None:
        """As follows.

        Args:
            delivery: Where events go.
            sampler: Decides of which exchanges there are any.
            payloads: Whether they carry features and outputs.
            hash_key: The operator's, by which what is redacted can be followed; None: it is only redacted.
            redacted: Globs of columns to redact besides credentials.
            genai: Whether they say what they know of language models in OpenTelemetry's words.
            policy: Which columns there are, and what a model is called that nothing names.
            numbers: Those of all events of this process, in the order in which they are made.
        """
        self._delivery = delivery
        self._sampler = sampler
        self._payloads = payloads
        self._redaction = Redaction(redacted, hash_key)
        self._genai = genai
        self._policy = policy
        self._selection = Selection(policy.features, policy.prediction, policy.ignored)
        self._numbers = numbers

    def keep_readings(self, exchanges: Sequence[Exchange], batch: DecodedBatch, known: KnownFacts) -> None:
        """Keeps of *batch*, decoded from *exchanges*, how those were read whose values may be sent."""
        if not (self._payloads and self._delivery.takes_events):
            return
        draws, anomalies = self._sampler.draws, known.anomalies
        draws.look_around()
        places = [place for place, each in enumerate(exchanges) if each.id in anomalies or draws(each)]
        for place, reading in readings_of(batch, places).items() if places else ():
            known.add_reading(exchanges[place], reading)

    def send(
        self, exchanges: Iterable[Exchange], failures: Mapping[int, str], slow: Collection[int], known: KnownFacts
    ) -> None:
        """Sends the events of those of *exchanges* that are kept; *failures* inside answers, and *slow* ones, by prediction id."""
        decide = self._sampler.decide
        self._sampler.draws.look_around()
        anomalies, undecodable = known.anomalies, known.undecodable
        kept: list[tuple[Exchange, Kept]] = []
        for exchange in exchanges:
            reasons: tuple[Reason, ...] = ()
            id_ = exchange.id
            if exchange.outcome != "ok" or id_ in anomalies or id_ in undecodable or id_ in slow:
                reasons = _reasons_of(
                    exchange.outcome,
                    anomalies.get(id_, 0),
                    is_undecodable=id_ in undecodable,
                    is_slow=id_ in slow,
                )
            try:
                why = decide(exchange, reasons, at=_ended_at(exchange))
            except Exception as error:
                self._lose(error)
                continue
            if why is not None:
                kept.append((exchange, why))
        # Only now: the shares that were kept are those of all of them.
        for some in _together(kept):
            events: list[Event] = []
            for exchange, why in some:
                try:
                    events.append(self._event(exchange, why, failures.get(exchange.id, ""), known))
                except Exception as error:
                    self._lose(error)
            self._delivery.send_events(events, since_at=min(_ended_at(exchange) for exchange, _ in some))

    def _lose(self, error: Exception) -> None:
        """Counts an event that a mistake of ours cost; what the *error* says may be of a payload."""
        logger.debug("an event cannot be made: %s", type(error).__name__)
        self._delivery.lose_event()

    def _event(self, exchange: Exchange, why: Kept, confessed: str, known: KnownFacts) -> Event:
        policy = self._policy
        facts = known.of.get(exchange.id)
        inputs = outputs = None
        if self._payloads and facts is not None and facts.rows is not None:
            values = values_as_sent(
                exchange,
                known.readings.get(exchange.id),
                selection=self._selection,
                model=policy.model,
                version=policy.model_version,
            )
            inputs, outputs = self._payload(values.features), self._payload(values.outputs)
        return prediction_event(
            exchange,
            seq=next(self._numbers),
            model=facts.model if facts else policy.model,
            version=facts.version if facts else policy.model_version,
            protocol=facts.protocol if facts else "",
            rows=facts.rows if facts else None,
            inputs=inputs,
            outputs=outputs,
            undecoded=known.undecodable.get(exchange.id, ""),
            confessed=confessed,
            extra={**_sampling(why), **self._generation(exchange, facts)},
        )

    def _payload(self, values: Row | Sheet | None) -> dict[str, Cell] | None:
        """What an event may say of one side of an exchange."""
        return None if values is None else self._redaction.row(_by_name(values))

    def _generation(self, exchange: Exchange, facts: Facts | None) -> Mapping[str, object]:
        if facts is None or facts.generation is None:
            return {}
        generation, first_byte = facts.generation, exchange.first_byte_seconds
        per_token = seconds_per_output_token(
            first_byte_seconds=first_byte if generation.is_streamed else None,
            duration_seconds=exchange.duration_seconds,
            tokens=generation.output_tokens,
        )
        ours = llm_attributes(generation, first_byte_seconds=first_byte, seconds_per_output_token=per_token)
        return {**ours, **genai_attributes(generation, first_byte_seconds=first_byte)} if self._genai else ours


def _together(kept: Iterable[tuple[Exchange, Kept]]) -> Iterator[Sequence[tuple[Exchange, Kept]]]:
    """*kept* in pieces of which the events take little memory."""
    some: list[tuple[Exchange, Kept]] = []
    held_bytes = 0
    for each in kept:
        some.append(each)
        held_bytes += _BYTES_BESIDE + each[0].request_bytes + each[0].response_bytes
        if held_bytes >= _MOST_BYTES_TOGETHER:
            yield some
            some, held_bytes = [], 0
    if some:
        yield some


@lru_cache(maxsize=512)
def _reasons_of(outcome: Outcome, anomalies: int, *, is_undecodable: bool, is_slow: bool) -> tuple[Reason, ...]:
    """What an exchange shows, the most telling first."""
    shown: dict[Reason, bool] = {
        "failure": outcome == "error",
        "undecodable": is_undecodable,
        "wrong_type": bool(anomalies & WRONG_TYPE),
        "new_category": bool(anomalies & NEW_CATEGORY),
        "out_of_range": bool(anomalies & OUT_OF_RANGE),
        "slow": is_slow,
        "refusal": outcome == "refused",
    }
    return tuple(reason for reason in REASONS if shown[reason])


def _sampling(why: Kept) -> Mapping[str, object]:
    """Why an event is there, and what it stands for."""
    if not why.reasons:
        return {"dashlight.sampling.probability": why.probability}
    return {
        "dashlight.sampling.probability": why.probability,
        "dashlight.sampling.reason": why.reasons[0],
        "dashlight.sampling.reasons": list(why.reasons) if len(why.reasons) > 1 else None,
        "dashlight.sampling.kept_share": why.kept_share,
    }


def _ended_at(exchange: Exchange) -> float:
    return exchange.started_at + exchange.duration_seconds


def _by_name(values: Row | Sheet) -> dict[str, Cell]:
    """Values by column: one value where there is one row, else a list of as many as an event may hold."""
    if isinstance(values, Row):
        return values.cells
    if len(values.values) == 1:
        return dict(zip(values.names, values.values[0], strict=True))
    rows = values.values[:_MOST_ROWS_SENT]
    return {name: [row[place] for row in rows] for place, name in enumerate(values.names)}
