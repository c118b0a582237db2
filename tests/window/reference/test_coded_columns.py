"""Columns as numbers into their distinct values make the reference that their cells make."""

from collections.abc import Sequence

import numpy as np
import pytest

from dashlight.records import Cell, Table
from dashlight.window.reference.build import build_reference
from dashlight.window.reference.chunks import Chunk
from dashlight.window.reference.file import dump
from dashlight.window.tables import table_of_columns
from dashlight.window.values import Coded, Distinct

ROWS, CHUNK = 5250, 640


def columns(rng: np.random.Generator) -> dict[str, list[Cell]]:
    many = [f"c{place:05}" for place in rng.zipf(1.3, ROWS).clip(0, 60_000).tolist()]
    numbers: list[Cell] = rng.integers(0, 9, ROWS).tolist()
    mixed: list[Cell] = [
        ["5", 5, 5.0, None, True, "x" * 300, "x" * 250, float("nan")][place % 8] for place in range(ROWS)
    ]
    odd = [*numbers]
    odd[1234] = "eleven"
    return {
        "few": rng.choice(["a", "b", "c"], ROWS, p=[0.7, 0.299, 0.001]).tolist(),
        "many": [*many],
        "truths": [None if place < 0.1 else place < 0.4 for place in rng.random(ROWS).tolist()],
        "free": [f"text {place} {row}" for row, place in enumerate(rng.integers(0, 9, ROWS).tolist())],
        "runs": [f"r{row // 150}" for row in range(ROWS)],
        "mixed": mixed,
        "odd": odd,
        "nothing": [None] * ROWS,
    }


def coded(cells: Sequence[Cell], distinct: dict[tuple[type, object], int], values: list[Cell]) -> list[int]:
    codes: list[int] = []
    for cell in cells:
        key = (type(cell), "nan" if cell != cell else cell)  # noqa: PLR0124  # NaN
        if key not in distinct:
            distinct[key] = len(values)
            values.append(cell)
        codes.append(distinct[key])
    return codes


def listed_chunks(held: dict[str, list[Cell]]) -> list[Chunk]:
    starts = range(0, ROWS, CHUNK)
    return [
        {"feature": _table({name: cells[start : start + CHUNK] for name, cells in held.items()})} for start in starts
    ]


def coded_chunks(held: dict[str, list[Cell]], *, is_shared: bool) -> list[Chunk]:
    """With the same distinct values throughout, which grow, or those of each chunk."""
    places: dict[str, dict[tuple[type, object], int]] = {name: {} for name in held}
    values: dict[str, list[Cell]] = {name: [] for name in held}
    distinct = {name: Distinct(values[name]) for name in held}
    chunks: list[Chunk] = []
    for start in range(0, ROWS, CHUNK):
        cells: dict[str, Sequence[Cell]] = {}
        for name, column in held.items():
            if is_shared:
                codes = coded(column[start : start + CHUNK], places[name], values[name])
                cells[name] = Coded(np.array(codes, np.intp), distinct[name])
            else:
                own: list[Cell] = []
                codes = coded(column[start : start + CHUNK], {}, own)
                cells[name] = Coded(np.array(codes, np.intp), own)
        chunks.append({"feature": _table(cells)})
    return chunks


def _table(cells: dict[str, Sequence[Cell]] | dict[str, list[Cell]]) -> Table:
    rows = len(next(iter(cells.values())))
    empty = table_of_columns({"x": np.zeros(rows)})
    return Table(rows, (), empty.numbers[:0], tuple(cells), tuple(cells.values()), empty.exchange)


def reference_of(chunks: Sequence[Chunk], categorical: Sequence[str]) -> bytes:
    rng = np.random.default_rng(0)
    return dump(build_reference(lambda: chunks, rng=rng, created_at=0.0, categorical=categorical))


@pytest.mark.parametrize("is_shared", [True, False], ids=["shared values", "values of each chunk"])
@pytest.mark.parametrize("categorical", [(), ("odd", "mixed")])
def test_a_reference_of_coded_columns_is_that_of_their_cells(categorical: tuple[str, ...], *, is_shared: bool) -> None:
    held = columns(np.random.default_rng(4))

    made = [
        reference_of(chunks, categorical) for chunks in (listed_chunks(held), coded_chunks(held, is_shared=is_shared))
    ]

    assert made[0] == made[1]


def test_a_slice_of_coded_cells_is_one_of_their_values() -> None:
    cells: Coded[str | None] = Coded(np.array([0, 1, 1, 2], np.intp), ["a", None, "b"])

    assert (len(cells), cells[3], list(cells), list(cells[1:])) == (4, "b", ["a", None, None, "b"], [None, None, "b"])
    assert cells.counts.tolist() == [1, 2, 1]


def test_distinct_values_are_asked_once_also_where_more_come() -> None:
    values = ["a", "bb"]
    distinct = Distinct(values)
    asked: list[str] = []

    def lengths(of: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        asked.extend(of)
        return np.array([len(each) for each in of], np.int64)

    first = distinct.asked(lengths).tolist()
    values.append("cc")

    assert (first, distinct.asked(lengths).tolist(), asked) == ([1, 2], [1, 2, 2], ["a", "bb", "cc"])
    places, texts = distinct.mapped(lambda of: [each[0] for each in of])
    assert (places.tolist(), list(texts.values)) == ([0, 1, 2], ["a", "b", "c"])
