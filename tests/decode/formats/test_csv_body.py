import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.formats.csv_body import MAX_WIDTH, cell_of, read_csv
from dashlight.decode.rows.columns import MAX_COLUMNS, MAX_ROWS
from dashlight.errors import DecodeError


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("0.7,12.5,9\n2.0,1.0,3\n", [[0.7, 12.5, 9], [2.0, 1.0, 3]], id="numbers"),
        pytest.param("1,2\r\n3,4", [[1, 2], [3, 4]], id="CR LF"),
        pytest.param("1,2\r3,4\r", [[1, 2], [3, 4]], id="CR alone"),
        pytest.param("\n\n1,2\n\n3,4\n", [[1, 2], [3, 4]], id="blank lines"),
        pytest.param("+5,.5,007,1.\n", [[5, 0.5, "007", 1.0]], id="numbers that JSON does not know, and a code"),
        pytest.param("a,b\n1,x\n2,y", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], id="a header"),
        pytest.param("x,y\nz,w", [["x", "y"], ["z", "w"]], id="words alone are rows"),
        pytest.param("red,1\nblue,2", [["red", 1], ["blue", 2]], id="a word over a word is no header"),
        pytest.param("1,NA,\n,true,x", [[1, None, None], [None, True, "x"]], id="nothing, truth and text"),
        pytest.param('"a, b","say ""hi"""\n"1\n2",3', [{"a, b": "1\n2", 'say "hi"': 3}], id="quotation marks"),
        pytest.param("a;b\n1;2,5", [{"a": 1, "b": 2.5}], id="semicolons"),
        pytest.param("age;income\n3,5;1.200,5\n4,5;2\n", [{"age": 3.5, "income": 1200.5}, {"age": 4.5, "income": 2}],
                     id="decimal commas below a header"),
        pytest.param("3,5;1200,5\n4,5;2,0\n", [[3.5, 1200.5], [4.5, 2.0]], id="decimal commas alone"),
        pytest.param("-,5;1,2e3;x", [[-0.5, 1200.0, "x"]], id="decimal commas in one line"),
        pytest.param("a;b\n1,5;1.234\n2,25;0.5", [{"a": 1.5, "b": 1.234}, {"a": 2.25, "b": 0.5}], id="by column"),
        pytest.param("a;b\n1.234;1\n2,5;2", [{"a": 1234, "b": 1}, {"a": 2.5, "b": 2}], id="thousands with points"),
        pytest.param("a;b\n1,234.5;1\n2,500;2", [{"a": 1234.5, "b": 1}, {"a": 2500, "b": 2}], id="thousands with commas"),
        pytest.param('a,b\n"1,5",1\n"2,250",2', [{"a": 1.5, "b": 1}, {"a": 2.25, "b": 2}], id="quoted decimal commas"),
        pytest.param('a,b\n"2,250",1', [{"a": "2,250", "b": 1}], id="a quoted number that the body leaves open"),
        pytest.param("a;b\n1.250;3,5", [{"a": 1250, "b": 3.5}], id="points where other columns have decimal commas"),
        pytest.param('a,b\n1.250,"3,5"', [{"a": 1250, "b": 3.5}], id="likewise, quoted"),
        pytest.param("a;b\n1.250;3.5", [{"a": 1.25, "b": 3.5}], id="points where other columns have points"),
        pytest.param("a;b\n2,250;1", [{"a": 2.25, "b": 1}], id="a comma where semicolons part the fields"),
        pytest.param('p,q\n"$1,250.00",5 %\n(3),7 %', [{"p": 1250, "q": 5}, {"p": -3, "q": 7}], id="money and percent"),
        pytest.param("day,city\n2024-01-01,Ulm", [{"day": "2024-01-01", "city": "Ulm"}], id="a date below a header"),
        pytest.param("n,y\n1,?\nN/A,2\n3,-", [{"n": 1, "y": None}, {"n": None, "y": 2}, {"n": 3, "y": None}],
                     id="null among numbers"),
        pytest.param("a,b,c\nN/A,true,1\nx,NA,2", [{"a": "N/A", "b": True, "c": 1}, {"a": "x", "b": None, "c": 2}], id="null among words"),
        pytest.param("a,b\nNA,1\n", [{"a": "NA", "b": 1}], id="null or a word"),
        pytest.param("a,b\n1,y\n2,n\n", [{"a": 1, "b": "y"}, {"a": 2, "b": "n"}], id="letters that may be truths"),
        pytest.param("a\tb\n1,5\tx, y\n", [{"a": 1.5, "b": "x, y"}], id="commas among tabs"),
        pytest.param("a|b\n1,5|x;y\n2|z\n", [{"a": 1.5, "b": "x;y"}, {"a": 2, "b": "z"}], id="bars"),
        pytest.param("a;b\n2,5;x\n;NA", [{"a": 2.5, "b": "x"}, {"a": None, "b": "NA"}], id="nothing in between"),
        pytest.param("tags,n\nred;blue,1\nred;green,2", [{"tags": "red;blue", "n": 1}, {"tags": "red;green", "n": 2}],
                     id="semicolons among commas"),
        pytest.param("red;blue,x\nred;green,y", [["red;blue", "x"], ["red;green", "y"]], id="semicolons in each line"),
        pytest.param('"a;b",1\n"c;d",2', [["a;b", 1], ["c;d", 2]], id="semicolons in quotation marks"),
        pytest.param("a\tb\n1\t2", [{"a": 1, "b": 2}], id="tabs"),
        pytest.param("a,a,,a\n1,2,3,4", [{"a": 1, "a.1": 2, "2": 3, "a.2": 4}], id="equal and empty names"),
        pytest.param("a,b\n1\n2,3,4", [{"a": 1}, {"a": 2, "b": 3, "2": 4}], id="ragged below a header"),
        pytest.param("1,2\n3", [[1, 2], [3]], id="ragged"),
        pytest.param(" 1 , 2 ", [[1, 2]], id="spaces"),
    ],
)  # fmt: skip
def test_rows_are_objects_below_a_header_and_lists_without(text: str, rows: object) -> None:
    assert read_csv(text) == rows


