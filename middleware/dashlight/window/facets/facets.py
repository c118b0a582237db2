"""Facets: what stands for a text, vector, image, ranking or forecast, binned and judged like any other column. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Kind, Table
from dashlight.window.columns import ColumnReference
from dashlight.window.facets.forecast_facets import FORECAST_FACETS, forecast_facets
from dashlight.window.facets.image_facets import IMAGE_CATEGORIES, IMAGE_FACETS, image_facets
from dashlight.window.facets.ranking_facets import RANKING_CATEGORIES, RANKING_FACETS, Known, KnownItems, ranking_facets
from dashlight.window.facets.text_facets import TEXT_FACETS, text_facets
from dashlight.window.facets.text_words import hashed_words
from dashlight.window.facets.vector_facets import (
    DIMENSIONS,
    VECTOR_FACETS,
    Vectors,
    embedding_of,
    folded,
    vector_facets,
    width_of,
)
from dashlight.window.tables import selected
from dashlight.window.values import WRONG, Text, number_of, number_text

SEPARATOR = " · "
"""Between a column's name and its facet's: no name of a column holds it by chance."""
PRESENT = "text"
"""Stands for any text once its facets are known."""

Matrix: TypeAlias = NDArray[np.float32]
Widths: TypeAlias = Mapping[str, int | Known]
"""What a reference knows of columns, by name: of vectors how many numbers each holds, of rankings the items."""

_VECTORS_AT_ONCE = 1024
_FACETS: Mapping[Kind, tuple[str, ...]] = {
    "text": TEXT_FACETS,
    "vector": VECTOR_FACETS,
    "image": IMAGE_FACETS,
    "ranking": RANKING_FACETS,
    "forecast": FORECAST_FACETS,
}
"""Those that are numbers."""
_CATEGORIES: Mapping[Kind, tuple[str, ...]] = {"image": IMAGE_CATEGORIES, "ranking": RANKING_CATEGORIES}
FACETED: frozenset[Kind] = frozenset(_FACETS)
"""Kinds of columns that have facets."""
_ITEM_OF_LIST = RANKING_CATEGORIES[1]
_NO_WIDTHS: Widths = {}
_NO_ITEMS: Mapping[str, frozenset[str]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Facets:
    """What becomes of one column that has facets."""

    names: tuple[str, ...]
    numbers: NDArray[np.float64]
    """Shape (len(names), rows); NaN where the column is null or wrong, or has nothing of the kind."""
    rows: Matrix | None
    """Shape (rows, at most 256): each as a vector, in which a direction can be learned; NaN where null or wrong. None
    where nobody asked for it, or the kind has none."""
    cells: Sequence[Cell]
    """What is left to count of the column itself: a word for what is there (of vectors their width), None, or WRONG."""
    category_names: tuple[str, ...] = ()
    categories: tuple[Sequence[Text], ...] = ()
    """One sequence of categories for each of category_names; None where there is none."""


def facets_of(
    name: str, kind: Kind, cells: Vectors, *, width: int | Known | None = None, embedded: bool = True
) -> Facets:
    """The facets of the column *name*, of one of the kinds FACETED.

    *width* is how many numbers a vector must have (None: as many as most of *cells* have), and which items of rankings
    are known. *embedded* says whether texts and vectors are wanted as vectors besides.

    Raises:
        ValueError: a column of any other kind has no facets.
    """
    if kind not in _FACETS:
        raise ValueError(f"a column of kind {kind!r} has no facets")
    names = _named(name, _FACETS[kind])
    if kind == "text":
        return _of_texts(names, cells, embedded=embedded)
    if kind == "vector":
        return _of_vectors(names, cells, width if isinstance(width, int) else None, embedded=embedded)
    if kind == "image":
        numbers, categories, left = image_facets(cells)
    elif kind == "ranking":
        numbers, categories, left = ranking_facets(cells, None if isinstance(width, int) else width)
    else:
        numbers, categories, left = forecast_facets(name, cells)
    return Facets(names, numbers, None, left, category_names(name, kind), categories)


def facet_names(name: str, kind: Kind) -> tuple[str, ...]:
    """Names of the columns that are facets of the column *name*, numbers before categories; none where *kind* has none."""
    return (*_named(name, _FACETS.get(kind, ())), *category_names(name, kind))


def category_names(name: str, kind: Kind) -> tuple[str, ...]:
    """Names of those of the facets that are categories."""
    return _named(name, _CATEGORIES.get(kind, ()))


def expanded(
    table: Table, kinds: Mapping[str, Kind], *, widths: Widths = _NO_WIDTHS, embedded: bool = True
) -> tuple[Table, Mapping[str, Matrix]]:
    """*table* with the facets of the columns that have some, and texts and vectors as vectors, by name.

    *kinds* may name columns that *table* lacks, which then have no facets, and columns of other kinds, which have none.
    The texts, vectors and others themselves give way to what is left to count of them (`Facets.cells`). A column that
    bears the name of a facet gives way too: no reference holds one (`collisions`).
    """
    found: dict[str, Facets] = {}
    for name, cells in _with_facets(table, kinds).items():
        found[name] = facets_of(name, kinds[name], cells, width=widths.get(name), embedded=embedded)
    if not found:
        return table, {}
    facets = {name for each in found.values() for name in (*each.names, *each.category_names)}
    rest = selected(table, {*table.number_names, *table.cell_names} - facets - found.keys())
    everything = replace(
        rest,
        number_names=(*rest.number_names, *(name for each in found.values() for name in each.names)),
        numbers=np.concatenate([rest.numbers, *(each.numbers for each in found.values())]),
        cell_names=(*rest.cell_names, *found, *(name for each in found.values() for name in each.category_names)),
        cells=(
            *rest.cells,
            *(each.cells for each in found.values()),
            *(categories for each in found.values() for categories in each.categories),
        ),
    )
    return everything, {name: each.rows for name, each in found.items() if each.rows is not None}


def collisions(names: Collection[str], kinds: Mapping[str, Kind]) -> frozenset[str]:
    """Which of *names* are those of facets: a reference must not hold such columns."""
    return frozenset(facet for name, kind in kinds.items() for facet in facet_names(name, kind)).intersection(names)


def described(
    columns: Sequence[ColumnReference], kinds: Mapping[str, Kind], known: Mapping[str, frozenset[str]] = _NO_ITEMS
) -> tuple[ColumnReference, ...]:
    """*columns*, counted from an expanded table, as what they are: columns of *kinds*, and facets of these.

    The one category of a vector column is its width, that of an image, ranking or forecast one word for any of them.
    The items *known* of a ranking are those of its facet `item`, where the others are no news either.
    """
    of = {facet: name for name, kind in kinds.items() for facet in facet_names(name, kind)}
    items = {_item_name(name): each for name, each in known.items()}
    return tuple(
        _described(column, kinds.get(column.name), of.get(column.name, ""), items.get(column.name, frozenset()))
        for column in columns
    )


def faceted(columns: Sequence[ColumnReference]) -> tuple[Mapping[str, Kind], Widths]:
    """Kinds of those of *columns*, all of one role, whose facets stand beside them, and what is known of them besides."""
    by_name = {column.name: column for column in columns}
    held = [column for column in columns if not by_name.keys().isdisjoint(facet_names(column.name, column.kind))]
    widths: dict[str, int | Known] = {}
    for column in held:
        item = by_name.get(_item_name(column.name)) if column.kind == "ranking" else None
        if item is not None:
            items = item.known.union(item.categories)
            widths[column.name] = items if item.hash_key is None else KnownItems(items, item.hash_key)
        elif column.kind == "vector" and column.categories:
            widths[column.name] = int(column.categories[0])
    return {column.name: column.kind for column in held}, widths


def _named(name: str, facets: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{name}{SEPARATOR}{facet}" for facet in facets)


def _item_name(name: str) -> str:
    return f"{name}{SEPARATOR}{_ITEM_OF_LIST}"


def _of_texts(names: tuple[str, ...], cells: Vectors, *, embedded: bool) -> Facets:
    texts = [_text(cell) for cell in cells]
    places = [place for place, text in enumerate(texts) if isinstance(text, str)]
    held = cast("list[str]", [texts[place] for place in places])
    numbers = np.full((len(names), len(texts)), np.nan)
    numbers[:, places] = text_facets(held)
    rows: Matrix | None = None
    if embedded:
        hashed = hashed_words(held)
        rows = np.full((len(texts), hashed.shape[1]), np.nan, np.float32)
        rows[places] = hashed
    left: list[Cell] = [PRESENT if isinstance(text, str) else text for text in texts]
    return Facets(names, numbers, rows, left)


def _of_vectors(names: tuple[str, ...], cells: Vectors, width: int | None, *, embedded: bool) -> Facets:
    width = width or width_of(cells) or 1
    numbers = np.empty((len(names), len(cells)))
    rows = np.empty((len(cells), min(width, DIMENSIONS)), np.float32) if embedded else None
    left: list[Cell] = []
    for first in range(0, len(cells), _VECTORS_AT_ONCE):
        part = slice(first, first + _VECTORS_AT_ONCE)
        embedding = embedding_of(cells[part], width)
        numbers[:, part] = vector_facets(embedding.rows)
        if rows is not None:
            rows[part] = folded(embedding.rows)
        null = np.isnan(embedding.rows[:, 0]).tolist()
        wrong = embedding.wrong.tolist()
        left += [WRONG if wrong[at] else None if null[at] else str(width) for at in range(len(null))]
    return Facets(names, numbers, rows, left)


def _text(cell: Cell) -> Any:
    """The text that *cell* is, whole; None where it is null, WRONG where it is a list or the like."""
    if isinstance(cell, str) or cell is None:
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    number = number_of(cell)
    return WRONG if number is None else number_text(number)


def _with_facets(table: Table, kinds: Mapping[str, Kind]) -> Mapping[str, Vectors]:
    """The columns of *table* that have facets, as cells."""
    wanted = {name for name, kind in kinds.items() if kind in _FACETS}
    held = selected(table, wanted)
    numbers: dict[str, Vectors] = {
        name: row.tolist() for name, row in zip(held.number_names, held.numbers, strict=True)
    }
    return numbers | dict(zip(held.cell_names, held.cells, strict=True))


def _described(column: ColumnReference, kind: Kind | None, of: str, items: frozenset[str]) -> ColumnReference:
    if kind == "text":
        return replace(column, kind=kind, categories=(), known=frozenset(), single_block_rows=0)
    if kind is not None and kind in _FACETS and column.categories:
        return replace(column, kind=kind)
    if items:
        column = replace(column, known=items.union(column.known).difference(column.categories))
    return replace(column, of=of) if of else column
