"""OpenTelemetry's names for language models, all of them: they are still in development, and change here alone.

Attributes of spans and events appear only where OTEL_SEMCONV_STABILITY_OPT_IN asks for them, since their names change from one
release to the next; the metrics of servers have had theirs for long, and appear where language models are served. None of it
holds anything that was said: what users ask and models write leaves as no attribute, whatever the settings.

Source: https://github.com/open-telemetry/semantic-conventions-genai (v0.1.0, the first release of their own)
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.metrics.buckets import in_buckets, total
from dashlight.metrics.figures import HistogramFigure
from dashlight.metrics.generations import GenerationKey, GenerationTimes
from dashlight.metrics.instruments import label
from dashlight.privacy.detectors import found_in, may_be_a_person
from dashlight.records import GenerationFacts
from dashlight.window.histogram import LATENCY
from dashlight.window.names import OTHER

OPT_IN: Final = "gen_ai_latest_experimental"
"""The word in OTEL_SEMCONV_STABILITY_OPT_IN."""

# Whose dialect is spoken. Servers of many makers speak OpenAI's: that is what the conventions mean by its name.
_PROVIDERS: Final = {"openai": "openai", "anthropic": "anthropic", "tgi": "huggingface", "huggingface": "huggingface"}
# Settings of a request, by the names that the dialects have for them.
_SETTINGS: Final = (
    ("gen_ai.request.max_tokens", ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens")),
    ("gen_ai.request.temperature", ("temperature",)),
    ("gen_ai.request.top_p", ("top_p",)),
    ("gen_ai.request.top_k", ("top_k",)),
    ("gen_ai.request.frequency_penalty", ("frequency_penalty",)),
    ("gen_ai.request.presence_penalty", ("presence_penalty",)),
    ("gen_ai.request.seed", ("seed",)),
)
_WHOLE_NUMBERS: Final = frozenset({"gen_ai.request.max_tokens", "gen_ai.request.top_k", "gen_ai.request.seed"})
REQUEST_DURATION: Final = "gen_ai.server.request.duration"
FIRST_OUTPUT: Final = "gen_ai.server.time_to_first_token"
EACH_OUTPUT: Final = "gen_ai.server.time_per_output_token"
GENERATION_HISTOGRAMS: Final[Mapping[str, tuple[str, tuple[float, ...]]]] = {
    REQUEST_DURATION: (
        "Generative AI server request duration such as time-to-last byte or last output token",
        (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
    ),
    FIRST_OUTPUT: (
        "Time to generate first token for successful responses",
        (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
    ),
    EACH_OUTPUT: (
        "Time per output token generated after the first token for successful responses",
        (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
    ),
}
"""Description and upper bounds of each, in seconds."""
_CONVERSATION_KEYS: Final = ("conversation", "conversation_id")
_LONGEST_ID: Final = 128
_OF_SOMEBODY: Final = frozenset({"email", "card", "iban", "phone", "token"})


def speaks_genai(environ: Mapping[str, str]) -> bool:
    """Whether OTEL_SEMCONV_STABILITY_OPT_IN, a list between commas, asks for these attributes."""
    return OPT_IN in {word.strip() for word in environ.get("OTEL_SEMCONV_STABILITY_OPT_IN", "").split(",")}


def genai_attributes(facts: GenerationFacts, *, first_byte_seconds: float | None) -> dict[str, object]:
    """What *facts* are in the words of the conventions; what is not known is left out.

    Tokens only as the server counted them: an estimate is no usage.

    Args:
        facts: Of one exchange.
        first_byte_seconds: From the request to the first piece of the answer; told of streams alone.
    """
    exact = {
        "gen_ai.usage.input_tokens": None if "input" in facts.approximate else _all_input_tokens(facts),
        "gen_ai.usage.output_tokens": None if "output" in facts.approximate else facts.output_tokens,
        # The conventions want these where they are not zero.
        "gen_ai.usage.cache_read.input_tokens": facts.cache_read_tokens or None,
        "gen_ai.usage.cache_write.input_tokens": facts.cache_write_tokens or None,
        "gen_ai.usage.reasoning.output_tokens": facts.reasoning_tokens or None,
    }
    found: dict[str, object] = {
        "gen_ai.operation.name": facts.operation or None,
        "gen_ai.provider.name": provider_of(facts.protocol) or None,
        "gen_ai.conversation.id": _conversation(facts.settings),
        "gen_ai.request.model": facts.requested_model or None,
        "gen_ai.request.stream": facts.is_streamed or None,
        **{name: _number(facts.settings, keys, is_whole=name in _WHOLE_NUMBERS) for name, keys in _SETTINGS},
        "gen_ai.request.choice.count": _several(facts.settings.get("n")),
        "gen_ai.response.model": facts.answered_model or None,
        "gen_ai.response.id": facts.response_id or None,
        "gen_ai.response.finish_reasons": list(facts.finish) or None,
        "gen_ai.response.time_to_first_chunk": first_byte_seconds if facts.is_streamed else None,
        **exact,
    }
    return {name: value for name, value in found.items() if value is not None}


def provider_of(protocol: str) -> str:
    """The provider whose dialect *protocol* is; the protocol's own name where the conventions know none."""
    return _PROVIDERS.get(protocol.partition("_")[0], protocol)


