"""A table among the arguments of an API: each of its rows goes with the single values that stand beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast, overload

from dashlight_bentoml.values import SCALARS

MOST_BESIDE: Final = 32
"""Single values that go with every row; of a request with more nothing is put together."""


class Rows(Sequence["Mapping[str, object]"]):
    """Rows that are put together only where they are read: on the thread of the analysis, not on the event loop."""

    __slots__ = ("_beside", "_name", "_table")

    def __init__(self, name: str, table: Any, beside: Mapping[str, object]) -> None:
        """*table* is a list of objects or of lists, an array of two dimensions, or a frame of polars or Arrow."""
        self._name, self._table, self._beside = name, table, beside

    @property
    def nbytes(self) -> int:
        """What an array holds; of anything else it is not known."""
        size = getattr(self._table, "nbytes", 0)
        return size if isinstance(size, int) else 0

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        for row in _items(self._table):
            cells: Mapping[str, object] = (
                cast("Mapping[str, object]", row) if isinstance(row, Mapping) else {self._name: row}
            )
            yield {**cells, **{name: value for name, value in self._beside.items() if name not in cells}}

    @overload
    def __getitem__(self, at: int) -> Mapping[str, object]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Mapping[str, object]]: ...
    def __getitem__(self, at: int | slice) -> Mapping[str, object] | Sequence[Mapping[str, object]]:
        return list(self)[at]


def with_rows(asked: object, *, answer: object = None) -> object:
    """*asked*, copies of the arguments by name, as a table where one of them is one and the others are single values.

    A data frame is a table by itself. An array of two dimensions, a list of objects or of lists is one if *answer* has
    as many rows: else it may as well be one value, a history or a picture. Without a table, *asked* as it is.
    """
    arguments = _by_name(asked)
    if SCALARS.issuperset(map(type, arguments.values())):
        # As most are: one row.
        return asked
    fields = _flat(arguments)
    tables = [name for name, value in fields.items() if not _is_single(value)]
    if len(tables) != 1 or not 1 < len(fields) <= MOST_BESIDE + 1:
        return asked
    (name,) = tables
    table: Any = fields.pop(name)
    if _is_frame(table):
        return _frame_with(table, name, fields)
    if _is_table(table) and len(table) == _length_of(answer):
        return Rows(name, table, fields)
    return asked


def _by_name(value: object) -> Mapping[str, object]:
    """*value* if it holds values by name, else nothing."""
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _flat(fields: Mapping[str, object]) -> dict[str, Any]:
    """The values of *fields* by name, those of a model under the model's name and a point; a lone model has none."""
    if len(fields) == 1:
        (held,) = fields.values()
        fields = cast("Mapping[str, object]", held) if isinstance(held, Mapping) else fields
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            found.update({f"{name}.{key}": cell for key, cell in cast("Mapping[str, object]", value).items()})
        else:
            found[str(name)] = value
    return found


def _is_single(value: object) -> bool:
    return isinstance(value, str) or not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0


def _is_frame(value: object) -> bool:
    return (hasattr(value, "iloc") and hasattr(value, "columns")) or _is_frame_of_rows(value)


def _is_frame_of_rows(value: object) -> bool:
    """Whether *value* is a frame of polars or a table of Arrow."""
    return hasattr(value, "slice") and (hasattr(value, "to_dicts") or hasattr(value, "column_names"))


def _is_table(value: Any) -> bool:
    if hasattr(value, "ndim"):
        return value.ndim == 2 and not getattr(getattr(value, "dtype", None), "names", None)
    if not isinstance(value, list) or not value:
        return False
    items = cast("list[object]", value)
    return all(isinstance(item, Mapping) for item in items) or all(isinstance(item, list) for item in items)


def _frame_with(frame: Any, name: str, beside: Mapping[str, object]) -> object:
    if _is_frame_of_rows(frame):
        return Rows(name, frame, beside)
    # A copy of ours already.
    taken = set(map(str, frame.columns))
    for key, value in beside.items():
        if key not in taken:
            frame[key] = value
    return frame


def _items(table: Any) -> Any:
    for rows in ("to_dicts", "to_pylist", "tolist"):
        if hasattr(table, rows):
            return getattr(table, rows)()
    return table


def _length_of(answer: object) -> int | None:
    """How many rows *answer* has, where that can be told."""
    if isinstance(answer, Mapping):
        held = cast("Mapping[object, object]", answer).values()
        lengths = {length for value in held if (length := _length_of_one(value)) is not None}
        return lengths.pop() if len(lengths) == 1 else None
    return _length_of_one(answer)


def _length_of_one(value: object) -> int | None:
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0:
        return None
    return len(cast("Sequence[object]", value))
