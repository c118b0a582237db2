"""What the lists and objects of a column stand for: vectors, rankings, forecasts or images."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Kind
from dashlight.window.facets.forecast_facets import Series, series_of, steps_of, times_of
from dashlight.window.facets.image_facets import is_image
from dashlight.window.facets.list_names import (
    is_bound_name,
    is_embedding_name,
    is_forecast_name,
    is_ranking_name,
    is_time_name,
)
from dashlight.window.facets.ranking_facets import item_of, items_of
from dashlight.window.facets.vector_facets import LEAST_WIDTH, MOST_WIDTH
from dashlight.window.values import WRONG, numbers_of

MOST_HORIZON = 256
"""Lists of numbers that are usually longer are no forecasts."""

Content: TypeAlias = Literal["numbers", "whole", "items", "series", "image", "empty", "other"]

_LOOKED_AT = 32
"""Elements of a list that tell of what it is."""
_NUMBERS: Final = frozenset({int, float, type(None)})
_WHOLE: Final = frozenset({int})
_ITEMS: Final = frozenset({int, float, str, type(None)})


class ListSurvey:
    """Looks at the lists and objects of one column."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._contents: Counter[Content] = Counter()
        self._lengths: Counter[int] = Counter()
        """Of lists of numbers."""

    def add(self, cells: Sequence[Cell] | NDArray[Any]) -> None:
        """Look at those of *cells* that are lists or objects."""
        if isinstance(cells, np.ndarray) and cells.ndim == 2:
            content: Content = _array_content(cells[0]) if len(cells) else "empty"
            self._contents[content] += len(cells)
            self._lengths[cells.shape[1]] += len(cells)
            return
        for cell in cells:
            if not isinstance(cell, list | tuple | np.ndarray | Mapping):
                continue
            content = _content(cell)
            self._contents[content] += 1
            if content in {"numbers", "whole"}:
                self._lengths[len(cast("Sequence[Any]", cell))] += 1

    @property
    def count(self) -> int:
        """Lists and objects that stand for something."""
        return self._contents.total() - self._contents["other"]

    @property
    def may_be_rankings(self) -> bool:
        """Whether some may be rankings, whose items are wanted."""
        return self._contents["items"] > 0 or (self._contents["whole"] > 0 and is_ranking_name(self._name))

    def kind(self) -> Kind | None:
        """What most of them are; None where that cannot be told.

        Texts, or objects that name an item, are rankings, and so are whole numbers under the name of one. Numbers beside
        moments are forecasts, and so are numbers under the name of one, and lists of numbers that are too short for a
        vector or of several lengths. Of one length from LEAST_WIDTH on, numbers are vectors.
        """
        seen = self._contents
        numbers = seen["numbers"] + seen["whole"]
        most = max(seen["items"], seen["series"], seen["image"], numbers)
        if not most or seen["other"] >= most:
            return None
        if most == numbers:
            return self._kind_of_numbers(numbers)
        if most == seen["image"]:
            return "image"
        return "ranking" if most == seen["items"] or is_ranking_name(self._name) else "forecast"

    def _kind_of_numbers(self, numbers: int) -> Kind | None:
        if is_ranking_name(self._name) and 2 * self._contents["whole"] > numbers:
            return "ranking"
        usual, held = max(self._lengths.items(), key=lambda entry: (entry[1], entry[0]))
        is_short = 2 * sum(count for length, count in self._lengths.items() if length <= MOST_HORIZON) > numbers
        if is_embedding_name(self._name):
            return "vector" if LEAST_WIDTH <= usual <= MOST_WIDTH else None
        if is_short and any(says(self._name) for says in (is_forecast_name, is_time_name, is_bound_name)):
            return "forecast"
        if 2 * held > numbers and LEAST_WIDTH <= usual <= MOST_WIDTH:
            return "vector"
        return "forecast" if is_short else None


def kind_of_lists(name: str, cells: Sequence[Cell] | NDArray[Any]) -> Kind | None:
    """What most of the lists and objects among *cells* of the column *name* are; None where that cannot be told."""
    survey = ListSurvey(name)
    survey.add(cells)
    return survey.kind()


def bounded_list(cell: Sequence[Any] | NDArray[Any]) -> Cell:
    """What is looked at of a list that is not of numbers alone: its moments and values, or its items; WRONG without either.

    A null inside makes it null here as it will later.
    """
    content = _content(cell)
    if content == "series":
        series = series_of(cell)
        if not isinstance(series, Series) or not len(series.values):
            return series if not isinstance(series, Series) else list(cell)
        return list(zip(series.times, series.values, strict=True))
    if content in {"numbers", "whole"}:  # with nulls among them, or larger than any array holds
        numbers, wrong = numbers_of(cast("Sequence[Cell]", cell))
        return WRONG if wrong.any() else numbers
    return items_of(cell)


def _content(cell: Any) -> Content:
    if isinstance(cell, Mapping):
        return "image" if is_image(cast("Cell", cell)) else "other"
    if isinstance(cell, np.ndarray):
        return _array_content(cast("NDArray[Any]", cell))
    held = cast("Sequence[Any]", cell)[:_LOOKED_AT]
    kinds = set(map(type, held))
    if not kinds:
        return "empty"
    if kinds <= _NUMBERS:
        return "whole" if kinds <= _WHOLE else "numbers"
    if kinds <= _ITEMS:
        return "series" if kinds == {str} and times_of(held) is not None else "items"
    return _content_of_entries(held)


def _content_of_entries(held: Sequence[Any]) -> Content:
    """What a list of pairs or of objects is."""
    steps = steps_of(held)
    if steps is not None and times_of(steps[0]) is not None:
        return "series"
    if all(isinstance(entry, Mapping) and item_of(cast("Mapping[str, Any]", entry)) is not WRONG for entry in held):
        return "items"
    return "items" if steps is not None and all(isinstance(each, str) for each in steps[0]) else "other"


def _array_content(array: NDArray[Any]) -> Content:
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        return "other"
    return ("whole" if array.dtype.kind in "iu" else "numbers") if len(array) else "empty"
