from pathlib import Path

import numpy as np
import pytest

from dashlight.cli.progress import Report
from dashlight.cli.training import Look, Wanted, chunks_in_order, iso_moment, moments_in_order, wanted_columns
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
    assert wanted.left_out == (("order_id", "id"), ("api_key", "credential"))


def test_an_id_is_kept_where_that_is_asked_for_and_a_credential_never(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("order_id,api_key,amount,Unnamed: 0\n1,s3cret,9.5,0\n")
    file = CsvFile(tmp_path / "t.csv")

    wanted = wanted_columns(
        file,
        predictions=[],
        labels=[],
        ignored=[],
        categorical=[],
        time=None,
        keep=["order_*", "api_key", "Unnamed: 0", "z"],
    )

    assert wanted.features == ("order_id", "amount", "Unnamed: 0")
    assert wanted.left_out == (("api_key", "credential"),)
    assert wanted.notes == ("No column matches --keep z.",)


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


def test_rows_in_order_can_be_read_three_times(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("t,x\n1,10\n2,20\n")
    file, wanted, said = CsvFile(tmp_path / "t.csv"), Wanted(("x",), (), ()), list[str]()
    look = file.look(wanted.names, "t", lambda _: None)

    def step(name: str) -> Report:
        said.append(name)
        return lambda _: None

    chunks = chunks_in_order(file, wanted, time="t", look=look, step=step)

    assert [[chunk["feature"].numbers.tolist() for chunk in chunks()] for _ in range(3)] == [[[[10, 20]]]] * 3
    assert said == ["Choosing bins", "Counting", "Counting"]


def test_too_many_rows_to_sort_are_refused(file: CsvFile) -> None:
    with pytest.raises(
        ReferenceDataError, match=r"goes back in 't' at row 7 .*2000001 rows, at most 2000000.*: sort it"
    ):
        chunks_in_order(file, Wanted(("x",), (), ()), time="t", look=Look(2_000_001, 7), step=ignore)


@pytest.mark.parametrize(
    ("numbers", "seconds"),
    [
        pytest.param([1_356_998_400.0, 1_356_998_401.5], [1_356_998_400.0, 1_356_998_401.5], id="seconds"),
        pytest.param([1_356_998_400_000.0], [1_356_998_400.0], id="thousandths"),
        pytest.param([1_356_998_400_000_000.0], [1_356_998_400.0], id="millionths"),
        pytest.param([1_356_998_400_000_000_000.0], [1_356_998_400.0], id="billionths"),
        pytest.param([1.0, 2.0, 3.0], None, id="numbers of rows"),
        pytest.param([20130101.0, 20130102.0], None, id="days written as numbers"),
        pytest.param([0.0, 1_356_998_400.0], None, id="one of them no moment"),
        pytest.param([1_356_998_400.0, 1_356_998_400_000.0], None, id="two units"),
        pytest.param([], None, id="no rows"),
    ],
)
def test_numbers_are_moments_where_their_size_says_so(numbers: list[float], seconds: list[float] | None) -> None:
    found = moments_in_order(Look(len(numbers), None, np.array(numbers)))

    assert (None if found is None else found.tolist()) == seconds


def test_moments_come_in_the_order_of_the_sorted_rows() -> None:
    found = moments_in_order(Look(3, 2, np.array([1.4e9, 1.2e9, 1.3e9])))

    assert found is not None
    assert found.tolist() == [1.2e9, 1.3e9, 1.4e9]


def test_without_a_column_of_moments_there_are_none() -> None:
    assert moments_in_order(Look(3, None)) is None


@pytest.mark.parametrize(
    "text",
    [
        "2013-01-31T05:00:00Z",
        "2013-01-31T05:00",
        "2013-01-31 05:00:00",
        "2013-01-31 05:00:00.000",
        "20130131T050000",
        "2013-01-31T06:00+01:00",
        "2013/01/31 05:00",
        "2013/01/31T05:00:00Z",
    ],
)
def test_moments_are_read_in_the_usual_forms(text: str) -> None:
    assert iso_moment(text, "t") == 1_359_608_400.0


@pytest.mark.parametrize("text", ["31/01/2013 05:00", "01/31/2013", "31.01.2013 05:00", "2013/1/31", "noon"])
def test_a_moment_that_could_be_another_is_refused(text: str) -> None:
    with pytest.raises(ReferenceDataError, match="which is neither a number nor an ISO 8601 time"):
        iso_moment(text, "t")


@pytest.mark.parametrize("header", [",x", "Unnamed: 0,x", "__index_level_0__,x"])
def test_the_index_that_pandas_wrote_is_left_out_and_told(tmp_path: Path, header: str) -> None:
    (tmp_path / "t.csv").write_text(f"{header}\n0,1\n1,2\n")

    wanted = wanted_columns(
        CsvFile(tmp_path / "t.csv"), predictions=[], labels=[], ignored=[], categorical=[], time=None
    )

    assert wanted.features == ("x",)
    assert wanted.left_out == ((header.removesuffix(",x"), "index"),)
