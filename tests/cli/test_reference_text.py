from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from dashlight.cli.reference_text import season_words, shown, summary
from dashlight.records import Role
from dashlight.window.columns import LeftOutColumn, Reference, Season
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.seasons.waves import HOURS
from dashlight.window.tables import Column

OUTPUT: Mapping[str, Role] = {"p": "output"}


def reference(columns: Mapping[str, Column], *, ordered: bool = True, categorical: tuple[str, ...] = ()) -> Reference:
    return build_reference_from_columns(
        columns,
        OUTPUT,
        rng=np.random.default_rng(0),
        created_at=1_356_998_400.0,
        ordered=ordered,
        categorical=categorical,
    )


def test_a_summary_says_how_much_and_when() -> None:
    made = reference({"x": [1.0] * 200, "p": [0.5] * 200}, ordered=False)

    assert summary(made) == f"200 rows in no order, 2 columns, version {made.version}, made 2013-01-01 00:00 UTC"


def test_a_learned_reference_says_so() -> None:
    learned = Reference((), "learned", True, "abc", 0.0, "flights")

    assert summary(learned) == "0 rows in time order, 0 columns of flights, version abc, learned 1970-01-01 00:00 UTC"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        pytest.param([1.0, 2.5] * 100, "1 to 2.5 in 2 bins", id="numbers"),
        pytest.param(["a", "b", "a", "a"] * 50, "a 75%, b 25%", id="categories"),
        pytest.param([f"k{row % 40}" for row in range(400)], " and 36 more", id="many"),
        pytest.param(["x" * 50] * 200, "x" * 20 + " 100%", id="a long category"),
        pytest.param([f"{row} {'word ' * 9}" for row in range(200)], "free text", id="texts"),
        pytest.param([["a", "b"]] * 200, "lists of items", id="rankings"),
        pytest.param([[0.5, 0.7]] * 200, "lists of steps", id="forecasts"),
        pytest.param([{"format": "png", "bytes": 5}] * 200, "images", id="images"),
        pytest.param([None] * 200, "none", id="nulls"),
    ],
)
def test_the_values_of_a_column_are_told_in_short(values: list[object], words: str) -> None:
    lines = shown(reference({"x": values}), "r.json").splitlines()[3:]

    assert any(line.split()[1] == "x" and words in line for line in lines)


@pytest.mark.parametrize(
    ("rows", "ordered", "words"),
    [
        pytest.param(200, True, "unknown: too few rows", id="short"),
        pytest.param(1200, True, "100 rows", id="twelve blocks"),
        pytest.param(20_000, True, "100, 400, 1600 rows", id="long"),
        pytest.param(20_000, False, "unknown: not in time order", id="unordered"),
    ],
)
def test_it_is_told_whether_variation_is_known(rows: int, ordered: bool, words: str) -> None:  # noqa: FBT001
    assert shown(reference({"x": [0.0, 1.0] * (rows // 2)}, ordered=ordered), "r.json").splitlines()[3].endswith(words)


def test_columns_stand_below_one_another() -> None:
    lines = shown(reference({"x": [1.0] * 200, "longer": [2.0] * 200}), "r.json").splitlines()

    assert lines[0].startswith("r.json: 200 rows")
    assert lines[1] == ""
    assert len({line.index("numeric") for line in lines[3:5]}) == 1


@pytest.mark.parametrize(
    ("harmonics", "words"),
    [
        pytest.param([7, 14], "follows the hour of the day", id="daily"),
        pytest.param([1, 6, 7, 8], "follows the hour of the week", id="daily, and other on weekends"),
        pytest.param([1, 2, 3], "follows the day of the week", id="weekly"),
    ],
)
def test_the_rhythm_of_a_column_is_told(harmonics: list[int], words: str) -> None:
    season = Season(np.array(harmonics), np.zeros((1 + 2 * len(harmonics), 36)), np.ones(HOURS), ())

    assert season_words(season) == words


def test_what_the_reference_does_without_is_told() -> None:
    made = replace(reference({"x": [1.0, 2.5] * 100}), left_out=(LeftOutColumn("feature", "seq", "counter"),))

    assert shown(made, "r.json").splitlines()[-1] == "left out: 'seq' counts up from row to row"


def test_a_line_break_in_a_category_breaks_no_line() -> None:
    lines = shown(reference({"x": ["two\nlines", "one"] * 100}), "r.json").splitlines()

    assert any("two?lines 50%" in line for line in lines)
