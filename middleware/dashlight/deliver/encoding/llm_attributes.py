"""What an event says of a language model in our own words: there whatever OpenTelemetry's are called this year."""

from dashlight.records import GenerationFacts


def llm_attributes(
    facts: GenerationFacts, *, first_byte_seconds: float | None, seconds_per_output_token: float | None
) -> dict[str, object]:
    """The attributes `dashlight.llm.*` of one exchange; what is not known is left out.

    Args:
        facts: Of the exchange.
        first_byte_seconds: From the request to the first piece of the answer: the time to the first token of a stream.
        seconds_per_output_token: The mean time between two tokens of a stream.
    """
    found: dict[str, object] = {
        "dashlight.llm.operation": facts.operation or None,
        "dashlight.llm.streamed": facts.is_streamed,
        "dashlight.llm.time_to_first_token": first_byte_seconds if facts.is_streamed else None,
        "dashlight.llm.time_per_output_token": seconds_per_output_token,
        "dashlight.llm.input_tokens": facts.input_tokens,
        "dashlight.llm.output_tokens": facts.output_tokens,
        # Of these we counted the tokens ourselves, roughly.
        "dashlight.llm.approximate_tokens": list(facts.approximate) or None,
        "dashlight.llm.finish_reasons": list(facts.finish) or None,
        "dashlight.llm.tool_calls": facts.tool_calls or None,
        "dashlight.llm.refusals": facts.refusals or None,
    }
    return {name: value for name, value in found.items() if value is not None}
