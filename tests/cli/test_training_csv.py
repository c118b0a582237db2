import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from dashlight.cli.training import Look
from dashlight.cli.training_csv import CsvFile
from dashlight.errors import ReferenceDataError
from dashlight.records import Cell, Table
from dashlight.window.tables import joined


def ignore(share: float) -> None:
    """A report that nobody reads."""


def csv_file(tmp_path: Path, content: str, categorical: Sequence[str] = ()) -> CsvFile:
    path = tmp_path / "t.csv"
    path.write_text(content)
    return CsvFile(path, categorical)


def read(file: CsvFile) -> Table:
    file.look(file.names, None, ignore)
    return joined(list(file.tables(file.names, ignore)))


def column(tmp_path: Path, texts: Sequence[str], categorical: Sequence[str] = ()) -> list[Cell]:
    table = read(csv_file(tmp_path, "x,y\n" + "".join(f"{text},1\n" for text in texts), categorical))
    return list(table.numbers[0].tolist()) if "x" in table.number_names else list(table.cells[0])


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        pytest.param(["1", "2.5", "-3e2"], [1.0, 2.5, -300.0], id="numbers"),
        pytest.param(["1", "inf"], [1.0, "inf"], id="infinity, of a wrong type"),
        pytest.param(
            ["1", "", "NA", "NaN", "null"], [1.0, math.nan, math.nan, math.nan, math.nan], id="missing numbers"
        ),
        pytest.param(["1", "one"], ["1", "one"], id="a text among numbers"),
        pytest.param(["1_000", "2"], ["1_000", "2"], id="underscores"),
        pytest.param(["a", "", "NULL", "b"], ["a", None, "NULL", "b"], id="missing texts"),
        pytest.param(["true", "False", "TRUE", ""], [True, False, True, None], id="truths"),
        pytest.param(["true", "maybe"], ["true", "maybe"], id="a text among truths"),
        pytest.param(["007", "008"], ["007", "008"], id="zeros before a number"),
    ],
)
def test_what_the_texts_of_a_column_are_read_as(tmp_path: Path, texts: list[str], values: list[Cell]) -> None:
    assert column(tmp_path, texts) == pytest.approx(values, nan_ok=True)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        pytest.param(["007", "8"], ["007", "8"], id="zeros that belong to a code"),
        pytest.param(["5.0", "6"], [5.0, 6.0], id="codes written as numbers"),
        pytest.param(["0", "0.5"], [0.0, 0.5], id="no zeros too many"),
    ],
)
def test_codes_keep_their_zeros(tmp_path: Path, texts: list[str], values: list[Cell]) -> None:
    assert column(tmp_path, texts, categorical=["x"]) == values


@pytest.mark.parametrize("texts", [["1"] * 20_000 + ["A"], ["A"] + ["1"] * 20_000], ids=["last", "first"])
def test_one_text_leaves_a_column_of_numbers_one(tmp_path: Path, texts: list[str]) -> None:
    file = csv_file(tmp_path, "\n".join(["x", *texts]) + "\n")

    file.look(["x"], None, lambda _: None)

    assert column(tmp_path, texts) == [text if text == "A" else 1.0 for text in texts]
    assert file.counts["x"].first["text"] == (texts.index("A"), "A")


@pytest.mark.parametrize("texts", [["1"] * 50 + ["A"], ["1", "A"]], ids=["two of a hundred", "half"])
def test_several_texts_make_the_whole_column_one_of_texts(tmp_path: Path, texts: list[str]) -> None:
    assert column(tmp_path, texts) == texts


@pytest.mark.parametrize("marker", ["N/A", "None", "?", "-", " ", "#DIV/0!", "n/a", "<NA>", "#N/A"])
def test_what_stands_for_nothing_among_numbers_is_null(tmp_path: Path, marker: str) -> None:
    assert column(tmp_path, ["1", marker, "2"]) == pytest.approx([1.0, math.nan, 2.0], nan_ok=True)
    assert column(tmp_path, ["a", marker, "b"]) == ["a", marker, "b"]


def test_decimal_commas_are_numbers_where_semicolons_part_the_fields(tmp_path: Path) -> None:
    table = read(csv_file(tmp_path, "a;b;c\n1,5;-2;1,5\n1.234,75;;x\n"))

    assert table.number_names == ("a", "b")
    assert table.numbers[0].tolist() == [1.5, 1234.75]
    assert table.cells == (["1,5", "x"],)


