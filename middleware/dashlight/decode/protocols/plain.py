"""JSON without a protocol, as applications of FastAPI and others speak it: the keys are the columns."""

from collections.abc import Mapping
from typing import Final

from dashlight.decode.rows.answers import read_answer
from dashlight.decode.rows.columns import LeftOut, Sheet, apart, one_row, transposed, with_beside
from dashlight.decode.rows.jsonvalue import NESTED_TYPES, fields_of, is_list, is_object
from dashlight.decode.rows.layouts import PARAMETERS_KEYS, columns_in, length_of_answer, listed_rows
from dashlight.decode.rows.reading import ABSENT, Content, Place, Protocol, Reading
from dashlight.decode.rows.redact import MAX_NAME_LENGTH
from dashlight.records import Cell

_ROWS_KEYS = frozenset(
    {"instances", "inputs", "input", "data", "rows", "records", "samples", "examples", "batch", "dataframe"}
)
"""Keys that hold the rows even where other keys, then parameters, stand beside them."""


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """Rows of the request, then the answer aligned with them."""
    value = ABSENT if answer is None else answer.value
    features, params = _request(request.value, length_of_answer(value))
    said = fields_of(request.value).get("request_id")
    request_id = str(said) if isinstance(said, str | int) else ""
    if value is ABSENT:
        return Reading(features, None, place.model, place.version, request_id, params)
    answered = read_answer(value, rows=len(features.values), row_ids=features.row_ids)
    return Reading(
        features,
        answered.outputs,
        place.model or answered.model,
        place.version or answered.version,
        request_id or answered.request_id,
        params,
    )


def _request(value: object, answer_length: int | None) -> tuple[Sheet, Mapping[str, Cell]]:
    """The rows of a request, and the parameters beside them."""
    if is_list(value):
        return (listed_rows(value, name="", answer_length=answer_length), {})
    if not is_object(value):
        return (Sheet(("0",), [(value,)]), {})
    reasons = apart(value, "feature")
    said = {key: child for key, child in value.items() if key not in reasons} if reasons else value
    key = _rows_key(said)
    if key is not None:
        params = {name: child for name, child in said.items() if name != key}
        rows = _rows_under(said[key], key, answer_length)
        if rows is None:
            return (one_row({name: child for name, child in value.items() if name not in params}, "feature"), params)
        parameters: dict[str, LeftOut] = dict.fromkeys(params, "parameter")
        return (with_beside(rows, value, {**reasons, **parameters}), params)
    columns = columns_in(said, answer_length)
    if columns is not None:
        rows = transposed(columns, "feature")
        return (with_beside(rows, value, reasons), {})
    return (one_row(value, "feature"), {})


def _rows_key(said: Mapping[str, object]) -> str | None:
    """The key that holds the rows, where one does."""
    if len(said) == 1:
        key = next(iter(said))
        return key if len(key) <= MAX_NAME_LENGTH else None
    nested = [key for key, value in said.items() if type(value) in NESTED_TYPES]
    rows = [key for key in nested if key not in PARAMETERS_KEYS]
    if len(rows) == 1 and rows[0].lower() in _ROWS_KEYS:
        value = said[rows[0]]
        if is_list(value) and value and isinstance(value[0], dict | list | str):
            return rows[0]
    if not rows and nested:
        # A text or a number with its parameters, as Hugging Face's clients send it.
        return next((key for key in said if key in _ROWS_KEYS), None)
    return None


def _rows_under(value: object, key: str, answer_length: int | None) -> Sheet | None:
    """The rows under the one key that holds them, or None where it holds columns of a single row."""
    if is_list(value):
        return listed_rows(value, name=key, answer_length=answer_length)
    if is_object(value):
        columns = columns_in(value, answer_length, is_certain=key == "inputs")
        return None if columns is None else transposed(columns, "feature")
    return None


def _claims(value: object) -> bool:
    return value is not ABSENT


PROTOCOL: Final = Protocol("plain", (), frozenset(), _claims, read, is_read_by_shape=True)
