"""Lists of things in one row of an answer: what was found in a text or an image, or ranked; told in a fixed set of columns.

How many columns there are never depends on how many things were found: a list called `spans` is `spans.count`,
`spans.count[PER]` and so on. What a count of a label does not say is 0 (window/facets/label_counts.py).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final, cast

from dashlight.decode.rows.budget import WORK_PER_LIST, WORK_PER_NODE, TableBudget
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.lists.boxes import (
    Box,
    are_corners,
    box_of,
    box_of_fields,
    is_box_name,
    numbers_of,
    raw_detections,
)
from dashlight.records import Cell
from dashlight.window.facets.list_names import is_list_name, is_ranking_name
from dashlight.window.facets.ranking_facets import item_of
from dashlight.window.values import WRONG, number_of

MAX_LABELS: Final = 32
"""Labels of one list that are counted by name; those of the rest together as `other`."""


class OneCell(list[object]):
    """A list that stays one cell, whatever its length and name: what flattens a row makes it a plain list again."""


_LABEL_KEYS = (
    "entity_group", "entity", "label", "class", "class_name", "className", "category", "category_name", "tag", "type",
    "class_id", "category_id", "name",
)  # fmt: skip
_CLASS_KEYS = ("label", "class", "class_name", "className", "category", "category_name", "tag_name", "tagName")
_SCORE_KEYS = (
    "score", "confidence", "conf", "probability", "prob", "p", "relevance_score", "relevance", "similarity", "rating",
    "weight", "distance", "_score", "_distance", "dist", "sim", "cosine", "cosine_similarity", "relevancy", "affinity",
)  # fmt: skip
_DISTANCES = frozenset({"distance", "_distance", "dist"})
"""The best are the smallest."""
_SPANS = (
    frozenset({"start", "end"}), frozenset({"entity"}), frozenset({"entity_group"}), frozenset({"offset", "length"}),
    frozenset({"begin", "end"}), frozenset({"start_char", "end_char"}), frozenset({"beginOffset", "endOffset"}),
)  # fmt: skip
_BEGINNINGS = frozenset({"start", "begin", "offset"})
_MASKS = frozenset({"mask", "segmentation", "polygon", "keypoints"})
_MOMENTS = frozenset({"ds", "timestamp", "time", "date", "datetime"})
_LOOKED_AT = 32
_PLAIN_NUMBERS = frozenset({int, float})
_MAX_LABEL_LENGTH = 60


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the keys of things found or ranked say; empty where there is no such key."""

    label: str
    class_label: str
    score: str
    boxes: tuple[str, ...]
    has_corners: bool
    has_moments: bool
    is_span: bool


def plain(cell: Cell) -> Cell:
    """*cell*, where it is marked as OneCell without the mark."""
    return list(cell) if isinstance(cell, OneCell) else cell


def found_in(name: str, items: Sequence[object]) -> Mapping[str, Cell] | None:
    """The columns of the list *items*, called *name*, of one row; None where it is no list of things found or ranked."""
    kinds = set(map(type, items))
    if kinds == {list} and (pairs := pairs_in(items, name)):
        return ranking_of(
            name, [item for item, _ in pairs], [score for _, score in pairs], is_distance="dist" in name.lower()
        )
    if kinds == {list} and (found := raw_detections(name, items)):
        return summary_of(
            f"{name}.",
            labels=[each.label for each in found],
            scores=[each.score for each in found],
            boxes=[each.box for each in found],
            count=len(found),
        )
    if kinds != {dict}:
        return None
    entries = cast("Sequence[dict[str, object]]", items)
    keys = _keys_of(entries)
    if _is_finding(entries, keys):
        return summary_of(
            f"{name}.",
            labels=_under(keys.label, entries),
            scores=_under(keys.score, entries),
            boxes=_boxes(entries, keys),
            count=len(entries),
        )
    return _ranking(name, entries, keys.score) if keys.score and not keys.has_moments else None


def lists_of_things(rows: Sequence[object], name: str) -> list[Mapping[str, Cell]] | None:
    """The columns of rows that are lists of what was found or ranked each; None where one is neither, or all are empty.

    As many as a table may have: what is told of a list takes longer than its bytes would say.
    """
    told: list[Mapping[str, Cell]] = []
    budget = TableBudget()
    for row in rows:
        if budget.is_spent:
            break
        found = found_in(name or "0", row) if is_list(row) and row else {f"{name or '0'}.count": 0}
        if found is None:
            return None
        told.append(found)
        budget.take(WORK_PER_LIST if row else WORK_PER_NODE)
    return told if any(rows) else None


def is_list_of_things(name: str, items: Sequence[object], *, is_single: bool = False) -> bool:
    """Whether a list of one object, called *name*, is a list of which there happens to be one, and not a row.

    *is_single* says that one row was asked, and not a list of one.
    """
    if (is_single and pairs_in(items, name)) or raw_detections(name, items):
        return True
    if not items or not is_object(items[0]):
        return False
    if is_single and best_of(items) is None and found_in(name, items) is not None:
        return True
    fields = [fields_of(items[0])]
    return _is_finding(fields, _keys_of(fields)) or is_list_name(name)


def best_of(items: Sequence[object]) -> Mapping[str, object] | None:
    """The entry with the highest score of a list of labels with scores; None where it is none, or its labels have places."""
    if set(map(type, items)) != {dict}:
        return None
    entries = cast("Sequence[dict[str, object]]", items)
    keys = _keys_of(entries)
    if not keys.class_label or not keys.score or _is_finding(entries, keys):
        return None
    return max(entries, key=lambda entry: _score(entry.get(keys.score), is_distance=keys.score in _DISTANCES))