def test_a_column_that_is_always_missing_is_null(tmp_path: Path) -> None:
    assert column(tmp_path, ["", "NA"]) == pytest.approx([math.nan, math.nan], nan_ok=True)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_shows_what_parts_the_fields(tmp_path: Path, delimiter: str) -> None:
    table = read(csv_file(tmp_path, f"a{delimiter}b\n1{delimiter}2\n"))

    assert (table.number_names, table.numbers.tolist()) == (("a", "b"), [[1], [2]])


def test_quoted_fields_hold_commas_and_line_breaks(tmp_path: Path) -> None:
    assert read(csv_file(tmp_path, 'a,b\n"x,\ny",1\n')).cells == (["x,\ny"],)


def test_a_byte_order_mark_belongs_to_no_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")

    assert list(CsvFile(path).names) == ["a", "b"]


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert read(csv_file(tmp_path, "a,b\n1,2\n\n3,4\n\n")).numbers.tolist() == [[1, 3], [2, 4]]


def test_blank_lines_alone_are_no_rows(tmp_path: Path) -> None:
    assert csv_file(tmp_path, "a,b\n\n\n").look(["a"], None, ignore) == Look(0, None)


def test_no_column_of_csv_is_unusable(tmp_path: Path) -> None:
    assert list(csv_file(tmp_path, "a,b\n").unusable) == []


def test_the_share_that_was_read_grows_to_one(tmp_path: Path) -> None:
    shares: list[float] = []
    file = csv_file(tmp_path, "a,b\n" + "1,2\n" * 50_000)

    file.look(["a"], None, shares.append)

    assert shares == sorted(shares)
    assert shares[0] < 0.5
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("times", "backward_row"),
    [
        pytest.param(["1", "2", "2", "3.5"], None, id="numbers"),
        pytest.param(["1", "3", "2", "4", "1"], 3, id="numbers that go back"),
        pytest.param(["2013-01-01", "2013-01-01T05:00", "2013-01-02"], None, id="moments"),
        pytest.param(["2013-01-01T00:00Z", "2013-01-01T00:30+01:00"], 2, id="moments in zones"),
        pytest.param(["1"] * 6400 + ["0"], 6401, id="numbers that go back beyond what is read at once"),
    ],
)
def test_the_first_row_that_goes_back_in_time_is_found(
    tmp_path: Path, times: list[str], backward_row: int | None
) -> None:
    file = csv_file(tmp_path, "t,x\n" + "".join(f"{time},0\n" for time in times))

    assert file.look(["x"], "t", ignore) == Look(len(times), backward_row)


@pytest.mark.parametrize(
    ("kept", "moments"),
    [
        pytest.param(6402, [5.0, 6.0], id="room for all"),
        pytest.param(6400, None, id="too many"),
        pytest.param(3, None, id="far too many"),
    ],
)
def test_moments_are_remembered_up_to_a_limit(tmp_path: Path, kept: int, moments: list[float] | None) -> None:
    path = tmp_path / "t.csv"
    path.write_text("t,x\n" + "5,0\n" * 6401 + "6,0\n")

    look = CsvFile(path, moments_kept=kept).look(["x"], "t", ignore)

    assert (None if look.moments is None else look.moments[-2:].tolist()) == moments


def test_moments_after_one_that_goes_back_are_remembered_too(tmp_path: Path) -> None:
    look = csv_file(tmp_path, "t,x\n" + "5,0\n" * 6400 + "4,0\n3,0\n").look(["x"], "t", ignore)

    assert look.backward_row == 6401
    assert look.moments is not None
    assert look.moments[-3:].tolist() == [5.0, 4.0, 3.0]


def test_moments_are_seconds_since_the_epoch_in_utc(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "t,x\n1970-01-01T01:00,0\n1970-01-01T01:00+01:00,0\n")

    assert file.moments("t").tolist() == [3600.0, 0.0]


@pytest.mark.parametrize("time", ["soon", "", "nan"])
def test_a_row_without_a_moment_is_refused(tmp_path: Path, time: str) -> None:
    with pytest.raises(ReferenceDataError, match=f"has '{time}' in column 't'"):
        csv_file(tmp_path, f"t,x\n{time},0\n").look(["x"], "t", ignore)
