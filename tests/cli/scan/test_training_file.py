from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from pyarrow import feather, parquet

from dashlight.cli.scan.training_file import training_file
from dashlight.cli.training import MOMENTS_KEPT, Look
from dashlight.errors import ReferenceDataError
from dashlight.records import Cell, Table
from dashlight.window.tables import joined


def ignore(share: float) -> None:
    """A report that nobody reads."""


def cells_of(table: Table) -> dict[str, list[Any]]:
    """The columns of *table*, NaN as None."""
    numbers = {
        name: [None if math.isnan(number) else number for number in row.tolist()]
        for name, row in zip(table.number_names, table.numbers, strict=True)
    }
    return numbers | {name: list(cells) for name, cells in zip(table.cell_names, table.cells, strict=True)}


def read(*given: Path | str, categorical: Sequence[str] = (), time: str | None = None) -> dict[str, list[Any]]:
    with training_file([str(each) for each in given], categorical) as file:
        names = [name for name in file.names if name not in file.unusable]
        file.look(names, time, ignore)
        return cells_of(joined(list(file.tables(names, ignore))))


def looked_at(path: Path, time: str, moments_kept: int = MOMENTS_KEPT) -> Look:
    with training_file([str(path)], moments_kept=moments_kept) as file:
        return file.look([name for name in file.names if name != time], time, ignore)


def csv_file(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def column(folder: Path, texts: Sequence[str], categorical: Sequence[str] = ()) -> list[Cell]:
    content = "x\ty\n" + "".join(f"{text}\t1\n" for text in texts)
    return read(csv_file(folder, content), categorical=categorical)["x"]


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        pytest.param(["1", "2.5", "-3e2"], [1.0, 2.5, -300.0], id="numbers"),
        pytest.param(["1", "", "NA", "NaN", "null"], [1.0, None, None, None, None], id="missing numbers"),
        pytest.param(["1", "one"], ["1", "one"], id="a text among numbers"),
        pytest.param(["1_000", "2"], ["1_000", "2"], id="underscores"),
        pytest.param(["a", "", "NULL", "b", " "], ["a", None, "NULL", "b", " "], id="missing texts"),
        pytest.param(["true", "False", "TRUE", ""], [True, False, True, None], id="truths"),
        pytest.param(["yes", "no", "n/a"], [True, False, None], id="truths in words"),
        pytest.param(["true", "maybe"], ["true", "maybe"], id="a text among truths"),
        pytest.param(["007", "008"], ["007", "008"], id="codes"),
        pytest.param(["", "NA"], [None, None], id="nothing but nulls"),
        pytest.param(["1,5", "1.234,75", "-2"], [1.5, 1234.75, -2.0], id="decimal commas"),
        pytest.param(["$1,250.50", "(3)", " 7 € "], [1250.5, -3.0, 7.0], id="money"),
        pytest.param(["12.5 %", "3%"], [12.5, 3.0], id="percent"),
        pytest.param(["1 250 000", "1'250.5"], [1250000.0, 1250.5], id="thousands apart"),
        pytest.param(["1970-01-02", "1970-01-01T00:01Z", ""], [86400.0, 60.0, None], id="moments"),
        pytest.param(["13/01/1970", "02/01/1970"], [12 * 86400.0, 86400.0], id="days first"),
        pytest.param(["01/13/1970", "01/02/1970 01:00"], [12 * 86400.0, 90000.0], id="months first"),
        pytest.param(["02/01/1970"] * 2, ["02/01/1970"] * 2, id="days and months that nothing tells apart"),
    ],
)
def test_what_the_texts_of_a_column_are_read_as(tmp_path: Path, texts: list[str], values: list[Cell]) -> None:
    assert column(tmp_path, texts) == values


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        pytest.param(["007", "8"], ["007", "8"], id="zeros that belong to a code"),
        pytest.param(["5.0", "6"], [5.0, 6.0], id="codes written as numbers"),
        pytest.param(["5"] * 500 + ["A"], ["5"] * 500 + ["A"], id="a letter among codes"),
    ],
)
def test_codes_stay_what_they_are(tmp_path: Path, texts: list[str], values: list[Cell]) -> None:
    assert column(tmp_path, texts, categorical=["x"]) == values


