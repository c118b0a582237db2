"""Open Inference Protocol V2, as Triton, MLServer and KServe speak it.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

import base64
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from dashlight.decode.formats.attachments import Attachment, cells_of_text
from dashlight.decode.rows.answers import read_answer
from dashlight.decode.rows.budget import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_SPREAD, BodyBudget
from dashlight.decode.rows.columns import Sheet, one_row
from dashlight.decode.rows.flattening import apart
from dashlight.decode.rows.float32 import as_written
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.lists.boxes import is_box_name
from dashlight.decode.rows.lists.element_names import element_names
from dashlight.decode.rows.lists.parallel import merged
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable
from dashlight.decode.rows.redact import cells_without_credentials
from dashlight.privacy.names import MAX_NAME_LENGTH
from dashlight.records import Cell, Role

_PATH = re.compile(r"(?:^|/)v2/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?/(?:infer|explain)$")
_TENSOR_KEYS = {"name", "shape", "datatype"}
_MAX_SIZE = 1 << 31
"""Dimensions are multiplied up to here: nothing is ever made of the size that a shape declares."""
# What Triton's classification extension puts in place of a tensor: score, index and, where it has labels, the label.
# https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
_CLASSIFICATION = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?):([0-9]+)(?::(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class _Tensor:
    names: tuple[str, ...]
    """Of its columns."""
    rows: Sequence[tuple[Cell, ...]]
    is_mismatched: bool = False


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each step of the first dimension, one column for each element of the others."""
    asked = fields_of(request.value)
    inputs = _tensors(asked.get("inputs"), _budget(request), rows=0)
    is_opaque = inputs is None and (isinstance(request.value, Attachment) or _is_elsewhere(asked.get("inputs")))
    if is_opaque:
        # Rows cannot be told from the request; the answer is read all the same.
        inputs = []
    if inputs is None:
        raise undecodable("unknown_layout", "no list of input tensors that hold their data")
    features = _side_by_side(inputs, "feature")
    answered = fields_of(None if answer is None else answer.value)
    outputs: Sheet | None = None
    if answer is not None:
        found = _found(answered.get("outputs")) if len(features.values) == 1 else None
        held = answered.get("outputs")
        tensors = None if found is not None else _tensors(held, _budget(answer), rows=len(features.values))
        outputs = found or (
            read_answer(answer.value, rows=len(features.values)).outputs
            if tensors is None
            else _side_by_side([_classified(tensor) or tensor for tensor in tensors], "output")
        )
    return Reading(
        features,
        outputs,
        place.model or _text(answered.get("model_name")) or _text(asked.get("model_name")),
        _text(answered.get("model_version")) or place.version,
        _text(answered.get("id")) or _text(asked.get("id")),
        {key: value for key, value in fields_of(asked.get("parameters")).items() if not key.startswith("binary_data")},
        frozenset({"opaque_request"}) if is_opaque else frozenset(),
    )


def _found(entries: object) -> Sheet | None:
    """What was found in the one row asked, where a tensor of *entries* holds boxes; None where none does."""
    tensors = {_text(fields_of(entry).get("name")): fields_of(entry) for entry in entries} if is_list(entries) else {}
    if not any(map(is_box_name, tensors)):
        return None
    node: dict[str, object] = {}
    for name, tensor in tensors.items():
        shape, data = _shape(tensor.get("shape")), tensor.get("data")
        if shape is None or not is_list(data):
            return None
        sizes = [size for at, size in enumerate(shape) if at or size != 1 or len(shape) == 1]
        flat = _flat(data)
        if not sizes or len(sizes) > 2 or sizes[0] * math.prod(sizes[1:]) != len(flat):
            return None
        step = sizes[1] if len(sizes) == 2 else 1
        node[name] = flat if len(sizes) == 1 else [flat[at : at + step] for at in range(0, len(flat), max(1, step))]
    merged_node = merged(node)
    return one_row(merged_node, "output") if "count" in merged_node else None


def _budget(content: Content) -> BodyBudget:
    return BodyBudget(len(content.body), most_bytes=0)


def _tensors(entries: object, budget: BodyBudget, *, rows: int) -> list[_Tensor] | None:
    """The tensors of a list of them; None where it is none, or they hold their data elsewhere.

    *rows* is how many rows are expected, 0 where nobody knows.
    """
    if not is_list(entries):
        return None
    tensors = [
        _tensor(entry, data, budget, rows)
        for entry in entries
        if is_object(entry) and is_list(data := entry.get("data"))
    ]
    return tensors if tensors or not entries else None


