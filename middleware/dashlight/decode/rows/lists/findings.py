"""Lists of things in one row of an answer: what was found in a text or an image, or ranked; told in a fixed set of columns.

How many columns there are never depends on how many things were found: a list called `spans` is `spans.count`,
`spans.count[PER]` and so on. What a count of a label does not say is 0 (window/facets/label_counts.py).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final, TypeAlias, cast

from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.records import Cell
from dashlight.window.facets.list_names import is_list_name, is_ranking_name
from dashlight.window.facets.ranking_facets import item_of
from dashlight.window.values import WRONG, number_of

MAX_LABELS: Final = 32
"""Labels of one list that are counted by name; those of the rest together as `other`."""


class OneCell(list[object]):
    """A list that stays one cell, whatever its length and name: what flattens a row makes it a plain list again."""


Box: TypeAlias = tuple[float, float, float, float]
"""Centre (x, y), width and height, in the units of the answer."""

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
_CORNERS = (("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"))
_CENTRED = ("x", "y", "width", "height")
_PLACED = (("left", "top", "width", "height"), ("x", "y", "w", "h"))
_BOX_NAME = re.compile(
    r"(?i)(?:\w{0,40}_)?(?:b?box(?:es)?|rois?|rects?|xyxy|xywh)(?:_?(?:xyxy|xywh|norm|normalized|coords))?"
)
_SIZED_BOX_NAME = re.compile(r"(?i)(?:\w{0,40}_)?(?:bbox(?:es)?|rects?|\w{0,40}xywh)")
"""As COCO writes them: left, top, width, height."""
_LOOKED_AT = 32
_PLAIN_NUMBERS = frozenset({int, float})
_MAX_LABEL_LENGTH = 60


def plain(cell: Cell) -> Cell:
    """*cell*, where it is marked as OneCell without the mark."""
    return list(cell) if isinstance(cell, OneCell) else cell


def found_in(name: str, items: Sequence[object]) -> Mapping[str, Cell] | None:
    """The columns of the list *items*, called *name*, of one row; None where it is no list of things found or ranked."""
    entries = [item for item in items if is_object(item)]
    if _are_pairs(items, name):
        pairs = [item for item in items if is_list(item)]
        return ranking_of(
            name, [pair[0] for pair in pairs], [pair[1] for pair in pairs], is_distance="dist" in name.lower()
        )
    if not entries or len(entries) < len(items):
        return None
    seen = _keys(entries)
    if _is_finding(entries, seen):
        return summary_of(
            f"{name}.",
            labels=_under(_first(_LABEL_KEYS, seen), entries),
            scores=_under(_first(_SCORE_KEYS, seen), entries),
            boxes=_boxes(entries, seen),
            count=len(entries),
        )
    score = _first(_SCORE_KEYS, seen)
    if not score or not _MOMENTS.isdisjoint(seen):
        return None
    return _ranking(name, entries, score)


def lists_of_things(rows: Sequence[object], name: str) -> list[Mapping[str, Cell]] | None:
    """The columns of rows that are lists of what was found or ranked each; None where one is neither, or all are empty."""
    told: list[Mapping[str, Cell]] = []
    for row in rows:
        found = found_in(name or "0", row) if is_list(row) and row else {f"{name or '0'}.count": 0}
        if found is None:
            return None
        told.append(found)
    return told if any(rows) else None


def is_list_of_things(name: str, items: Sequence[object], *, is_single: bool = False) -> bool:
    """Whether a list of one object, called *name*, is a list of which there happens to be one, and not a row.

    *is_single* says that one row was asked, and not a list of one.
    """
    if is_single and _are_pairs(items, name):
        return True
    if not items or not is_object(items[0]):
        return False
    if is_single and best_of(items) is None and found_in(name, items) is not None:
        return True
    fields = [fields_of(items[0])]
    return _is_finding(fields, _keys(fields)) or is_list_name(name)


def best_of(items: Sequence[object]) -> Mapping[str, object] | None:
    """The entry with the highest score of a list of labels with scores; None where it is none, or its labels have places."""
    entries = [item for item in items if is_object(item)]
    if not entries or len(entries) < len(items):
        return None
    seen = _keys(entries)
    label, score = _first(_CLASS_KEYS, seen), _first(_SCORE_KEYS, seen)
    if not label or not score or _is_finding(entries, seen):
        return None
    return max(entries, key=lambda entry: _score(entry.get(score), is_distance=score in _DISTANCES))


def ranking_of(name: str, items: Sequence[object], scores: Sequence[object], *, is_distance: bool) -> dict[str, Cell]:
    """The items in their order, how many, the best score, and how far the worst is from it."""
    numbers = _numbers(scores)
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
        by_label = Counter(_label(label) for label in labels)
        named = sorted(by_label)[:MAX_LABELS] if len(by_label) > MAX_LABELS else sorted(by_label)
        columns.update({f"{prefix}count[{label}]": by_label[label] for label in named})
        if len(by_label) > len(named):
            columns[f"{prefix}count[other]"] = count - sum(by_label[label] for label in named)
    if scores is not None:
        numbers = _numbers(scores)
        columns[f"{prefix}score.mean"] = sum(numbers) / len(numbers) if numbers else None
        columns[f"{prefix}score.lowest"] = min(numbers, default=None)
    if boxes is not None:
        known = [box for box in boxes if box is not None]
        measures = (("area", [box[2] * box[3] for box in known]), ("x", [box[0] for box in known]))
        for measure, values in (*measures, ("y", [box[1] for box in known])):
            columns[f"{prefix}box.{measure}"] = sum(values) / len(values) if values else None
    return columns


@lru_cache(maxsize=512)
def is_box_name(name: str) -> bool:
    """Whether what stands under *name* is a box, or are boxes."""
    return _BOX_NAME.fullmatch(name) is not None


def box_of(name: str, value: object) -> Box | None:
    """The box in *value*, under *name*; None where there is none.

    Four numbers are two opposite corners, or, under the names COCO uses, a corner with width and height.
    """
    if is_object(value):
        return _box_of_fields(value)
    parts = value if is_list(value) else []
    if len(parts) == 2 and all(is_list(corner) and len(corner) == 2 for corner in parts):
        parts = [part for corner in parts if is_list(corner) for part in corner]
    numbers = _numbers(parts)
    if len(numbers) != 4 or len(parts) != 4:
        return None
    a, b, c, d = numbers
    if _SIZED_BOX_NAME.fullmatch(name):
        return (a + c / 2, b + d / 2, abs(c), abs(d))
    return ((a + c) / 2, (b + d) / 2, abs(c - a), abs(d - b))


def _box_of_fields(fields: Mapping[str, object]) -> Box | None:
    for keys in _CORNERS:
        if all(key in fields for key in keys):
            return box_of("corners", [fields[key] for key in keys])
    if all(key in fields for key in _CENTRED):
        numbers = _numbers([fields[key] for key in _CENTRED])
        return (numbers[0], numbers[1], abs(numbers[2]), abs(numbers[3])) if len(numbers) == len(_CENTRED) else None
    for keys in _PLACED:
        if all(key in fields for key in keys):
            return box_of("xywh", [fields[key] for key in keys])
    return None


def _keys(entries: Sequence[Mapping[str, object]]) -> frozenset[str]:
    """The first keys of the first of *entries*; longer ones than any of ours are none of ours."""
    return frozenset(
        key for entry in entries[:_LOOKED_AT] for key in islice(entry, _LOOKED_AT) if len(key) <= _MAX_LABEL_LENGTH
    )


def _is_finding(entries: Sequence[Mapping[str, object]], seen: frozenset[str]) -> bool:
    is_begun = not _BEGINNINGS.isdisjoint(seen) and bool(_first(_LABEL_KEYS, seen))
    if is_begun or any(span <= seen for span in _SPANS) or not _MASKS.isdisjoint(seen):
        return True
    boxed = [key for key in seen if is_box_name(key)]
    if any(box_of(key, entry.get(key)) is not None for key in boxed for entry in entries[:_LOOKED_AT]):
        return True
    return any(seen.issuperset(keys) for keys in (*_CORNERS, *_PLACED, _CENTRED))


def _boxes(entries: Sequence[Mapping[str, object]], seen: frozenset[str]) -> list[Box | None] | None:
    key = next((key for key in sorted(seen) if is_box_name(key)), None)
    if key is not None:
        return [box_of(key, entry.get(key)) for entry in entries]
    if any(seen.issuperset(keys) for keys in (*_CORNERS, *_PLACED, _CENTRED)):
        return [_box_of_fields(entry) for entry in entries]
    return None


def _ranking(name: str, entries: Sequence[Mapping[str, object]], score: str) -> Mapping[str, Cell] | None:
    items = [item_of(entry) for entry in entries]
    if any(item is WRONG or not isinstance(item, str | int | float) for item in items):
        return None
    return ranking_of(name, items, [entry.get(score) for entry in entries], is_distance=score in _DISTANCES)


def _are_pairs(items: Sequence[object], name: str) -> bool:
    """Whether *items* are pairs of an item and its score: a text, or a whole number in a ranking, and a number."""
    if not items or not all(is_list(item) and len(item) == 2 for item in items):
        return False
    firsts = {type(item[0]) for item in items if is_list(item)}
    are_items = firsts == {str} or (firsts == {int} and is_ranking_name(name))
    return are_items and {type(item[1]) for item in items if is_list(item)} <= {int, float}


def _under(key: str, entries: Sequence[Mapping[str, object]]) -> list[object] | None:
    return [entry.get(key) for entry in entries] if key else None


def _first(keys: Iterable[str], seen: frozenset[str]) -> str:
    return next((key for key in keys if key in seen), "")


def _label(label: object) -> str:
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return "none" if label is None else str(label)[:_MAX_LABEL_LENGTH]


def _score(value: object, *, is_distance: bool) -> float:
    number = number_of(value)
    if number is None or number != number:  # noqa: PLR0124  # NaN
        return -math.inf
    return -number if is_distance else number


def _numbers(values: Sequence[object]) -> list[float]:
    if _PLAIN_NUMBERS.issuperset(map(type, values)):
        try:
            return [number for number in map(float, cast("Sequence[float]", values)) if math.isfinite(number)]
        except OverflowError:
            # One of more than 308 digits.
            pass
    numbers = map(number_of, values)
    return [number for number in numbers if number is not None and math.isfinite(number)]
