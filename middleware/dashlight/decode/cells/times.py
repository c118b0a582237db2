"""Dates and timestamps: all of them seconds since the epoch, UTC where they name no zone."""

import re
from typing import Final

import numpy as np

from dashlight.window.columns import DateOrder

_MONTH = "(?:0?[1-9]|1[0-2])"
_DAY = "(?:0?[1-9]|[12][0-9]|3[01])"
_LATE_DAY = "(?:1[3-9]|2[0-9]|3[01])"
_CLOCK = "(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
_ZONE = "Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?"
_REST = f"(?:[T ]({_CLOCK})(?: ?({_ZONE}))?)?"

YEAR_FIRST: Final = f"([0-9]{{4}})[-/]({_MONTH})[-/]({_DAY}){_REST}"
"""ISO 8601 with a T or a blank, with strokes too. Groups of these patterns: the three of the date, 4 the time, 5 the zone."""
DAY_FIRST: Final = f"({_LATE_DAY})[-/]({_MONTH})[-/]([0-9]{{4}}){_REST}"
"""31/12/2024."""
DOTTED: Final = f"({_DAY})[.]({_MONTH})[.]([0-9]{{4}}){_REST}"
"""31.12.2024: where dots part them the day comes first."""
MONTH_FIRST: Final = f"({_MONTH})[-/]({_LATE_DAY})[-/]([0-9]{{4}}){_REST}"
OPEN_DAY: Final = f"({_MONTH})[-/]({_MONTH})[-/]([0-9]{{4}}){_REST}"
"""3/4/2024: which is the day has to be told by the other cells."""
YEAR_LAST: Final = f"([0-9]{{1,2}})([-/.])([0-9]{{1,2}})[-/.]([0-9]{{4}}){_REST}"
"""Any of the last four. Groups: 1 and 3 the day and the month, 2 what parts them, 4 the year, 5 the time, 6 the zone."""

MOST_CHARACTERS: Final = 40

_YEAR_FIRST = re.compile(YEAR_FIRST)
_YEAR_LAST = re.compile(YEAR_LAST)


def seconds_in(bare: str, dates: DateOrder) -> float | None:
    """Seconds since the epoch of the date or timestamp that *bare*, a text without outer blanks, writes; None for others.

    *dates* says what `3/4/2024` means; `31/12/2024` says it itself.
    """
    iso = _iso(bare, dates)
    if iso is None:
        return None
    moment, offset = iso
    try:
        return float(np.datetime64(moment, "us").astype(np.int64)) / 1e6 - offset
    except ValueError:  # the 30th of February
        return None


def _iso(bare: str, dates: DateOrder) -> tuple[str, int] | None:
    """*bare* as NumPy reads it, and the seconds by which its zone is ahead of UTC."""
    if len(bare) > MOST_CHARACTERS:
        return None
    found = _YEAR_FIRST.fullmatch(bare)
    if found is not None:
        year, month, day, clock, zone = found.groups()
    else:
        found = _YEAR_LAST.fullmatch(bare)
        if found is None:
            return None
        one, mark, other, year, clock, zone = found.groups()
        is_day_first = mark == "." or int(one) > 12 or (int(other) <= 12 and dates == "dmy")
        if not is_day_first and int(other) <= 12 and dates == "ymd":
            return None
        day, month = (one, other) if is_day_first else (other, one)
    time = (clock or "00:00").replace(",", ".")
    if time[1] == ":":
        time = f"0{time}"
    return f"{year}-{month:0>2}-{day:0>2}T{time}", _offset(zone)


def _offset(zone: str | None) -> int:
    if not zone or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = 3600 * int(digits[:2]) + 60 * int(digits[2:] or 0)
    return -seconds if zone[0] == "-" else seconds
