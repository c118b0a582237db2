"""JSON without a protocol, as applications of FastAPI and others speak it: the keys are the columns."""

from collections.abc import Mapping
from typing import Final

from dashlight.decode.rows.answers import read_answer
from dashlight.decode.rows.broadcast import ROWS_KEYS, rows_of, tables_in
from dashlight.decode.rows.columns import Sheet, one_row, transposed, with_beside
from dashlight.decode.rows.flattening import LeftOut, apart
from dashlight.decode.rows.jsonvalue import NESTED_TYPES, fields_of, is_list, is_object
from dashlight.decode.rows.layouts import PARAMETERS_KEYS, columns_in, length_of_answer, listed_rows
from dashlight.decode.rows.lists.data_frames import framed, records_in
from dashlight.decode.rows.lists.series import is_one_series
from dashlight.decode.rows.reading import ABSENT, Content, Place, Protocol, Reading
from dashlight.privacy.names import MAX_NAME_LENGTH
from dashlight.records import Cell


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """Rows of the request, then the answer aligned with them."""
    value = ABSENT if answer is None else records_in(answer.value)
    answer_length = None if is_one_series(request.value, value) else length_of_answer(value)
    features, params = _request(request.value, answer_length)
    said = fields_of(request.value).get("request_id")
    request_id = str(said) if isinstance(said, str | int) else ""
    if value is ABSENT:
        return Reading(features, None, place.model, place.version, request_id, params)
    is_single = is_object(request.value) and not any(map(is_list, request.value.values()))
    answered = read_answer(value, rows=len(features.values), row_ids=features.row_ids, is_single=is_single)
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
    value = _opened(framed(value, answer_length), answer_length)
    reasons = apart(value, "feature")
    said = {key: child for key, child in value.items() if key not in reasons} if reasons else value
    if len(said) > 1:
        return _request_of_several(value, said, reasons, answer_length)
    if len(said) == 1:
        ((key, held),) = said.items()
        inner = tables_in(held, answer_length) if is_object(held) else None
        if is_object(held) and inner is not None:
            # The only argument, a model of pydantic's: its fields are what is asked.
            return _request_of_several(held, held, apart(held, "feature"), answer_length)
        rows = _rows_under(held, key, answer_length) if len(key) <= MAX_NAME_LENGTH else None
        if rows is not None:
            return (with_beside(rows, value, reasons), {})
    return (one_row(value, "feature"), {})


def _opened(value: Mapping[str, object], answer_length: int | None) -> Mapping[str, object]:
    """What holds the rows in *value*, where that stands alone in objects around it: `{"data": {"rows": [...]}}`.

    There must be as many answers: further down a list may as well be part of one row.
    """
    inner: object = value
    while is_object(inner) and len(inner) == 1:
        ((key, held),) = inner.items()
        if is_list(held) and held and NESTED_TYPES.issuperset(map(type, held)):
            is_table = len(held) == (1 if key in ROWS_KEYS and answer_length is None else answer_length)
            return inner if is_table else value
        if is_object(held) and answer_length != 1 and columns_in(held, answer_length) is not None:
            return inner
        inner = held
    return value


def _request_of_several(
    value: Mapping[str, object], said: Mapping[str, object], reasons: Mapping[str, LeftOut], answer_length: int | None
) -> tuple[Sheet, Mapping[str, Cell]]:
    """The rows of a request with several keys, of which *said* may become columns."""
    said = {key: child for key, child in said.items() if key not in reasons}
    tables = tables_in(said, answer_length)
    if tables is not None:
        left_out: dict[str, LeftOut] = dict.fromkeys(tables.params, "parameter")
        return (with_beside(rows_of(said, tables), value, {**reasons, **left_out}), tables.params)
    key = _key_of_text(said)
    if key is not None:
        params = {name: child for name, child in said.items() if name != key}
        return (one_row({name: child for name, child in value.items() if name not in params}, "feature"), params)
    columns = columns_in(said, answer_length)
    if columns is not None:
        return (with_beside(transposed(columns, "feature"), value, reasons), {})
    return (one_row(value, "feature"), {})


def _key_of_text(said: Mapping[str, object]) -> str | None:
    """The key of a text or a number with its parameters beside it, as Hugging Face's clients send it."""
    nested = [key for key, value in said.items() if type(value) in NESTED_TYPES]
    if nested and all(key in PARAMETERS_KEYS for key in nested):
        return next((key for key in said if key in ROWS_KEYS), None)
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
