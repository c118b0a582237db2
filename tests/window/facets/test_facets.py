"""Facets beside the columns they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.records import Cell, Kind, Table
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference
from dashlight.window.facets.facets import PRESENT, collisions, described, expanded, facet_names, faceted, facets_of
from dashlight.window.facets.text_facets import TEXT_FACETS, text_facets
from dashlight.window.facets.text_words import hashed_words
from dashlight.window.facets.vector_facets import VECTOR_FACETS, vector_facets
from dashlight.window.layout import NULL, STRUCTURAL_BINS, TYPE_ERROR
from dashlight.window.reference.build import build_reference
from dashlight.window.tables import table_of_columns
from dashlight.window.values import WRONG

KINDS: Mapping[str, Kind] = {"comment": "text", "embedding": "vector"}


def table_with(cells: Mapping[str, Any], numbers: Mapping[str, Any]) -> Table:
    table = table_of_columns(numbers)
    rows = len(next(iter({**numbers, **cells}.values())))
    held = table.numbers.reshape(len(numbers), rows)
    return replace(table, rows=rows, numbers=held, cell_names=tuple(cells), cells=tuple(cells.values()))


def vectors(rows: int, width: int = 16) -> list[list[float]]:
    found: list[list[float]] = np.random.default_rng(rows).normal(size=(rows, width)).tolist()
    return found


def columns_with_facets(rows: int = 300) -> tuple[ColumnReference, ...]:
    rng = np.random.default_rng(3)
    comments = [" ".join(["word"] * count) for count in rng.integers(1, 30, rows)]
    table, _ = expanded(table_with({"comment": comments, "embedding": vectors(rows)}, {"age": rng.random(rows)}), KINDS)
    reference = build_reference(lambda: [{"feature": table}], rng=rng, created_at=0.0)
    return described(reference.columns, KINDS)


def test_facets_of_texts_stand_in_their_rows() -> None:
    facets = facets_of("comment", "text", ["Some words.", None, float("nan"), ["list"], 12.5, True, ""])

    assert facets.names == tuple(f"comment · {facet}" for facet in TEXT_FACETS)
    np.testing.assert_array_equal(facets.numbers[:, [0, 4, 5, 6]], text_facets(["Some words.", "12.5", "true", ""]))
    assert np.isnan(facets.numbers[:, 1:4]).all()
    assert facets.cells == [PRESENT, None, None, WRONG, PRESENT, PRESENT, PRESENT]


def test_words_of_texts_stand_in_their_rows() -> None:
    rows = facets_of("comment", "text", [None, "some words", {}]).rows

    assert rows is not None
    np.testing.assert_array_equal(rows[1], hashed_words(["some words"])[0])
    assert np.isnan(rows[[0, 2]]).all()


def test_facets_of_vectors_stand_in_their_rows() -> None:
    one, other = vectors(2)

    facets = facets_of("embedding", "vector", [None, one, [1.0], other])

    assert facets.names == tuple(f"embedding · {facet}" for facet in VECTOR_FACETS)
    np.testing.assert_allclose(facets.numbers[:, [1, 3]], vector_facets(np.array([one, other])))
    assert np.isnan(facets.numbers[:, [0, 2]]).all()
    assert facets.cells == [None, "16", WRONG, "16"]
    assert facets.rows is not None
    np.testing.assert_array_equal(facets.rows[[1, 3]], np.array([one, other], np.float32))
    assert np.isnan(facets.rows[[0, 2]]).all()


def test_thousands_of_wide_vectors_are_looked_at_in_parts() -> None:
    rows = np.random.default_rng(4).normal(size=(2100, 300))

    whole = facets_of("x", "vector", rows)
    part = facets_of("x", "vector", rows[2000:])

    assert whole.rows is not None
    assert part.rows is not None
    assert whole.rows.shape == (2100, 256)
    np.testing.assert_allclose(whole.numbers[:, 2000:], part.numbers)
    np.testing.assert_array_equal(whole.rows[2000:], part.rows)
    assert whole.cells == ["300"] * 2100


def test_vectors_of_another_width_than_the_references_are_wrong() -> None:
    facets = facets_of("embedding", "vector", vectors(3, 20), width=16)

    assert facets.cells == [WRONG] * 3
    assert np.isnan(facets.numbers).all()


@pytest.mark.parametrize("kind", ["text", "vector"])
def test_nothing_is_embedded_that_nobody_asked_for(kind: Kind) -> None:
    assert facets_of("x", kind, ["text"], embedded=False).rows is None


@pytest.mark.parametrize("kind", ["text", "vector"])
def test_no_rows_have_no_facets(kind: Kind) -> None:
    facets = facets_of("x", kind, [])

    assert facets.numbers.shape == (len(facets.names), 0)
    assert facets.rows is not None
    assert len(facets.rows) == 0


def test_a_number_has_no_facets() -> None:
    with pytest.raises(ValueError, match="'numeric' has no facets"):
        facets_of("age", "numeric", [1.0])


def test_an_expanded_table_has_the_facets_beside_its_columns() -> None:
    table = table_with({"city": ["Ulm", "Bonn"], "comment": ["some words", None]}, {"age": [1.0, 2.0]})

    found, embeddings = expanded(table, KINDS)

    assert found.number_names == ("age", *facet_names("comment", "text"))
    np.testing.assert_array_equal(found.numbers[0], [1.0, 2.0])
    np.testing.assert_array_equal(found.numbers[1:, 0], text_facets(["some words"])[:, 0])
    assert found.cell_names == ("city", "comment")
    assert found.cells == (["Ulm", "Bonn"], [PRESENT, None])
    assert embeddings.keys() == {"comment"}
    assert embeddings["comment"].shape == (2, 256)
    assert found.exchange is table.exchange


def test_a_text_column_that_held_numbers_alone_has_facets_too() -> None:
    found, _ = expanded(table_of_columns({"comment": [12.0, None]}), KINDS)

    np.testing.assert_array_equal(found.numbers[:2], [[2.0, np.nan], [1.0, np.nan]])
    assert (found.cell_names, found.cells) == (("comment",), ([PRESENT, None],))


def test_a_table_without_texts_and_vectors_stays_as_it_is() -> None:
    table = table_of_columns({"age": [1.0]})

    assert expanded(table, KINDS) == (table, {})
    assert expanded(table, {"age": "numeric"})[0] is table


def test_a_column_of_a_facets_name_gives_way_to_it() -> None:
    table = table_with({"comment": ["four"]}, {"comment · length": [99.0], "age": [1.0]})

    found, _ = expanded(table, KINDS)

    assert found.number_names == ("age", *facet_names("comment", "text"))
    assert found.numbers[1].tolist() == [4.0]


def test_columns_that_bear_the_name_of_a_facet_are_found() -> None:
    assert collisions(["age", "comment", "comment · length", "embedding · length"], KINDS) == {"comment · length"}
    assert collisions(["comment · length"], {"comment": "categorical"}) == frozenset()


def test_columns_of_a_reference_say_what_they_are() -> None:
    columns = {column.name: column for column in columns_with_facets()}

    assert (columns["comment"].kind, columns["comment"].categories, columns["comment"].of) == ("text", (), "")
    assert (columns["embedding"].kind, columns["embedding"].categories) == ("vector", ("16",))
    assert {column.of for column in columns.values() if column.kind == "numeric"} == {"", "comment", "embedding"}
    assert columns["age"].of == ""
    assert {columns[name].of for name in facet_names("embedding", "vector")} == {"embedding"}


def test_columns_with_facets_are_known_by_them() -> None:
    columns = columns_with_facets()
    text = next(column for column in columns if column.kind == "text")

    assert faceted(columns) == (KINDS, {"embedding": 16})
    assert faceted([replace(text, name="other"), *columns])[0] == KINDS
    assert faceted([text]) == ({}, {})


def test_a_vector_column_that_was_always_null_stays_without_a_kind() -> None:
    column = next(column for column in columns_with_facets() if column.name == "comment")

    assert described([column], {"comment": "vector"}) == (column,)


@pytest.mark.parametrize(
    ("name", "cells", "bins"),
    [
        pytest.param("comment", ["new text", None, ["list"]], [STRUCTURAL_BINS, NULL, TYPE_ERROR], id="text"),
        pytest.param("embedding", [[0.0] * 16, None, [0.0] * 17], [STRUCTURAL_BINS, NULL, TYPE_ERROR], id="vector"),
    ],
)
def test_the_column_itself_counts_what_is_there_what_is_null_and_what_is_wrong(
    name: str, cells: list[Cell], bins: list[int]
) -> None:
    columns = columns_with_facets()
    kinds, widths = faceted(columns)

    found, _ = expanded(table_with({name: cells}, {}), kinds, widths=widths)
    codes = Binner(columns).codes(found)

    place = [column.name for column in columns].index(name)
    assert codes[place].tolist() == bins
    assert columns[place].counts[STRUCTURAL_BINS] == 300


SHOWN: Mapping[str, Kind] = {"photo": "image", "films": "ranking", "forecast": "forecast"}


def columns_of_lists(rows: int = 300) -> tuple[ColumnReference, ...]:
    rng = np.random.default_rng(5)
    films: list[Cell] = [[f"film {place}" for place in rng.integers(0, 60, 5).tolist()] for _ in range(rows)]
    photos: list[Cell] = [{"format": "png", "bytes": 5, "width": width} for width in rng.integers(1, 9, rows).tolist()]
    table = table_with({"films": films, "photo": photos, "forecast": rng.normal(size=(rows, 8))}, {})
    return build_reference(lambda: [{"feature": table}], rng=rng, created_at=0.0, kinds=SHOWN).columns


def test_facets_may_be_categories() -> None:
    facets = facets_of("films", "ranking", [["Antz", "Toy Story"], None, 5], width=frozenset({"Antz"}))

    assert facets.names == ("films · length", "films · unseen_share", "films · duplicate_share")
    assert facets.category_names == ("films · first", "films · item")
    assert facets.categories[0] == ["Antz", None, None]
    assert (facets.numbers[1, 0], facets.rows, facets.cells) == (0.5, None, ["ranking", None, WRONG])


def test_facets_that_are_categories_stand_among_the_cells_of_an_expanded_table() -> None:
    table = table_with({"photo": [{"format": "png", "bytes": 5}], "photo · format": ["mine"]}, {})

    found, embeddings = expanded(table, SHOWN)

    assert found.cell_names == ("photo", "photo · format")
    assert found.cells == (["image"], ["png"])
    assert found.number_names == facet_names("photo", "image")[:-1]
    assert embeddings == {}


def test_columns_of_lists_and_images_say_what_they_are() -> None:
    columns = {column.name: column for column in columns_of_lists()}

    assert {name: (columns[name].kind, columns[name].categories) for name in SHOWN} == {
        "photo": ("image", ("image",)),
        "films": ("ranking", ("ranking",)),
        "forecast": ("forecast", ("forecast",)),
    }
    assert {columns[facet].of for name, kind in SHOWN.items() for facet in facet_names(name, kind)} == SHOWN.keys()
    assert columns["films · first"].kind == columns["photo · format"].kind == "categorical"


def test_the_items_of_a_ranking_are_known_by_its_facet() -> None:
    kinds, widths = faceted(columns_of_lists())

    assert kinds == SHOWN
    assert widths == {"films": {f"film {place}" for place in range(60)}}
    assert faceted([column for column in columns_of_lists() if column.name != "films · item"])[1] == {}