def test_what_the_sender_says_of_header_and_separator_counts() -> None:
    assert read_csv("a,b\nx,y", has_header=True) == [{"a": "x", "b": "y"}]
    assert read_csv("a,b\n1,2", has_header=False) == [["a", "b"], [1, 2]]
    assert read_csv("1,2\n3,4", has_header=True) == [{"1": 3, "2": 4}]
    assert read_csv("1,5\t2", separator="\t") == [[1.5, 2]]
    assert read_csv("1,5\tx", separator=",") == [[1, "5\tx"]]
    assert read_csv("a,b", has_header=True) == []


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("-1e-7", -1e-7),
        ("inf", "inf"),
        ("1e999", "1e999"),
        ("FALSE", False),
        (" ", None),
        ("null", "null"),
        ("1e", "1e"),
    ],
)
def test_a_cell_is_what_its_text_stands_for(text: str, cell: object) -> None:
    assert cell_of(text) == cell
    assert cell_of("9" * 30) == "9" * 30
    assert cell_of("0." + "3" * 30) == 1 / 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "empty_body", id="nothing"),
        pytest.param(" \r\n\n ", "empty_body", id="blank"),
        pytest.param("," * 1_000_000, "too_large", id="a million commas"),
        pytest.param('"' + "x" * 200_000 + '"\ny', "invalid_body", id="a value beyond the limit of the parser"),
    ],
)
def test_what_is_wrong_with_csv_is_one_word(text: str, reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        read_csv(text)

    assert error.value.reason == reason


def test_rows_beyond_the_limit_are_counted_and_not_looked_at() -> None:
    numbers = read_csv("1,2\n" * MAX_ROWS + "3,4\n" * 50)
    words = read_csv("a,b\n" + "1,x\n" * MAX_ROWS + '3,"\n' * 50)

    assert isinstance(numbers, list)
    assert len(numbers) == MAX_ROWS + 50
    assert numbers[-1] == [1, 2] or numbers[-1] == [3, 4]
    assert isinstance(words, list)
    assert len(words) == MAX_ROWS + 50
    assert words[-1] == {"a": 1, "b": "x"}


def test_names_beyond_the_limit_of_columns_are_not_kept() -> None:
    width = MAX_COLUMNS + 50
    rows = read_csv(",".join(["n"] * width) + "\n" + ",".join(["1"] * width))

    assert isinstance(rows, list)
    assert len(rows[0]) == MAX_COLUMNS + 1
    assert width < MAX_WIDTH


@given(st.text(alphabet='a1,"\n\r\t;. -e', max_size=60))
def test_any_text_is_rows_or_a_decode_error(text: str) -> None:
    try:
        rows = read_csv(text)
    except DecodeError as error:
        rows = error.reason

    assert isinstance(rows, list) or rows in {"empty_body", "invalid_body"}


def test_a_long_run_of_digits_before_a_letter_is_a_text() -> None:
    odd = "7" * 20_000 + "x"

    assert read_csv(f"a,b\n{odd},1\n") == [{"a": odd, "b": 1}]


def test_wide_lines_have_decimal_commas_too() -> None:
    wide = ";".join(["1,5"] * 10_000)

    assert read_csv(f"{wide}\n{wide}") == [[1.5] * 10_000] * 2
