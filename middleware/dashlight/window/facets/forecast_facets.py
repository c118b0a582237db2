"""What can be said of a forecast, a list of numbers step after step, and of the moments of its steps. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import nan
from typing import Any, Final, TypeAlias, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell
from dashlight.window.facets.list_names import is_time_name
from dashlight.window.values import WRONG, Text, is_null, number_of

FORECAST_FACETS = ("length", "first", "mean", "last", "slope", "step", "gap_share")
"""Steps; values, and how much they rise from step to step; the usual time between steps (seconds, where moments are
written as dates); share of the steps expected at that pace that are not there."""
PRESENT = "forecast"
"""Stands for any forecast once its facets are known."""
MOST_STEPS = 4096
"""A longer list is no forecast."""

Numbers: TypeAlias = Sequence[float] | NDArray[np.float64]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?")
_MOMENT_CHARACTERS = 19
"""Fractions of seconds and zones are not looked at: steps are compared with one another."""
_TIME_KEYS = ("ds", "timestamp", "time", "date", "datetime", "t", "x")
_VALUE_KEYS = ("yhat", "y_hat", "forecast", "value", "prediction", "predicted", "mean", "y", "v")
_PLAIN: Final = frozenset({int, float})
_LARGEST = 1e15
"""Larger numbers, infinite ones too, count as this: they can be added."""
_MOST_MISSING = 1e6
_NO_TIMES: Numbers = ()


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values and their moments; either may be missing."""

    values: Numbers
    times: Numbers = _NO_TIMES


def series_of(cell: Cell, *, are_times: bool = False) -> Series | Text:
    """The forecast *cell*: a list of numbers, of moments as ISO 8601 writes them, or of pairs or objects of both.

    *are_times* says that numbers are moments too. None where it is null, or something in it is; WRONG where it is no
    list, or something in it is none of these.
    """
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if not isinstance(cell, list | tuple):
        return None if is_null(cell) else WRONG
    held = cast("Sequence[Any]", cell)
    if len(held) > MOST_STEPS:
        return WRONG
    if not are_times and _PLAIN.issuperset(map(type, held)):
        return Series(held)
    if not held:
        return Series(())
    if isinstance(held[0], str):
        times = times_of(held)
        return WRONG if times is None else Series((), times)
    if not isinstance(held[0], list | tuple | Mapping):
        numbers = _numbers(held)
        if not isinstance(numbers, list):
            return numbers
        return Series((), numbers) if are_times else Series(numbers)
    return _paired(held)


def times_of(written: Sequence[Any]) -> NDArray[np.float64] | None:
    """Seconds since the epoch of moments written as ISO 8601 wants it, or of numbers as they are; None for anything else."""
    if all(isinstance(each, str) for each in written):
        cut = [each[:_MOMENT_CHARACTERS] for each in written]
        if not all(map(_MOMENT.fullmatch, cut)):
            return None
        try:
            return np.array(cut, "datetime64[s]").astype(np.int64).astype(np.float64)
        except ValueError:  # a thirteenth month
            return None
    numbers = _numbers(written)
    return np.array(numbers, np.float64) if isinstance(numbers, list) else None


def steps_of(entries: Sequence[Any]) -> tuple[list[Any], list[Any]] | None:
    """Times and values of *entries*, where each is a pair of both or an object with the keys of both; else None."""
    first = entries[0]
    if isinstance(first, Mapping):
        keys = cast("Mapping[str, Any]", first)
        time = next((key for key in _TIME_KEYS if key in keys), None)
        value = next((key for key in _VALUE_KEYS if key in keys), None)
        try:
            return None if time is None or value is None else (_under(time, entries), _under(value, entries))
        except (KeyError, TypeError, IndexError):  # other keys than the first has, or no object
            return None
    if not all(isinstance(entry, list | tuple) and len(cast("Sequence[Any]", entry)) == 2 for entry in entries):
        return None
    return [entry[0] for entry in entries], [entry[1] for entry in entries]


