"""What can be said of an image that was seen as a header alone: its format, its size, its light. Pure."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell
from dashlight.window.values import WRONG, Text, is_null, number_of, numbers_of

IMAGE_FACETS = ("width", "height", "bytes", "aspect", "brightness", "contrast")
"""Sizes in pixels and in bytes; aspect is width through height; brightness and contrast are shares of white."""
IMAGE_CATEGORIES = ("format",)
PRESENT = "image"
"""Stands for any image once its facets are known."""

_FORMAT_CHARACTERS = 32
_NUMBERS = ("width", "height", "bytes", "brightness", "contrast")
_SIZE = "bytes"
_PLAIN: Final = frozenset({int, float, type(None)})


def is_image(cell: Cell) -> TypeGuard[Mapping[str, Any]]:
    """Whether *cell* is an object that says how many bytes an image, or another file, has."""
    if not isinstance(cell, dict):
        return False
    size: object = cast("dict[str, object]", cell).get(_SIZE)
    return type(size) is int or (isinstance(size, float) and isfinite(size))


def bounded_image(held: Mapping[str, Any]) -> Cell:
    """The parts of an image that are looked at, in little room."""
    kept: dict[str, Cell] = {name: held[name] for name in _NUMBERS if number_of(held.get(name, "")) is not None}
    if isinstance(held.get("format"), str):
        kept["format"] = held["format"][:_FORMAT_CHARACTERS]
    return kept


def image_facets(
    cells: Sequence[Cell] | NDArray[Any],
) -> tuple[NDArray[np.float64], tuple[list[Text], ...], list[Cell]]:
    """IMAGE_FACETS of *cells*, shape (len(IMAGE_FACETS), len(cells)), their formats, and what is left of each.

    Left is PRESENT, None where null, WRONG where it is no image. What an image does not say is NaN, or None.
    """
    places = [place for place, cell in enumerate(cells) if is_image(cell)]
    held = cast("list[Mapping[str, Any]]", [cells[place] for place in places])
    numbers = np.full((len(IMAGE_FACETS), len(cells)), np.nan)
    width, height, size, brightness, contrast = (_numbers([image.get(name) for image in held]) for name in _NUMBERS)
    aspect = np.divide(width, height, out=np.full(len(held), np.nan), where=height > 0)
    numbers[:, places] = (width, height, size, aspect, brightness, contrast)
    formats: list[Text] = [None] * len(cells)
    left: list[Cell] = [PRESENT] * len(cells)
    for place, image in zip(places, held, strict=True):
        written = image.get("format")
        if isinstance(written, str) and written:
            formats[place] = written[:_FORMAT_CHARACTERS]
    for place in set(range(len(cells))).difference(places):
        left[place] = None if is_null(cells[place]) else WRONG
    return numbers, (formats,), left


def _numbers(cells: Sequence[Cell]) -> NDArray[np.float64]:
    """*cells* as numbers, NaN where they are none; finite, so that they can be divided."""
    try:
        plain = _PLAIN.issuperset(map(type, cells))
        numbers = np.array(cells, np.float64) if plain else numbers_of(cells)[0]
    except OverflowError:  # an integer of more than 308 digits
        numbers = numbers_of(cells)[0]
    numbers[np.isinf(numbers)] = np.nan
    return numbers