@pytest.mark.parametrize("row", [1, 13_000, 20_001], ids=["first", "in the middle", "last"])
@pytest.mark.parametrize(
    ("usual", "value"), [("1", 1.0), ("true", True), ("1970-01-01", 0.0)], ids=["number", "truth", "time"]
)
def test_one_odd_cell_leaves_a_column_what_it_is(tmp_path: Path, usual: str, value: Cell, row: int) -> None:
    texts = [usual] * 20_001
    texts[row - 1] = "eleven"
    path = csv_file(tmp_path, "\n".join(["x", *texts]) + "\n")

    with training_file([str(path)]) as file:
        file.look(["x"], None, ignore)

    assert read(path)["x"] == [text if text == "eleven" else value for text in texts]
    assert file.counts["x"].first["text"] == (row - 1, "eleven")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_first_rows_show_what_parts_the_fields(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = [f"a{delimiter}b", f"1{delimiter}x", f'2{delimiter}"x{delimiter}""y""{end}z"']

    assert read(csv_file(tmp_path, end.join(lines) + end)) == {"a": [1, 2], "b": ["x", f'x{delimiter}"y"{end}z']}


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        pytest.param("x;y\n1,5;2,5\n2,5;3,5\n", {"x": [1.5, 2.5], "y": [2.5, 3.5]}, id="decimal commas"),
        pytest.param("x;y\n1,5;1.250\n2,5;12.000\n", {"x": [1.5, 2.5], "y": [1250, 12000]}, id="points in groups"),
        pytest.param("Preis, netto;Menge\n1,5;2\n", {"Preis, netto": [1.5], "Menge": [2]}, id="a comma in the header"),
        pytest.param("x\n1,5\n2,5\n", {"x": [1.5, 2.5]}, id="one column of decimal commas"),
        pytest.param("sep=;\nx;y\n1;2\n", {"x": [1], "y": [2]}, id="told in the first line"),
        pytest.param("x\ty\nHello, you; there\t1\n", {"x": ["Hello, you; there"], "y": [1]}, id="marks in a text"),
        pytest.param("X,x\n1,2\n", {"X": [1], "x": [2]}, id="names that differ in case"),
        pytest.param('"a","it\'s ""b"""\n1,2\n', {"a": [1], 'it\'s "b"': [2]}, id="names with marks"),
        pytest.param("a,b\n1,2\n\n3,4\n\n", {"a": [1, 3], "b": [2, 4]}, id="blank lines"),
        pytest.param('a\n1\n\n""\n2\n', {"a": [1, None, 2]}, id="blank lines of one column"),
        pytest.param("a,b\n1,2", {"a": [1], "b": [2]}, id="no line break at the end"),
    ],
)
def test_how_csv_files_are_laid_out(tmp_path: Path, content: str, columns: Mapping[str, list[Cell]]) -> None:
    assert read(csv_file(tmp_path, content)) == columns


_TEXT = "Straße,Preis\nKöln,1\n" + "Bonn,2\n" * 300


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    columns = read(csv_file(tmp_path, _TEXT.encode(encoding)))

    assert columns["Straße"][:2] == ["Köln", "Bonn"]
    assert columns["Preis"][:2] == [1, 2]


def test_a_text_that_is_taken_for_windows_1252_is_told(tmp_path: Path) -> None:
    with training_file([str(csv_file(tmp_path, "a\n5 \u20ac\n".encode("cp1252")))]) as file:
        look = file.look(["a"], None, ignore)

    assert look.notes == ("t.csv is not UTF-8: read as Windows-1252, of which Latin-1 is a part.",)


def _zst(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zst", _zst)],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_packed_files_are_unpacked(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes], encoding: str) -> None:
    path = csv_file(tmp_path, pack(_TEXT.encode(encoding)), f"t.csv.{suffix}")

    assert read(path)["Straße"][:2] == ["Köln", "Bonn"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, _zst])
