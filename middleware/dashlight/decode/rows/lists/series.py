"""Requests that are one row although the answer has as many elements: a history of 24 hours and a forecast of 24."""

import re
from functools import lru_cache
from typing import Final

from dashlight.decode.rows.jsonvalue import NUMBER_TYPES, fields_of, is_list, is_object
from dashlight.window.facets.list_names import is_forecast_name, is_time_name

_HISTORY: Final = re.compile(
    r"(?i)(?:\w{0,40}_)?(?:history|past_?(?:values|target)?|time_?series|series|lags?|context)|histor(?:ic|ical)_?\w{0,40}"
)


def is_one_series(asked: object, answered: object) -> bool:
    """Whether the list of numbers in *asked* is one row, step after step, as its name says or that of the answer's list.

    Without such names a list of numbers that has as many answers is a row for each.
    """
    fields = fields_of(asked)
    if len(fields) == 1 and is_object(inner := next(iter(fields.values()))):
        fields = inner
    lists = {"": asked} if is_list(asked) else {key: value for key, value in fields.items() if is_list(value)}
    numbers = [key for key, value in lists.items() if value and NUMBER_TYPES.issuperset(map(type, value))]
    if not numbers or any(not {dict, list}.isdisjoint(map(type, value)) for value in lists.values()):
        return False
    if any(map(_is_history_name, numbers)):
        return True
    is_forecast = any(
        is_forecast_name(key) and is_list(value) and NUMBER_TYPES.issuperset(map(type, value))
        for key, value in fields_of(answered).items()
    )
    return is_forecast and (len(lists) == 1 or any(map(is_time_name, lists)))


@lru_cache(maxsize=512)
def _is_history_name(key: str) -> bool:
    return _HISTORY.fullmatch(key[:200]) is not None
