"""Boxes in an answer: where something was found in an image."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, cast

from dashlight.decode.rows.jsonvalue import is_list, is_object
from dashlight.window.values import number_of

Box: TypeAlias = tuple[float, float, float, float]
"""Centre (x, y), width and height, in the units of the answer."""


_CORNERS = (("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"))
_CENTRED = ("x", "y", "width", "height")
_PLACED = (("left", "top", "width", "height"), ("x", "y", "w", "h"))
_BOX_NAME = re.compile(
    r"(?i)(?:\w{0,40}_)?(?:b?box(?:es)?|rois?|rects?|xyxy|xywh)(?:_?(?:xyxy|xywh|norm|normalized|coords))?"
)
_SIZED_BOX_NAME = re.compile(r"(?i)(?:\w{0,40}_)?(?:bbox(?:es)?|rects?|\w{0,40}xywh)")
"""As COCO writes them: left, top, width, height."""
_DETECTIONS = re.compile(r"(?i)(?:\w{0,40}_)?(?:detections?|objects|detected)")
_WIDTH = 6
_CLASSES = 1e6
_PLAIN_NUMBERS = frozenset({int, float})


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found in an image: the number of its class, a score from 0 to 1, and where."""

    label: object
    score: object
    box: Box


def raw_detections(name: str, items: Sequence[object]) -> list[Detection]:
    """The detections in a list of rows of numbers, as detectors answer them by themselves; none where it holds others.

    Rows are two opposite corners, score and class (`[x1, y1, x2, y2, score, class]`), or the place of the image, corners,
    class and score. Corners in pixels, or anything under a name for detections.
    """
    rows = cast("Sequence[list[object]]", items)
    if set(map(type, items)) != {list} or set(map(len, rows)) not in ({_WIDTH}, {_WIDTH + 1}):
        return []
    found: list[Detection] = []
    is_named = _DETECTIONS.fullmatch(name) is not None or is_box_name(name)
    for row in rows:
        if not _PLAIN_NUMBERS.issuperset(map(type, row)):
            return []
        numbers = cast("list[float]", row)
        x1, y1, x2, y2 = numbers[:4] if len(numbers) == _WIDTH else numbers[1:5]
        score, label = numbers[4:] if len(numbers) == _WIDTH else numbers[:4:-1]
        if not (x1 < x2 and y1 < y2 and 0 <= score <= 1 and 0 <= label < _CLASSES and label == int(label)):
            return []
        if not is_named and (x2 <= 1 or y2 <= 1):
            return []
        found.append(Detection(label, score, ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)))
    return found


@lru_cache(maxsize=512)
def is_box_name(name: str) -> bool:
    """Whether what stands under *name* is a box, or are boxes."""
    return _BOX_NAME.fullmatch(name) is not None


def box_of(name: str, value: object) -> Box | None:
    """The box in *value*, under *name*; None where there is none.

    Four numbers are two opposite corners, or, under the names COCO uses, a corner with width and height.
    """
    if is_object(value):
        return box_of_fields(value)
    parts = value if is_list(value) else []
    if len(parts) == 2 and all(is_list(corner) and len(corner) == 2 for corner in parts):
        parts = [part for corner in parts if is_list(corner) for part in corner]
    numbers = numbers_of(parts)
    if len(numbers) != 4 or len(parts) != 4:
        return None
    a, b, c, d = numbers
    if _SIZED_BOX_NAME.fullmatch(name):
        return (a + c / 2, b + d / 2, abs(c), abs(d))
    return ((a + c) / 2, (b + d) / 2, abs(c - a), abs(d - b))


def box_of_fields(fields: Mapping[str, object]) -> Box | None:
    """The box whose corners, or centre and size, are among *fields*; None where there is none."""
    for keys in _CORNERS:
        if all(key in fields for key in keys):
            return box_of("corners", [fields[key] for key in keys])
    if all(key in fields for key in _CENTRED):
        numbers = numbers_of([fields[key] for key in _CENTRED])
        return (numbers[0], numbers[1], abs(numbers[2]), abs(numbers[3])) if len(numbers) == len(_CENTRED) else None
    for keys in _PLACED:
        if all(key in fields for key in keys):
            return box_of("xywh", [fields[key] for key in keys])
    return None


def are_corners(keys: frozenset[str]) -> bool:
    """Whether among *keys* are those of a box that stands in an object beside other fields."""
    return any(keys.issuperset(each) for each in (*_CORNERS, *_PLACED, _CENTRED))


def numbers_of(values: Sequence[object]) -> list[float]:
    """The finite numbers among *values*; texts of numbers are some."""
    if _PLAIN_NUMBERS.issuperset(map(type, values)):
        try:
            return [number for number in map(float, cast("Sequence[float]", values)) if math.isfinite(number)]
        except OverflowError:
            # One of more than 308 digits.
            pass
    numbers = map(number_of, values)
    return [number for number in numbers if number is not None and math.isfinite(number)]
