"""What an adapter handed over, in place of bodies: any table as a JSON value, then read like plain JSON."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, cast, get_args

from dashlight.decode.llm.stream_reading import with_stream
from dashlight.decode.protocols import FALLBACK
from dashlight.decode.protocols.detect import protocol_of
from dashlight.decode.rows.answers import read_answer
from dashlight.decode.rows.columns import MAX_CELLS, MAX_KEYS, MAX_ROWS
from dashlight.decode.rows.failures import Failure, FailureKind
from dashlight.decode.rows.jsonvalue import is_list
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable
from dashlight.records import HandedOver

_WHY: Final = "an adapter handed the values over"
_MAX_DEPTH: Final = 8
_MISSING: Final = frozenset({"NAType", "NaTType"})
"""What pandas writes where nothing is, beside NaN."""
_SCALARS: Final = frozenset({int, float, str, bool, type(None)})


def handed_content(value: object) -> Content:
    """*value* as if it had come as JSON.

    Mappings, sequences, NumPy's arrays and scalars, frames of pandas and polars, Arrow's tables, pydantic's models,
    data classes and structures of msgspec's are understood by what they can do; of long ones the first rows count, as everywhere.

    Raises:
        DecodeError: `handed_over`: something else, or more than a sheet can hold.
    """
    try:
        return Content(b"", "application/json", (), _plain(value, 0, _Room()))
    except Exception as error:  # the objects are foreign, and so is what they may raise
        raise undecodable("handed_over", type(error).__name__) from None


def handed_failure(handed: HandedOver | None) -> Failure | None:
    """The failure that an adapter tells of; None where it tells of none."""
    if handed is None or not handed.failure:
        return None
    if handed.failure not in get_args(FailureKind):
        return Failure("model", handed.failure)
    return Failure(cast("FailureKind", handed.failure))


def read_handed(
    handed: HandedOver, request: Content, answer: Content | None, place: Place
) -> tuple[Protocol, str, Reading]:
    """The exchange, read: handed inputs as plain JSON, bodies by their protocol; and the rule, in words.

    Raises:
        DecodeError: the request is not laid out as its protocol wants it.
    """
    if handed.inputs is not None:
        protocol, why = FALLBACK, _WHY
    else:
        protocol, why = protocol_of(request.value, place)
    if handed.outputs is None or answer is None:
        return (protocol, why, with_stream(protocol.read(request, answer, place), request.value, answer))
    if handed.inputs is not None:
        return (protocol, why, protocol.read(request, answer, place))
    # The envelope of an answer in that protocol is around the bytes, not around what was handed over.
    reading = protocol.read(request, None, place)
    rows = len(reading.features.values)
    answered = read_answer(answer.value, rows=rows, row_ids=reading.features.row_ids)
    reading = replace(
        reading,
        outputs=answered.outputs,
        model=reading.model or answered.model,
        version=reading.version or answered.version,
    )
    return (protocol, f"{why}; {_WHY} of the answer", reading)


class _Room:
    """Cells that may still be converted: an adapter may hand over more than a body may hold."""

    __slots__ = ("cells",)

    def __init__(self) -> None:
        self.cells = MAX_CELLS

    def take(self, cells: int) -> None:
        self.cells -= cells
        if self.cells < 0:
            raise undecodable("handed_over", "more values than a table holds")


def _plain(value: object, depth: int, room: _Room) -> object:
    """*value* in the types of JSON; each of its parts is a copy, and nothing of it is changed."""
    if type(value) in _SCALARS:
        return value
    if depth >= _MAX_DEPTH:
        raise undecodable("handed_over", "too deep")
    if isinstance(value, Mapping):
        return _object(cast("Mapping[object, object]", value), depth, room)
    if isinstance(value, bytes | bytearray | memoryview):
        raise undecodable("handed_over", "bytes")
    if isinstance(value, str | int | float):
        # Subclasses: an enumeration's members, numpy.float64.
        return (
            float(value) if isinstance(value, float) else str.__str__(value) if isinstance(value, str) else int(value)
        )
    if isinstance(value, Sequence | set | frozenset):
        return _list(cast("Sequence[object]", value), depth, room)
    return _foreign(value, depth, room)


def _object(fields: Mapping[object, object], depth: int, room: _Room) -> dict[str, object]:
    room.take(len(fields))
    return {str(key): _plain(child, depth + 1, room) for key, child in islice(fields.items(), MAX_KEYS)}


def _list(items: Iterable[object], depth: int, room: _Room) -> list[object]:
    kept = list(islice(items, MAX_ROWS))
    room.take(len(kept))
    return kept if _SCALARS.issuperset(map(type, kept)) else [_plain(item, depth + 1, room) for item in kept]


def _foreign(value: object, depth: int, room: _Room) -> object:
    """What no type of Python's own says; none of the packages is imported for it."""
    foreign = cast("Any", value)
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        return _records(foreign, depth, room)
    for rows in ("to_dicts", "to_pylist"):
        # Frames of polars, tables and arrays of Arrow.
        if hasattr(value, rows) and hasattr(value, "slice"):
            return _plain(getattr(foreign.slice(0, MAX_ROWS), rows)(), depth, room)
    if hasattr(value, "ndim") and hasattr(value, "tolist"):
        return _array(foreign, depth, room)
    if callable(getattr(type(value), "model_dump", None)):
        return _plain(foreign.model_dump(), depth + 1, room)
    fields = getattr(type(value), "__struct_fields__", None) or getattr(type(value), "__dataclass_fields__", None)
    if fields is None:
        raise undecodable("handed_over", type(value).__name__)
    return _object({name: getattr(value, name) for name in fields}, depth, room)


def _array(array: Any, depth: int, room: _Room) -> object:
    """An array as lists; of a tall one the first rows, of what is no number its own values."""
    if array.ndim:
        room.take(math.prod(array.shape[1:]) * min(MAX_ROWS, int(array.shape[0])))
        array = array[:MAX_ROWS]
    values = array.tolist()
    # Dates and other objects are none of JSON's types: as text. Columns of pandas may lack values whatever their kind.
    is_plain = type(array).__module__ == "numpy" and array.dtype.kind in "biufU"
    return values if is_plain else _plain_or_text(values, depth)


def _plain_or_text(values: object, depth: int) -> object:
    if is_list(values) and depth < _MAX_DEPTH:
        return [_plain_or_text(child, depth + 1) for child in values]
    if type(values).__name__ in _MISSING or (isinstance(values, float) and math.isnan(values)):
        return None
    return values if type(values) in _SCALARS else str(values)


def _records(frame: Any, depth: int, room: _Room) -> list[dict[str, object]]:
    """The rows of a data frame, as objects."""
    names = [str(name) for name in frame.columns][:MAX_KEYS]
    head = frame.iloc[:MAX_ROWS]
    columns = [_plain(head.iloc[:, at], depth + 1, room) for at in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*cast("list[list[object]]", columns), strict=True)]
