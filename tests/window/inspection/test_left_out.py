from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from dashlight.window.inspection.facts_meter import FactsMeter
from dashlight.window.inspection.left_out import is_id_name, is_kept, left_out
from dashlight.window.tables import Column, table_of_columns, taken

ROWS = 4000
Make = Callable[[np.random.Generator], Any]


def reasons(
    columns: Mapping[str, Column], *, is_learned: bool = False, keep: tuple[str, ...] = (), times: tuple[str, ...] = ()
) -> dict[str, str]:
    table = table_of_columns(columns)
    meter = FactsMeter("feature")
    for start in range(0, table.rows, 900):
        meter.add(taken(table, np.arange(start, min(start + 900, table.rows))))
    texts = {
        name: len({cell for cell in cells if cell is not None}) / max(sum(cell is not None for cell in cells), 1)
        for name, cells in zip(table.cell_names, table.cells, strict=True)
    }
    found = left_out(meter.facts(texts).values(), times=times, is_learned=is_learned, keep=keep)
    return {each.name: each.why for each in found}


def words(rng: np.random.Generator) -> list[str]:
    return [" ".join(rng.choice(["a1", "tea", "7", "sun"], 6)) for _ in range(ROWS)]


@pytest.mark.parametrize(
    ("name", "make", "why"),
    [
        pytest.param("Unnamed: 0", lambda rng: rng.normal(size=ROWS), "index", id="index by name"),
        pytest.param("Unnamed: 0.1", lambda rng: rng.normal(size=ROWS), "index", id="index written twice"),
        pytest.param("pickup", lambda rng: rng.integers(1_700_000_000, 1_760_000_000, ROWS), "time", id="shuffled seconds"),
        pytest.param("", lambda rng: rng.normal(size=ROWS), "index", id="no name"),
        pytest.param("n", lambda _: np.arange(ROWS), "row_number", id="row number from 0"),
        pytest.param("n", lambda _: np.arange(1, ROWS + 1), "row_number", id="row number from 1"),
        pytest.param("n", lambda _: np.arange(ROWS) * 10 + 17_000, "counter", id="counter in tens"),
        pytest.param("n", lambda _: list(range(ROWS)), "row_number", id="row number of ints"),
        pytest.param("n", lambda rng: rng.permutation(ROWS), "id", id="shuffled row number"),
        pytest.param("n", lambda _: np.arange(6000)[np.random.default_rng(1).permutation(6000) < ROWS], "id", id="filtered index"),
        pytest.param("n", lambda rng: rng.permutation(60_000)[:ROWS], "id", id="numbers drawn without a repetition"),
        pytest.param("order_no", lambda rng: np.sort(rng.choice(10**9, ROWS)), "id", id="sorted ids by name"),
        pytest.param("customerId", lambda rng: rng.choice(10**5, ROWS), "id", id="ids by name that recur at times"),
        pytest.param("k", lambda rng: [f"{key:032x}" for key in rng.integers(0, 2**62, ROWS).tolist()], "id", id="hexadecimal"),
        pytest.param("k", lambda rng: [f"C-{key}" for key in rng.permutation(ROWS)], "id", id="prefixed"),
        pytest.param("d", lambda _: [f"2024-{1 + row % 12:02}-{1 + row % 28:02}" for row in range(ROWS)], "time", id="days"),
        pytest.param("d", lambda _: [f"{1 + row % 28}/{1 + row % 12}/2024 10:00" for row in range(ROWS)], "time", id="slashes"),
        pytest.param("d", lambda _: ["2024-01-02T03:04:05.678+01:00"] * ROWS, "time", id="moments"),
        pytest.param("created_at", lambda rng: 1.7e9 + rng.random(ROWS) * 1e6, "time", id="seconds by name"),
        pytest.param("ts", lambda _: 1.7e12 + np.arange(ROWS) * 60_500.0 + np.arange(ROWS) % 7, "time", id="rising milliseconds"),
    ],
)  # fmt: skip
def test_what_is_new_in_every_row_is_left_out(name: str, make: Make, why: str) -> None:
    assert reasons({name: make(np.random.default_rng(3))}) == {name: why}
    assert reasons({name: make(np.random.default_rng(3))}, keep=(name,)) == {}


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param("price", lambda rng: np.sort(rng.gamma(3, 50, ROWS).round(2)), id="sorted by price"),
        pytest.param("price", lambda rng: np.sort(rng.integers(100, 90_000, ROWS)), id="sorted by whole prices"),
        pytest.param("cents", lambda rng: np.sort(rng.choice(np.arange(100, 90_000), ROWS, replace=False)), id="distinct and sorted"),
        pytest.param("income", lambda rng: rng.integers(10_000, 200_000, ROWS), id="whole numbers that hardly recur"),
        pytest.param("revenue", lambda rng: rng.gamma(2, 1e8, ROWS).round(), id="large whole numbers"),
        pytest.param("ratio", lambda _: np.linspace(0, 1, ROWS), id="an even grid that is not whole"),
        pytest.param("hour", lambda _: np.arange(ROWS) % 24, id="hours that begin again"),
        pytest.param("number", lambda rng: rng.integers(1, 6, ROWS), id="a number by name that recurs"),
        pytest.param("amount", lambda rng: 1.5e9 + rng.gamma(2, 1e8, ROWS), id="numbers of the size of moments"),
        pytest.param("written", lambda rng: [f"{value:.2f}" for value in rng.gamma(2, 500, ROWS)], id="numbers as texts"),
        pytest.param("note", words, id="texts"),
        pytest.param("zip", lambda rng: [f"{key:05}" for key in rng.integers(10_000, 12_000, ROWS)], id="codes that recur"),
        pytest.param("mail", lambda rng: [f"a{key}@b.org" for key in rng.permutation(ROWS)], id="addresses"),
        pytest.param("empty", lambda _: [None] * ROWS, id="nothing"),
        pytest.param("constant", lambda _: np.full(ROWS, 7), id="constant"),
    ],
)  # fmt: skip
def test_what_traffic_can_be_like_stays(name: str, make: Make) -> None:
    assert reasons({name: make(np.random.default_rng(3))}) == {}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda rng: np.cumsum(rng.integers(1, 9, ROWS)), id="uneven steps"),
        pytest.param(lambda rng: np.cumsum(rng.integers(0, 2, ROWS)), id="several rows a step"),
        pytest.param(lambda rng: rng.permutation(60_000)[:ROWS], id="no repetition"),
        pytest.param(
            lambda _: np.concatenate([np.arange(pane, pane + 200).reshape(-1, 2).T.ravel() for pane in range(0, ROWS, 200)]),
            id="of two workers in turn",
        ),
    ],
)  # fmt: skip
def test_in_traffic_what_only_rises_counts(make: Make) -> None:
    assert reasons({"n": make(np.random.default_rng(3))}, is_learned=True).keys() == {"n"}


