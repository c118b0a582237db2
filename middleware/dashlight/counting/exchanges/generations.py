"""How long language models took, of the exchanges of one endpoint."""

from collections.abc import Mapping, Sequence

from dashlight.decode.llm.timing import seconds_per_output_token
from dashlight.metrics.generations import GenerationKey, GenerationSums, GenerationTimes, generation_times
from dashlight.records import Exchange, GenerationFacts
from dashlight.window.outcomes import NOT_FAILURES


class Generations:
    """Counts how long the language models of one endpoint took, a pane at a time."""

    def __init__(self, *, is_one: bool) -> None:
        """*is_one*: it is one endpoint. Of several, who knows which of them fails."""
        self._is_one = is_one
        self._sums = GenerationSums()
        self._kind: tuple[str, str] = ("", "")
        """Operation and protocol of the language model that was asked last; empty where none ever was."""

    def add(self, facts: GenerationFacts, exchange: Exchange, failure: str) -> None:
        """Counts what *exchange* asked; *failure* is the kind that its answer confesses."""
        if self._is_one:
            self._kind = facts.operation, facts.protocol
        key = (facts.operation, facts.protocol, facts.requested_model, facts.answered_model, failure)
        first_token = exchange.first_byte_seconds if facts.is_streamed and not failure else None
        per_token = seconds_per_output_token(
            first_byte_seconds=first_token, duration_seconds=exchange.duration_seconds, tokens=facts.output_tokens
        )
        times = generation_times(
            duration_seconds=exchange.duration_seconds, first_token_seconds=first_token, seconds_per_token=per_token
        )
        self._sums.add(key, times)

    def add_failed(self, failed: Sequence[tuple[str, Exchange]], failures: Mapping[int, str]) -> None:
        """Counts what was answered with an error, each with its kind: nothing of that is decoded, but of *failures*, by id."""
        operation, protocol = self._kind
        if not operation and not protocol:
            return
        for kind, exchange in failed:
            if kind not in NOT_FAILURES and exchange.id not in failures:
                key = (operation, protocol, "", "", kind.removeprefix("exception:").removeprefix("http_"))
                seconds = exchange.duration_seconds
                times = generation_times(duration_seconds=seconds, first_token_seconds=None, seconds_per_token=None)
                self._sums.add(key, times)

    def take(self) -> dict[GenerationKey, GenerationTimes]:
        """What was counted; begins an empty pane."""
        return self._sums.take()
