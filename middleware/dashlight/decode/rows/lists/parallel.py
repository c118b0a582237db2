"""Lists of one length that stand side by side in one row of an answer: labels and scores, boxes, steps of a forecast."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final

from dashlight.decode.rows.jsonvalue import NUMBER_TYPES, is_list, is_object
from dashlight.decode.rows.lists.boxes import box_of, is_box_name
from dashlight.decode.rows.lists.findings import OneCell, ranking_of, summary_of
from dashlight.window.facets.list_names import is_forecast_name, is_ranking_name

MAX_CLASSES: Final = 64
"""Classes that have a column of their scores each; of more the best alone is told."""

_MOST_KEYS = 256
_LIST_TYPES = frozenset({list, OneCell})
_MAX_REMEMBERED = 4096
"""Characters of the keys of one object; longer ones are looked at anew, so that the cache stays small."""
_LONGEST_KEY = 60
"""Longer ones are none of those that are looked for."""
_LABELS = re.compile(
    r"(?i)(?:\w{0,40}_)?(?:labels?|class(?:es|_?names?|_?ids?|_?labels?|_?entities)?|categor(?:y|ies)|display_?names?)"
)
_SCORES = re.compile(r"(?i)(?:\w{0,40}_)?(?:scores?|confidences?|prob(?:a?s|abilit(?:y|ies))?)")
_IDS = re.compile(r"(?i)(?:\w{0,40}_)?(?:ids|indices|neighbou?rs)")
_RANKS = re.compile(r"(?i)(?:\w{0,40}_)?(?:scores?|distances?|similarit(?:y|ies)|ratings?)")
_BOUND = re.compile(
    r"(?i)(?:\w{0,20}_)?(?:mean|median|std|lower|upper|low|high|lo|hi|[pq]_?[0-9]{1,3})(?:_(?:bound|limit|ci)|_?[0-9]{1,3})?"
    r"|0?\.[0-9]{1,4}"
)
"""What stands beside a forecast, step for step: bounds, quantiles."""
_SHOWN = re.compile(r"(?i)(?:\w{0,40}_)?display_?names?")
"""Vertex AI's: the best few of very many."""
_WORDS_KEYS: Final = frozenset({"entities", "tokens", "words"})
"""Pieces of a text, with what they are beside them."""
_TYPES_KEYS: Final = ("types", "tags", "labels", "entity_types", "entity_groups", "categories")
_COUNT = re.compile(r"(?i)(?:num|n|count|number)_?(?:of_?)?(?:detections|boxes|objects|instances)")


def merged(node: Mapping[str, object]) -> Mapping[str, object]:
    """The fields of one row of an answer, its parallel lists as what they mean together; *node* itself where there are none.

    - boxes with labels and scores: how many were found, and what of them (findings.py);
    - words with types or scores: how many there are, and what of them;
    - labels with their scores: the best of both, and `scores[LABEL]` of each by its name;
    - labels that occur several times: how many there are of each;
    - a forecast with its bounds: a list each.
    """
    if _LIST_TYPES.isdisjoint(map(type, node.values())):
        return node
    listed = [key for key, value in islice(node.items(), _MOST_KEYS) if isinstance(value, list)]
    keys = tuple([key for key in listed if len(key) <= _LONGEST_KEY])
    keys, kinds = (_kinds if sum(map(len, keys)) <= _MAX_REMEMBERED else _kinds.__wrapped__)(keys)
    if not kinds:
        return node
    lists = {key: value for key in keys if is_list(value := node[key])}
    if "boxes" in kinds:
        boxes = next((key for key, value in lists.items() if is_box_name(key) and _are_boxes(value)), None)
        if boxes is not None:
            return _with_findings(node, lists, boxes)
    if "words" in kinds:
        words = next((key for key in lists if key in _WORDS_KEYS and _are_labels(lists[key])), None)
        if words is not None:
            return _with_words(node, lists, words)
    if "classes" in kinds:
        labels, scores = _labels_and_scores(lists, None)
        if labels is not None and scores is not None:
            return _with_classes(node, lists, labels, scores)
    if "ranks" in kinds:
        items, ranks = _items_and_scores(lists)
        if items is not None and ranks is not None:
            ranking = ranking_of(items, lists[items], lists[ranks], is_distance="dist" in ranks.lower())
            return {**{key: value for key, value in node.items() if key not in {items, ranks}}, **ranking}
    return _with_steps(node, lists) if "steps" in kinds else node


