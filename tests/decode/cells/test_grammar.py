"""The table of cells: what a text is in which column. SQL has to read the same table the same way."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.cells.grammar import OddCells, likely_mark, odd_cells, read, writing_of
from dashlight.decode.cells.nulls import BLANKS
from dashlight.decode.cells.numbers import AMOUNT, COMMAED, MOST_CHARACTERS, POINTED, number_in
from dashlight.decode.cells.shapes import NUMBERS, PATTERNS, CellCounts, shape_of
from dashlight.window.columns import Writing

TABLE: list[dict[str, Any]] = json.loads((Path(__file__).parent / "table.json").read_text())
REPEATS = 400
"""Of the cells beside: what is asked for is then less than one cell in a hundred."""


def counted(*texts: str) -> CellCounts:
    counts = CellCounts()
    counts.add(texts)
    return counts


def listed(column: Any) -> list[Any]:
    """The values of *column* with None for NaN."""
    values = column if isinstance(column, list) else column.tolist()
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]


@pytest.mark.parametrize("context", TABLE, ids=[context["what"] for context in TABLE])
def test_a_cell_is_what_the_table_says_in_such_a_column(context: dict[str, Any]) -> None:
    found: dict[str, Any] = {}
    for text in context["cells"]:
        column = [*context["beside"] * REPEATS, text]
        writing = writing_of(counted(*column), likely=context["likely"])
        found[text] = listed(read(column, writing))[-1]
        assert writing.kind == context["kind"], text
        for said in ("dates", "has_percent", "has_currency"):
            assert getattr(writing, said) == context.get(said, getattr(writing, said))

    assert found == context["cells"]
    assert {text: type(value) for text, value in found.items() if isinstance(value, bool)} == {
        text: type(value) for text, value in context["cells"].items() if isinstance(value, bool)
    }


def test_counts_of_pieces_are_those_of_the_whole() -> None:
    texts = ["1", "x", "2,5", "", "x", "007", "$3", "4 %", "N/A", "yes", "12.345"] * 3
    pieces = CellCounts()
    for start in range(0, len(texts), 4):
        pieces.add(texts[start : start + 4])

    assert pieces == counted(*texts)
    assert pieces.first["text"] == (1, "x")
    assert (pieces.fewest_digits, pieces.most_digits) == (1, 3)
    assert pieces.nulls == {"": 3, "N/A": 3}


@pytest.mark.parametrize(
    ("odd", "of", "kind"),
    [(1, 100, "number"), (2, 100, "text"), (50, 5000, "number"), (51, 5000, "text")],
    ids=["one of a hundred", "two of a hundred", "fifty of 5,000", "fifty-one of 5,000"],
)
def test_a_few_odd_cells_make_no_words_of_numbers(odd: int, of: int, kind: str) -> None:
    assert writing_of(counted(*["1.5"] * (of - odd), *["x"] * odd)).kind == kind


def test_odd_cells_are_told_with_the_first_of_them() -> None:
    column = [*["1.5", "N/A"] * 500, "inf", "x" * 500, "2024-01-01", *["2"] * 500]
    counts = counted(*column)

    odd = odd_cells(counts, writing_of(counts))

    assert odd == OddCells(3, 1000, "inf")
    assert odd_cells(counted("1", "2"), Writing("number")) is None
    assert odd_cells(counted("x", "1"), Writing("text")) is None
    assert odd_cells(counted("x" * 500), Writing("number")) == OddCells(1, 0, "x" * 200)


def test_the_writing_tells_what_occurred() -> None:
    column = ["1.234,50 \u20ac", "n/a", "", " ", "12,5 %", "NULL"]

    assert writing_of(counted(*column)) == Writing(
        "number", decimal=",", has_currency=True, has_percent=True, nulls=("", "NULL", "n/a")
    )
    assert writing_of(counted("a", "", "NA")) == Writing("text", nulls=("",))
    assert writing_of(counted("a", "NA")) == Writing("text")
    assert writing_of(counted("true", "unknown", *["false"] * 200)) == Writing("boolean")


@pytest.mark.parametrize(
    ("columns", "separator", "mark"),
    [
        ([["1,5"], ["1,250"]], ",", ","),
        ([["1.5"], ["1,250"]], ";", "."),
        ([["1,5"], ["1.5"], ["1,250"]], ";", "."),
        ([["1,250"], ["7"]], ";", ","),
        ([["1,250"], ["7"]], ",", "."),
        ([["1.250"], ["7"]], ";", "."),
        ([], ";", "."),
    ],
)
def test_the_mark_of_a_file_is_that_of_the_columns_that_show_one(
    columns: list[list[str]], separator: str, mark: str
) -> None:
    assert likely_mark([counted(*column) for column in columns], separator=separator) == mark


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["12345", "01234"] * 10, "text"),
        (["12345"] * 999 + ["01234"], "text"),
        (["1", "12345"] * 500 + ["01234"], "number"),
        (["4111111111111111"] * 3, "text"),
        (["1.5"] * 999 + ["4111111111111111"], "number"),
    ],
    ids=[
        "many begin with 0",
        "all of a width and one begins with 0",
        "a 0 too many",
        "long",
        "one long among fractions",
    ],
)
def test_codes_are_no_numbers(cells: list[str], kind: str) -> None:
    assert writing_of(counted(*cells)).kind == kind


@given(st.text(alphabet="0123456789.,-+() $%eE'/:TZ\u00a0\u2212naNA?", max_size=24))
def test_a_cell_has_one_shape_and_is_a_number_where_it_has_that_of_one(text: str) -> None:
    bare = text.strip(BLANKS)
    shape = shape_of(bare)

    is_too_large = shape in NUMBERS and re.search("[eE][+]?[0-9]{3}", bare) is not None
    assert (number_in(bare, ".") is not None) == (shape in NUMBERS - {"infinite"}) or is_too_large
    assert shape == next((each for each, pattern in PATTERNS.items() if re.fullmatch(pattern, bare)), shape)


@pytest.mark.parametrize(
    "unit",
    [
        "$",
        "US$",
        "CA$",
        "AU$",
        "NZ$",
        "HK$",
        "SG$",
        "MX$",
        "A$",
        "C$",
        "R$",
        "S$",
        "€",
        "£",
        "¥",
        "₹",
        "₽",
        "₩",
        "₺",
        "₪",
        "฿",
        "₫",
        "₴",
        "₦",
        "USD",
        "EUR",
        "GBP",
        "CHF",
        "JPY",
        "CNY",
        "RMB",
        "INR",
        "SEK",
        "NOK",
        "DKK",
        "PLN",
        "CZK",
        "HUF",
        "CAD",
        "AUD",
        "NZD",
        "BRL",
        "MXN",
        "ZAR",
        "RUB",
        "TRY",
        "KRW",
        "SGD",
        "HKD",
        "kr",
        "kr.",
        "Fr.",
        "Rs",
        "Rs.",
        "zł",
        "zl",
        "Kč",
        "Ft",
        "%",
    ],
)
def test_money_and_percent_stand_before_and_behind(unit: str) -> None:
    behind = [f"5{unit}", f"-5 {unit}", f"({unit}5)", f"(5 {unit})", f"1,250.5\u00a0{unit}", f"1.250,5{unit}"]
    before = [] if unit == "%" else [f"{unit}5", f"{unit} 5", f"-{unit}5", f"{unit}-5", f"{unit}(5)"]

    assert [number_in(text, ".") for text in behind] == [5, -5, -5, -5, 1250.5, 1250.5] or unit == "%"
    assert [number_in(text, ".") for text in before] == [5, 5, -5, -5, -5] or unit == "%"
    assert NUMBERS.issuperset(map(shape_of, [text for text in (*behind, *before) if text != "(%5)"]))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_from_what_python_writes(number: float) -> None:
    read_back = read([repr(number)], Writing("number"))

    assert read_back == [number]


@given(st.lists(st.sampled_from(["1.5", "", "2,5", "x", "N/A", "007", "1e3", " 4 ", "$5"]), max_size=8))
def test_numbers_in_one_go_are_those_one_by_one(texts: list[str]) -> None:
    whole = listed(read(texts, Writing("number")))

    assert whole == [listed(read([text], Writing("number")))[0] for text in texts]


@given(
    st.from_regex(AMOUNT, fullmatch=True).filter(
        lambda text: (len(text) <= MOST_CHARACTERS and text.isascii()) or text[0] in "\u20ac\u00a3"
    )
)
def test_amounts_that_skip_the_long_patterns_are_what_these_say(text: str) -> None:
    read_by_point = re.fullmatch(POINTED, text)

    assert read_by_point is not None
    assert re.fullmatch(COMMAED, text) is None
    assert shape_of(text) == "point"
    sign = -1.0 if "-" in text else 1.0
    assert number_in(text, ",") == number_in(text, ".") == sign * float(re.sub(r"[^0-9.]", "", text))