def test_a_packed_file_that_is_cut_off_is_damaged(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    rows = "".join(f"{row * 7919 % 104729},{row}\n" for row in range(5000))
    path = csv_file(tmp_path, pack(f"a,b\n{rows}".encode())[:-3000], "t.csv.gz")

    with pytest.raises(ReferenceDataError, match=r"is a damaged compressed file|does not fit its header"):
        read(path)


def test_a_file_that_ends_to_be_utf8_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="is UTF-8 text up to line 3, where 0xff is none"):
        read(csv_file(tmp_path, "a,b\nKöln,1\n".encode() + b"\xff,2\n"))


def test_json_lines_are_read_as_bodies_write_them(tmp_path: Path) -> None:
    lines = (
        '{"n": 1, "t": "a", "b": true, "l": [1, 2], "when": "1970-01-01T00:01:00Z"}\n'
        '{"n": "2.5", "t": null, "b": false, "new": 3}\n'
    )

    columns = read(csv_file(tmp_path, lines, "t.jsonl"))

    assert columns == {"n": [1, 2.5], "t": ["a", None], "b": [True, False], "when": [60.0, None], "new": [None, 3]}


def test_what_is_no_json_line_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="is no file of JSON objects, one a line"):
        read(csv_file(tmp_path, '{"a": 1}\n{"a": \n', "t.ndjson"))


@pytest.mark.parametrize("form", ["parquet", "feather"])
@pytest.mark.parametrize(
    ("values", "cells"),
    [
        pytest.param(pa.array([1, None], pa.int8()), [1, None], id="integers"),
        pytest.param(pa.array([1, 2**60 + 1], pa.int64()), [1, float(2**60)], id="integers too long for a float"),
        pytest.param(pa.array([1.5, math.nan], pa.float32()), [1.5, None], id="floats"),
        pytest.param(pa.array([Decimal("0.10"), Decimal("-2.05")]), [0.1, -2.05], id="decimals"),
        pytest.param(pa.array([3, 4]).dictionary_encode(), [3, 4], id="a dictionary of integers"),
        pytest.param(pa.array([True, None]), [True, None], id="truths"),
        pytest.param(pa.array(["a", None]), ["a", None], id="texts"),
        pytest.param(pa.array(["a", None]).dictionary_encode(), ["a", None], id="a dictionary of texts"),
        pytest.param(pa.array([date(1970, 1, 2), None]), [86400.0, None], id="dates"),
        pytest.param(pa.array([datetime(1970, 1, 1, 0, 1, tzinfo=UTC), None]), [60.0, None], id="moments"),
        pytest.param(pa.array([60_250_000_000, None], pa.timestamp("ns")), [60.25, None], id="no zone"),
        pytest.param(pa.array([0, None], pa.timestamp("s", "Asia/Tokyo")), [0.0, None], id="a zone far away"),
        pytest.param(pa.array([timedelta(minutes=1), None]), [60.0, None], id="spans"),
        pytest.param(pa.array(["1970-01-01T00:01+00:00", None]), [60.0, None], id="moments as texts"),
    ],
)
def test_typed_columns_come_out_in_the_one_form(tmp_path: Path, values: Any, cells: list[Cell], form: str) -> None:
    path = tmp_path / f"t.{form}"
    table = pa.table({"x": values})
    if form == "parquet":
        parquet.write_table(table, path)
    else:
        feather.write_feather(table, path)

    assert read(path) == {"x": cells}


def test_columns_that_hold_no_single_values_are_unusable(tmp_path: Path) -> None:
    words = {"words": pa.array(["a"]).dictionary_encode()}
    columns = {"x": [1], "list": [[1]], "bytes": [b"x"], "struct": [{"x": 1, "y": [2]}], "null": pa.nulls(1)}
    parquet.write_table(pa.table(columns | words), tmp_path / "t.parquet")

    with training_file([str(tmp_path / "t.parquet")]) as file:
        assert list(file.unusable) == ["list", "bytes", "struct"]
        assert list(file.names) == ["x", "list", "bytes", "struct", "null", "words"]


