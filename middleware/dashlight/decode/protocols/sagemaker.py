"""Containers of SageMaker: rows wrapped in `features`, and headers that name the model.

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from dashlight.decode.protocols import mlflow, plain
from dashlight.decode.rows.budget import MAX_CELLS, MAX_ROWS
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading

# Of a container that serves many models, and of one that serves one.
_MANY_MODELS_PATH = re.compile(r"(?:^|/)models/(?P<model>[^/]+)/invoke$")
_ANYTHING = re.compile(r".*")
_WIDEST = 4096
"""A sparse row that declares more elements is kept as it came."""


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each instance, its features taken out of what they are wrapped in."""
    value, is_sparse = _unwrapped(request.value)
    request = replace(request, value=value)
    reader = plain.read if mlflow.TABLE_KEYS.isdisjoint(fields_of(value)) else mlflow.read
    reading = reader(request, answer, place)
    return replace(reading, flags=reading.flags | {"sparse"}) if is_sparse else reading


def _unwrapped(value: object) -> tuple[object, bool]:
    """*value* with plain vectors and objects in place of wrapped instances, and whether one of them was sparse."""
    fields = fields_of(value)
    listed = _instances(value)
    if listed is None or not _is_wrapped(listed):
        return (value, False)
    rows: list[object] = []
    room = MAX_CELLS
    is_sparse = False
    for instance in listed[:MAX_ROWS]:
        if not is_object(instance):
            rows.append(instance)
            continue
        features = {name: _dense(element, room) for name, element in _elements(instance).items()}
        room -= sum(len(element) for element in features.values() if is_list(element))
        is_sparse = is_sparse or any(map(_is_sparse, _elements(instance).values()))
        # A single vector has no name of its own: `features` is what every container calls it.
        vector = features.get("features")
        rows.append(vector if len(features) == 1 and is_list(vector) else features)
    rows += listed[MAX_ROWS:]
    beside = {name: child for name, child in fields.items() if name not in {"features", "data"}}
    return ({**beside, "instances": rows}, is_sparse)


def _instances(value: object) -> Sequence[object] | None:
    """The instances in *value*: its own elements, those under their key, or itself; None where there is no list."""
    if is_list(value):
        return value
    listed = fields_of(value).get("instances", [value])
    return listed if is_list(listed) else None


def _elements(instance: object) -> Mapping[str, object]:
    """What an instance holds, by name: its `data`, or itself."""
    fields = fields_of(instance)
    data = fields.get("data")
    return data if is_object(data) else {name: child for name, child in fields.items() if name != "configuration"}


def _dense(element: object, room: int) -> object:
    """The vector that *element* stands for: its `values`, put where its `keys` say if it is sparse."""
    fields = fields_of(element)
    values, keys, shape = fields.get("values"), fields.get("keys"), fields.get("shape")
    if not is_list(values):
        return element
    if not is_list(keys) or not keys:
        return values
    size = shape[0] if is_list(shape) and len(shape) == 1 else None
    if type(size) is not int or not 0 < size <= min(_WIDEST, room) or len(keys) != len(values):
        return dict(zip(map(str, keys), values, strict=False))
    dense: list[object] = [0.0] * size
    for key, cell in zip(keys, values, strict=True):
        if type(key) is int and 0 <= key < size:
            dense[key] = cell
    return dense


def _is_sparse(element: object) -> bool:
    return is_list(keys := fields_of(element).get("keys")) and bool(keys)


def _is_wrapped(instances: Sequence[object]) -> bool:
    """Whether the first of *instances*, which stands for all, is wrapped as SageMaker's algorithms want it."""
    first = fields_of(instances[0] if instances else None)
    features = first.get("features")
    data = fields_of(first.get("data"))
    if is_list(features) or is_list(data.get("features")):
        return True
    return any(is_list(fields_of(element).get("values")) for element in (features, *data.values()))


def _claims(value: object) -> bool:
    fields = fields_of(value)
    if "instances" not in fields and is_list(fields.get("features")):
        # Anybody's vector, and read alike.
        return False
    listed = _instances(value)
    return listed is not None and _is_wrapped(listed)


PROTOCOL: Final = Protocol(
    "sagemaker",
    (_MANY_MODELS_PATH,),
    frozenset(),
    _claims,
    read,
    is_read_by_shape=False,
    shared_paths=(mlflow.PATH,),
    claims_there=_claims,
    headers=(
        (b"x-amzn-sagemaker-target-model", _ANYTHING),
        (b"x-amzn-sagemaker-target-variant", _ANYTHING),
        (b"x-amzn-sagemaker-target-container-hostname", _ANYTHING),
        (b"x-amzn-sagemaker-inference-id", _ANYTHING),
    ),
    rank=15,
)
