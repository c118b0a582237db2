from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.slices.copies import no_explanation
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import STRUCTURAL_BINS
from dashlight.window.reference.steps import finished

Make = Callable[..., ColumnReference]
Draw = Callable[[np.random.Generator, Sequence[ColumnReference], int], NDArray[np.uint8]]


def test_a_copy_and_what_is_made_of_the_column_explain_nothing(numeric: Make, drawn: Draw) -> None:
    columns = [numeric(name) for name in ("age", "years", "age group", "height", "shoe size", "constant")]
    codes = drawn(np.random.default_rng(1), columns, 5_000)
    codes[1] = codes[0]
    codes[2] = STRUCTURAL_BINS + (codes[0] - STRUCTURAL_BINS) // 8
    codes[4] = np.where(codes[4] > 20, codes[0], codes[4])  # hangs on it, but is none
    codes[5] = STRUCTURAL_BINS

    assert finished(no_explanation(columns, 0, codes)) == {0, 1, 2}


def test_facets_of_one_text_explain_one_another_not(numeric: Make, drawn: Draw) -> None:
    columns = [
        numeric("note · length", of="note"),
        numeric("note · digits", of="note"),
        numeric("note"),
        numeric("note", role="output"),
        numeric("age"),
    ]
    codes = drawn(np.random.default_rng(2), columns, 5_000)

    assert finished(no_explanation(columns, 0, codes)) == {0, 1, 2}


def test_chance_makes_no_copy_of_few_rows(numeric: Make, drawn: Draw) -> None:
    columns = [numeric(f"column {place}") for place in range(20)]
    codes = drawn(np.random.default_rng(3), columns, 300)

    assert len(finished(no_explanation(columns, 5, codes))) == 1