def test_names_of_parquet_that_differ_in_case_are_two_columns(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"X": [1], "x": [2], "x_1": [3]}), tmp_path / "t.parquet")

    assert read(tmp_path / "t.parquet") == {"X": [1], "x": [2], "x_1": [3]}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        pytest.param("t.csv", "", "holds no rows", id="empty"),
        pytest.param("t.csv", "a,b,a\n", "has two columns of the name 'a'", id="a name twice"),
        pytest.param(
            "t.csv",
            'a,b\n1,2\n"x\ny",4\n5\n',
            "does not fit its header at line 5: found 1 fields, expected 2",
            id="short",
        ),
        pytest.param(
            "t.csv", "a\n1\n1,2\n", "does not fit its header at line 3: found 2 fields, expected 1", id="long"
        ),
        pytest.param("t.csv", 'a,b\n1,2\n"3,4\n', "cannot be read at line 3: unexpected end of data", id="open quote"),
        pytest.param("t.parquet", "PAR1 or not", "is a damaged Parquet file", id="no Parquet"),
        pytest.param("t.parquet", "a,b\n", "is not a Parquet file", id="CSV as Parquet"),
        pytest.param("t.feather", "a,b\n", "is not an Arrow or Feather file", id="CSV as Feather"),
        pytest.param("t.xlsx", "PK", "has an unknown format: expected .csv, .tsv", id="a spreadsheet"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    with pytest.raises(ReferenceDataError) as raised:
        read(csv_file(tmp_path, content, name))

    assert sentence in str(raised.value)


def test_a_parquet_file_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"x": list(range(100_000))}), path)
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\xff" * 1996
    path.write_bytes(content)

    with pytest.raises(ReferenceDataError, match="is a damaged Parquet file"):
        read(path)


def test_files_of_a_glob_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    csv_file(tmp_path, "a,b\n3,z\n", "2.csv")
    csv_file(tmp_path, "b;a\nx;1\ny;2\n", "1.csv")

    assert read(tmp_path / "*.csv") == {"b": ["x", "y", "z"], "a": [1, 2, 3]}


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        pytest.param("a,c\n1,2\n", "2.csv has no column 'b', which 1.csv has", id="another name"),
        pytest.param("a,b,c\n1,2,3\n", "1.csv has no column 'c', which 2.csv has", id="one more"),
        pytest.param("a,b\n1,2\n3\n", "2.csv does not fit its header at line 3", id="a damaged row"),
    ],
)
def test_of_files_that_do_not_go_together_it_is_said_which(tmp_path: Path, other: str, sentence: str) -> None:
    csv_file(tmp_path, "a,b\n1,2\n", "1.csv")
    csv_file(tmp_path, other, "2.csv")

    with pytest.raises(ReferenceDataError) as raised:
        read(tmp_path / "*.csv")

    assert sentence in str(raised.value)


def test_of_columns_of_several_types_it_is_said_which(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "1.parquet")
    parquet.write_table(pa.table({"a": [3.5], "b": [True]}), tmp_path / "2.parquet")

    with pytest.raises(ReferenceDataError, match=r"column 'b' is a text in 1.parquet and a truth in 2.parquet"):
        read(tmp_path / "*.parquet")


def test_a_file_may_hold_nothing_in_a_column_of_the_others(tmp_path: Path) -> None:
    for name, table in (
        ("1", {"a": pa.nulls(1), "b": ["x"], "c": pa.nulls(1)}),
        ("2", {"a": [2.5], "b": pa.nulls(1), "c": pa.nulls(1)}),
    ):
        parquet.write_table(pa.table(table), tmp_path / f"{name}.parquet")

    assert read(tmp_path / "*.parquet") == {"a": [None, 2.5], "b": ["x", None], "c": [None, None]}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param("*.nothing", "matches no file", id="an empty glob"),
        pytest.param(".", "is a folder: name the files in it", id="a folder"),
        pytest.param("[1].csv", None, id="a name like a glob"),
    ],
)
def test_which_files_are_meant(tmp_path: Path, given: str, sentence: str | None) -> None:
    csv_file(tmp_path, "a,b\n1,2\n", "[1].csv")

    if sentence is None:
        assert read(tmp_path / given) == {"a": [1], "b": [2]}
    else:
        with pytest.raises(ReferenceDataError, match=sentence):
            read(tmp_path / given)


