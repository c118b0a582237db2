"""JSON without a protocol, as applications of FastAPI and others speak it: the keys are the columns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from dashlight.decode.answers import read_answer
from dashlight.decode.columns import LeftOut, Sheet, apart, one_row, tabulate, transposed
from dashlight.decode.jsonvalue import NESTED_TYPES, fields_of, is_list, is_object
from dashlight.decode.reading import ABSENT, Content, Place, Protocol, Reading
from dashlight.decode.redact import MAX_NAME_LENGTH
from dashlight.records import Cell

_ROWS_KEYS = frozenset(
    {"instances", "inputs", "input", "data", "rows", "records", "samples", "examples", "batch", "dataframe"}
)
"""Keys that hold the rows even where other keys, then parameters, stand beside them."""
_PARAMETERS_KEYS = frozenset({"parameters", "params", "options"})


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """Rows of the request, then the answer aligned with them."""
    value = ABSENT if answer is None else answer.value
    features, params = _request(request.value, _answer_length(value))
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
        return (_rows(value, "", answer_length), {})
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
        return (replace(rows, left_out={**rows.left_out, **reasons, **parameters}), params)
    columns = _columns(said, answer_length)
    if columns is not None:
        rows = transposed(columns, "feature")
        return (replace(rows, left_out={**rows.left_out, **reasons}), {})
    return (one_row(value, "feature"), {})


def _rows_key(said: Mapping[str, object]) -> str | None:
    """The key that holds the rows, where one does."""
    if len(said) == 1:
        key = next(iter(said))
        return key if len(key) <= MAX_NAME_LENGTH else None
    nested = [key for key, value in said.items() if type(value) in NESTED_TYPES]
    rows = [key for key in nested if key not in _PARAMETERS_KEYS]
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
        return _rows(value, key, answer_length)
    if is_object(value):
        columns = _columns(value, answer_length, is_certain=key == "inputs")
        return None if columns is None else transposed(columns, "feature")
    return None


def _rows(items: Sequence[object], name: str, answer_length: int | None) -> Sheet:
    is_numbers = bool(items) and {str, list, dict}.isdisjoint(map(type, items))
    if is_numbers and not (answer_length == len(items) > 1):
        return tabulate([list(items)], name=name, role="feature")
    return tabulate(items, name=name, role="feature")


def _columns(
    fields: Mapping[str, object], answer_length: int | None, *, is_certain: bool = False
) -> Mapping[str, list[object]] | None:
    """*fields* where each is a column: lists of one length, which is the answer's too, or 1."""
    if set(map(type, fields.values())) != {list}:
        return None
    columns = {key: value for key, value in fields.items() if is_list(value)}
    lengths = set(map(len, columns.values()))
    if len(lengths) != 1 or lengths == {0}:
        return None
    return columns if is_certain or (len(columns) > 1 and not lengths.isdisjoint({1, answer_length})) else None


def _answer_length(value: object) -> int | None:
    """How many rows the answer has, where that can be told without knowing the question."""
    if is_list(value):
        return len(value)
    lengths = {len(field) for field in fields_of(value).values() if is_list(field)}
    return lengths.pop() if len(lengths) == 1 else None


def _claims(value: object) -> bool:
    return value is not ABSENT


PROTOCOL: Final = Protocol("plain", (), frozenset(), _claims, read, is_read_by_shape=True)
