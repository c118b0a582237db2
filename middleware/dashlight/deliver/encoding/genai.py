"""OpenTelemetry's names for language models, all of them: they are still in development, and change here alone.

Attributes appear only where OTEL_SEMCONV_STABILITY_OPT_IN asks for them. None of them holds anything that was said: what
users ask and models write leaves as no attribute, whatever the settings.

Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ (v1.41, the last in that repository)
"""

from collections.abc import Mapping
from typing import Final

from dashlight.records import GenerationFacts

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
_CONVERSATION_KEYS: Final = ("conversation", "conversation_id")
_LONGEST_ID: Final = 128


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
        "gen_ai.usage.input_tokens": None if "input" in facts.approximate else facts.input_tokens,
        "gen_ai.usage.output_tokens": None if "output" in facts.approximate else facts.output_tokens,
    }
    found: dict[str, object] = {
        "gen_ai.operation.name": facts.operation or None,
        "gen_ai.provider.name": provider_of(facts.protocol) or None,
        "gen_ai.conversation.id": _conversation(facts.settings),
        "gen_ai.request.model": facts.requested_model or None,
        "gen_ai.request.stream": facts.is_streamed or None,
        **{name: _number(facts.settings, keys) for name, keys in _SETTINGS},
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


def _number(settings: Mapping[str, object], keys: tuple[str, ...]) -> int | float | None:
    """The first of *keys* under which a number stands: whatever else a client sends there is not repeated."""
    said = (settings.get(key) for key in keys)
    return next((value for value in said if isinstance(value, int | float) and not isinstance(value, bool)), None)


def _several(choices: object) -> int | None:
    """Told only where it is not one, as the conventions want it."""
    return choices if isinstance(choices, int) and not isinstance(choices, bool) and choices != 1 else None


def _conversation(settings: Mapping[str, object]) -> str | None:
    said = (settings.get(key) for key in _CONVERSATION_KEYS)
    return next((value for value in said if isinstance(value, str) and 0 < len(value) <= _LONGEST_ID), None)
