"""References as people give them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dashlight.errors import CallError, DashlightError, ReferenceDataError
from dashlight.offline.reference import listed, reference_of, suggestion
from dashlight.window.columns import ColumnReference, Reference
from dashlight.window.facets.facets import facet_names
from dashlight.window.reference.file import dump

ROWS = 300
RNG = np.random.default_rng(1)
NORMAL = RNG.normal(0, 1, ROWS)
CODES = RNG.integers(0, 5, ROWS)
WORDS = [f"a sentence that is long enough, number {row}" for row in range(ROWS)]
VECTORS = RNG.normal(0, 1, (ROWS, 20))


def built(columns: Any, kinds: Any = None, *, ordered: bool = True) -> Reference:
    return reference_of(columns, kinds, ordered=ordered, created_at=5.0)


def column(values: Any, kind: str | None = None) -> ColumnReference:
    return built({"x": values}, None if kind is None else {"x": kind}).columns[-1]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        pytest.param(NORMAL, "numeric", id="numbers"),
        pytest.param(["a", "b"] * (ROWS // 2), "categorical", id="few texts"),
        pytest.param([True, False] * (ROWS // 2), "boolean", id="truths"),
        pytest.param(WORDS, "text", id="sentences"),
        pytest.param(VECTORS, "vector", id="array of vectors"),
        pytest.param([*VECTORS[1:].tolist(), None], "vector", id="lists of numbers"),
        pytest.param(pa.array(CODES).dictionary_encode(), "categorical", id="numbers that a dictionary holds"),
        pytest.param(np.full(ROWS, np.nan), "text", id="nothing"),
        pytest.param([None] * ROWS, "text", id="no cell"),
    ],
)
def test_the_kind_of_a_column_follows_from_its_values(values: Any, kind: str) -> None:
    assert column(values).kind == kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        pytest.param(NORMAL, "numeric", id="numbers"),
        pytest.param(CODES, "categorical", id="codes"),
        pytest.param([True, None, False] * (ROWS // 3), "boolean", id="truths"),
        pytest.param(["a", "b", None] * (ROWS // 3), "text", id="few texts as texts"),
        pytest.param(CODES, "text", id="numbers as texts"),
        pytest.param(WORDS, "categorical", id="sentences as categories"),
        pytest.param([*VECTORS[2:].tolist(), None, [1.0]], "vector", id="vectors"),
    ],
)
def test_the_kind_of_a_column_may_be_declared(values: Any, kind: str) -> None:
    assert column(values, kind).kind == kind


def test_a_text_column_has_its_facets_beside_it_and_counts_what_is_there() -> None:
    reference = built({"comment": ["a", "bb", None] * (ROWS // 3), "age": NORMAL}, {"comment": "text"})

    columns = {each.name: each for each in reference.columns}
    assert columns.keys() == {"comment", "age", *facet_names("comment", "text")}
    assert columns["comment"].counts[[0, 4]].tolist() == [ROWS // 3, 2 * ROWS // 3]
    length = columns["comment · length"]
    assert (length.of, length.low, length.high) == ("comment", 1, 2)


@pytest.mark.parametrize("kind", ["numeric", "text", "vector"])
def test_a_column_that_was_always_null_has_only_that_to_judge_whatever_its_kind(kind: str) -> None:
    if kind == "vector":
        with pytest.raises(CallError, match="column 'x' of the reference holds no vectors: expected lists of 16"):
            column([None] * ROWS, kind)
    else:
        found = column([None] * ROWS, kind)
        assert (found.kind, found.counts[0]) == ("text", ROWS)


def test_the_same_rows_give_the_same_reference() -> None:
    columns = {"age": NORMAL, "comment": WORDS}

    assert built(columns).version == built(columns).version
    assert built(columns).version != built(columns, ordered=False).version
    assert built(columns).created_at == 5.0


def test_a_file_is_read_from_its_path_or_its_bytes(tmp_path: Path) -> None:
    reference = built({"age": NORMAL, "comment": WORDS, "embedding": VECTORS})
    path = tmp_path / "reference.json"
    path.write_bytes(dump(reference))

    for given in (path, str(path), path.read_bytes(), bytearray(path.read_bytes()), reference):
        found = built(given, {"age": "numeric", "embedding": "vector"})
        assert found.version == reference.version
        assert [each.kind for each in found.columns] == [each.kind for each in reference.columns]


@pytest.mark.parametrize(
    ("columns", "kinds", "message"),
    [
        pytest.param({"x": NORMAL[:199]}, None, "the reference has 199 rows: expected at least 200", id="short"),
        pytest.param({"x": []}, None, "the reference has 0 rows: expected at least 200", id="empty"),
        pytest.param({"x": NORMAL}, {"x": "number"},
                     "'number': expected one of 'numeric', 'categorical', 'boolean', 'text', 'vector'", id="no kind"),
        pytest.param({"x": NORMAL}, {"x": ["numeric"]}, r"it is \['numeric'\]: expected one of", id="list as kind"),
        pytest.param({"x": NORMAL}, "numeric", "kinds is of type str: expected a mapping", id="kinds as text"),
        pytest.param({"height": NORMAL}, {"heigth": "numeric"},
                     r"kinds names column 'heigth' \(did you mean 'height'\?\), which the reference lacks", id="typo"),
        pytest.param({"x": NORMAL}, {"weight": "numeric"}, "'weight', which the reference lacks: it has 'x'", id="name"),
        pytest.param({"x": NORMAL}, {5: "numeric"}, "kinds names column '5', which the reference lacks", id="number"),
        pytest.param({"x": ["1", "2"] * 150}, {"x": "numeric"},
                     "'x' that it is 'numeric': its values in the reference are 'categorical'", id="texts as numbers"),
        pytest.param({"x": [0, 1] * 150}, {"x": "boolean"},
                     "'x' that it is 'boolean': its values in the reference are 'numeric'", id="numbers as truths"),
        pytest.param({"x": NORMAL}, {"x": "vector"}, "column 'x' of the reference holds no vectors", id="numbers as vectors"),
        pytest.param({"x": VECTORS[:, :3]}, None, r"is an array of shape \(300, 3\): expected one value in each row, or "
                     "lists of 16 to 4,096 numbers", id="matrix"),
        pytest.param({"x": VECTORS}, {"x": "numeric"}, r"array of shape \(300, 20\): expected one value", id="vectors as numbers"),
        pytest.param({"x": [{"a": 1}, [2]] * 150}, None, "column 'x' of the reference holds values of type 'dict', 'list'",
                     id="no single values"),
        pytest.param({"x": [{"a": 1}] * 300}, {"x": "numeric"}, "holds values of type 'dict'", id="mappings as numbers"),
        pytest.param({"c": WORDS, "c · length": NORMAL}, None, "the reference has a column 'c · length', which is the name of what is measured",
                     id="name of a facet"),
    ],
)  # fmt: skip
def test_columns_and_kinds_that_cannot_be_used_are_errors_in_one_sentence(
    columns: Any, kinds: Any, message: str
) -> None:
    with pytest.raises(CallError, match=message):
        built(columns, kinds)


def test_kinds_must_agree_with_a_file() -> None:
    file = dump(built({"age": NORMAL}))

    with pytest.raises(CallError, match="'age' that it is 'text': in the reference file it is 'numeric'"):
        built(file, {"age": "text"})
    with pytest.raises(CallError, match="kinds names column 'size', which the reference lacks: it has 'age'"):
        built(file, {"size": "text"})


def test_a_reference_without_columns_has_nothing_to_compare() -> None:
    with pytest.raises(CallError, match="the reference has no columns: expected at least one"):
        built(replace(built({"age": NORMAL}), columns=()))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(b"{}", "the reference file is not a Dashlight reference", id="foreign bytes"),
        pytest.param("/nowhere/reference.json", "/nowhere/reference.json cannot be read as a reference file: No such file",
                     id="no file"),
        pytest.param("/", "/ cannot be read as a reference file: Is a directory", id="directory"),
        pytest.param("a\0b", "cannot be read as a reference file: embedded null", id="no path"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named(given: Any, message: str) -> None:
    with pytest.raises(ReferenceDataError, match=message):
        built(given)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("age\n1\n")

    with pytest.raises(DashlightError, match=r"train\.csv is not JSON"):
        built(path)


def test_long_lists_of_names_are_cut() -> None:
    assert listed(map(str, range(12))) == "'0', '1', '2', '3', '4', '5', '6', '7', '8', '9' and 2 more"
    assert suggestion("agge", ["age", "city"]) == " (did you mean 'age'?)"
    assert suggestion("zip", ["age", "city"]) == ""


PHOTOS: list[Any] = [{"format": "png", "width": 64, "height": 64, "bytes": place} for place in range(300)]


@pytest.mark.parametrize(
    ("name", "values", "kinds", "kind"),
    [
        pytest.param("photo", PHOTOS, None, "image", id="images"),
        pytest.param("films", [["a", "b"]] * 300, None, "ranking", id="lists of texts"),
        pytest.param("x", [[5, 7]] * 300, {"x": "ranking"}, "ranking", id="lists of ids by word"),
        pytest.param("x", [[0.5, 0.7]] * 300, None, "forecast", id="short lists of numbers"),
        pytest.param("forecast", VECTORS[:, :3], None, "forecast", id="array by its name"),
        pytest.param("x", VECTORS, {"x": "forecast"}, "forecast", id="array by word"),
        pytest.param("x", [[0.5] * 20] * 300, None, "vector", id="vectors"),
    ],
)
def test_columns_of_lists_and_images_are_what_they_hold_or_what_is_said(
    name: str, values: Any, kinds: Any, kind: str
) -> None:
    columns = {column.name: column for column in built({name: values}, kinds).columns}

    assert columns[name].kind == kind


@pytest.mark.parametrize("kind", ["image", "ranking", "forecast"])
def test_columns_that_do_not_hold_what_is_said_are_errors(kind: str) -> None:
    with pytest.raises(CallError, match=f"holds no {kind}s: expected"):
        built({"x": NORMAL}, {"x": kind})


def frame(rows: int = 1000) -> dict[str, Any]:
    rng = np.random.default_rng(9)
    hours = np.arange(rows).astype("timedelta64[h]")
    return {
        "age": rng.normal(40, 10, rows),
        "Unnamed: 0": np.arange(rows),
        "seq": np.arange(rows) * 2 + 7,
        "seen": np.datetime64("2024-01-01T00:00") + hours,
        "day": [(date(2024, 1, 1) + timedelta(days=row)) for row in range(rows)],
        "ticket": [f"T-{key}" for key in rng.permutation(rows)],
    }


def test_what_no_traffic_can_be_like_is_left_out() -> None:
    made = reference_of(frame(), None, ordered=True, created_at=0.0)

    assert [column.name for column in made.columns] == ["age"]
    assert {each.name: each.why for each in made.left_out} == {
        "Unnamed: 0": "index",
        "seq": "counter",
        "seen": "time",
        "day": "time",
        "ticket": "id",
    }


@pytest.mark.parametrize(("name", "kind"), [("seq", "numeric"), ("seen", "numeric"), ("ticket", "text")])
def test_a_column_whose_kind_is_said_stays(name: str, kind: str) -> None:
    made = reference_of(frame(), {name: kind}, ordered=True, created_at=0.0)

    assert {column.name for column in made.columns if not column.of} == {"age", name}


def test_where_nothing_stays_that_is_said() -> None:
    with pytest.raises(CallError, match=r"no column left .* 'n' numbers the rows; name what to keep"):
        reference_of({"n": np.arange(500)}, None, ordered=True, created_at=0.0)