def ranking_of(name: str, items: Sequence[object], scores: Sequence[object], *, is_distance: bool) -> dict[str, Cell]:
    """The items in their order, how many, the best score, and how far the worst is from it."""
    numbers = numbers_of(scores)
    return {
        # As texts: ids, whatever the name of the list says of whole numbers in it.
        name: OneCell([_label(item) for item in items]),
        f"{name}.count": len(items),
        f"{name}.top_score": (min if is_distance else max)(numbers, default=None),
        f"{name}.score_spread": max(numbers) - min(numbers) if numbers else None,
    }


def summary_of(
    prefix: str,
    *,
    labels: Sequence[object] | None,
    scores: Sequence[object] | None,
    boxes: Sequence[Box | None] | None,
    count: int,
) -> dict[str, Cell]:
    """How many were found, how many of each label, the mean and the lowest score, the mean area and place of boxes.

    Names begin with *prefix*. What was not told at all has no column; of nothing found only the counts are known.
    """
    columns: dict[str, Cell] = {f"{prefix}count": count}
    if labels is not None:
        by_label = Counter(map(_label, labels))
        named = sorted(by_label)[:MAX_LABELS] if len(by_label) > MAX_LABELS else sorted(by_label)
        columns.update({f"{prefix}count[{label}]": by_label[label] for label in named})
        if len(by_label) > len(named):
            columns[f"{prefix}count[other]"] = count - sum(by_label[label] for label in named)
    if scores is not None:
        numbers = numbers_of(scores)
        columns[f"{prefix}score.mean"] = sum(numbers) / len(numbers) if numbers else None
        columns[f"{prefix}score.lowest"] = min(numbers, default=None)
    if boxes is not None:
        known = [box for box in boxes if box is not None]
        measures = (("area", [box[2] * box[3] for box in known]), ("x", [box[0] for box in known]))
        for measure, values in (*measures, ("y", [box[1] for box in known])):
            columns[f"{prefix}box.{measure}"] = sum(values) / len(values) if values else None
    return columns


def _keys_of(entries: Sequence[Mapping[str, object]]) -> _Keys:
    """What the first keys of the first of *entries* say; longer ones than any of ours are none of ours."""
    return _keys_among(
        frozenset(
            key for entry in entries[:_LOOKED_AT] for key in islice(entry, _LOOKED_AT) if len(key) <= _MAX_LABEL_LENGTH
        )
    )


@lru_cache(maxsize=256)
def _keys_among(seen: frozenset[str]) -> _Keys:
    label = _first(_LABEL_KEYS, seen)
    is_begun = bool(label) and not _BEGINNINGS.isdisjoint(seen)
    return _Keys(
        label=label,
        class_label=_first(_CLASS_KEYS, seen),
        score=_first(_SCORE_KEYS, seen),
        boxes=tuple(sorted(filter(is_box_name, seen))),
        has_corners=are_corners(seen),
        has_moments=not _MOMENTS.isdisjoint(seen),
        is_span=is_begun or any(span <= seen for span in _SPANS) or not _MASKS.isdisjoint(seen),
    )


def _is_finding(entries: Sequence[Mapping[str, object]], keys: _Keys) -> bool:
    if keys.is_span or keys.has_corners:
        return True
    return any(box_of(key, entry.get(key)) is not None for key in keys.boxes for entry in entries[:_LOOKED_AT])


def _boxes(entries: Sequence[Mapping[str, object]], keys: _Keys) -> list[Box | None] | None:
    if keys.boxes:
        return [box_of(keys.boxes[0], entry.get(keys.boxes[0])) for entry in entries]
    return [box_of_fields(entry) for entry in entries] if keys.has_corners else None


def _ranking(name: str, entries: Sequence[Mapping[str, object]], score: str) -> Mapping[str, Cell] | None:
    items = [item_of(entry) for entry in entries]
    if any(item is WRONG or not isinstance(item, str | int | float) for item in items):
        return None
    return ranking_of(name, items, [entry.get(score) for entry in entries], is_distance=score in _DISTANCES)


def pairs_in(items: Sequence[object], name: str) -> list[tuple[object, object]]:
    """The items and their scores, where *items* are pairs of them: a text, or a whole number in a ranking, and a number.

    A code may stand before them, as Keras' decode_predictions puts it.
    """
    pairs = cast("Sequence[list[object]]", items)
    widths = set(map(len, pairs)) if set(map(type, items)) == {list} else set[int]()
    if widths == {3} and {type(code) for code, _, _ in pairs} == {str}:
        pairs, widths = [pair[1:] for pair in pairs], {2}
    if widths != {2}:
        return []
    firsts, seconds = {type(pair[0]) for pair in pairs}, {type(pair[1]) for pair in pairs}
    if seconds == {str} and firsts <= _PLAIN_NUMBERS:
        return [(item, score) for score, item in pairs]
    are_items = firsts == {str} or (firsts == {int} and is_ranking_name(name))
    return [(item, score) for item, score in pairs] if are_items and seconds <= _PLAIN_NUMBERS else []


def _under(key: str, entries: Sequence[Mapping[str, object]]) -> list[object] | None:
    return [entry.get(key) for entry in entries] if key else None


def _first(keys: Iterable[str], seen: frozenset[str]) -> str:
    return next((key for key in keys if key in seen), "")


def _label(label: object) -> str:
    if isinstance(label, str):
        return label[:_MAX_LABEL_LENGTH]
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return "none" if label is None else str(label)[:_MAX_LABEL_LENGTH]


def _score(value: object, *, is_distance: bool) -> float:
    number = number_of(value)
    if number is None or number != number:  # noqa: PLR0124  # NaN
        return -math.inf
    return -number if is_distance else number
