"""An answer as rows of outputs: JSON of any common layout, aligned with the rows that were asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from dashlight.decode.rows.budget import MAX_KEYS_READ, MAX_ROWS, WORK_PER_LIST, WORK_PER_LONE, TableBudget
from dashlight.decode.rows.columns import Sheet, cut, one_row, tabulate
from dashlight.decode.rows.failures import is_confession_inside
from dashlight.decode.rows.flattening import LeftOut, apart, is_one_cell
from dashlight.decode.rows.jsonvalue import NUMBER_TYPES, is_list, is_object
from dashlight.decode.rows.layouts import lists_in
from dashlight.decode.rows.lists.element_names import element_names
from dashlight.decode.rows.lists.findings import OneCell, best_of, found_in, is_list_of_things
from dashlight.decode.rows.lists.parallel import merged
from dashlight.decode.rows.matching.keyed_answers import KEYED, lists_by_row
from dashlight.decode.rows.redact import without_credentials
from dashlight.privacy.names import MAX_NAME_LENGTH
from dashlight.records import Cell
from dashlight.window.facets.list_names import is_forecast_name, is_list_name

UNNAMED: Final = "prediction"
"""What an answer without a name is called."""
MODEL_KEYS: Final = ("model_name", "model")
VERSION_KEYS: Final = ("model_version", "version")

# Lists of labels and of their scores, side by side: Vertex AI's, AutoML's tables', and zero-shot classification's.
_PARALLEL_KEYS = (("displayNames", "confidences"), ("classes", "scores"), ("labels", "scores"))


@dataclass(frozen=True, slots=True, eq=False)
class AnswerColumns:
    """The outputs, and what an answer says of the exchange as a whole."""

    outputs: Sheet
    model: str = ""
    version: str = ""
    request_id: str = ""


def read_answer(value: object, *, rows: int, row_ids: Sequence[Cell] = (), is_single: bool = False) -> AnswerColumns:
    """The outputs in the JSON *value*.

    Args:
        value: What the application answered.
        rows: How many rows it was asked about.
        row_ids: The ids of those rows; an answer whose rows carry the same ids is put in their order.
        is_single: Whether one row was asked by itself: then a list holds what belongs to it, also where it is short.
    """
    if is_list(value):
        return AnswerColumns(in_order(listed(value, name=UNNAMED, rows=rows, is_single=is_single), row_ids))
    if not is_object(value):
        return AnswerColumns(Sheet((UNNAMED,), [(value,)]))
    fields = dict(value)
    model, version = _pop_text(fields, MODEL_KEYS), _pop_text(fields, VERSION_KEYS)
    request_id = fields.get("request_id", fields.get("id"))
    outputs = _under_ids(fields, row_ids, UNNAMED)
    if outputs is None:
        outputs = in_order(_object(fields, rows, is_single=is_single), row_ids)
    return AnswerColumns(outputs, model, version, str(request_id) if isinstance(request_id, str | int) else "")


def listed(items: Sequence[object], *, name: str, rows: int, is_single: bool = False) -> Sheet:
    """The outputs in a list called *name*: one for each row, or everything for the only row."""
    if rows == 1 and not items:
        return Sheet((name,), [([],)])
    is_thing = rows == 1 and (len(items) > 1 or is_list_of_things(name, items, is_single=is_single))
    if is_thing or (rows == 1 and _is_list_by_name(items, name)):
        return _for_one_row(items, name)
    sheet = _row_for_each(items, name)
    mismatch = set[str]() if rows in {0, 1, len(items)} else {"shape_mismatch"}
    return replace(sheet, flags=sheet.flags | mismatch)


def _row_for_each(items: Sequence[object], name: str) -> Sheet:
    answered = _best_of_each(items[:MAX_ROWS], TableBudget())
    failed = [at for at, item in enumerate(items[: len(answered)]) if is_object(item) and is_confession_inside(item)]
    for at in failed:
        # What stands beside an error is no answer of the model's.
        answered[at] = {}
    sheet = cut(tabulate(answered, name=name, role="output"), len(items) - len(answered))
    return replace(sheet, flags=sheet.flags | {"error_in_200"}) if failed else sheet


def _under_ids(value: Mapping[str, object], row_ids: Sequence[Cell], name: str) -> Sheet | None:
    """The outputs in *value*, where it holds them under the ids of their rows."""
    lists = lists_by_row(value, row_ids, name=name)
    if lists is None:
        return None
    is_whole = set(lists) == {name} and name not in value
    if len(lists) == 1:
        ((name, items),) = lists.items()
        sheet = _row_for_each(items, name)
    else:
        sheet = _beside(lists, len(row_ids), {})
    reasons = apart(value, "output")
    beside: dict[str, LeftOut] = {
        key: reasons.get(key, "answer")
        for key in islice(value, MAX_KEYS_READ)
        if key not in lists and len(key) <= MAX_NAME_LENGTH and not is_whole
    }
    return replace(sheet, left_out={**sheet.left_out, **beside}, flags=sheet.flags | {KEYED})


def answer_under(value: object, keys: Sequence[str], *, rows: int, row_ids: Sequence[Cell] = ()) -> Sheet:
    """The outputs that an answer holds under the first of *keys* that it has; in all of it where it has none."""
    fields = value if is_object(value) else {}
    key = next((key for key in keys if key in fields), None)
    if key is None:
        return read_answer(value, rows=rows, row_ids=row_ids).outputs
    held = fields[key]
    if is_list(held):
        return in_order(listed(held, name=key, rows=rows), row_ids)
    if is_object(held):
        outputs = _under_ids(held, row_ids, key)
        return in_order(_object(held, rows), row_ids) if outputs is None else outputs
    return Sheet((key,), [(held,)])


def top_of_parallel(entry: object) -> object:
    """*entry* with the best of its labels and scores, where it holds them in parallel lists; else as it is."""
    if not is_object(entry):
        return entry
    for labels_key, scores_key in _PARALLEL_KEYS:
        labels, scores = entry.get(labels_key), entry.get(scores_key)
        if not is_list(labels) or not is_list(scores) or not 0 < len(labels) == len(scores):
            continue
        best = max(range(len(scores)), key=lambda at, scores=scores: as_score(scores[at]))  # type: ignore[misc]
        # What else is as long stands beside them: the ids of the labels, boxes of what was found.
        return {
            key: value[best] if is_list(value) and len(value) == len(labels) else value
            for key, value in entry.items()
            if key != "ids"
        }
    return entry


def as_score(value: object) -> float:
    """*value* as a number to be compared with other scores: what is none, NaN too, is below all."""
    return value if isinstance(value, float | int) and value == value else float("-inf")  # noqa: PLR0124


def in_order(outputs: Sheet, row_ids: Sequence[Cell]) -> Sheet:
    """*outputs* in the order of *row_ids*, where they carry the same ids in another one."""
    given = outputs.row_ids
    if given == row_ids or len(given) != len(row_ids):
        return outputs
    place = {_key(row_id): at for at, row_id in enumerate(given)}
    asked = [_key(row_id) for row_id in row_ids]
    if len(place) != len(given) or place.keys() != set(asked):
        return outputs
    order = [place[key] for key in asked]
    ids = {name: [column[at] for at in order] for name, column in outputs.ids.items()}
    return replace(outputs, values=[outputs.values[at] for at in order], row_ids=tuple(row_ids), ids=ids)


def _key(row_id: Cell) -> str:
    """*row_id* as a key. Python's hash of an integer has no secret: anybody can send thousands that have the same."""
    return row_id if isinstance(row_id, str) else f"\0{row_id}"


