import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.cells.times import MOST_CHARACTERS, YEAR_FIRST, seconds_in


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1973-03-03T09:46:40", 1e8),
        ("1973-03-03T09:46:40.5Z", 1e8 + 0.5),
        ("1973-03-03 11:46:40+02:00", 1e8),
        ("1973-03-03T04:16:40-0530", 1e8),
        ("1973-03-03 09:46:40.123456789", 1e8 + 0.123456),
        ("1973/3/3 9:46:40", 1e8),
        ("1973-03-03", 99964800.0),
        ("1973-13-03", None),
        ("1973-03-03T", None),
        ("3", None),
        ("1973-03-03" + "0" * 100, None),
        ("0001-01-01", -62135596800.0),
        ("9999-12-31", 253402214400.0),
    ],
    ids=str,
)
def test_a_moment_is_seconds(text: str, seconds: float | None) -> None:
    assert seconds_in(text, "ymd") == seconds


@pytest.mark.parametrize(
    ("text", "ymd", "dmy", "mdy"),
    [
        ("3/4/2024", None, "2024-04-03", "2024-03-04"),
        ("31/12/2024", "2024-12-31", "2024-12-31", "2024-12-31"),
        ("12-31-2024", "2024-12-31", "2024-12-31", "2024-12-31"),
        ("3.4.2024", "2024-04-03", "2024-04-03", "2024-04-03"),
        ("31/31/2024", None, None, None),
        ("0/4/2024", None, None, None),
    ],
)
def test_which_number_is_the_day(text: str, ymd: str | None, dmy: str | None, mdy: str | None) -> None:
    for order, iso in (("ymd", ymd), ("dmy", dmy), ("mdy", mdy)):
        expected = None if iso is None else seconds_in(iso, "ymd")
        assert seconds_in(text, order) == expected  # type: ignore[arg-type]


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_moments_come_back_from_what_python_writes(moment: dt.datetime) -> None:
    text = moment.isoformat()

    assert re.fullmatch(YEAR_FIRST, text)
    assert len(text) <= MOST_CHARACTERS
    assert seconds_in(text, "ymd") == pytest.approx(moment.timestamp(), abs=1e-4)
