"""What decoding and counting made known of exchanges, until their spans and events are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dashlight.records import Exchange, GenerationFacts

if TYPE_CHECKING:
    from dashlight.decode.compiled.plan import Plan
    from dashlight.decode.exchange import Decoded

MOST_READ_BYTES = 4 * 2**20
"""Of the bodies of a round of which is remembered what they were read as; what is sent of others is decoded once more."""


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


class KnownFacts:
    """The facts of the exchanges of one round, by prediction id."""

    def __init__(self, *, model: str, version: str) -> None:
        """*model* and *version* are those of an exchange that says none."""
        self._model = model
        self._version = version
        self.of: dict[int, Facts] = {}
        self.asked: dict[int, tuple[str, str]] = {}
        """Model and version that exchanges asked that failed or were refused, as far as decoding tells."""
        self.undecodable: dict[int, str] = {}
        """Why an exchange could not be decoded."""
        self.anomalies: dict[int, int] = {}
        """The bits of counting/anomalies."""
        self.readings: dict[int, Plan | Decoded] = {}
        """How it was read, of those that may be sent with their values."""
        self._read_bytes = 0

    def add_generation(self, exchange: Exchange, generation: GenerationFacts) -> None:
        """Remember what is known of the language model that *exchange* asked."""
        known = self.of.get(exchange.id)
        facts = known or Facts(self._model, self._version, generation.protocol, None)
        self.of[exchange.id] = replace(facts, generation=generation)

    def add_reading(self, exchange: Exchange, reading: Plan | Decoded) -> None:
        """Remember how *exchange* was read."""
        self._read_bytes += exchange.kept_bytes
        if self._read_bytes <= MOST_READ_BYTES:
            self.readings[exchange.id] = reading

    def forget(self) -> None:
        """All of them have been told."""
        self.of.clear()
        self.asked.clear()
        self.undecodable.clear()
        self.anomalies.clear()
        self.readings.clear()
        self._read_bytes = 0