def test_in_traffic_a_level_that_moves_is_no_counter() -> None:
    rng = np.random.default_rng(4)
    columns = {
        "walk": np.cumsum(rng.normal(size=ROWS)).round(),
        "trend": (np.arange(ROWS) / 200 + rng.normal(0, 3, ROWS)).round(),
        "age": rng.integers(18, 90, ROWS),
    }

    assert reasons(columns, is_learned=True) == {}


def test_columns_of_moments_are_known_by_their_type() -> None:
    assert reasons({"born": np.random.default_rng(5).normal(0, 1e8, ROWS)}, times=("born",)) == {"born": "time"}


def test_a_handful_of_rows_says_nothing() -> None:
    assert reasons({"n": np.arange(20), "k": [f"C-{row}" for row in range(20)]}) == {}


@pytest.mark.parametrize(
    ("name", "globs", "is_one"),
    [("a", ["a"], True), ("ab", ["a*"], True), ("x[0]", ["x"], True), ("x[0]", ["x[0]"], True), ("b", ["a"], False)],
)
def test_a_column_is_kept_by_its_name_or_a_glob(name: str, globs: list[str], *, is_one: bool) -> None:
    assert is_kept(name, globs) is is_one


@pytest.mark.parametrize("name", ["order_no", "customerId", "uuid", "invoice number", "session", "txKey"])
def test_names_of_ids_are_known(name: str) -> None:
    assert is_id_name(name)


@pytest.mark.parametrize("name", ["numbers", "price", "paid", "android", "Monokey", "references", "code_lines"])
def test_other_names_are_no_ids(name: str) -> None:
    assert not is_id_name(name)
