"""What a language model writes, put together piece by piece: choices by their index, tool calls by theirs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.rows.failures import Failure
from dashlight.decode.rows.generation import ToolCall, usage_of
from dashlight.decode.rows.reading import ABSENT
from dashlight.decode.rows.redact import without_credentials
from dashlight.errors import DecodeError
from dashlight.privacy.names import MAX_NAME_LENGTH

MAX_CHOICES: Final = 128
"""Choices of one answer, and tool calls of one choice; more are passed over."""

_MOST_TOKENS = 10**12
"""A count beyond it is none."""
_Part = TypeVar("_Part")


@dataclass(slots=True)
class DraftCall:
    """A tool call in the making."""

    name: str = ""
    pieces: list[str] = field(default_factory=list[str])
    """Of the text of its arguments."""
    value: object = None
    """The arguments, where they came as a JSON value."""

    def finished(self) -> ToolCall:
        """The call: its arguments as a JSON value, as text where that text is no JSON, because it is cut."""
        text = "".join(self.pieces)
        if not text:
            return ToolCall(self.name, without_credentials(self.value))
        try:
            return ToolCall(self.name, without_credentials(parse_json(text.encode("utf-8", "replace"))))
        except DecodeError:
            return ToolCall(self.name, text)


@dataclass(slots=True)
class Choice:
    """One of the answers in the making."""

    texts: list[str] = field(default_factory=list[str])
    refusals: list[str] = field(default_factory=list[str])
    finish: str = ""
    calls: dict[int, DraftCall] = field(default_factory=dict[int, DraftCall])

    @property
    def text(self) -> str:
        """What it says so far."""
        return "".join(self.texts)

    def add_text(self, text: object) -> None:
        """Add *text* where it is one."""
        if isinstance(text, str) and text:
            self.texts.append(text)

    def add_refusal(self, text: object) -> None:
        """Add *text*, in which the model says that it does not answer."""
        if isinstance(text, str) and text:
            self.refusals.append(text)

    def end(self, reason: object) -> None:
        """Say why it ended, where *reason* says it."""
        if isinstance(reason, str) and reason:
            self.finish = reason[:MAX_NAME_LENGTH]

    def call(self, index: object, *, otherwise: int) -> DraftCall:
        """The tool call of *index*, or of the place *otherwise* where that is no index."""
        return _one_of(self.calls, index, otherwise, DraftCall)

    def add_call(self, name: object, arguments: object, *, index: object, otherwise: int) -> None:
        """Add a tool call, or the next piece of one: *arguments* is text that goes on, or a JSON value."""
        call = self.call(index, otherwise=otherwise)
        if isinstance(name, str) and name:
            call.name = name[:MAX_NAME_LENGTH]
        if isinstance(arguments, str):
            call.pieces.append(arguments)
        elif arguments is not None:
            call.value = arguments


@dataclass(slots=True)
class Draft:
    """An answer in the making, whoever writes it and in whichever pieces."""

    choices: dict[int, Choice] = field(default_factory=dict[int, Choice])
    model: str = ""
    version: str = ""
    id: str = ""
    usage: dict[str, int] = field(default_factory=dict[str, int])
    failure: Failure | None = None
    is_streamed: bool = False
    is_cut: bool = False
    """Whether the answer ends within an event."""
    is_over_limit: bool = False
    is_known: bool = False
    """Whether any of it was in the words of a protocol for language models."""
    rest: object = ABSENT
    """What is in nobody's words: a whole answer, or the last event of a stream that holds no text; else ABSENT."""

    def choice(self, index: object = 0, *, otherwise: int = 0) -> Choice:
        """The choice of *index*, or of the place *otherwise* where that is no index."""
        return _one_of(self.choices, index, otherwise, Choice)

    @property
    def first(self) -> Choice:
        """The choice with the smallest index; an empty one where there is none."""
        return self.choices[min(self.choices)] if self.choices else Choice()

    def add_usage(self, counts: object) -> None:
        """Take over what *counts* tells of tokens: it is cumulative, the last word counts."""
        self.usage.update({name: count for name, count in usage_of(counts).items() if 0 <= count <= _MOST_TOKENS})

    def add_names(self, fields: Mapping[str, object]) -> None:
        """Take over the model and the id of the answer, where *fields* say them."""
        model, said_id = fields.get("model"), fields.get("id")
        if isinstance(model, str) and model:
            self.model = model[:MAX_NAME_LENGTH]
        if isinstance(said_id, str) and said_id:
            self.id = said_id[:MAX_NAME_LENGTH]


def _one_of(found: dict[int, _Part], index: object, otherwise: int, make: Callable[[], _Part]) -> _Part:
    place = index if type(index) is int else otherwise
    part = found.get(place)
    if part is None:
        part = make()
        # One too many is drawn up like the others, and kept nowhere.
        if len(found) < MAX_CHOICES:
            found[place] = part
    return part