@lru_cache(maxsize=512)
def _kinds(keys: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The *keys* of lists, the shortest name first, which is the plainest, and what they may be together by their names."""
    named = {
        "boxes": any(map(is_box_name, keys)),
        "words": len(keys) > 1 and not _WORDS_KEYS.isdisjoint(keys),
        "classes": any(map(_is_labels, keys)) and any(map(_is_scores, keys)),
        "ranks": any(map(_RANKS.fullmatch, keys)),
        "steps": any(map(is_forecast_name, keys)) or any(_BOUND.fullmatch(key[:40]) for key in keys),
    }
    # Whatever their order: what is read does not depend on it.
    return tuple(sorted(keys, key=lambda key: (len(key), key))), frozenset(
        kind for kind, is_so in named.items() if is_so
    )


def _with_findings(
    node: Mapping[str, object], lists: Mapping[str, Sequence[object]], boxes: str
) -> Mapping[str, object]:
    length = len(lists[boxes])
    labels, scores = _labels_and_scores(lists, length)
    told = next((value for key, value in node.items() if _COUNT.fullmatch(key) and type(value) in {int, float}), None)
    count = min(length, max(0, int(told))) if isinstance(told, int | float) and told == told else length  # noqa: PLR0124
    group = {key for key, value in lists.items() if len(value) == length}
    summary = summary_of(
        "",
        labels=None if labels is None else lists[labels][:count],
        scores=None if scores is None else lists[scores][:count],
        boxes=[box_of(boxes, box) for box in lists[boxes][:count]],
        count=count,
    )
    return {**{key: value for key, value in node.items() if key not in group and not _COUNT.fullmatch(key)}, **summary}


def _with_words(node: Mapping[str, object], lists: Mapping[str, Sequence[object]], words: str) -> Mapping[str, object]:
    """Pieces of a text with their types and scores: how many there are, never under names that the text gives."""
    length = len(lists[words])
    group = {key: value for key, value in lists.items() if len(value) == length}
    types = next((key for key in _TYPES_KEYS if key in group and _are_labels(group[key])), None)
    scores = next((key for key, value in group.items() if _is_scores(key) and _are_single(value)), None)
    summary = summary_of(
        f"{words}.",
        labels=None if types is None else group[types],
        scores=None if scores is None else group[scores],
        boxes=None,
        count=length,
    )
    return {**{key: value for key, value in node.items() if key not in group}, **summary}


def _with_classes(
    node: Mapping[str, object], lists: Mapping[str, Sequence[object]], labels_key: str, scores_key: str
) -> Mapping[str, object]:
    labels, scores = lists[labels_key], lists[scores_key]
    names = [_name(label) for label in labels]
    group = {key: value for key, value in lists.items() if len(value) == len(labels)}
    if len(set(names)) < len(names):
        rest = {key: value for key, value in node.items() if key not in group}
        return {**rest, **summary_of("", labels=labels, scores=scores, boxes=None, count=len(labels))}
    best = max(range(len(scores)), key=lambda at: _score(scores[at]), default=None)
    # What else is as long stands beside them; the ids of the labels say the same once more.
    merged_node = {
        key: (None if best is None else group[key][best]) if key in group else value
        for key, value in node.items()
        if key != "ids" or key not in group
    }
    if 1 < len(names) <= MAX_CLASSES and not _SHOWN.fullmatch(labels_key):
        merged_node.update({f"{scores_key}[{name}]": score for name, score in sorted(zip(names, scores, strict=True))})
    return merged_node


def _with_steps(node: Mapping[str, object], lists: Mapping[str, Sequence[object]]) -> Mapping[str, object]:
    key = next((key for key, value in lists.items() if is_forecast_name(key) and _are_numbers(value)), None)
    if key is None:
        bounds = [key for key, value in lists.items() if _BOUND.fullmatch(key[:40]) and _are_numbers(value)]
        if len(bounds) < (1 if any(map(is_object, node.values())) and "quantiles" in node else 2):
            return node
        key = bounds[0]
    length = len(lists[key])
    steps = {key for key, value in lists.items() if len(value) == length and _are_single(value)}
    return {key: OneCell(value) if key in steps and is_list(value) else value for key, value in node.items()}


def _labels_and_scores(lists: Mapping[str, Sequence[object]], length: int | None) -> tuple[str | None, str | None]:
    """The keys of labels and of scores, of *length* where it is known, else of one length."""
    scored: dict[int, str] = {}
    for key, value in lists.items():
        if _is_scores(key) and _are_single(value):
            scored.setdefault(len(value), key)
    for labels, names in lists.items():
        if not _is_labels(labels) or not _are_labels(names) or length not in {None, len(names)}:
            continue
        if length is not None or len(names) in scored:
            return (labels, scored.get(len(names)))
    return (None, None if length is None else scored.get(length))


def _items_and_scores(lists: Mapping[str, Sequence[object]]) -> tuple[str | None, str | None]:
    """The keys of ranked items and of their scores or distances."""
    ranked: dict[int, str] = {}
    for key, value in lists.items():
        if _RANKS.fullmatch(key) and _are_numbers(value):
            ranked.setdefault(len(value), key)
    for items, names in lists.items() if ranked else ():
        if (is_ranking_name(items) or _IDS.fullmatch(items)) and len(names) in ranked and _are_labels(names):
            return (items, ranked[len(names)])
    return (None, None)


def _are_boxes(value: Sequence[object]) -> bool:
    return all(type(box) in {list, dict} for box in value)


def _are_labels(value: Sequence[object]) -> bool:
    return {str, int, float}.issuperset(map(type, value))


def _are_numbers(value: Sequence[object]) -> bool:
    return NUMBER_TYPES.issuperset(map(type, value))


def _are_single(value: Sequence[object]) -> bool:
    return {dict, list}.isdisjoint(map(type, value))


def _name(label: object) -> str:
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return str(label)[:60]


def _score(value: object) -> float:
    return value if isinstance(value, float | int) and value == value else float("-inf")  # noqa: PLR0124


@lru_cache(maxsize=512)
def _is_labels(key: str) -> bool:
    return _LABELS.fullmatch(key) is not None


@lru_cache(maxsize=512)
def _is_scores(key: str) -> bool:
    return _SCORES.fullmatch(key) is not None
