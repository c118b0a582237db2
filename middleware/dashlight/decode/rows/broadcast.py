"""A table among the values of a request, and what stands beside it and belongs to each of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from dashlight.decode.rows.budget import MAX_CELLS, MAX_COLUMNS
from dashlight.decode.rows.columns import Sheet, tabulate, transposed
from dashlight.decode.rows.flattening import apart
from dashlight.decode.rows.jsonvalue import NESTED_TYPES, NUMBER_TYPES, is_list, is_object
from dashlight.decode.rows.layouts import PARAMETERS_KEYS
from dashlight.decode.rows.lists.element_names import element_names
from dashlight.privacy.names import MAX_NAME_LENGTH
from dashlight.records import Cell

ROWS_KEYS: Final = frozenset(
    {"instances", "inputs", "input", "data", "rows", "records", "samples", "examples", "batch", "dataframe"}
)
"""Keys that hold the rows whatever the answer looks like."""
MAX_BESIDE: Final = 32
"""Values that go with every row; the rest are parameters."""

_ABOUT_THE_REQUEST = frozenset(
    {"signature_name", "model", "model_name", "model_version", "version", "stream", "method"}
)

_CHOICES_KEYS = frozenset({"candidate_labels", "choices", "candidate_classes"})
"""Among them the model chooses: as many scores come back, of one row."""
_PROMPT_KEYS = frozenset({"inputs", "input"})
"""Texts under them are Hugging Face's, and what stands beside them says how to read them."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Which keys hold rows, and which values go with each of them."""

    keys: tuple[str, ...]
    """One, or several whose lists are columns of one length."""
    beside: Mapping[str, Cell]
    params: Mapping[str, Cell]


def tables_in(fields: Mapping[str, object], answer_length: int | None) -> Tables | None:
    """The table that stands among other values in *fields*; None where they are the columns of one row.

    A list of files is one always, a list of objects, of lists or of texts under a key for rows too; under any other key
    a list is one where there are as many answers.
    """
    lists = {
        key: value
        for key, value in fields.items()
        if is_list(value) and value and len(key) <= MAX_NAME_LENGTH and key not in _CHOICES_KEYS
    }
    vectors = _vectors_beside(lists, answer_length)
    lists = {key: value for key, value in lists.items() if key not in vectors}
    others = {key: value for key, value in fields.items() if is_object(value) and key not in PARAMETERS_KEYS}
    if not lists or len(fields) < 2 or len(set(map(len, lists.values()))) > 1:
        return None
    if any(not NESTED_TYPES.isdisjoint(map(type, value.values())) for value in others.values()):
        return None
    if not _are_rows(lists, answer_length, is_alone=not others):
        return None
    scalars = [
        key
        for key, value in fields.items()
        if type(value) not in NESTED_TYPES and key not in _ABOUT_THE_REQUEST and len(key) <= MAX_NAME_LENGTH
    ]
    is_prompt = all(key in _PROMPT_KEYS and all(isinstance(text, str) for text in lists[key]) for key in lists)
    beside = {} if is_prompt else {key: fields[key] for key in scalars[:MAX_BESIDE]}
    for key, vector in vectors.items():
        names = element_names(key, len(vector)) if len(vector) <= MAX_BESIDE else ()
        beside.update(zip(names, vector, strict=False) if names else {key: list(vector)})
    for key, value in others.items():
        told = [name for name in islice(value, MAX_BESIDE) if len(key) + len(name) < MAX_NAME_LENGTH]
        beside.update({f"{key}.{name}": value[name] for name in told if not apart({name: None}, "feature")})
    beside = dict(islice(beside.items(), MAX_BESIDE))
    params = {
        key: value
        for key, value in fields.items()
        if key not in lists and key not in beside and key not in others and key not in vectors
    }
    return Tables(tuple(lists), beside, params)


def _vectors_beside(lists: Mapping[str, Sequence[object]], answer_length: int | None) -> Mapping[str, Sequence[object]]:
    """Of *lists*, those of numbers that belong to every row of the only table among them: what is known of a user.

    They are of another length than the table, which has as many rows as were answered or a key for rows; or of the same,
    under a name that is no plural.
    """
    nested = [key for key, value in lists.items() if not NESTED_TYPES.isdisjoint(map(type, value))]
    if len(nested) != 1 or len(lists) < 2:
        return {}
    rows = len(lists[nested[0]])
    if rows != answer_length and nested[0].lower() not in ROWS_KEYS:
        return {}
    beside = {
        key: value for key, value in lists.items() if key != nested[0] and (len(value) != rows or key[-1:] != "s")
    }
    return beside if all(NUMBER_TYPES.issuperset(map(type, value)) for value in beside.values()) else {}


def rows_of(fields: Mapping[str, object], tables: Tables) -> Sheet:
    """The rows of *tables*, each with what stands beside them."""
    lists = {key: value for key in tables.keys if is_list(value := fields[key])}
    if len(lists) > 1:
        sheet = transposed(lists, "feature")
    else:
        ((key, items),) = lists.items()
        sheet = tabulate(items, name=key, role="feature")
    names = [name for name in tables.beside if name not in sheet.names][: max(0, MAX_COLUMNS - len(sheet.names))]
    if not names:
        return sheet
    cells = tuple(tables.beside[name] for name in names)
    width = len(sheet.names) + len(names)
    kept = sheet.values[: MAX_CELLS // width]
    dropped = len(sheet.values) - len(kept)
    return replace(
        sheet,
        names=(*sheet.names, *names),
        values=[(*row, *cells) for row in kept],
        row_ids=sheet.row_ids[: len(kept)],
        ids={name: column[: len(kept)] for name, column in sheet.ids.items()},
        flags=sheet.flags | ({"over_limit"} if dropped else set[str]()),
        dropped_count=sheet.dropped_count + dropped,
    )


def _are_rows(lists: Mapping[str, Sequence[object]], answer_length: int | None, *, is_alone: bool) -> bool:
    kinds = frozenset[type]().union(*(map(type, items) for items in lists.values()))
    if not kinds & {str, int, float, bool, type(None)} and kinds.isdisjoint(NESTED_TYPES):
        # Attachments: what was read of files.
        return True
    key, items = next(iter(lists.items()))
    if is_alone and len(lists) == 1 and key.lower() in ROWS_KEYS and isinstance(items[0], dict | list | str):
        return True
    length = len(items)
    # A single one may as well be a vector of one number, and is read alike.
    return answer_length == length and (length > 1 or kinds <= NESTED_TYPES)
