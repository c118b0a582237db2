"""What can be said of a ranking, a list of items with the best one first. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import nan
from typing import Any, Final, TypeAlias, cast
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dashlight.privacy.hashing import HashKey, is_hash
from dashlight.records import Cell
from dashlight.window.values import CATEGORY_CHARACTERS, WRONG, Text, is_null, number_of

RANKING_FACETS = ("length", "unseen_share", "duplicate_share")
"""Items; share of them that the reference never saw; share of them that stand further up already."""
RANKING_CATEGORIES = ("first", "item")
"""The first item, and one that the content of the list chooses, so that all processes agree on it."""
PRESENT = "ranking"
"""Stands for any ranking once its facets are known."""
MOST_ITEMS = 4096
"""A longer list is no ranking."""

Items: TypeAlias = list[str]
Known: TypeAlias = Collection[str]
"""Items that a reference saw."""

_MOST_REMEMBERED = 1 << 14

_ITEM_KEYS = (
    "id", "item_id", "itemId", "item", "product_id", "productId", "movie_id", "movieId", "document_id", "doc_id", "sku",
    "title", "name", "label", "key", "product", "movie", "article", "song", "track", "video", "asin", "isbn", "text", "index",
    "document", "doc", "url", "uri",
)  # fmt: skip
_LARGEST = 10**30
"""A larger whole number is no id; Python refuses to write the largest ones."""
_WHOLE: Final = frozenset({int})
_BREAK = "\0"


class KnownItems(Collection[str]):
    """The items that a reference saw, most by their hashes: asked in the clear, it answers."""

    def __init__(self, held: frozenset[str], key: HashKey) -> None:
        """*held* holds hashes under *key*, and items that may be told."""
        self._held, self._key = held, key
        self._asked: dict[object, bool] = {}

    def __contains__(self, item: object) -> bool:
        known = self._asked.get(item)
        if known is None:
            if len(self._asked) >= _MOST_REMEMBERED:
                self._asked.clear()
            is_clear = item in self._held and not is_hash(str(item))
            known = self._asked[item] = is_clear or self._key.hash(str(item)) in self._held
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def items_of(cell: Cell) -> Items | Text:
    """The items of the list *cell*: texts and whole numbers as they are, of an object or a pair with a score its item.

    None where it is null, or something in it is; WRONG where it is no list, or something in it is no item.
    """
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if not isinstance(cell, list | tuple):
        return None if is_null(cell) else WRONG
    held: list[Any] = list(cell)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if len(held) > MOST_ITEMS:
        return WRONG
    try:
        characters = len("".join(held))
    except TypeError:  # not all of them are texts
        pass
    else:
        return held if characters <= CATEGORY_CHARACTERS else [_cut(item) for item in held]
    if _WHOLE.issuperset(map(type, held)) and min(held) > -_LARGEST and max(held) < _LARGEST:
        return list(map(str, held))
    items = [_item(entry) for entry in held]
    if WRONG in items:
        return WRONG
    return None if None in items else cast("Items", items)


def item_of(entry: Mapping[str, Any]) -> Cell:
    """What names the item in an object that stands for it; WRONG where nothing does."""
    key = next((key for key in _ITEM_KEYS if key in entry), None)
    if key is None:
        # Whatever the order of keys.
        key = min((key for key in entry if str(key).lower().endswith("id")), default=None)
    return WRONG if key is None else entry[key]


def ranking_facets(
    cells: Sequence[Cell] | NDArray[Any], known: Known | None
) -> tuple[NDArray[np.float64], tuple[list[Text], ...], list[Cell]]:
    """RANKING_FACETS of *cells*, shape (len(RANKING_FACETS), len(cells)), RANKING_CATEGORIES, and what is left of each.

    Left is PRESENT, None where null, WRONG where it is no ranking. An empty list has a length and nothing else. Where
    nobody tells which items are *known*, no share of them is unseen.
    """
    firsts: list[Text] = [None] * len(cells)
    chosen: list[Text] = [None] * len(cells)
    left: list[Cell] = [PRESENT] * len(cells)
    lengths, seen, distinct = [nan] * len(cells), [nan] * len(cells), [nan] * len(cells)
    has_seen = None if known is None else (known if isinstance(known, KnownItems) else frozenset(known)).__contains__
    for place, cell in enumerate(cells):
        items = items_of(cell)
        if not isinstance(items, list):
            left[place] = items
            continue
        length = lengths[place] = len(items)
        if items:
            seed = crc32(_BREAK.join(items).encode(errors="surrogatepass"))
            firsts[place], chosen[place] = items[0], items[seed % length]
            distinct[place] = len(set(items))
            if has_seen is not None:
                seen[place] = sum(map(has_seen, items))
    counts = np.array([lengths, seen, distinct], np.float64)
    counts[1:] = 1 - counts[1:] / np.maximum(counts[0], 1)
    return counts, (firsts, chosen), left


def _item(entry: Any) -> Text:
    """The item that *entry* of a list is, or stands for."""
    if isinstance(entry, Mapping):
        entry = item_of(cast("Mapping[str, Any]", entry))
    elif isinstance(entry, list | tuple):
        pair = cast("Sequence[Any]", entry)
        # An item and its score.
        entry = pair[0] if len(pair) == 2 and isinstance(pair[1], int | float) else WRONG
    if isinstance(entry, str):
        return _cut(entry)
    if is_null(entry):
        return None
    number = number_of(entry)
    return str(int(entry)) if number is not None and abs(number) < _LARGEST and number.is_integer() else WRONG


def _cut(item: str) -> str:
    return item[:CATEGORY_CHARACTERS]
