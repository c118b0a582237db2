"""Seldon Core V1: `data` with names beside an array or a tensor, or a text, any JSON, or bytes.

https://docs.seldon.ai/seldon-core-1/reference/prediction-apis/prediction
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dashlight.decode.formats.blobs import blob
from dashlight.decode.formats.bodies import counted
from dashlight.decode.rows.answers import in_order, read_answer
from dashlight.decode.rows.budget import MAX_CELLS, MAX_ROWS
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.failures import Failure, told_failure
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.layouts import beside, length_of_answer, listed_rows, named_rows, parameters_beside, rows_in
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable
from dashlight.records import Role

_PATH = re.compile(r"(?:^|/)(?:seldon/(?:[^/]+/)?(?P<model>[^/]+)/)?api/v(?:0\.1|1\.0)/predictions$")
_ARRAY_KEYS = frozenset({"ndarray", "tensor", "tftensor"})
_MESSAGE_KEYS = frozenset({"data", "strData", "jsonData", "binData"})
_OWN_KEYS = _MESSAGE_KEYS | {"meta", "status", "customData"}
# The field that holds the values of a TensorFlow tensor is named after their type.
_TENSOR_VALUES = (
    "floatVal",
    "doubleVal",
    "intVal",
    "int64Val",
    "uint32Val",
    "uint64Val",
    "boolVal",
    "stringVal",
    "halfVal",
)
_FAILED = ("FAILURE", 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Nested:
    """The nested lists of a tensor, and whether its shape says something else than its values."""

    values: Sequence[object]
    is_mismatched: bool = False


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each step of the first dimension; one for a text, for bytes and for an object."""
    asked = fields_of(request.value)
    told = fields_of(None if answer is None else answer.value)
    answered = _nested(fields_of(told.get("data")))
    answer_length = length_of_answer(told.get("jsonData")) if answered is None else len(answered.values)
    features = _sheet(asked, answer_length, role="feature")
    if features is None:
        raise undecodable("unknown_layout", "no data in one of Seldon's forms")
    meta = {**fields_of(asked.get("meta")), **fields_of(told.get("meta"))}
    request_id = meta.get("puid")
    return Reading(
        beside(features, asked, _OWN_KEYS),
        None if answer is None else _outputs(answer.value, features),
        place.model,
        place.version or _version(fields_of(meta.get("requestPath"))),
        request_id if isinstance(request_id, str) else "",
        parameters_beside(asked, _OWN_KEYS),
        failure=_failure(told),
    )


def _sheet(message: Mapping[str, object], answer_length: int | None, *, role: Role) -> Sheet | None:
    """The rows of a message; None where it holds none in any of Seldon's forms."""
    data = message.get("data")
    if is_object(data):
        nested = _nested(data)
        if nested is None:
            return None
        names = data.get("names")
        if names or any(map(is_list, nested.values)):
            sheet = named_rows(nested.values, names, role=role)
        else:
            sheet = listed_rows(nested.values, name="", answer_length=answer_length, role=role)
        return replace(sheet, flags=sheet.flags | {"shape_mismatch"}) if nested.is_mismatched else sheet
    text, packed = message.get("strData"), message.get("binData")
    if isinstance(text, str):
        return Sheet(("strData",), [(text,)])
    if isinstance(packed, str):
        return Sheet(("binData",), [(blob(packed),)])
    if "jsonData" in message:
        return rows_in(message["jsonData"], name="jsonData", answer_length=answer_length, role=role)
    return None


def _nested(data: Mapping[str, object]) -> _Nested | None:
    array = data.get("ndarray")
    if is_list(array):
        return _Nested(array)
    tensor = fields_of(data.get("tensor"))
    values = tensor.get("values")
    if is_list(values):
        return _shaped(values, tensor.get("shape"))
    tensor = fields_of(data.get("tftensor"))
    values = next((tensor[key] for key in _TENSOR_VALUES if is_list(tensor.get(key))), None)
    if not is_list(values):
        return None
    dimensions = fields_of(tensor.get("tensorShape")).get("dim")
    sizes = [fields_of(dimension).get("size") for dimension in dimensions[:16]] if is_list(dimensions) else None
    # Protocol buffers write 64-bit integers as text.
    return _shaped(values, None if sizes is None else [_size(size) for size in sizes])


def _shaped(values: Sequence[object], shape: object) -> _Nested:
    """*values* as rows of the length that *shape* declares; one row of all of them where it is no shape of theirs."""
    sizes = [size for size in shape if type(size) is int and 0 <= size <= MAX_CELLS] if is_list(shape) else []
    if not is_list(shape) or len(sizes) != len(shape) or len(sizes) > 16 or not sizes:
        return _Nested([list(values)], is_mismatched=shape is not None and shape != [])
    if len(sizes) == 1:
        return _Nested(values, sizes[0] != len(values))
    width = 1
    for size in sizes[1:]:
        width = min(width * size, MAX_CELLS + 1)
    if width * sizes[0] != len(values):
        # The width counts where it goes into what is there: a row more or less is still rows.
        if not width or len(values) % width:
            return _Nested([list(values)], is_mismatched=True)
        return _Nested(_rows_of(values, width), is_mismatched=True)
    return _Nested(_rows_of(values, max(1, width)))


def _rows_of(values: Sequence[object], width: int) -> Sequence[object]:
    rows: list[object] = [list(values[at : at + width]) for at in range(0, min(len(values), MAX_ROWS * width), width)]
    # What is beyond the limit is counted, and not looked at.
    return counted(rows, len(values) // width - len(rows))


def _size(size: object) -> object:
    is_text = isinstance(size, str) and size.isascii() and size.isdigit() and len(size) <= 9
    return int(str(size)) if is_text else size


def _outputs(value: object, features: Sheet) -> Sheet:
    fields = fields_of(value)
    rows = len(features.values)
    if "jsonData" in fields and not is_object(fields.get("data")):
        return read_answer(fields["jsonData"], rows=rows, row_ids=features.row_ids).outputs
    sheet = _sheet(fields, rows, role="output")
    if sheet is None:
        said = {key: child for key, child in fields.items() if key not in {"meta", "status"}}
        return read_answer(said if is_object(value) else value, rows=rows, row_ids=features.row_ids).outputs
    return in_order(sheet, features.row_ids)


def _version(path: Mapping[str, object]) -> str:
    """The tag of the image that answered, where it was a single one: `{"classifier": "registry/iris:1.0"}`."""
    image = next(iter(path.values())) if len(path) == 1 else None
    tag = image.rpartition(":")[2] if isinstance(image, str) and ":" in image else ""
    return "" if "/" in tag else tag


def _failure(told: Mapping[str, object]) -> Failure | None:
    status = fields_of(told.get("status"))
    return told_failure(status) if status.get("status") in _FAILED and status.get("status") is not True else None


def _claims(value: object) -> bool:
    fields = fields_of(value)
    if not _ARRAY_KEYS.isdisjoint(fields_of(fields.get("data"))):
        return _nested(fields_of(fields.get("data"))) is not None
    return isinstance(fields.get("strData"), str) or isinstance(fields.get("binData"), str) or "jsonData" in fields


PROTOCOL: Final = Protocol(
    "seldon_v1", (_PATH,), frozenset(), _claims, read, is_read_by_shape=False, any_keys=_MESSAGE_KEYS, rank=40
)
