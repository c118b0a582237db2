from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashlight.judge.silences import MOST_SILENCES, Silence, audible, check_silences
from dashlight.records import Alert

AT = 1_790_000_000.0
SILENCE = Silence("a", AT - 60, AT + 3600, "a migration", column="age")


def alert(**overrides: Any) -> Alert:
    fields: dict[str, Any] = {
        "key": "drift/age", "source": "drift", "model": "m", "version": "1", "endpoint": "/predict", "column": "age",
        "role": "feature", "state": "firing", "summary": "", "at": AT, "since_at": AT, "rows": 1, "score": 1.0,
    }  # fmt: skip
    return Alert(**{**fields, **overrides})


@pytest.mark.parametrize(
    ("wanted", "is_covered"),
    [
        ({}, True),
        ({"column": "ag*"}, True),
        ({"column": "income"}, False),
        ({"column": "", "endpoint": "/pre*"}, True),
        ({"endpoint": "/other"}, False),
        ({"source": "drift"}, True),
        ({"source": "threshold"}, False),
        ({"column": "", "source": "drift"}, True),
        ({"made_at": AT + 1}, False),
        ({"until_at": AT}, False),
    ],
)
def test_a_silence_covers_what_fits_all_that_it_says_while_it_lasts(
    wanted: dict[str, Any], *, is_covered: bool
) -> None:
    assert replace(SILENCE, **wanted).covers(alert(), AT) is is_covered


def test_a_glob_of_columns_covers_nothing_that_is_about_none() -> None:
    assert not replace(SILENCE, column="*").covers(alert(column=None), AT)


def test_names_are_compared_by_case_and_whatever_they_hold() -> None:
    assert not SILENCE.covers(alert(column="Age"), AT)
    assert replace(SILENCE, column="a[[]0]").covers(alert(column="a[0]"), AT)
    assert replace(SILENCE, column="data[0]").covers(alert(column="data[0]"), AT)


def test_what_was_told_is_told_to_its_end() -> None:
    assert audible([alert()], [SILENCE], told=(), at=AT) == []
    assert audible([alert()], [SILENCE], told={"drift/age"}, at=AT) == [alert()]


@pytest.mark.parametrize(
    "wrong",
    [
        {"why": " "},
        {"column": ""},
        {"until_at": AT - 61},
        {"until_at": AT + 400 * 86400},
        {"until_at": float("nan")},
        {"until_at": float("inf")},
        {"column": "x" * 300},
    ],
)
def test_what_is_no_silence_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"silence|text"):
        check_silences([replace(SILENCE, **wrong)])


def test_their_number_has_a_bound_and_their_ids_are_their_own() -> None:
    with pytest.raises(ValueError, match="at most"):
        check_silences([replace(SILENCE, id=str(number)) for number in range(MOST_SILENCES + 1)])
    with pytest.raises(ValueError, match="one id"):
        check_silences([SILENCE, SILENCE])
