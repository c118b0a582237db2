"""What an output means, guessed from its name and its values."""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from dashlight.decode.rows.jsonvalue import NUMBER_TYPES, fields_of, is_list
from dashlight.records import Cell
from dashlight.window.facets.list_names import is_embedding_name, is_forecast_name, is_ranking_name

OutputRole: TypeAlias = Literal[
    "label", "probability", "score", "value", "ranking", "forecast", "vector", "embedding", "text"
]

_PROBABILITY = re.compile(r"(?i)(?:.*[^a-z])?(?:prob|probs|probas?|probability|probabilities|softmax|p)(?:\[[0-9]+\])?")
_SCORE = re.compile(r"(?i).*(?:score|confidence|logit|margin)s?(?:\[[0-9]+\])?")
_LABEL = re.compile(r"(?i).*(?:label|class|categor|cluster|verdict|decision)(?:y|ies|es|s)?(?:\[[0-9]+\])?")

_TEXT = re.compile(
    r"(?i)(?:generated|summary|translation|output|completion|response)_?text|text_?output|completion|output_string"
)
_TIME_KEYS = frozenset({"ds", "timestamp", "time", "date", "datetime"})


def output_role(name: str, values: Sequence[Cell]) -> OutputRole:
    """The role of the output *name*: by the type of its first value that is not null, then by words in its name.

    A text that was written is told from a label by the name, an embedding or a forecast from another vector. Texts, truth
    values and whole numbers are labels unless the name says otherwise; other numbers are values. Lists of texts or objects
    are rankings, those of objects with a moment in each are forecasts.
    """
    first = next((value for value in values if value is not None), None)
    if isinstance(first, str) and _TEXT.fullmatch(name):
        return "text"
    if is_list(first):
        return _role_of_list(name, first)
    if isinstance(first, str | bool):
        return "label"
    if _PROBABILITY.fullmatch(name):
        return "probability"
    if _SCORE.fullmatch(name):
        return "score"
    return "label" if isinstance(first, int) or _LABEL.fullmatch(name) else "value"


def _role_of_list(name: str, items: Sequence[object]) -> OutputRole:
    kinds = set(map(type, items))
    if is_embedding_name(name):
        return "embedding"
    if NUMBER_TYPES.issuperset(kinds):
        if is_forecast_name(name):
            return "forecast"
        return "ranking" if kinds == {int} and is_ranking_name(name) else "vector"
    has_moments = kinds == {dict} and all(not _TIME_KEYS.isdisjoint(fields_of(item)) for item in items)
    return "forecast" if has_moments else "ranking"
