"""Copies of decoded values: independent, thinned alike on both sides, and without the content of files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, RootModel

from dashlight_bentoml.values import MOST_CELLS, MOST_OBJECTS, MOST_ROWS, Stills


class House(BaseModel):
    """A model of pydantic's that takes more than it names."""

    model_config = ConfigDict(extra="allow")

    area: float
    tags: list[str] = []


@dataclass
class Garden:
    """A data class."""

    area: float
    trees: list[str]


class Street(msgspec.Struct):
    """A structure of msgspec's."""

    name: str


class Upload:
    """As Starlette's."""

    filename, size, content_type = "a.png", 12, "image/png"


class Picture:
    """As Pillow's."""

    format, width, height, mode = "PNG", 4, 2, "RGB"

    def getbands(self) -> tuple[str, ...]:
        return ("R", "G", "B")


class Tensor:
    """As one of torch's behaves where it matters here."""

    ndim, shape = 1, (2,)

    def __init__(self, numbers: list[float]) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def tolist(self) -> list[float]:
        return self.numbers

    def detach(self) -> Tensor:
        return self

    def clone(self) -> Tensor:
        return Tensor(list(self.numbers))


def test_what_the_api_does_to_its_values_afterwards_changes_no_copy() -> None:
    array, frame = np.ones((2, 2)), pd.DataFrame({"a": [1, 2]})
    rows, house, tensor = [{"a": [1]}], House(area=1.0, tags=["x"]), Tensor([1.0, 2.0])

    copy: Any = Stills().of({"array": array, "frame": frame, "rows": rows, "house": house, "tensor": tensor})
    array *= 0
    frame["a"] = 0
    rows[0]["a"].append(2)
    house.tags.append("y")
    house.area = 0.0
    tensor.numbers.append(3.0)

    assert copy["array"].tolist() == [[1, 1], [1, 1]]
    assert copy["frame"]["a"].tolist() == [1, 2]
    assert copy["rows"] == [{"a": [1]}]
    assert copy["house"] == {"area": 1.0, "tags": ["x"]}
    assert copy["tensor"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("value", "copy"),
    [
        (House.model_validate({"area": 1, "more": 2}), {"area": 1.0, "tags": [], "more": 2}),
        (RootModel[list[int]]([1, 2]), [1, 2]),
        (Garden(1.0, ["oak"]), {"area": 1.0, "trees": ["oak"]}),
        (Street("Main"), {"name": "Main"}),
        (b"secret", {"bytes": 6}),
        (Upload(), {"name": "a.png", "bytes": 12, "type": "image/png"}),
        (Picture(), {"type": "PNG", "width": 4, "height": 2, "mode": "RGB"}),
        (PurePosixPath("/nowhere/a.csv"), {"name": "a.csv", "bytes": None, "type": "text/csv"}),
        ({1, 2}, [1, 2]),
        (np.zeros((1, 20, 20, 20)), {"shape": "1x20x20x20", "dtype": "float64"}),
        (np.zeros(MOST_CELLS + 1), {"shape": f"{MOST_CELLS + 1}", "dtype": "float64"}),
        ([0] * (MOST_CELLS + 1), {"length": MOST_CELLS + 1}),
        (pd.DataFrame(np.zeros((10, MOST_CELLS))), {"shape": f"10x{MOST_CELLS}"}),
        ([[[[[[1]]]]]], [[[[[[1]]]]]]),
        ([[[[[[[[[[1], []], []], []], []], []], []], []], []], []], None),
    ],
    ids=[
        "a model with extra fields", "a root model", "a data class", "a structure", "bytes", "an upload", "a picture",
        "a file that is gone", "a set", "pictures in an array", "too long an array", "too long a list",
        "too large a frame", "a deep list", "too deep a list",
    ],
)  # fmt: skip
def test_a_value_becomes_what_can_be_handed_over(value: object, copy: object) -> None:
    made = Stills().of(value)

    if copy is None:
        assert "{'type': 'list'}" in str(made)
    else:
        assert made == copy


def test_what_nobody_changes_in_place_is_handed_over_as_it_is() -> None:
    row = {"price": Decimal("1.5"), "day": date(2026, 1, 2), "other": object()}

    copy = Stills().of(row)

    assert copy == row


def test_a_file_that_bentoml_has_kept_is_called_as_it_was_uploaded(tmp_path: Path) -> None:
    kept = tmp_path / "tmpab3_9xyzhouse.png"
    kept.write_bytes(b"1234")

    assert Stills().of(kept) == {"name": "house.png", "bytes": 4, "type": "image/png"}


def test_scalars_and_small_arrays_stay_what_they_are() -> None:
    number, point, table = np.float64(2), np.array(3.0), pa.table({"a": [1, 2]})

    copy: Any = Stills().of({"number": number, "point": point, "table": table, "none": None})

    assert copy == {"number": 2.0, "point": 3.0, "table": table, "none": None}
    assert Stills().of(np.zeros((2, 3, 4))).shape == (2, 3, 4)  # type: ignore[attr-defined]


@given(st.integers(min_value=1, max_value=5000))
def test_of_long_tables_the_same_rows_are_kept_on_both_sides(rows: int) -> None:
    stills = Stills()

    asked: Any = stills.of(np.arange(2 * rows).reshape(rows, 2))
    answered: Any = stills.of(list(range(rows)))
    described: Any = stills.of(pd.DataFrame({"y": range(rows)}))

    assert len(asked) == len(answered) == len(described) <= MOST_ROWS
    assert [row[0] // 2 for row in asked.tolist()] == answered == described["y"].tolist()
    assert len(asked) * 3 > min(rows, MOST_ROWS)


def test_of_many_objects_fewer_are_kept_and_of_their_answers_the_same() -> None:
    stills = Stills()
    rows = range(3 * MOST_OBJECTS)

    asked: Any = stills.of([House(area=row) for row in rows])
    answered: Any = stills.of(np.arange(3 * MOST_OBJECTS))

    assert len(asked) == MOST_OBJECTS
    assert [house["area"] for house in asked] == answered.tolist()


def test_a_long_row_is_not_thinned_like_a_table() -> None:
    embedding = list(range(3 * MOST_ROWS))

    assert Stills().of({"x": embedding}) == {"x": embedding}
    assert Stills().of(np.arange(3 * MOST_ROWS)).tolist() == embedding  # type: ignore[attr-defined]
