"""OpenAI's chat completions, as every server of language models offers them.

https://platform.openai.com/docs/api-reference/chat
"""

import re
from typing import Final

from dashlight.decode.llm.prompt import chat_prompt
from dashlight.decode.llm.reading import read_generation
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable

_PATH = re.compile(r"(?:^|/)(?:deployments/(?P<model>[^/]+)/)?chat/completions$")


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row: the conversation, and what it is continued with."""
    asked = fields_of(request.value)
    prompt = chat_prompt(asked)
    if prompt is None:
        raise undecodable("unknown_layout", "no messages")
    return read_generation(prompt, asked, answer, place, operation="chat")


def is_conversation(value: object) -> bool:
    """Whether *value* has messages, each with a role."""
    messages = fields_of(value).get("messages")
    return is_list(messages) and bool(messages) and all(is_object(it) and "role" in it for it in messages)


PROTOCOL: Final = Protocol(
    "openai_chat", (_PATH,), frozenset({"messages"}), is_conversation, read, is_read_by_shape=False, rank=40
)
