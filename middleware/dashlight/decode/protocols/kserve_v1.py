"""KServe V1: `instances` in, `predictions` out, the model in the path.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
"""

import re
from dataclasses import replace
from typing import Final

from dashlight.decode.rows.answers import in_order, listed, read_answer
from dashlight.decode.rows.columns import Sheet, tabulate
from dashlight.decode.rows.flattening import LeftOut
from dashlight.decode.rows.jsonvalue import fields_of, is_list
from dashlight.decode.rows.reading import ABSENT, Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable

_PATH = re.compile(
    r"(?:^|/)v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>[^/:]+)|/labels/[^/:]+)?:(?:predict|explain)$"
)


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each instance; keys beside `instances` are parameters."""
    fields = fields_of(request.value)
    instances = fields.get("instances")
    if not is_list(instances):
        raise undecodable("unknown_layout", "no list of instances")
    params = {key: value for key, value in fields.items() if key != "instances"}
    features = tabulate(instances, name="", role="feature")
    if params:
        left_out: dict[str, LeftOut] = dict.fromkeys(params, "parameter")
        features = replace(features, left_out={**features.left_out, **left_out})
    if answer is None:
        return Reading(features, None, place.model, place.version, params=params)
    told = fields_of(answer.value).get("model_version")
    version = place.version or (told if isinstance(told, str) else "")
    return Reading(features, _outputs(answer.value, features), place.model, version, params=params)


def _outputs(answer: object, features: Sheet) -> Sheet:
    predictions = fields_of(answer).get("predictions")
    if is_list(predictions):
        return in_order(listed(predictions, name="predictions", rows=len(features.values)), features.row_ids)
    return read_answer(answer, rows=len(features.values), row_ids=features.row_ids).outputs


def _claims(value: object) -> bool:
    return value is not ABSENT


# Elsewhere than under its path `instances` is what any application calls its rows, and `plain` reads it.
PROTOCOL: Final = Protocol("kserve_v1", (_PATH,), frozenset(), _claims, read, is_read_by_shape=True, rank=70)
