"""OpenAI's Responses API: a text or a list of items in, a list of items out.

https://platform.openai.com/docs/api-reference/responses
"""

import re
from typing import Final

from dashlight.decode.llm.prompt import Prompt, chat_prompt
from dashlight.decode.llm.reading import read_generation
from dashlight.decode.rows.jsonvalue import fields_of, is_list
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading, claims_nothing

_PATH = re.compile(r"(?:^|/)(?:deployments/(?P<model>[^/]+)/|v1/)responses$")
_ANYWHERE = re.compile(r"(?:^|/)responses$")


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row: the conversation, and what it is continued with."""
    asked = fields_of(request.value)
    # Without input a stored prompt, or the conversation before, is continued.
    prompt = chat_prompt(asked, key="input") or Prompt()
    return read_generation(prompt, asked, answer, place, operation="chat")


def _is_asked(value: object) -> bool:
    fields = fields_of(value)
    said = fields.get("input")
    return "model" in fields and (isinstance(said, str) or is_list(said) or said is None)


PROTOCOL: Final = Protocol(
    "openai_responses",
    (_PATH,),
    frozenset(),
    claims_nothing,
    read,
    is_read_by_shape=False,
    # Other applications have responses too.
    shared_paths=(_ANYWHERE,),
    claims_there=_is_asked,
    rank=40,
)
