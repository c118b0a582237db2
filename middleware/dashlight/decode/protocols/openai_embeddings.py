"""OpenAI's embeddings: texts in, vectors out, as lists of numbers or as base64.

https://platform.openai.com/docs/api-reference/embeddings
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from dashlight.decode.llm.columns import EMBEDDING
from dashlight.decode.llm.draft import Draft
from dashlight.decode.llm.prompt import llm_params
from dashlight.decode.llm.text import approximate_tokens
from dashlight.decode.rows.answers import read_answer
from dashlight.decode.rows.budget import MAX_CELLS, MAX_ROWS
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.flattening import LeftOut
from dashlight.decode.rows.generation import Generation
from dashlight.decode.rows.jsonvalue import NUMBER_TYPES, fields_of, is_list, is_object
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading, claims_nothing
from dashlight.decode.rows.reasons import undecodable
from dashlight.decode.rows.redact import cells_without_credentials, without_credentials
from dashlight.privacy.names import MAX_NAME_LENGTH
from dashlight.records import Cell

_PATH = re.compile(r"(?:^|/)(?:deployments/(?P<model>[^/]+)/|v1/|engines/[^/]+/)embeddings$")
_INPUT = "input"
_FLOAT_BYTES = 4
_WIDEST = 1 << 16
"""Numbers of one vector; models make some thousands."""

_MAX_INDEX = 1 << 31


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each text, or list of tokens; one column of vectors."""
    asked = fields_of(request.value)
    if _INPUT not in asked:
        raise undecodable("unknown_layout", "no input")
    inputs = _inputs(asked[_INPUT])
    kept = inputs[:MAX_ROWS]
    flags = frozenset({"over_limit"}) if len(kept) < len(inputs) else frozenset[str]()
    left_out: dict[str, LeftOut] = dict.fromkeys(llm_params(asked), "parameter")
    features = Sheet((_INPUT,), [(cell,) for cell in kept], (), left_out, flags, len(inputs) - len(kept))
    answered = fields_of(None if answer is None else answer.value)
    draft = Draft()
    draft.add_names(answered)
    draft.add_usage(answered.get("usage"))
    requested = asked.get("model")
    model = place.model or (requested if isinstance(requested, str) else "") or draft.model
    texts = [text for text in kept if isinstance(text, str)]
    estimate = {} if "input" in draft.usage else {"input": sum(map(approximate_tokens, texts))}
    return Reading(
        features,
        None if answer is None else _outputs(answer.value, rows=len(kept)),
        model,
        place.version or (draft.model if draft.model != model else ""),
        draft.id,
        llm_params(asked),
        generation=Generation(
            input_text=texts[-1] if texts else "",
            usage=draft.usage,
            estimate=estimate,
            requested_model=requested[:MAX_NAME_LENGTH] if isinstance(requested, str) else "",
            answered_model=draft.model,
            operation="embeddings",
        ),
    )


def _inputs(said: object) -> Sequence[Cell]:
    if not is_list(said):
        return [without_credentials(said)]
    if said and all(type(token) is int for token in said):
        # The tokens of one text.
        return [said]
    return list(cells_without_credentials(said))


def _outputs(value: object, *, rows: int) -> Sheet:
    entries = fields_of(value).get("data")
    if not is_list(entries) or not all(map(is_object, entries)):
        return read_answer(value, rows=rows).outputs
    vectors: list[Cell] = []
    room = MAX_CELLS
    for entry in _in_order([fields_of(entry) for entry in entries])[:MAX_ROWS]:
        vector = _vector(entry.get("embedding"))
        room -= len(vector) if vector is not None else 1
        if room < 0:
            break
        vectors.append(vector)
    flags = {"over_limit"} if len(vectors) < len(entries) else set[str]()
    if len(entries) != rows:
        flags.add("shape_mismatch")
    dropped = len(entries) - len(vectors)
    return Sheet((EMBEDDING,), [(vector,) for vector in vectors], (), {}, frozenset(flags), dropped)


def _in_order(entries: Sequence[Mapping[str, object]]) -> Sequence[Mapping[str, object]]:
    """*entries* by their index; as they came where not every one has one of its own."""
    places = {index: entry for entry in entries if type(index := entry.get("index")) is int and 0 <= index < _MAX_INDEX}
    return [places[index] for index in sorted(places)] if len(places) == len(entries) else entries


def _vector(said: object) -> list[object] | None:
    """The numbers of a vector: a list of them, or 32-bit floats, little end first, in base64."""
    if is_list(said):
        return said[:_WIDEST] if NUMBER_TYPES.issuperset(map(type, said)) else None
    if not isinstance(said, str):
        return None
    try:
        held = base64.b64decode(said, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not held or len(held) % _FLOAT_BYTES:
        return None
    numbers: list[object] = np.frombuffer(held, "<f4")[:_WIDEST].astype(np.float64).tolist()
    return numbers


PROTOCOL: Final = Protocol(
    "openai_embeddings", (_PATH,), frozenset(), claims_nothing, read, is_read_by_shape=False, rank=40
)
