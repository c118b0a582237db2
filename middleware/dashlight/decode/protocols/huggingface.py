"""Hugging Face: texts under `inputs`, as its inference API, text-generation and text-embeddings servers want them.

Rankings of texts too, as Cohere, Jina and vLLM ask for them: https://docs.cohere.com/reference/rerank

https://huggingface.co/docs/inference-providers/tasks/index
https://huggingface.github.io/text-embeddings-inference/
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from dashlight.decode.formats.attachments import Attachment
from dashlight.decode.rows.answers import UNNAMED, in_order, listed, read_answer, top_of_parallel
from dashlight.decode.rows.budget import MAX_CELLS, MAX_ROWS
from dashlight.decode.rows.columns import Sheet, one_row, tabulate
from dashlight.decode.rows.generation import Generation, usage_of
from dashlight.decode.rows.jsonvalue import NUMBER_TYPES, fields_of, is_list, is_object
from dashlight.decode.rows.layouts import beside, length_of_answer, parameters_beside, rows_in
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable

# Of the hosted API; the last part of the path is no verb of somebody else's.
_MODEL_PATH = re.compile(
    r"(?<!/v1)(?<!/v2)/models/(?P<model>[^/:]+(?:/(?!predict$|invoke$|infer$|score$|pipeline$|versions$)[^/:]+)?)"
    r"(?:/pipeline/[^/]+)?$"
)
_SERVER_PATH = re.compile(
    r"(?:^|/)(?:generate|generate_stream|embed|embed_all|embed_sparse|rerank|similarity|pipeline/[^/]+)$"
)
_TEXTS_KEYS = ("texts", "documents")
_RANKING_KEYS = frozenset({"query", *_TEXTS_KEYS})
_RANK_KEYS = ("score", "relevance_score")
_INPUTS_KEYS = frozenset({"inputs"})
_WRITTEN_KEYS = ("generated_text", "summary_text", "translation_text")
_EMBED_KEYS = frozenset({"normalize", "truncate", "prompt_name"})
_NARROWEST = 32
"""An application of its own that is given a text may answer with fewer numbers: probabilities of its classes."""
_SPAN_KEYS = frozenset({"entity", "entity_group", "box", "token_str"})
# Lists of tokens, as long as the text and of no use as a column.
_LONG_DETAILS = frozenset({"prefill", "tokens", "top_tokens", "best_of_sequences"})


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each text; for a ranking one for each text that the query was compared with."""
    fields = fields_of(request.value)
    value = None if answer is None else answer.value
    is_ranking = _ranked(fields) is not None
    own_keys = _RANKING_KEYS if is_ranking else _INPUTS_KEYS
    if is_ranking:
        features = _ranked_rows(fields)
    elif "inputs" in fields:
        features = _features(fields["inputs"], value)
    else:
        raise undecodable("unknown_layout", "neither inputs nor a query with texts")
    rows = len(features.values)
    outputs: Sheet | None = None
    if answer is not None:
        outputs = _ranking(value, rows) if is_ranking else None
        if outputs is None:
            outputs = _outputs(
                value, features, is_told=PROTOCOL.name in place.hints or not _EMBED_KEYS.isdisjoint(fields)
            )
    return Reading(
        beside(features, fields, own_keys),
        outputs,
        place.model or (_text(fields.get("model")) if is_ranking else ""),
        place.version,
        params=parameters_beside(fields, own_keys),
        generation=_generation(fields.get("inputs"), value),
    )


def _features(inputs: object, answer: object) -> Sheet:
    if is_object(inputs):
        # A question with its context: parts of one row, whatever lists are among them.
        return one_row(inputs, "feature")
    return rows_in(inputs, name="inputs", answer_length=length_of_answer(answer))


def _ranked_rows(fields: Mapping[str, object]) -> Sheet:
    key = _ranked(fields) or _TEXTS_KEYS[0]
    texts = fields[key]
    listed_texts = texts if is_list(texts) else []
    rows = [{"query": fields["query"], key: text} for text in listed_texts[:MAX_ROWS]]
    return tabulate([*rows, *listed_texts[MAX_ROWS:]], name="", role="feature")


def _ranked(fields: Mapping[str, object]) -> str | None:
    """The key of the texts that are compared with a query; None where there are none."""
    told = isinstance(fields.get("query"), str)
    return next((key for key in _TEXTS_KEYS if told and is_list(fields.get(key))), None)


def _ranking(value: object, rows: int) -> Sheet | None:
    """The score of each text, in the order in which the texts were sent; None where the answer is no ranking."""
    value = fields_of(value).get("results", value)
    entries = [entry for entry in value if is_object(entry)] if is_list(value) else []
    places = [entry.get("index") for entry in entries]
    if not is_list(value) or len(entries) != len(value) or not all(type(place) is int for place in places):
        return None
    key = next((key for key in _RANK_KEYS if any(key in entry for entry in entries)), _RANK_KEYS[0])
    scores: list[object] = [None] * rows
    for place, entry in zip(places, entries, strict=True):
        if isinstance(place, int) and 0 <= place < rows:
            scores[place] = entry.get(key)
    return Sheet((key,), [(score,) for score in scores])