def test_a_file_that_is_named_twice_is_told(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b\n1,2\n")

    with pytest.raises(ReferenceDataError, match=r"names .*t\.csv twice"):
        read(path, tmp_path / "*.csv")


@pytest.mark.parametrize(
    ("times", "backward_row"),
    [
        pytest.param(["1", "2", "2", "3.5"], None, id="numbers"),
        pytest.param(["1", "3", "2", "4", "1"], 3, id="numbers that go back"),
        pytest.param(["2013-01-01", "2013-01-01T05:00", "2013-01-02"], None, id="moments"),
        pytest.param(["2013-01-01T00:00Z", "2013-01-01T00:30+01:00"], 2, id="moments in zones"),
        pytest.param(["1"] * 6400 + ["0"], 6401, id="numbers that go back beyond what is read at once"),
        pytest.param([], None, id="no rows"),
    ],
)
def test_the_first_row_that_goes_back_in_time_is_found(
    tmp_path: Path, times: list[str], backward_row: int | None
) -> None:
    path = csv_file(tmp_path, "t,x\n" + "".join(f"{time},0\n" for time in times))

    assert looked_at(path, "t") == Look(len(times), backward_row)


def test_rows_that_go_back_come_in_order_and_equal_ones_stay_as_they_were(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "t,x\n2,a\n1,b\n2,c\n1,d\n")

    assert read(path, time="t")["x"] == ["b", "d", "a", "c"]


@pytest.mark.parametrize(
    ("kept", "moments"),
    [
        pytest.param(6402, [5.0, 6.0], id="room for all"),
        pytest.param(6400, None, id="too many"),
        pytest.param(3, None, id="far too many"),
    ],
)
def test_moments_are_remembered_up_to_a_limit(tmp_path: Path, kept: int, moments: list[float] | None) -> None:
    path = csv_file(tmp_path, "t,x\n" + "5,0\n" * 6401 + "6,0\n")

    look = looked_at(path, "t", moments_kept=kept)

    assert (None if look.moments is None else look.moments[-2:].tolist()) == moments


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param("t,x\nsoon,0\n", "has 'soon' in column 't' in row 1", id="a word"),
        pytest.param("t,x\n1,0\n,0\n", "has '' in column 't' in row 2", id="nothing"),
        pytest.param("t,x\n1,0\nnan,0\n", "has 'nan' in column 't' in row 2", id="no number"),
        pytest.param("t,x\n02/01/2024,0\n", "where nothing tells the day from the month", id="days or months"),
    ],
)
def test_a_row_without_a_time_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    with pytest.raises(ReferenceDataError) as raised:
        looked_at(csv_file(tmp_path, content), "t")

    assert sentence in str(raised.value)


def test_a_typed_row_without_a_time_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"t": [1.0, None], "x": [1, 2]}), tmp_path / "t.parquet")

    with pytest.raises(ReferenceDataError, match="rows without a value in column 't', which should order them"):
        looked_at(tmp_path / "t.parquet", "t")


def test_the_share_that_was_read_grows_to_one(tmp_path: Path) -> None:
    shares: list[float] = []
    with training_file([str(csv_file(tmp_path, "a,b\n" + "1,2\n" * 50_000))]) as file:
        file.look(["a"], None, ignore)
        list(file.tables(["a"], shares.append))

    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.128, 1.0)


def test_nothing_is_left_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    read(csv_file(tmp_path, gzip.compress(b"a,b\n1,2\n"), "t.csv.gz"))

    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("text", ['a,b\n1,2\n"3,4\n', "a\n1\n1,2\n", "a;b\n1;" + "x" * 200_000 + "\n"])
def test_how_long_a_field_may_be_for_others_is_as_it_was(tmp_path: Path, text: str) -> None:
    before = csv.field_size_limit()
    (tmp_path / "t.csv").write_text(text)

    with suppress(ReferenceDataError):
        read(tmp_path / "t.csv")

    assert csv.field_size_limit() == before


def test_a_long_text_among_the_first_rows_hides_no_delimiter(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b\n1;" + "x" * 200_000 + "\n2;y\n")

    assert read(tmp_path / "t.csv") == {"a": [1, 2], "b": ["x" * 200_000, "y"]}
