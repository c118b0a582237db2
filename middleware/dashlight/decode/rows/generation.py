"""What a language model was asked and what it wrote: the facts of an exchange that are no columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object

MAX_MESSAGES: Final = 1000
"""Messages, parts and choices that are looked at, the last of the messages and the first of the others."""

# What servers call the tokens read, written and both together.
_USAGE_KEYS: Final = (
    ("input", ("prompt_tokens", "input_tokens")),
    ("output", ("completion_tokens", "output_tokens", "generated_tokens")),
    ("total", ("total_tokens",)),
    ("cache_read", ("cache_read_input_tokens",)),
    ("cache_write", ("cache_creation_input_tokens", "cache_write_input_tokens")),
)
# Likewise what they say in parts of their own: where, and under which names.
_USAGE_PARTS: Final = (
    ("cache_read", ("prompt_tokens_details", "input_tokens_details"), ("cached_tokens",)),
    ("cache_write", ("prompt_tokens_details", "input_tokens_details"), ("cache_write_tokens", "cache_creation_tokens")),
    ("reasoning", ("completion_tokens_details", "output_tokens_details"), ("reasoning_tokens",)),
)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model asked for."""

    name: str
    arguments: object
    """As the server sent them: a JSON value, or the text of one."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a language model was asked and what it wrote."""

    input_text: str = ""
    """The last thing that the user said."""
    output_text: str = ""
    finish: tuple[str, ...] = ()
    """Why it stopped, in the server's words, one for each choice."""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict[str, int])
    """Tokens as the server counted them: input, output, total, cache_read, cache_write, reasoning; what it did not
    say is missing."""
    is_streamed: bool = False
    images: int = 0
    """In the request."""
    refusals: tuple[str, ...] = ()
    """What the model said instead, where the server says that it refused; one for each such choice."""
    estimate: Mapping[str, int] = field(default_factory=dict[str, int])
    """Tokens as we count them, approximately, for what is missing in *usage*."""
    requested_model: str = ""
    """As the request names it; empty where it does not."""
    answered_model: str = ""
    """As the answer does."""
    operation: str = ""
    """`chat`, `text_completion` or `embeddings`, in the words of OpenTelemetry's conventions."""


def last_user_text(messages: object) -> str:
    """The text of the last message of the user in *messages*; of the last message where none is the user's."""
    if not is_list(messages):
        return ""
    said = [message for message in messages[-MAX_MESSAGES:] if is_object(message)]
    asked = [message for message in said if message.get("role") == "user"]
    return text_of(asked[-1].get("content")) if asked else text_of(said[-1].get("content")) if said else ""


def text_of(content: object) -> str:
    """The text of a message's *content*: a text, or a list of parts of which some hold one."""
    if isinstance(content, str):
        return content
    parts = content[:MAX_MESSAGES] if is_list(content) else []
    texts = [part if isinstance(part, str) else fields_of(part).get("text") for part in parts]
    return "".join(text for text in texts if isinstance(text, str))


def usage_of(counts: object) -> Mapping[str, int]:
    """The tokens that *counts* tells, under our names."""
    told = fields_of(counts)
    found: dict[str, int] = {}
    for name, keys in _USAGE_KEYS:
        count = next((told[key] for key in keys if key in told), None)
        if type(count) is int:
            found[name] = count
    for name, parts, keys in _USAGE_PARTS:
        for part in parts:
            within = fields_of(told.get(part))
            count = next((within[key] for key in keys if key in within), None)
            if type(count) is int:
                found.setdefault(name, count)
    return found