def forecast_facets(
    name: str, cells: Sequence[Cell] | NDArray[Any]
) -> tuple[NDArray[np.float64], tuple[list[Text], ...], list[Cell]]:
    """FORECAST_FACETS of *cells*, shape (len(FORECAST_FACETS), len(cells)), no categories, and what is left of each.

    Left is PRESENT, None where null, WRONG where it is no forecast. Under the *name* of moments numbers are moments. What
    a forecast does not have is NaN: an empty one has a length alone, one of a single step no slope.
    """
    are_times = is_time_name(name)
    numbers = np.full((len(FORECAST_FACETS), len(cells)), nan)
    left: list[Cell] = [PRESENT] * len(cells)
    places: list[int] = []
    valued: list[Numbers] = []
    for place, cell in enumerate(cells):
        if not are_times and _is_plain(cell):  # the usual case, without more ado
            values: Numbers = cell
        else:
            series = series_of(cell, are_times=are_times)
            if not isinstance(series, Series):
                left[place] = series
                continue
            values = series.values
            numbers[0, place] = len(series.times)
            if len(series.times):
                numbers[5:, place] = _pace(np.asarray(series.times, np.float64))
        if len(values):
            places.append(place)
            valued.append(values)
    if valued:
        numbers[:5, places] = _courses(valued)
        for place in np.array(places)[np.isnan(numbers[2, places])].tolist():  # a NaN among its values
            numbers[:, place], left[place] = nan, None
    return numbers, (), left


def _is_plain(cell: Cell) -> TypeGuard[list[float]]:
    if type(cell) is not list:
        return False
    held: list[Any] = cell  # pyright: ignore[reportUnknownVariableType]
    return 0 < len(held) <= MOST_STEPS and _PLAIN.issuperset(map(type, held))


def _numbers(held: Sequence[Any]) -> list[float] | Text:
    numbers = [number_of(each) for each in held]
    if None in numbers:
        return WRONG
    return None if np.isnan(np.array(numbers, np.float64)).any() else cast("list[float]", numbers)


def _paired(held: Sequence[Any]) -> Series | Text:
    steps = steps_of(held)
    if steps is None:
        return WRONG
    times, values = times_of(steps[0]), _numbers(steps[1])
    if not isinstance(values, list):
        return values
    return WRONG if times is None else Series(values, times)


def _under(key: str, entries: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [entry[key] for entry in entries]


def _courses(lists: Sequence[Numbers]) -> NDArray[np.float64]:
    """Length, first, mean, last and slope of each of *lists*, none of them empty; the mean of one with a NaN is NaN."""
    lengths = np.array(list(map(len, lists)))
    try:
        flat = np.fromiter(chain.from_iterable(lists), np.float64, int(lengths.sum()))
    except OverflowError:  # an integer of more than 308 digits
        flat = np.array([number_of(number) for number in chain.from_iterable(lists)], np.float64)
    np.clip(flat, -_LARGEST, _LARGEST, out=flat)
    begins = np.cumsum(lengths) - lengths
    # The place of each step, counted from the middle of its list.
    places = np.arange(len(flat)) - np.repeat(begins + (lengths - 1) / 2, lengths)
    spread = lengths * (lengths.astype(np.float64) ** 2 - 1) / 12  # sum of squares of the places
    rise = np.add.reduceat(places * flat, begins)
    slope = np.divide(rise, spread, out=np.full(len(lengths), nan), where=spread > 0)
    mean = np.add.reduceat(flat, begins) / lengths
    return np.stack([lengths, flat[begins], mean, flat[begins + lengths - 1], slope])


def _pace(times: NDArray[np.float64]) -> tuple[float, float]:
    """The usual step between *times*, and the share of expected ones that are missing; NaN where there are too few."""
    steps = np.diff(np.clip(times, -_LARGEST, _LARGEST))
    usual = float(np.median(steps)) if len(steps) else nan
    if not usual > 0:
        return (usual, nan)
    missing = float(np.minimum(np.maximum(np.round(steps / usual) - 1, 0), _MOST_MISSING).sum())
    return (usual, missing / (len(times) + missing))
