"""Online endpoints of Azure Machine Learning: `input_data` in, what the scoring script returns out.

https://learn.microsoft.com/azure/machine-learning/how-to-deploy-online-endpoints
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.protocols import plain
from dashlight.decode.rows.answers import AnswerColumns, read_answer
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.failures import failure_inside
from dashlight.decode.rows.generation import Generation, last_user_text, text_of
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.layouts import beside, length_of_answer, listed_rows, parameters_beside, rows_in, split_rows
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading
from dashlight.errors import DecodeError

_PATH = re.compile(r"(?:^|/)score$")
_ROWS_KEY = "input_data"
_AUTOML_KEY = "Inputs"
_OWN_KEYS = frozenset({_ROWS_KEY, _AUTOML_KEY, "GlobalParameters"})
_RESULTS_KEYS = ("Results", "results")


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each row of the table or the list; one for a text with parameters."""
    fields = fields_of(request.value)
    if answer is not None:
        answer = replace(answer, value=_unquoted(answer.value))
    failure = None if answer is None else failure_inside(answer.value)
    if _OWN_KEYS.isdisjoint(fields):
        return replace(plain.read(request, answer, place), failure=failure)
    held = fields.get(_ROWS_KEY, fields_of(fields.get(_AUTOML_KEY)).get("data", _only_list(fields.get(_AUTOML_KEY))))
    inner = fields_of(held)
    params = {
        **parameters_beside(fields, _OWN_KEYS),
        **parameters_beside(fields_of(fields.get("GlobalParameters")), _OWN_KEYS),
    }
    generation: Generation | None = None
    if "input_string" in inner:
        features, generation = _asked(inner["input_string"])
        params |= parameters_beside(inner, frozenset({"input_string"}))
    else:
        features = _features(held, None if answer is None else length_of_answer(answer.value))
    answered = AnswerColumns(Sheet()) if answer is None else _answered(answer.value, features)
    if generation is not None and answer is not None:
        output = fields_of(answer.value).get("output", answer.value)
        generation = replace(generation, output_text=output if isinstance(output, str) else "")
    return Reading(
        beside(features, fields, _OWN_KEYS),
        None if answer is None else answered.outputs,
        place.model or answered.model,
        place.version or answered.version,
        answered.request_id,
        params,
        generation=generation,
        failure=failure,
    )


def _features(held: object, answer_length: int | None) -> Sheet:
    split = split_rows(fields_of(held))
    return rows_in(held, name=_ROWS_KEY, answer_length=answer_length) if split is None else split


def _asked(text: object) -> tuple[Sheet, Generation]:
    """The row of a text, or of a conversation; a row for each of several texts."""
    if is_list(text) and any(map(is_object, text)):
        said = last_user_text(text)
        return (Sheet(("input_string",), [(said,)]), Generation(input_text=said))
    if is_list(text):
        first = text_of(text[:1])
        return (listed_rows(text, name="input_string", answer_length=len(text)), Generation(input_text=first))
    return (Sheet(("input_string",), [(text,)]), Generation(input_text=text_of(text)))


def _answered(value: object, features: Sheet) -> AnswerColumns:
    fields = fields_of(value)
    rows = len(features.values)
    results = next((held for key in _RESULTS_KEYS if is_list(held := _only_list(fields.get(key)))), value)
    return read_answer(results, rows=rows, row_ids=features.row_ids)


def _only_list(value: object) -> object:
    """The list in *value*, where it is the only thing in it: the designer's services name their inputs and outputs."""
    held = next(iter(value.values())) if is_object(value) and len(value) == 1 else None
    return held if is_list(held) else value


def _unquoted(value: object) -> object:
    """The JSON in a text: a scoring script that returns `json.dumps(...)` is quoted once more by its server."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return parse_json(value.encode("utf-8", "replace"))
    except DecodeError:
        return value


def _claims(value: object) -> bool:
    return isinstance(fields_of(value).get(_ROWS_KEY), dict | list)


def _claims_there(value: object) -> bool:
    fields = fields_of(value)
    automl: Mapping[str, object] = fields_of(fields.get(_AUTOML_KEY))
    is_listed = is_list(_only_list(fields.get(_AUTOML_KEY)))
    return _claims(value) or "data" in automl or is_listed or _is_older(fields)


def _is_older(fields: Mapping[str, object]) -> bool:
    """`{"data": [[..], ..]}`, alone or with the method to call."""
    return is_list(fields.get("data")) and fields.keys() <= {"data", "method"}


PROTOCOL: Final = Protocol(
    "azureml",
    (),
    frozenset({_ROWS_KEY}),
    _claims,
    read,
    is_read_by_shape=False,
    shared_paths=(_PATH,),
    claims_there=_claims_there,
    headers=((b"azureml-model-deployment", re.compile(r".*")),),
    rank=30,
)
