from pathlib import Path

import pytest

from dashlight.cli.progress import Report
from dashlight.cli.training import Look, Wanted, chunks_in_order, wanted_columns
from dashlight.cli.training_csv import CsvFile
from dashlight.errors import ReferenceDataError


def ignore(name: str) -> Report:
    return lambda _: None


@pytest.fixture
def file(tmp_path: Path) -> CsvFile:
    (tmp_path / "t.csv").write_text("t,x,y\n3,30,a\n1,10,b\n2,20,c\n")
    return CsvFile(tmp_path / "t.csv")


def test_what_is_no_prediction_label_or_time_is_a_feature(file: CsvFile) -> None:
    wanted = wanted_columns(file, predictions=["y"], labels=[], ignored=[], categorical=[], time="t")

    assert wanted == Wanted(("x",), ("y",), ())
    assert wanted.names == ("x", "y")


def test_predictions_alone_make_a_reference(file: CsvFile) -> None:
    wanted = wanted_columns(file, predictions=["y"], labels=["x"], ignored=["t"], categorical=[], time=None)

    assert wanted == Wanted((), ("y",), ())


def test_columns_that_traffic_never_has_are_left_out_of_the_reference(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("order_id,api_key,amount\n1,s3cret,9.5\n")

    wanted = wanted_columns(
        CsvFile(tmp_path / "t.csv"), predictions=[], labels=[], ignored=[], categorical=[], time=None
    )

    assert wanted.features == ("amount",)
    assert wanted.notes == (
        "Column 'order_id' is left out, as in traffic: it names a row.",
        "Column 'api_key' is left out, as in traffic: it tells of a credential or a person.",
    )


def test_of_a_hundred_names_some_are_listed(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",".join(f"c{place}" for place in range(100)) + "\n")

    with pytest.raises(ReferenceDataError, match=r"it has c0, c1, .*, c29 and 70 more$"):
        wanted_columns(CsvFile(tmp_path / "t.csv"), predictions=[], labels=["z"], ignored=[], categorical=[], time=None)


def test_rows_that_go_back_are_sorted_and_can_be_read_again(file: CsvFile) -> None:
    wanted = Wanted(("x",), ("y",), ())
    look = file.look(wanted.names, "t", lambda _: None)

    chunks = chunks_in_order(file, wanted, time="t", look=look, step=ignore)

    for _ in range(2):
        (chunk,) = chunks()
        assert chunk["feature"].numbers.tolist() == [[10, 20, 30]]
        assert chunk["output"].cells == (["b", "c", "a"],)


def test_too_many_rows_to_sort_are_refused(file: CsvFile) -> None:
    with pytest.raises(
        ReferenceDataError, match=r"goes back in 't' at row 7 .*2000001 rows, at most 2000000.*: sort it"
    ):
        chunks_in_order(file, Wanted(("x",), (), ()), time="t", look=Look(2_000_001, 7), step=ignore)
