"""What `reference build` says of the files that people have."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight.cli import reference as command
from dashlight.window.reference.file import load

PRICE, CITY = ("price", "numeric", "0.0%"), ("city", "categorical", "0.0%")
TOLD: Mapping[str, tuple[list[tuple[str, str, str]], dict[str, str], dict[str, str]]] = {
    "decimal comma": ([PRICE, CITY], {}, {}),
    "tab": ([PRICE, CITY], {}, {}),
    "pipe": ([PRICE, CITY], {}, {}),
    "currency": ([PRICE, ("preis", "numeric", "0.0%"), CITY], {}, {"preis": "duplicate"}),
    "percent": ([("rate", "numeric", "0.0%"), ("quote", "numeric", "0.0%"), CITY], {}, {"quote": "duplicate"}),
    "thousands": (
        [("sum", "numeric", "0.0%"), ("somme", "numeric", "0.0%"), ("summe", "numeric", "0.0%"), CITY],
        {},
        {"summe": "duplicate"},
    ),
    "cp1252": ([("Preis", "numeric", "0.0%"), ("Straße", "categorical", "0.0%")], {}, {}),
    "utf-16": ([PRICE, CITY], {}, {}),
    "gz": ([PRICE, CITY], {}, {}),
    "index column": ([PRICE, CITY], {"": "index"}, {}),
    "one odd cell": ([PRICE, CITY], {}, {"price": "odd_cells"}),
    "day-first dates": ([PRICE, CITY], {"day": "time"}, {}),
    "month-first dates": ([PRICE, CITY], {"day": "time"}, {}),
    "iso timestamps": ([PRICE, CITY], {"seen": "time"}, {}),
    "parquet timestamps": ([PRICE, CITY], {"seen": "time"}, {}),
    "truths in words": (
        [("paid", "boolean", "0.0%"), ("active", "boolean", "0.0%"), ("member", "boolean", "0.0%"), PRICE, CITY],
        {},
        {"active": "duplicate", "member": "duplicate"},
    ),
    "ids": ([PRICE, CITY], {"order_id": "id", "counter": "counter", "key": "id"}, {}),
    "constant": (
        [("version", "numeric", "0.0%"), ("currency", "categorical", "0.0%"), PRICE, CITY],
        {},
        {"version": "constant", "currency": "nearly_constant"},
    ),
    "null spellings": ([("price", "numeric", "5.0%"), ("note", "categorical", "0.0%"), CITY], {}, {}),
    "quoted newlines": ([("note", "categorical", "0.0%"), PRICE, CITY], {}, {}),
}
"""Of each kind of file: name, kind and share of missing rows of its columns; what is left out, and why; what is doubtful."""

Build = Callable[..., str]


def run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["reference", "build", *map(str, words)])
    code: int = arguments.run(arguments)
    return code


@pytest.fixture
def build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Build:
    """Builds the reference of a file; what is said on stdout."""

    def built(path: Path, *words: str) -> str:
        assert run(path, "--output", tmp_path / "reference.json", *words) == 0
        return capsys.readouterr().out

    return built


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Mapping[str, Any]], Path]:
    """Writes columns as CSV."""

    def write(columns: Mapping[str, Any]) -> Path:
        rows = zip(*columns.values(), strict=True)
        path = tmp_path / "train.csv"
        path.write_text("".join(f"{','.join(map(str, cells))}\n" for cells in (columns, *rows)))
        return path

    return write


@pytest.mark.parametrize("kind", TOLD)
def test_of_every_kind_of_file_the_report_says_what_was_decided(
    kind: str, training_file: Callable[[str], Path], build: Build
) -> None:
    report = json.loads(build(training_file(kind), "--format", "json"))

    columns, left_out, doubts = TOLD[kind]
    assert [(each["column"], each["kind"], each["missing"]) for each in report["columns"]] == columns
    assert {each["column"]: each["kind"] for each in report["left_out"]} == left_out
    assert {each["column"]: each["kind"] for each in report["doubts"]} == doubts


def test_the_kinds_are_all_there_are(training_kinds: tuple[str, ...]) -> None:
    assert set(training_kinds) == set(TOLD)


def test_one_odd_cell_is_told_with_its_place_and_what_to_type(
    training_file: Callable[[str], Path], build: Build
) -> None:
    said = build(training_file("one odd cell"))

    assert (
        "  'price' has 1 row of another type, 'eleven' in row 3210, counted as of a wrong type: leave such cells empty,"
        " or --categorical price if all are codes" in said.splitlines()
    )


def test_what_is_left_out_is_kept_where_that_is_asked_for(training_file: Callable[[str], Path], build: Build) -> None:
    path = training_file("ids")

    said = build(path, "--keep", "counter", "key")

    kept = load((path.parent.parent / "reference.json").read_bytes())
    assert [column.name for column in kept.columns if not column.of] == ["counter", "key", "price", "city"]
    assert "'order_id' identifies a row" in said
    assert "Doubtful" not in said


def test_the_column_that_orders_the_rows_is_no_doubt(training_file: Callable[[str], Path], build: Build) -> None:
    said = build(training_file("iso timestamps"), "--time", "seen")

    assert "Left out" not in said
    assert "Doubtful" not in said


def test_names_and_values_are_doubted(written: Callable[[Mapping[str, Any]], Path], build: Build) -> None:
    rng = np.random.default_rng(1)
    rows = 5000
    path = written(
        {
            "price": np.sort(rng.gamma(3, 50, rows).round(2)),
            "age": rng.integers(18, 90, rows),
            "churned": rng.integers(0, 2, rows),
            "is_fraud": rng.integers(0, 2, rows),
            "member": rng.permutation(10**6)[:rows],
            "mixed": ["b" if value % 3 else value for value in rng.integers(0, 90, rows).tolist()],
            "open": [f"{1 + row % 9}/{1 + row % 7}/2024" for row in range(rows)],
            "empty": [""] * rows,
            "p": rng.random(rows).round(4),
        }
    )

    report = json.loads(build(path, "--label", "is_fraud", "--prediction", "p", "--format", "json"))

    told = {each["column"]: (each["kind"], each["type"]) for each in report["doubts"]}
    assert told == {
        "price": ("rising", "--unordered if the rows are sorted by it, --ignore price if it is a counter"),
        "churned": ("label", "--label churned, or --prediction churned if the model predicts it"),
        "member": ("id", "--ignore member"),
        "mixed": ("mixed", "--categorical mixed counts them all as words, --ignore mixed leaves it out"),
        "open": ("dates", "write them as 2024-12-31, or --ignore open"),
        "empty": ("empty", "--ignore empty"),
    }
    assert [each["column"] for each in report["left_out"]] == ["open"]


def test_a_file_sorted_by_price_keeps_price(written: Callable[[Mapping[str, Any]], Path], build: Build) -> None:
    prices = np.sort(np.random.default_rng(2).integers(100, 90_000, 3000))

    report = json.loads(build(written({"price": prices, "x": np.arange(3000) % 7}), "--format", "json"))

    assert [each["column"] for each in report["columns"]] == ["price", "x"]
    assert not report["left_out"]


def test_a_row_that_is_repeated_is_told(written: Callable[[Mapping[str, Any]], Path], build: Build) -> None:
    rng = np.random.default_rng(3)
    repeated = rng.random(4000) < 0.08
    path = written(
        {
            "x": np.where(repeated, 1.25, rng.normal(size=4000).round(3)),
            "c": ["q" if each else "pr"[row % 2] for row, each in enumerate(repeated.tolist())],
        }
    )

    said = build(path)

    first = int(np.flatnonzero(repeated)[0]) + 1
    assert f"row {first} the first of at least 3" in said


def test_of_few_possible_rows_none_is_a_repetition(written: Callable[[Mapping[str, Any]], Path], build: Build) -> None:
    rng = np.random.default_rng(4)
    path = written({name: rng.random(4000) < 0.3 for name in "abc"})

    assert "One row" not in build(path)


def test_quiet_says_one_line(training_file: Callable[[str], Path], build: Build) -> None:
    (line,) = build(training_file("ids"), "--quiet").splitlines()

    assert "1000 rows in time order, 2 columns" in line


def test_where_nothing_is_left_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("n\n" + "".join(f"{row}\n" for row in range(500)))

    assert run(tmp_path / "t.csv", "--output", tmp_path / "r.json") == 2

    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .endswith(
            "has no column left for the reference: 'n' numbers the rows; name what to keep: --keep, or kinds in Python"
        )
    )


class Terminal(io.StringIO):
    """One that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_table_is_drawn(
    training_file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rich")
    out = Terminal()
    monkeypatch.setattr("sys.stdout", out)

    assert run(training_file("constant"), "--output", tmp_path / "r.json") == 0

    said = out.getvalue()
    assert "currency" in said
    assert "Doubtful:" in said