def generation_figures(key: GenerationKey, times: GenerationTimes) -> Iterator[HistogramFigure]:
    """The metrics of a server for what stands under *key*; of each that has no value, none."""
    operation, protocol, requested, answered, error = key
    named = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": OTHER if protocol == OTHER else provider_of(protocol),
        "gen_ai.request.model": requested,
        "gen_ai.response.model": answered,
    }
    known = {name: label(value) for name, value in named.items() if value}
    failed = {"error.type": "_OTHER" if error == OTHER else label(error)} if error else {}
    counted: Mapping[str, tuple[NDArray[np.int64], Mapping[str, str]]] = {
        REQUEST_DURATION: (times.durations, failed),
        FIRST_OUTPUT: (times.first_tokens, {}),
        EACH_OUTPUT: (times.per_token, {}),
    }
    for name, (counts, more) in counted.items():
        description, bounds = GENERATION_HISTOGRAMS[name]
        if counts.any():
            yield HistogramFigure(
                name,
                "s",
                description,
                bounds=bounds,
                counts=in_buckets(counts, LATENCY, bounds),
                sum=total(counts, LATENCY),
                attributes={**known, **more},
            )


def _all_input_tokens(facts: GenerationFacts) -> int | None:
    """Those of the cache among them: Anthropic's API tells them apart."""
    if facts.input_tokens is None or provider_of(facts.protocol) != "anthropic":
        return facts.input_tokens
    return facts.input_tokens + (facts.cache_read_tokens or 0) + (facts.cache_write_tokens or 0)


def _number(settings: Mapping[str, object], keys: tuple[str, ...], *, is_whole: bool) -> int | float | None:
    """The first of *keys* under which a number stands: whatever else a client sends there is not repeated."""
    wanted = int if is_whole else int | float
    said = (settings.get(key) for key in keys)
    return next((value for value in said if isinstance(value, wanted) and not isinstance(value, bool)), None)


def _several(choices: object) -> int | None:
    """Told only where it is not one, as the conventions want it."""
    return choices if isinstance(choices, int) and not isinstance(choices, bool) and choices != 1 else None


def _conversation(settings: Mapping[str, object]) -> str | None:
    said = (settings.get(key) for key in _CONVERSATION_KEYS)
    return next((value for value in said if isinstance(value, str) and _is_id(value)), None)


def _is_id(text: str) -> bool:
    """Whether *text*, which a client chose, is an id and no address of somebody."""
    return 0 < len(text) <= _LONGEST_ID and found_in(text) not in _OF_SOMEBODY and not may_be_a_person(text)