def _outputs(value: object, features: Sheet, *, is_told: bool) -> Sheet:
    """The outputs of the answer *value*; *is_told* where path or request say that the server is Hugging Face's."""
    rows = len(features.values)
    if is_object(value):
        return read_answer(_best(_without_tokens(value)), rows=rows).outputs
    if not is_list(value):
        return read_answer(value, rows=rows).outputs
    width = 1 if is_told else _NARROWEST
    if _is_embedding(value, width):
        return _embeddings(value, rows)
    if rows == 1 and _is_embedding([value], max(width, 2)) and features.names == ("inputs",):
        return _embeddings([value], rows)
    if rows == 1 and not value:
        # Nothing was found in one text.
        return Sheet((UNNAMED,), [([],)])
    best = [_best(_without_tokens(item)) for item in value]
    return in_order(listed(best, name=UNNAMED, rows=rows), features.row_ids)


def _is_embedding(vectors: Sequence[object], width: int) -> bool:
    """Whether *vectors* are lists of at least *width* numbers: labels and scores come as objects, so nothing else is."""
    return bool(vectors) and all(
        is_list(vector) and len(vector) >= width and NUMBER_TYPES.issuperset(map(type, vector)) for vector in vectors
    )


def _embeddings(vectors: Sequence[object], rows: int) -> Sheet:
    kept: list[object] = []
    room = MAX_CELLS
    for vector in vectors[:MAX_ROWS]:
        room -= len(vector) if is_list(vector) else 1
        if room < 0:
            break
        kept.append(vector)
    flags = {"over_limit"} if len(kept) < len(vectors) else set[str]()
    if len(vectors) != rows:
        flags.add("shape_mismatch")
    return Sheet(("embedding",), [(vector,) for vector in kept], (), {}, frozenset(flags), len(vectors) - len(kept))


def _without_tokens(item: object) -> object:
    """*item* without the tokens of which the text in it was made."""
    fields = fields_of(item)
    details = fields_of(fields.get("details"))
    if _LONG_DETAILS.isdisjoint(details):
        return item
    return {**fields, "details": {key: child for key, child in details.items() if key not in _LONG_DETAILS}}


def _best(item: object) -> object:
    """The best label of the older answer of zero-shot classification, under the names of the newer one."""
    fields = fields_of(item)
    if not fields.keys() >= {"labels", "scores", "sequence"}:
        return item
    best = fields_of(top_of_parallel({key: child for key, child in fields.items() if key != "sequence"}))
    if is_list(best["labels"]):
        return item
    names = {"labels": "label", "scores": "score"}
    return {names.get(key, key): child for key, child in best.items()}


def _generation(inputs: object, answer: object) -> Generation | None:
    """What was written, where the answer says that something was."""
    told = fields_of(answer[0] if is_list(answer) and answer else answer)
    text = next((told[key] for key in _WRITTEN_KEYS if key in told), None)
    if not isinstance(text, str):
        return None
    asked = inputs[0] if is_list(inputs) and inputs else inputs
    details = fields_of(told.get("details"))
    reason = details.get("finish_reason")
    return Generation(
        input_text=asked if isinstance(asked, str) else "",
        output_text=text,
        finish=(reason,) if isinstance(reason, str) else (),
        usage=usage_of(details),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _claims(value: object) -> bool:
    """Whether a body is a text, texts, or a query with texts: an object or a table under `inputs` is somebody else's."""
    fields = fields_of(value)
    inputs = fields.get("inputs")
    # An image in base64 has become an attachment.
    if isinstance(inputs, str | Attachment) or _is_texts(inputs):
        return True
    if "inputs" in fields or (key := _ranked(fields)) is None:
        return False
    texts = fields[key]
    return _is_texts(texts) or (
        key == "documents" and is_list(texts) and bool(texts) and all("text" in fields_of(text) for text in texts)
    )


def _claims_there(value: object) -> bool:
    inputs = fields_of(value).get("inputs")
    is_object_of_texts = is_object(inputs) and any(isinstance(child, str) for child in inputs.values())
    return _claims(value) or is_object_of_texts


def _is_texts(value: object) -> bool:
    return is_list(value) and bool(value) and all(isinstance(text, str) for text in value)


PROTOCOL: Final = Protocol(
    "huggingface",
    (),
    frozenset(),
    _claims,
    read,
    is_read_by_shape=False,
    any_keys=frozenset({"inputs", "query"}),
    shared_paths=(_MODEL_PATH, _SERVER_PATH),
    claims_there=_claims_there,
    rank=80,
)
