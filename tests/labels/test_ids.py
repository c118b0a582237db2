"""What rows and steps are called."""

from __future__ import annotations

import pytest

from dashlight.labels.ids import id_of_only_row, id_of_row, id_of_step


@pytest.mark.parametrize(
    ("row_id", "found"),
    [
        (id_of_row("a", 0), "a"),
        (id_of_step(id_of_row("a", 0), 3), "a@3"),
        (id_of_row("a", 10), ""),
        ("a", ""),
        ("a@3", ""),
        (":0", ""),
        ("", ""),
        ("a:0:0", "a:0"),
    ],
)
def test_the_first_row_may_be_the_only_one(row_id: str, found: str) -> None:
    assert id_of_only_row(row_id) == found


def test_the_first_of_several_rows_is_not_the_only_one() -> None:
    assert id_of_only_row("a:0", {"a:0", "a:1"}) == ""
    assert id_of_only_row("a:0@2", {"a:1@2"}) == ""
    assert id_of_only_row("a:0", {"a:0", "b:1"}) == "a"
