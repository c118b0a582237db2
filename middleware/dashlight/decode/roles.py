"""What an output means, guessed from its name and its values."""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from dashlight.decode.jsonvalue import NUMBER_TYPES, is_list
from dashlight.records import Cell

OutputRole: TypeAlias = Literal["label", "probability", "score", "value", "ranking", "vector"]

_PROBABILITY = re.compile(r"(?i)(?:.*[^a-z])?(?:prob|probs|probas?|probability|probabilities|softmax|p)(?:\[[0-9]+\])?")
_SCORE = re.compile(r"(?i).*(?:score|confidence|logit|margin)s?(?:\[[0-9]+\])?")
_LABEL = re.compile(r"(?i).*(?:label|class|categor|verdict|decision)(?:y|ies|es|s)?(?:\[[0-9]+\])?")


def output_role(name: str, values: Sequence[Cell]) -> OutputRole:
    """The role of the output *name*: by the type of its first value that is not null, then by words in its name.

    Texts, truth values and whole numbers are labels unless the name says otherwise; other numbers are values; lists of
    texts or objects are rankings.
    """
    first = next((value for value in values if value is not None), None)
    if is_list(first):
        return "vector" if NUMBER_TYPES.issuperset(map(type, first)) else "ranking"
    if isinstance(first, str | bool):
        return "label"
    if _PROBABILITY.fullmatch(name):
        return "probability"
    if _SCORE.fullmatch(name):
        return "score"
    return "label" if isinstance(first, int) or _LABEL.fullmatch(name) else "value"
