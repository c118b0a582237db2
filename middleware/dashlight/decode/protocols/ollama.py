"""Ollama's completions of a text. Its chats have messages like everybody's, and are read as those.

https://github.com/ollama/ollama/blob/main/docs/api.md
"""

import re
from typing import Final

from dashlight.decode.llm.prompt import text_prompt
from dashlight.decode.llm.reading import read_generation
from dashlight.decode.rows.jsonvalue import fields_of
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading, claims_nothing
from dashlight.decode.rows.reasons import undecodable

_PATH = re.compile(r"(?:^|/)api/generate$")


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row: a text, and what it is continued with."""
    asked = fields_of(request.value)
    said = asked.get("prompt")
    if not isinstance(said, str):
        raise undecodable("unknown_layout", "no prompt")
    return read_generation(text_prompt(said, asked), asked, answer, place, operation="text_completion")


def _asks_to_write(value: object) -> bool:
    """Whether a model is asked to continue a prompt."""
    fields = fields_of(value)
    return isinstance(fields.get("prompt"), str) and isinstance(fields.get("model"), str)


PROTOCOL: Final = Protocol(
    "ollama",
    (),
    frozenset(),
    claims_nothing,
    read,
    is_read_by_shape=False,
    shared_paths=(_PATH,),
    claims_there=_asks_to_write,
    rank=40,
)
