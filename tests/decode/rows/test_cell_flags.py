import pytest

from dashlight.decode.rows.cell_flags import cell_flags
from dashlight.decode.rows.columns import Sheet
from dashlight.records import Cell


@pytest.mark.parametrize(
    ("column", "flags"),
    [
        ([1, 2.5], set()),
        ([1, None], {"null"}),
        ([1.0, float("nan")], {"nonfinite"}),
        (["1e3", "x"], {"numeric_string"}),
        (["007", "x"], set()),
        ([1, "x"], {"mixed_type"}),
        ([True, 1], {"mixed_type"}),
        ([[1, 2.5]], {"vector_column"}),
        ([["a"]], set()),
    ],
    ids=["numbers", "null", "no number", "number in text", "leading nought", "mixed", "truth", "vector", "texts"],
)
def test_what_is_unusual_about_a_column_is_said(column: list[Cell], flags: set[str]) -> None:
    assert set(cell_flags(Sheet(("x",), [(cell,) for cell in column]))) == flags
