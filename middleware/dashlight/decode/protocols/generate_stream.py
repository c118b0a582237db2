"""Servers that complete a text, whole or token by token: Triton's generate extension, and Hugging Face's TGI.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_generate.md,
https://huggingface.github.io/text-generation-inference/
"""

import re
from dataclasses import replace
from typing import Final

from dashlight.decode.llm.prompt import text_prompt
from dashlight.decode.llm.reading import read_generation
from dashlight.decode.protocols import huggingface, triton_generate
from dashlight.decode.rows.jsonvalue import fields_of
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading, claims_nothing
from dashlight.privacy.names import MAX_NAME_LENGTH

_TRITON_PATH = re.compile(r"(?:^|/)v2/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?/generate(?:_stream)?$")
_TGI_PATH = re.compile(r"(?:^|/)generate(?:_stream)?$")
_TGI_PARAMETERS = frozenset(
    {"max_new_tokens", "do_sample", "repetition_penalty", "return_full_text", "typical_p", "decoder_input_details"}
)


def read_triton(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row: a text, and what it is continued with. Several texts are rows of Triton's other reader."""
    asked = fields_of(request.value)
    text = asked.get("text_input")
    if not isinstance(text, str):
        return triton_generate.read(request, answer, place)
    reading = read_generation(text_prompt(text, asked), asked, answer, place, operation="text_completion")
    return reading if reading.request_id else _with_id(reading, asked.get("id"))


def read_tgi(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row: a text, and what it is continued with."""
    asked = fields_of(request.value)
    text = asked.get("inputs")
    if not isinstance(text, str):
        return huggingface.read(request, answer, place)
    return read_generation(text_prompt(text, asked), asked, answer, place, operation="text_completion")


def _with_id(reading: Reading, request_id: object) -> Reading:
    is_told = isinstance(request_id, str | int) and not isinstance(request_id, bool)
    return replace(reading, request_id=str(request_id)[:MAX_NAME_LENGTH]) if is_told else reading


def _is_text(value: object) -> bool:
    return isinstance(fields_of(value).get("inputs"), str)


def _asks_to_write(value: object) -> bool:
    """Whether a text under `inputs` is to be continued: others classify it or embed it."""
    fields = fields_of(value)
    settings = fields_of(fields.get("parameters"))
    return _is_text(value) and (fields.get("stream") is True or not _TGI_PARAMETERS.isdisjoint(settings))


TRITON: Final = Protocol(
    "triton_generate_stream", (_TRITON_PATH,), frozenset(), claims_nothing, read_triton, is_read_by_shape=False, rank=5
)
TGI: Final = Protocol(
    "tgi",
    (),
    frozenset({"inputs"}),
    _asks_to_write,
    read_tgi,
    is_read_by_shape=False,
    shared_paths=(_TGI_PATH,),
    claims_there=_is_text,
    rank=70,
)
