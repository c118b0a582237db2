"""What a language model is asked: the last thing that the user said, and how much there is around it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from dashlight.decode.llm.text import approximate_tokens
from dashlight.decode.rows.generation import MAX_MESSAGES
from dashlight.decode.rows.jsonvalue import fields_of, is_list
from dashlight.decode.rows.layouts import parameters_beside
from dashlight.records import Cell

# What is asked, who asks, and what the columns say already: no parameters.
_NO_PARAMETERS: Final = frozenset(
    {
        "messages", "prompt", "input", "inputs", "text_input", "system", "instructions", "tools", "functions", "model",
        "id", "user", "metadata", "stream", "stream_options", "suffix", "prompt_cache_key", "safety_identifier",
        "previous_response_id", "conversation", "anthropic_version",
    }
)  # fmt: skip
_LONGEST_PARAMETER = 200
_USERS = frozenset({"user", "human"})
_IMAGES = frozenset({"image", "image_url", "input_image"})
_JSON_FORMATS = frozenset({"json", "json_object", "json_schema"})
# Where servers are told to answer in JSON: OpenAI's two, Anthropic's two, TGI's, vLLM's.
_FORMAT_PATHS = (
    ("response_format", "type"),
    ("text", "format", "type"),
    ("output_format", "type"),
    ("output_config", "format", "type"),
    ("parameters", "grammar", "type"),
    ("grammar", "type"),
)
_JSON_KEYS = ("guided_json", "json_schema")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one row of a request asks."""

    text: str = ""
    """The last text of the user."""
    characters: int = 0
    """Of all that the model reads: every message, and what stands before them."""
    tokens: int = 0
    """About as many tokens as that is."""
    messages: int | None = None
    """None where the protocol knows no messages."""
    tools: int = 0
    images: int = 0
    wants_json: bool = False


def chat_prompt(fields: Mapping[str, object], *, key: str = "messages") -> Prompt | None:
    """What the messages under *key* ask; None where there are none.

    A single text under *key* is a message of the user. Of more than MAX_MESSAGES the last are looked at.
    """
    said = fields.get(key)
    messages: Sequence[object] = [{"role": "user", "content": said}] if isinstance(said, str) else []
    if is_list(said):
        messages = said
    if not messages:
        return None
    looked_at = [fields_of(message) for message in messages[-MAX_MESSAGES:]]
    before = chain(_texts(fields.get("system")), _texts(fields.get("instructions")))
    texts = [*before, *chain.from_iterable(map(_texts_of_message, looked_at))]
    return Prompt(
        _last_of_user(looked_at),
        sum(map(len, texts)),
        approximate_tokens("".join(texts)),
        len(messages),
        _tools(fields),
        sum(1 for message in looked_at for part in _parts(message.get("content")) if _is_image(part)),
        wants_json(fields),
    )


def text_prompt(text: str, fields: Mapping[str, object]) -> Prompt:
    """What *text*, under some key of *fields*, asks."""
    return Prompt(text, len(text), approximate_tokens(text), wants_json=wants_json(fields), tools=_tools(fields))


def wants_json(fields: Mapping[str, object]) -> bool:
    """Whether the request asks for an answer in JSON."""
    if any(fields.get(key) is not None for key in _JSON_KEYS):
        return True
    for path in _FORMAT_PATHS:
        found: object = fields
        for step in path:
            found = fields_of(found).get(step)
        if isinstance(found, str) and found in _JSON_FORMATS:
            return True
    return False


def llm_params(fields: Mapping[str, object]) -> Mapping[str, Cell]:
    """Temperature and the like: the settings beside what is asked; nothing long, nothing nested, no credentials."""
    beside = parameters_beside(fields, _NO_PARAMETERS)
    return {name: value for name, value in beside.items() if _is_setting(value)}


def _is_setting(value: Cell) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST_PARAMETER
    return isinstance(value, bool | int | float)


def _last_of_user(messages: Sequence[Mapping[str, object]]) -> str:
    """The last text of the user; of anybody where no message is the user's. Results of tools are no text of theirs."""
    of_user = [message for message in messages if _is_user(message)]
    for message in reversed(of_user or messages):
        text = "".join(_texts(message.get("content")))
        if text:
            return text
    return ""


def _is_user(message: Mapping[str, object]) -> bool:
    role = message.get("role")
    return isinstance(role, str) and role in _USERS


def _texts_of_message(message: Mapping[str, object]) -> Iterator[str]:
    yield from _texts(message.get("content"))
    # What a tool answered: Anthropic's within the content, the Responses API's as an item of its own.
    yield from _texts(message.get("output"))
    for part in _parts(message.get("content")):
        yield from _texts(fields_of(part).get("content"))


def _texts(content: object) -> Iterable[str]:
    """The texts in the content of a message: a text, or a list of parts of which some hold one."""
    if isinstance(content, str):
        return (content,)
    found = (part if isinstance(part, str) else fields_of(part).get("text") for part in _parts(content))
    return (text for text in found if isinstance(text, str))


def _parts(content: object) -> Sequence[object]:
    return content[:MAX_MESSAGES] if is_list(content) else ()


def _is_image(part: object) -> bool:
    kind = fields_of(part).get("type")
    return isinstance(kind, str) and kind in _IMAGES


def _tools(fields: Mapping[str, object]) -> int:
    tools = fields.get("tools", fields.get("functions"))
    return len(tools) if is_list(tools) else 0
