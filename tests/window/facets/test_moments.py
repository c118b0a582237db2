from collections.abc import Callable

import pytest

from dashlight.window.columns import ColumnReference
from dashlight.window.facets.moments import moment_columns, seconds_of, with_moments
from dashlight.window.tables import table_of_columns


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1973-03-03T09:46:40", 1e8),
        ("1973-03-03T09:46:40.5Z", 1e8 + 0.5),
        ("1973-03-03 11:46:40+02:00", 1e8),
        ("1973-03-03T04:16:40-0530", 1e8),
        ("1973-03-03", 99964800.0),
        ("1973-13-03", None),
        ("1973-03-03T", None),
        ("3", None),
        ("1973-03-03" + "0" * 100, None),
    ],
    ids=str,
)
def test_a_moment_is_seconds(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_texts_that_are_all_moments_are_seconds_where_the_reference_counts_them(
    column: Callable[..., ColumnReference],
) -> None:
    at, age = column("at", low=1.6e9, high=1.7e9), column("age", low=0.0, high=90.0)
    texts = ["2020-09-13T12:26:40", None]
    names = moment_columns([at, age])

    assert names == {"at"}
    assert with_moments(table_of_columns({"at": texts, "age": texts}), names).number_names == ("at",)
    assert with_moments(table_of_columns({"at": [*texts, "soon"]}), names).number_names == ()
