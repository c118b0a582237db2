from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dashlight.cli.progress import Report
from dashlight.cli.scan.training_file import ScannedFile, training_file
from dashlight.cli.training import Look, Wanted, chunks_in_order, moments_in_order, wanted_columns
from dashlight.errors import ReferenceDataError


def ignore(name: str) -> Report:
    return lambda _: None


def wanted_of(path: Path, content: str) -> Wanted:
    path.write_text(content)
    with training_file([str(path)]) as file:
        return wanted_columns(file, predictions=[], labels=[], ignored=[], categorical=[], time=None)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[ScannedFile]:
    (tmp_path / "t.csv").write_text("t,x,y\n3,30,a\n1,10,b\n2,20,c\n")
    with training_file([str(tmp_path / "t.csv")]) as opened:
        yield opened


def test_what_is_no_prediction_label_or_time_is_a_feature(file: ScannedFile) -> None:
    wanted = wanted_columns(file, predictions=["y"], labels=[], ignored=[], categorical=[], time="t")

    assert wanted == Wanted(("x",), ("y",), ())
    assert wanted.names == ("x", "y")


def test_predictions_alone_make_a_reference(file: ScannedFile) -> None:
    wanted = wanted_columns(file, predictions=["y"], labels=["x"], ignored=["t"], categorical=[], time=None)

    assert wanted == Wanted((), ("y",), ())


def test_columns_that_traffic_never_has_are_left_out_of_the_reference(tmp_path: Path) -> None:
    wanted = wanted_of(tmp_path / "t.csv", "order_id,api_key,amount\n1,s3cret,9.5\n")

    assert wanted.features == ("amount",)
    assert wanted.left_out == (("order_id", "id"), ("api_key", "credential"))


def test_an_id_is_kept_where_that_is_asked_for_and_a_credential_never(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("order_id,api_key,amount,Unnamed: 0\n1,s3cret,9.5,0\n")

    with training_file([str(tmp_path / "t.csv")]) as file:
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

    with (
        training_file([str(tmp_path / "t.csv")]) as file,
        pytest.raises(ReferenceDataError, match=r"it has c0, c1, .*, c29 and 70 more$"),
    ):
        wanted_columns(file, predictions=[], labels=["z"], ignored=[], categorical=[], time=None)


def test_rows_that_go_back_are_sorted_and_can_be_read_three_times(file: ScannedFile) -> None:
    wanted, said = Wanted(("x",), ("y",), ()), list[str]()
    file.look(wanted.names, "t", lambda _: None)

    def step(name: str) -> Report:
        said.append(name)
        return lambda _: None

    chunks = chunks_in_order(file, wanted, step=step)

    for _ in range(3):
        (chunk,) = chunks()
        assert chunk["feature"].numbers.tolist() == [[10, 20, 30]]
        assert list(chunk["output"].cells[0]) == ["b", "c", "a"]
    assert said == ["Choosing bins", "Counting", "Counting"]


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


@pytest.mark.parametrize("header", [",x", "Unnamed: 0,x", "__index_level_0__,x"])
def test_the_index_that_pandas_wrote_is_left_out_and_told(tmp_path: Path, header: str) -> None:
    wanted = wanted_of(tmp_path / "t.csv", f"{header}\n0,1\n1,2\n")

    assert wanted.features == ("x",)
    assert wanted.left_out == ((header.removesuffix(",x"), "index"),)
