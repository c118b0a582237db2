"""The facts of an exchange with a language model that are no columns."""

from typing import Literal

from dashlight.decode.exchange import Decoded
from dashlight.privacy.names import told_name
from dashlight.records import GenerationFacts


def generation_facts(decoded: Decoded) -> GenerationFacts | None:
    """The facts of *decoded*; None where no language model was asked."""
    generation = decoded.generation
    if generation is None:
        return None
    usage, estimate = generation.usage, generation.estimate
    sides: tuple[Literal["input", "output"], ...] = ("input", "output")
    return GenerationFacts(
        operation=generation.operation,
        protocol=decoded.protocol,
        requested_model=told_name(generation.requested_model),
        answered_model=told_name(generation.answered_model),
        response_id=decoded.request_id,
        settings=decoded.params,
        input_tokens=usage.get("input", estimate.get("input")),
        output_tokens=usage.get("output", estimate.get("output")),
        approximate=tuple(side for side in sides if side not in usage and side in estimate),
        finish=generation.finish,
        tool_calls=len(generation.tool_calls),
        refusals=len(generation.refusals),
        is_streamed=generation.is_streamed,
        cache_read_tokens=usage.get("cache_read"),
        cache_write_tokens=usage.get("cache_write"),
        reasoning_tokens=usage.get("reasoning"),
    )
