"""Triton's generate extension: a text in, a text out, everything beside it parameters.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_generate.md
"""

import re
from collections.abc import Mapping
from typing import Final

from dashlight.decode.rows.answers import read_answer
from dashlight.decode.rows.columns import Sheet, one_row
from dashlight.decode.rows.failures import failure_inside
from dashlight.decode.rows.generation import Generation
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.layouts import beside, listed_rows, parameters_beside
from dashlight.decode.rows.reading import ABSENT, Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable

_PATH = re.compile(r"(?:^|/)v2/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?/generate(?:_stream)?$")
_TEXT = "text_input"
_NO_PARAMETERS = frozenset({_TEXT, "id"})
_ABOUT_THE_ANSWER = frozenset(
    {"id", "model_name", "model_version", "sequence_id", "sequence_start", "sequence_end", "sequence_index"}
)


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row: the text; a row for each where several are asked."""
    asked = fields_of(request.value)
    texts = asked.get(_TEXT)
    if not isinstance(texts, str) and not is_list(texts):
        raise undecodable("unknown_layout", "no text input")
    listed = texts if is_list(texts) else [texts]
    features = beside(listed_rows(listed, name=_TEXT, answer_length=len(listed)), asked, _NO_PARAMETERS)
    # A server of several entries sends a list of one for a stream that was not asked for.
    value = None if answer is None else answer.value
    told = fields_of(value[0] if is_list(value) and len(value) == 1 else value)
    written = told.get("text_output")
    return Reading(
        features,
        None if answer is None else _outputs(told, answer.value, rows=len(features.values)),
        _text(told.get("model_name")) or place.model,
        _text(told.get("model_version")) or place.version,
        _text(told.get("id")) or _text(asked.get("id")),
        parameters_beside(asked, _NO_PARAMETERS),
        generation=Generation(
            input_text=next((text for text in listed if isinstance(text, str)), ""),
            output_text=written if isinstance(written, str) else "",
        ),
        failure=failure_inside(told),
    )


def _outputs(told: Mapping[str, object], value: object, *, rows: int) -> Sheet:
    fields = {key: child for key, child in told.items() if key not in _ABOUT_THE_ANSWER}
    if not fields:
        return read_answer(value, rows=rows).outputs
    return one_row(fields, "output") if rows == 1 else read_answer(fields, rows=rows).outputs


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _claims(value: object) -> bool:
    return value is not ABSENT and is_object(value)


PROTOCOL: Final = Protocol("triton_generate", (_PATH,), frozenset(), _claims, read, is_read_by_shape=False)
