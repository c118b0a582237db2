"""Anthropic's messages.

https://docs.anthropic.com/en/api/messages
"""

import re
from typing import Final

from dashlight.decode.protocols.openai_chat import is_conversation, read
from dashlight.decode.rows.reading import Protocol

_PATH = re.compile(r"(?:^|/)v1/messages$")

# Asked like a chat of OpenAI's, save that the system's text stands beside the messages; the answer says itself whose
# it is. On Bedrock and Vertex the version stands in the body, and the path is theirs.
PROTOCOL: Final = Protocol(
    "anthropic",
    (_PATH,),
    frozenset({"messages", "anthropic_version"}),
    is_conversation,
    read,
    is_read_by_shape=False,
    shared_paths=(re.compile(r"(?:^|/)models/(?P<model>[^/:]+):(?:streamRawPredict|rawPredict)$"),),
    claims_there=is_conversation,
    rank=5,
)
