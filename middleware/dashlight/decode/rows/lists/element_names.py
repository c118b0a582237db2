"""What the elements of a list are called that becomes several columns."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, islice

from dashlight.records import Cell


@lru_cache(maxsize=64)
def element_names(name: str, width: int) -> tuple[str, ...]:
    """`x[0]`, `x[1]`, ...; `0`, `1`, ... where there is no name."""
    return tuple(f"{name}[{place}]" if name else str(place) for place in range(width))


_MOST_LISTS = 8
"""In one row that are completed; and so many zeros at most for each."""
_MOST_ZEROS = 1 << 15


def complete(rows: Sequence[dict[str, Cell]]) -> None:
    """Put 0 into those of *rows* whose list is empty, or lacks a label, where others are counted as `x.count`."""
    names = dict.fromkeys(chain.from_iterable(rows)) if len(rows) > 1 else {}
    totals: dict[str, list[str]] = {
        name: [] for name in islice((name for name in names if name == "count" or name.endswith(".count")), _MOST_LISTS)
    }
    for name in names if totals else ():
        labels = totals.get(name.rpartition("[")[0])
        if labels is not None and len(labels) * len(rows) < _MOST_ZEROS:
            labels.append(name)
    for total, labels in totals.items():
        items = total.removesuffix(".count")
        is_listed = any(row.get(items) for row in rows)
        for row in rows:
            if items != total and row.get(items) == [] and row.get(total) is None:
                row[total] = 0
                if not is_listed:
                    del row[items]
            if row.get(total) is not None:
                for label in labels:
                    row.setdefault(label, 0)


def without_lone_places(names: tuple[str, ...]) -> tuple[str, ...]:
    """*names* in which a list of one element in every row, `x[0]` without an `x[1]`, is its element: `x`."""
    if not any(name.endswith("[0]") for name in names):
        return names
    taken = frozenset(names)
    stems = {name: name[:-3] for name in names if name.endswith("[0]") and f"{name[:-3]}[1]" not in taken}
    return tuple(stem if (stem := stems.get(name)) and stem not in taken else name for name in names)
