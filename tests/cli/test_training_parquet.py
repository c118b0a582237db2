import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from dashlight.cli.training import Look
from dashlight.cli.training_parquet import ParquetFile
from dashlight.errors import ReferenceDataError
from dashlight.window.tables import joined


def ignore(share: float) -> None:
    """A report that nobody reads."""


def parquet_file(tmp_path: Path, columns: Mapping[str, Any]) -> ParquetFile:
    parquet.write_table(pa.table(dict(columns)), tmp_path / "t.parquet")
    return ParquetFile(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        pytest.param(pa.array([1, 2], pa.int8()), [1, 2], id="integers"),
        pytest.param(pa.array([1, 2**60 + 1], pa.int64()), [1, float(2**60)], id="integers too long for a float"),
        pytest.param(pa.array([1.5, 2.5], pa.float32()), [1.5, 2.5], id="floats"),
        pytest.param(pa.array([Decimal("1.50"), Decimal(2)]), [1.5, 2], id="decimals"),
        pytest.param(pa.array([3, 4]).dictionary_encode(), [3, 4], id="a dictionary of integers"),
    ],
)
def test_numbers_of_every_type_are_numbers(tmp_path: Path, values: Any, numbers: list[float]) -> None:
    file = parquet_file(tmp_path, {"x": values})

    assert joined(list(file.tables(["x"], ignore))).numbers.tolist() == [numbers]


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        pytest.param(pa.array([True, None]), [True, None], id="truths"),
        pytest.param(pa.array(["a", None]), ["a", None], id="texts"),
        pytest.param(pa.array(["a", None]).dictionary_encode(), ["a", None], id="a dictionary of texts"),
    ],
)
def test_truths_and_texts_are_cells(tmp_path: Path, values: Any, cells: list[object]) -> None:
    file = parquet_file(tmp_path, {"x": values})

    assert joined(list(file.tables(["x"], ignore))).cells == (cells,)


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        pytest.param(pa.array([date(1970, 1, 2), None]), [86400.0, math.nan], id="dates"),
        pytest.param(pa.array([datetime(1970, 1, 1, 0, 1, tzinfo=UTC), None]), [60.0, math.nan], id="moments"),
        pytest.param(pa.array([timedelta(minutes=1), None]), [60.0, math.nan], id="spans"),
    ],
)
def test_moments_and_spans_are_seconds_as_in_memory(tmp_path: Path, values: Any, seconds: list[float]) -> None:
    file = parquet_file(tmp_path, {"x": values})

    assert joined(list(file.tables(["x"], ignore))).numbers[0].tolist() == pytest.approx(seconds, nan_ok=True)


def test_missing_numbers_are_nan(tmp_path: Path) -> None:
    (row,) = joined(list(parquet_file(tmp_path, {"x": [1, None]}).tables(["x"], ignore))).numbers.tolist()

    assert row == pytest.approx([1, float("nan")], nan_ok=True)


def test_columns_that_hold_no_single_values_are_unusable(tmp_path: Path) -> None:
    words = {"words": pa.array(["a"]).dictionary_encode()}
    file = parquet_file(tmp_path, {"x": [1], "list": [[1]], "bytes": [b"x"], "null": pa.nulls(1)} | words)

    assert list(file.unusable) == ["list", "bytes"]


@pytest.mark.parametrize(
    ("times", "look"),
    [
        pytest.param([1, 2, 3], Look(3, None), id="integers"),
        pytest.param([1.0, 3.0, 2.0], Look(3, 3), id="floats that go back"),
        pytest.param([date(2013, 1, 2), date(2013, 1, 1)], Look(2, 2), id="dates that go back"),
        pytest.param([datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC)], Look(2, None), id="moments"),
        pytest.param(["2013-01-02", "2013-01-01T00:00Z"], Look(2, 2), id="texts that go back"),
    ],
)
def test_the_first_row_that_goes_back_in_time_is_found(tmp_path: Path, times: list[Any], look: Look) -> None:
    file = parquet_file(tmp_path, {"t": times, "x": times})

    assert file.look(["x"], "t", ignore) == look
    assert file.look(["x"], None, ignore) == Look(len(times), None)


@pytest.mark.parametrize(("kept", "moments"), [(3, [1.0, 2.0, 3.0]), (2, None)], ids=["room for all", "too many"])
def test_moments_are_remembered_up_to_a_limit(tmp_path: Path, kept: int, moments: list[float] | None) -> None:
    parquet_file(tmp_path, {"t": [1, 2, 3]})

    look = ParquetFile(tmp_path / "t.parquet", moments_kept=kept).look([], "t", ignore)

    assert (None if look.moments is None else look.moments.tolist()) == moments


def test_timestamps_are_millionths_of_seconds(tmp_path: Path) -> None:
    file = parquet_file(tmp_path, {"t": [datetime(2013, 1, 31, 5, tzinfo=UTC)]})

    assert file.moments("t").tolist() == [1_359_608_400_000_000.0]


def test_no_rows_have_no_moments(tmp_path: Path) -> None:
    assert parquet_file(tmp_path, {"t": pa.array([], pa.int64())}).look([], "t", ignore) == Look(0, None)


@pytest.mark.parametrize("times", [[1, None], ["soon"], [None, "2013-01-01"]])
def test_a_row_without_a_moment_is_refused(tmp_path: Path, times: list[Any]) -> None:
    with pytest.raises(ReferenceDataError, match="column 't'"):
        parquet_file(tmp_path, {"t": times}).look([], "t", ignore)


def test_the_share_that_was_read_grows_to_one(tmp_path: Path) -> None:
    shares: list[float] = []

    list(parquet_file(tmp_path, {"x": list(range(10_000))}).tables(["x"], shares.append))

    assert shares == [0.64, 1.0]


def test_a_name_may_occur_once(tmp_path: Path) -> None:
    parquet.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")

    with pytest.raises(ReferenceDataError, match="two columns of the name 'a'"):
        ParquetFile(tmp_path / "t.parquet")


def test_a_file_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    parquet_file(tmp_path, {"x": list(range(100_000))})
    path = tmp_path / "t.parquet"
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\xff" * 1996
    path.write_bytes(content)

    with pytest.raises(ReferenceDataError, match="is a damaged Parquet file"):
        list(ParquetFile(path).tables(["x"], ignore))