def _object(fields: Mapping[str, object], rows: int, *, is_single: bool = False) -> Sheet:
    reasons = apart(fields, "output")
    said = {key: value for key, value in fields.items() if key not in reasons} if reasons else fields
    lists = {key: value for key, value in said.items() if is_list(value) and len(key) <= MAX_NAME_LENGTH}
    if len(said) == 1 and lists:
        ((key, items),) = lists.items()
        return listed(items, name=key, rows=rows, is_single=is_single)
    if rows == 1:
        return one_row(
            {key: _only(key, value, is_single=is_single) for key, value in merged(fields).items()} if lists else fields,
            "output",
        )
    aligned = {key: items for key, items in lists.items() if len(items) == rows}
    if rows and not lists:
        aligned = {name: items for name, items in lists_in(said).items() if len(items) == rows}
    if rows and aligned:
        above = {name.partition(".")[0] for name in aligned}
        return _beside(aligned, rows, {key: "answer" for key in said if key not in aligned and key not in above})
    return one_row(fields, "output")


def _beside(aligned: Mapping[str, Sequence[object]], rows: int, left_out: Mapping[str, LeftOut]) -> Sheet:
    """Lists of one length under several keys: the columns of each, side by side."""
    budget = TableBudget()
    columns = {key: _best_of_each(items[:MAX_ROWS], budget) for key, items in aligned.items()}
    told = min(map(len, columns.values()))
    merged: list[dict[str, object]] = [{} for _ in range(told)]
    for key, column in columns.items():
        for row, best in zip(merged, column, strict=False):
            if is_object(best) and len(aligned) == 1:
                row.update(best)
            else:
                row[key] = best
    sheet = cut(tabulate(merged, name="", role="output"), rows - told)
    return replace(sheet, left_out={**sheet.left_out, **left_out})


def _for_one_row(items: Sequence[object], name: str) -> Sheet:
    best = None if is_list_name(name) else _best(list(items))
    if is_object(best):
        return one_row(best, "output")
    found = found_in(name, items)
    if found is not None:
        return one_row(found, "output")
    if is_one_cell(items, name, "output") or not NUMBER_TYPES.union({bool}).issuperset(map(type, items)):
        return Sheet((name,), [(without_credentials(list(items)),)])
    return Sheet(element_names(name, len(items)), [tuple(items)])


def _best(item: object) -> object:
    """The entry with the highest score of a list of labels with scores; anything else as it is."""
    best = best_of(item) if is_list(item) and item else None
    return item if best is None else best


def _best_of_each(items: Sequence[object], budget: TableBudget) -> list[object]:
    """The best of each of *items*, of as many as *budget* lets in, and one at least."""
    if list not in set(map(type, items)):
        return list(items)
    answered: list[object] = []
    for item in items:
        answered.append(best := _best(item))
        budget.take(WORK_PER_LONE if best is item else WORK_PER_LIST)
        if budget.is_spent:
            break
    return answered


def _is_list_by_name(items: Sequence[object], name: str) -> bool:
    """Whether the only one of *items* is one of several that there may be in a row, as the *name* of the list says."""
    return bool(items) and (is_list_name(name) or (is_forecast_name(name) and type(items[0]) in {int, float}))


def _only(key: str, value: object, *, is_single: bool) -> object:
    """The element of a list of one: what `predict` returns for a request of one row."""
    if isinstance(value, OneCell) or not is_list(value) or len(value) != 1:
        return value
    return value if is_list_of_things(key, value, is_single=is_single) or _is_list_by_name(value, key) else value[0]


def _pop_text(fields: dict[str, object], keys: Sequence[str]) -> str:
    found = ""
    for key in keys:
        value = fields.get(key)
        if value is None or isinstance(value, str) or (type(value) is int and key in VERSION_KEYS):
            fields.pop(key, None)
            found = found or ("" if value is None else str(value))
    return found
