"""TensorFlow Serving: rows under `instances`, columns under `inputs`, or examples to classify and to regress.

https://www.tensorflow.org/tfx/serving/api_rest
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from dashlight.decode.formats.blobs import holds_blob, without_blobs
from dashlight.decode.rows.answers import answer_under, as_score
from dashlight.decode.rows.budget import MAX_CELLS, MAX_ROWS, check_cells
from dashlight.decode.rows.columns import Sheet, tabulate
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.layouts import beside, length_of_answer, listed_rows, parameters_beside, rows_in
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable

_MODEL = r"(?:^|/)v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>[^/:]+)|/labels/[^/:]+)?"
_EXAMPLES_PATH = re.compile(rf"{_MODEL}:(?:classify|regress)$")
_PREDICT_PATH = re.compile(rf"{_MODEL}:(?:predict|explain)$")
_ROWS_KEYS = frozenset({"instances", "inputs", "examples", "context"})
# The documentation calls the list of results `result` in one place and `results` in another.
_RESULT_KEYS = ("results", "result", "predictions", "outputs")


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each instance, each example, or each step of the first dimension of the columns."""
    fields = {key: without_blobs(child) for key, child in fields_of(request.value).items()}
    value = None if answer is None else answer.value
    features = beside(_features(fields, value), fields, _ROWS_KEYS)
    return Reading(
        features,
        None if answer is None else _outputs(value, rows=len(features.values)),
        place.model,
        place.version,
        params=parameters_beside(fields, _ROWS_KEYS),
    )


def _features(fields: Mapping[str, object], answer: object) -> Sheet:
    examples = fields.get("examples")
    if is_list(examples):
        return _in_context(examples, fields_of(fields.get("context")))
    instances = fields.get("instances")
    if is_list(instances):
        return tabulate(instances, name="", role="feature")
    if "inputs" not in fields:
        raise undecodable("unknown_layout", "neither instances nor inputs nor examples")
    inputs = fields["inputs"]
    if is_list(inputs):
        # The only tensor, its name left away: the first dimension is the rows, whatever it holds.
        return tabulate(inputs, name="inputs", role="feature")
    return rows_in(inputs, name="inputs", answer_length=length_of_answer(answer))


def _in_context(examples: Sequence[object], context: Mapping[str, object]) -> Sheet:
    """The rows of *examples*, each with what all of them share."""
    # What one context of the body holds becomes cells of every row: here alone rows may be larger than their body.
    shared = _cell_count(context)
    kept = examples[: min(MAX_ROWS, MAX_CELLS // (1 + shared))]
    check_cells(len(kept) * shared, given=shared + sum(map(_cell_count, kept)))
    rows = [{**context, **example} if is_object(example) else example for example in kept]
    sheet = tabulate(rows, name="", role="feature")
    dropped = len(examples) - len(kept)
    if not dropped:
        return sheet
    return replace(sheet, flags=sheet.flags | {"over_limit"}, dropped_count=sheet.dropped_count + dropped)


def _cell_count(value: object) -> int:
    if is_object(value):
        return sum(map(_cell_count, value.values()))
    return max(1, len(value)) if is_list(value) else 1


def _outputs(value: object, *, rows: int) -> Sheet:
    results = _results(value)
    if results is not None:
        return tabulate(results, name="", role="output")
    held = fields_of(value).get("outputs")
    if is_object(held):
        return rows_in(held, name="outputs", answer_length=rows, role="output")
    if is_list(held) and rows != 1:
        return listed_rows(held, name="outputs", answer_length=rows, role="output")
    return answer_under(value, _RESULT_KEYS, rows=rows)


def _results(value: object) -> Sequence[Mapping[str, object]] | None:
    """The best label of each example and its score; None where the results are no classifications."""
    fields = fields_of(value)
    results = fields.get("results", fields.get("result"))
    if not is_list(results) or not results:
        return None
    best: list[Mapping[str, object]] = []
    for result in results:
        pairs = [pair for pair in result if is_list(pair) and len(pair) == 2] if is_list(result) else []
        if not is_list(result) or not pairs or len(pairs) != len(result):
            return None
        label, score = max(pairs, key=lambda pair: as_score(pair[1]))
        best.append({"label": label, "score": score})
    return best


def _claims(value: object) -> bool:
    """Whether a predict request is one that KServe V1 does not know: a signature, columns, or bytes in the rows."""
    fields = fields_of(value)
    return not fields.keys().isdisjoint({"signature_name", "inputs", "examples"}) or holds_blob(fields.get("instances"))


PROTOCOL: Final = Protocol(
    "tf_serving",
    (_EXAMPLES_PATH,),
    frozenset(),
    _claims,
    read,
    is_read_by_shape=False,
    shared_paths=(_PREDICT_PATH,),
    claims_there=_claims,
    rank=65,
)