def _tensor(entry: Mapping[str, object], data: list[object], budget: BodyBudget, rows: int) -> _Tensor:
    flat = _flat(data)
    shape = _shape(entry.get("shape"))
    length, step = (len(flat), 1) if shape is None else _layout(shape)
    is_mismatched = shape is None or length * step != len(flat)
    if is_mismatched:
        # The specification's own example declares [3] and holds one element: what is there counts.
        length = len(data) if len(flat) > len(data) else -(-len(flat) // step)
        step = max(1, -(-len(flat) // max(1, length)))
        flat += [None] * (length * step - len(flat))
    if rows == 1 and shape is not None and len(shape) == 1 and length > 1:
        # One row was asked: a vector is its answer, without the dimension of the batch.
        length, step = 1, length
    if entry.get("datatype") == "FP32":
        seen = MAX_ROWS * step
        flat[:seen] = as_written(flat[:seen])
    elif fields_of(entry.get("parameters")).get("content_type") == "base64":
        flat = _decoded(flat, budget)
    return _cut(_text(entry.get("name"))[:MAX_NAME_LENGTH], flat, step, is_mismatched=is_mismatched)


def _cut(name: str, flat: list[object], step: int, *, is_mismatched: bool) -> _Tensor:
    """The rows of *step* elements each; a single element is a column of its own, a long row one cell."""
    # Rows beyond the limit are counted only: the last one stands for each.
    kept = flat[: MAX_ROWS * step]
    names: tuple[str, ...] = (name or "0",)
    rows: list[tuple[Cell, ...]]
    if step == 1:
        rows = [(cell,) for cell in kept]
    elif step > MAX_SPREAD:
        rows = [(kept[at : at + step],) for at in range(0, len(kept), step)]
    else:
        names = element_names(name, step)
        rows = [tuple(kept[at : at + step]) for at in range(0, len(kept), step)]
    return _Tensor(names, rows + rows[-1:] * (-(-len(flat) // step) - len(rows)), is_mismatched)


def _layout(shape: Sequence[int]) -> tuple[int, int]:
    """Rows, and elements of each row, that *shape* declares."""
    step = 1
    for dimension in shape[1:]:
        step = min(step * dimension, _MAX_SIZE)
    return (shape[0] if shape else 1, max(1, step))


def _shape(value: object) -> list[int] | None:
    if not is_list(value) or len(value) > 16:
        return None
    shape = [size for size in value if type(size) is int and 0 <= size <= 10**15]
    return shape if len(shape) == len(value) else None


def _flat(data: list[object]) -> list[object]:
    kinds = set(map(type, data))
    while list in kinds:
        data = [inner for item in data for inner in (item if is_list(item) else (item,))]
        kinds = set(map(type, data))
    return list(cells_without_credentials(data)) if dict in kinds else list(data)


def _decoded(cells: list[Cell], budget: BodyBudget) -> list[Cell]:
    """What MLServer's codec of that name put into base64; what is none stays as it is."""
    pieces = [_bytes_of(cell) for cell in cells]
    decoded = iter(cells_of_text([piece for piece in pieces if isinstance(piece, bytes)], budget))
    return [next(decoded) if isinstance(piece, bytes) else piece for piece in pieces]


def _bytes_of(cell: Cell) -> Cell:
    try:
        return base64.b64decode(cell, validate=True) if isinstance(cell, str) else cell
    except ValueError:
        return cell


def _is_elsewhere(entries: object) -> bool:
    """Whether tensors stand in memory that server and client share."""
    return is_list(entries) and any(
        "shared_memory_region" in fields_of(fields_of(it).get("parameters")) for it in entries
    )


def _classified(tensor: _Tensor) -> _Tensor | None:
    """The best label of each row and its score, where *tensor* holds classifications."""
    rows: list[tuple[Cell, ...]] = []
    for row in tensor.rows:
        found = [match for cell in row if isinstance(cell, str) and (match := _CLASSIFICATION.fullmatch(cell))]
        if not found or len(found) < len(row):
            return None
        best = max(found, key=_score)
        rows.append((best[3] or int(best[2][:9]), _score(best)))
    return _Tensor(("label", "score"), rows, tensor.is_mismatched) if rows else None


def _score(found: re.Match[str]) -> float:
    return float(found[1])


def _side_by_side(tensors: Sequence[_Tensor], role: Role) -> Sheet:
    """The columns of all *tensors*; the first one tells the number of rows."""
    reasons = apart(dict.fromkeys(tensor.names[0] for tensor in tensors), role)
    rows = len(tensors[0].rows) if tensors else 0
    # No name twice: of two tensors of one name the last counts, as of equal keys.
    place: dict[str, int] = {}
    kept: list[_Tensor] = []
    width = dropped = 0
    for tensor in tensors:
        if tensor.names[0] in reasons:
            continue
        if len(place) >= MAX_COLUMNS:
            dropped += len(tensor.names)
            continue
        kept.append(tensor)
        place.update(zip(tensor.names, range(width, width + len(tensor.names)), strict=True))
        width += len(tensor.names)
    names = tuple(place)[:MAX_COLUMNS]
    most_rows = min(rows, MAX_ROWS, MAX_CELLS // max(1, len(names)))
    values: list[Sequence[Cell]] = [()] * most_rows
    if kept:
        values = [tuple(chain.from_iterable(row)) for row in zip(*(_fitted(it, most_rows) for it in kept), strict=True)]
    if len(names) < width:
        values = [[row[place[name]] for name in names] for row in values]
    dropped += len(place) - len(names) + rows - most_rows
    flags = {"over_limit"} if dropped else set[str]()
    if any(tensor.is_mismatched or len(tensor.rows) != rows for tensor in tensors):
        flags.add("shape_mismatch")
    ids = {
        tensor.names[0]: [row[0] for row in _fitted(tensor, most_rows)]
        for tensor in tensors
        if reasons.get(tensor.names[0]) == "id" and len(tensor.names) == 1
    }
    return Sheet(names, values, (), reasons, frozenset(flags), dropped, ids)


def _fitted(tensor: _Tensor, rows: int) -> Sequence[tuple[Cell, ...]]:
    """The first *rows* rows; one row stands for all, and missing ones are null."""
    if len(tensor.rows) == 1:
        return [*tensor.rows] * rows
    return [*tensor.rows[:rows], *[(None,) * len(tensor.names)] * (rows - len(tensor.rows))]


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _claims(value: object) -> bool:
    inputs = fields_of(value).get("inputs")
    return is_list(inputs) and len(inputs) > 0 and all(fields_of(entry).keys() >= _TENSOR_KEYS for entry in inputs)


# The values of `shape` and `datatype` decide what becomes a column.
PROTOCOL: Final = Protocol("kserve_v2", (_PATH,), frozenset({"inputs"}), _claims, read, is_read_by_shape=False)
