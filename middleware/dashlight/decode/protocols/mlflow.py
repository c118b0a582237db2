"""MLflow's scoring server: a table split or in records, instances, inputs, or the questions of a language model.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/
"""

import re
from collections.abc import Mapping
from typing import Final

from dashlight.decode.formats.blobs import without_blobs
from dashlight.decode.protocols import (
    huggingface,
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_responses,
)
from dashlight.decode.rows.answers import answer_under
from dashlight.decode.rows.columns import Sheet, tabulate
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.layouts import beside, length_of_answer, parameters_beside, rows_in, split_rows
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable

PATH: Final = re.compile(r"(?:^|/)invocations$")
TABLE_KEYS: Final = frozenset({"dataframe_split", "dataframe_records", "instances", "inputs"})
"""A scoring request has exactly one of these."""
_FRAME_KEYS = frozenset({"dataframe_split", "dataframe_records"})
_GENERATION_KEYS = ("messages", "prompt", "input")


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each row of the table; one for a question to a language model."""
    fields = _wrapped(fields_of(request.value))
    value = None if answer is None else answer.value
    if TABLE_KEYS.isdisjoint(fields):
        return _generated(fields, request, answer, place)
    if answer is not None and "predictions" not in fields_of(value) and huggingface.PROTOCOL.claims(fields):
        # Hugging Face's containers share the path, and wrap no answer.
        return huggingface.read(request, answer, place)
    features = beside(_features(fields, length_of_answer(value)), fields, TABLE_KEYS)
    rows = len(features.values)
    outputs = None if answer is None else answer_under(value, ("predictions",), rows=rows, row_ids=features.row_ids)
    return Reading(features, outputs, place.model, place.version, params=parameters_beside(fields, TABLE_KEYS))


def _wrapped(fields: Mapping[str, object]) -> Mapping[str, object]:
    """*fields* with the table under its key, where it is split and bare as MLflow 1 wanted it."""
    return {"dataframe_split": fields} if _is_older(fields) else fields


def _is_older(fields: Mapping[str, object]) -> bool:
    return is_list(fields.get("columns")) and is_list(fields.get("data")) and TABLE_KEYS.isdisjoint(fields)


def _features(fields: Mapping[str, object], answer_length: int | None) -> Sheet:
    split, records = fields.get("dataframe_split"), fields.get("dataframe_records")
    sheet: Sheet | None
    if "dataframe_split" in fields:
        sheet = split_rows(fields_of(split))
    elif "dataframe_records" in fields:
        sheet = tabulate(records, name="", role="feature") if is_list(records) else None
    else:
        held = without_blobs(fields["instances"] if "instances" in fields else fields["inputs"])
        name = "inputs" if "inputs" in fields else ""
        sheet = (
            tabulate(held, name=name, role="feature")
            if is_list(held) and "instances" in fields
            else rows_in(held, name=name, answer_length=answer_length)
        )
    if sheet is None:
        raise undecodable("unknown_layout", "no rows under the key of a table")
    return sheet


def _generated(fields: Mapping[str, object], request: Content, answer: Content | None, place: Place) -> Reading:
    """A question in the words of OpenAI: its answer is not wrapped in `predictions`."""
    if "messages" in fields:
        return openai_chat.read(request, answer, place)
    if "prompt" in fields:
        return openai_completions.read(request, answer, place)
    if "input" not in fields:
        raise undecodable("unknown_layout", "none of the keys of a scoring request")
    told = fields_of(None if answer is None else answer.value)
    is_embedded = any("embedding" in fields_of(entry) for entry in _first(told.get("data")))
    texts = fields["input"]
    is_texts = is_list(texts) and all(isinstance(text, str) for text in texts)
    read_it = openai_embeddings.read if is_embedded or is_texts else openai_responses.read
    return read_it(request, answer, place)


def _first(value: object) -> list[object]:
    return value[:1] if is_list(value) else []


def _claims(value: object) -> bool:
    fields = fields_of(value)
    return is_object(fields.get("dataframe_split")) or is_list(fields.get("dataframe_records"))


def _claims_there(value: object) -> bool:
    fields = fields_of(value)
    return (
        not TABLE_KEYS.isdisjoint(fields)
        or _is_older(fields)
        or any(isinstance(fields.get(key), str | list) for key in _GENERATION_KEYS)
    )


PROTOCOL: Final = Protocol(
    "mlflow",
    (),
    frozenset(),
    _claims,
    read,
    is_read_by_shape=False,
    any_keys=_FRAME_KEYS,
    shared_paths=(PATH,),
    claims_there=_claims_there,
    rank=20,
)
