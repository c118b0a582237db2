"""Vertex AI: `instances` and `parameters` in, `predictions` and the deployed model out.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict
"""

import re
from typing import Final

from dashlight.decode.formats.blobs import without_blobs
from dashlight.decode.protocols import plain
from dashlight.decode.rows.answers import in_order, listed, read_answer
from dashlight.decode.rows.columns import Sheet, tabulate
from dashlight.decode.rows.jsonvalue import fields_of, is_list
from dashlight.decode.rows.layouts import beside, parameters_beside
from dashlight.decode.rows.reading import ABSENT, Content, Place, Protocol, Reading

_PATH = re.compile(r"(?:^|/)(?:endpoints|deployedModels)/[^/:]+:(?:predict|rawPredict|directPredict|explain)$")
_PUBLISHED_PATH = re.compile(
    r"(?:^|/)publishers/[^/]+/models/(?P<model>[^/:@]+)(?:@(?P<version>[^/:]+))?:(?:raw)?[pP]redict$"
)
_ROWS_KEYS = frozenset({"instances"})
_MODEL_KEYS = ("model", "modelDisplayName", "deployedModelId")


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each instance; a raw request of another layout is plain JSON."""
    fields = fields_of(request.value)
    instances = without_blobs(fields.get("instances"))
    if not is_list(instances):
        return plain.read(request, answer, place)
    features = beside(tabulate(instances, name="", role="feature"), fields, _ROWS_KEYS)
    told = fields_of(None if answer is None else answer.value)
    model = next((name for key in _MODEL_KEYS if isinstance(name := told.get(key), str) and name), "")
    version = told.get("modelVersionId")
    return Reading(
        features,
        None if answer is None else _outputs(answer.value, features),
        place.model or model,
        place.version or (version if isinstance(version, str) else ""),
        params=parameters_beside(fields, _ROWS_KEYS),
    )


def _outputs(value: object, features: Sheet) -> Sheet:
    rows = len(features.values)
    predictions = fields_of(value).get("predictions")
    if not is_list(predictions):
        return read_answer(value, rows=rows, row_ids=features.row_ids).outputs
    return in_order(listed(predictions, name="predictions", rows=rows), features.row_ids)


def _claims(value: object) -> bool:
    return value is not ABSENT


PROTOCOL: Final = Protocol(
    "vertex", (_PATH, _PUBLISHED_PATH), frozenset(), _claims, read, is_read_by_shape=False, rank=60
)
