"""BentoML: the arguments of a method as keys, or the only one as the whole body; what it returns, bare.

https://docs.bentoml.com/en/latest/build-with-bentoml/services.html
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dashlight.decode.protocols import plain
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.layouts import length_of_answer
from dashlight.decode.rows.lists.data_frames import indexed_records
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """As plain JSON; data frames, bare or as arguments, as records."""
    asked = fields_of(request.value)
    framed_answer = None if answer is None else _framed(answer.value)
    key = _table_key(asked, length_of_answer(framed_answer))
    framed = _framed(request.value) if key is None else {**asked, key: _framed(asked[key])}
    rows = _length(framed if key is None else fields_of(framed)[key])
    return plain.read(replace(request, value=framed), _answered(answer, rows), place)


def _answered(answer: Content | None, rows: int | None) -> Content | None:
    """*answer* with records in place of a data frame, where they are as many as *rows*."""
    if answer is None or rows is None:
        return answer
    framed = _framed(answer.value)
    return replace(answer, value=framed) if is_list(framed) and len(framed) == rows else answer


def _length(framed: object) -> int | None:
    """Rows of a table, bare or the only argument; None where there is none."""
    held = next(iter(framed.values())) if is_object(framed) and len(framed) == 1 else framed
    return len(held) if is_list(held) else None


def _table_key(fields: Mapping[str, object], rows: int | None) -> str | None:
    """The one argument among several that is a table of as many rows as were answered."""
    if len(fields) < 2 or rows is None:
        return None
    nested = [key for key, child in fields.items() if isinstance(child, dict | list)]
    table = _framed(fields[nested[0]]) if len(nested) == 1 else None
    if not is_list(table) or len(table) != rows:
        return None
    # A single row is one only if it cannot be a vector.
    return nested[0] if rows > 1 or all(isinstance(row, dict | list) for row in table) else None


def _framed(value: object) -> object:
    """A data frame that pandas wrote column by column, `{"x": {"0": 1, "1": 2}}`, as records; else *value*."""
    if is_object(value) and len(value) == 1:
        ((key, held),) = value.items()
        records = indexed_records(held)
        if records is not None:
            return {key: records}
    records = indexed_records(value)
    return value if records is None else records


def _claims(_value: object) -> bool:
    return True


PROTOCOL: Final = Protocol(
    "bentoml",
    (),
    frozenset(),
    _claims,
    read,
    # Which argument is the table hangs on types and lengths, as everything in plain JSON does.
    is_read_by_shape=True,
    headers=((b"server", re.compile(r"BentoML Service/.*")), (b"x-bentoml-request-id", re.compile(r".*"))),
    rank=55,
)
