"""What an answer says of itself, and of no row: its version, that it went well, when it was made and how long that took."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import numpy as np

from dashlight.decode.rows.answer_facts import fact_kind
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.failures import (
    CODE_KEYS,
    CONFESSING_KEYS,
    ERROR_KEYS,
    MESSAGE_KEYS_SET,
    STATUS_KEYS,
    is_quiet,
)
from dashlight.decode.rows.flattening import LeftOut
from dashlight.records import Cell, Table

_Echo: TypeAlias = Literal["always", "status", "code", "error", "time", ""]

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,+Z-]{4,30})?")
_EPOCH: Final = 1e9
_WELL = frozenset(
    {"ok", "okay", "success", "successful", "succeeded", "done", "complete", "completed", "finished", "ready", "200"}
)
_LONGEST = 60
_PREDICTIONS = frozenset(
    {"prediction", "predictions", "label", "labels", "class", "score", "scores", "probability", "result", "output"}
)
_ENVELOPED = frozenset(
    {"data", "result", "results", "response", "payload", "body", "output", "outputs", "prediction", "predictions"}
)
"""Keys of what a code and a message are put around."""


def answers_only(outputs: Sheet) -> Sheet:
    """*outputs* without what the answer says of itself: a column where all of it is that, else a null for each such cell.

    Where nothing else is there, it is what the model answered.
    """
    kinds = _echoes(outputs.names)
    if not any(kinds) or all(kinds):
        return outputs
    columns = {at: _quieted(kinds[at], [row[at] for row in outputs.values]) for at in range(len(kinds)) if kinds[at]}
    gone = [at for at, cells in columns.items() if all(cell is None for cell in cells)]
    values = [tuple(columns[at][row] if at in columns else cell for at, cell in enumerate(cells) if at not in gone)
              for row, cells in enumerate(outputs.values)]  # fmt: skip
    left_out: dict[str, LeftOut] = {**outputs.left_out, **{outputs.names[at]: "answer" for at in gone}}
    names = tuple(name for at, name in enumerate(outputs.names) if at not in gone)
    return replace(outputs, names=names, values=values, left_out=left_out)


def answers_only_of_table(outputs: Table) -> Table:
    """As answers_only, of the rows of a batch."""
    names = (*outputs.number_names, *outputs.cell_names)
    kinds: dict[str, _Echo] = {name: kind for name, kind in zip(names, _echoes(names), strict=True) if kind}
    if not kinds or len(kinds) == len(names):
        return outputs
    numbers = dict(zip(outputs.number_names, outputs.numbers, strict=True))
    cells: dict[str, Sequence[Cell]] = dict(zip(outputs.cell_names, outputs.cells, strict=True))
    for name, kind in kinds.items():
        if name in cells:
            cells[name] = _quieted(kind, cells[name])
            if all(cell is None for cell in cells[name]):
                del cells[name]
            continue
        told = _quieted(kind, numbers[name].tolist())
        numbers[name] = np.array(told, np.float64)
        if np.isnan(numbers[name]).all():
            del numbers[name]
    return replace(
        outputs,
        number_names=tuple(numbers),
        numbers=np.array(list(numbers.values()), np.float64).reshape(len(numbers), outputs.rows),
        cell_names=tuple(cells),
        cells=tuple(cells.values()),
    )


def _quieted(kind: _Echo, cells: Sequence[Cell]) -> list[Cell]:
    return [None if _is_echo(kind, cell) else cell for cell in cells]


def _is_echo(kind: _Echo, cell: Cell) -> bool:
    if kind == "always" or cell is None:
        return True
    if kind == "error":
        return is_quiet(cell)
    if kind == "time":
        is_late = isinstance(cell, int | float) and not isinstance(cell, bool) and cell >= _EPOCH
        return is_late or (isinstance(cell, str) and _MOMENT.fullmatch(cell[:_LONGEST]) is not None)
    if isinstance(cell, str):
        text = cell[: _LONGEST + 1].strip().lower()
        if kind == "code" and not text.strip("0"):
            return True
        return text in _WELL or not text or (len(text) <= _LONGEST and "success" in text and "un" not in text)
    is_zero = kind == "code" and cell == 0 and cell is not False
    return cell is True or is_zero or (isinstance(cell, int | float) and 200 <= cell < 300)


def _echoes(names: Sequence[str]) -> list[_Echo]:
    """What each of *names* may say, as far as the others let it. A code of 0 says that all went well in an envelope; elsewhere it may be a class."""
    kinds: list[_Echo] = [_echo(name) for name in names]
    if "time" in names and any(map(_is_prediction, names)):
        # How long it took. Beside anything else it may be what is predicted.
        kinds[names.index("time")] = "always"
    if "status" not in kinds or not any(name.rpartition(".")[2] in CODE_KEYS for name in names):
        return kinds
    if not any(_is_enveloped(name) for name in names):
        return kinds
    return [
        "code" if kind and name.rpartition(".")[2] in CODE_KEYS else kind
        for name, kind in zip(names, kinds, strict=True)
    ]


def _is_prediction(name: str) -> bool:
    return name.partition(".")[0].partition("[")[0] in _PREDICTIONS


def _is_enveloped(name: str) -> bool:
    return name.rpartition(".")[2] in MESSAGE_KEYS_SET or name.partition(".")[0].partition("[")[0] in _ENVELOPED


@lru_cache(maxsize=512)
def _echo(name: str) -> _Echo:
    """What a column of this name may say of the answer; empty: nothing."""
    last = name.rpartition(".")[2]
    if last in ERROR_KEYS and last not in CODE_KEYS:
        return "error"
    if last == "done" or last in CONFESSING_KEYS or last in STATUS_KEYS or last in MESSAGE_KEYS_SET:
        return "status"
    return fact_kind(name)
