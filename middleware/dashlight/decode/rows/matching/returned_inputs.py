"""Inputs that come back with the answer, under their own names: no outputs, and a way to find rows again."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from dashlight.decode.rows.answers import in_order
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.flattening import LeftOut
from dashlight.records import Cell, Prediction, Table
from dashlight.window.tables import selected

MAX_COLUMNS_KNOWN: Final = 4096
"""Columns of which is remembered whether they are returned inputs; of more all are forgotten."""

# What the model says, also where the request has the same name: a label to be checked, ranks to be made anew.
_SAID = re.compile(
    r"(?i)(?:\w{0,40}_)?(?:predict(?:ion|ed)s?|labels?|class|category|scores?|prob(?:ability)?|target|result|output|rank|position"
    r"|order|y|y_?(?:hat|pred)|answer|decision|status)(?:\[[0-9]{1,6}\])?"
)
_WRAPPED = re.compile(r"(?:inputs?|request|query|echo|received|features|instance)\.")


class ReturnedInputs:
    """Which outputs of each model are inputs that come back: those that were equal to them in every row so far."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, str], bool] = {}

    def left_out(self, prediction: Prediction) -> Prediction:
        """*prediction* without them. What once differed is an output from then on."""
        features, outputs = prediction.features, prediction.outputs
        shared = _shared((*features.number_names, *features.cell_names), (*outputs.number_names, *outputs.cell_names))
        if not shared:
            return prediction
        if len(self._known) + len(shared) > MAX_COLUMNS_KNOWN:
            self._known.clear()
        places = _same_rows(features, outputs)
        gone: set[str] = set()
        for output, feature in shared:
            key = (prediction.endpoint, prediction.model, prediction.version, output)
            if self._known.get(key, True):
                said = _are_equal(_column(features, feature), _column(outputs, output), places)
                if said is not None:
                    self._known[key] = said
                if self._known.get(key, False):
                    gone.add(output)
        names = {*outputs.number_names, *outputs.cell_names}
        return replace(prediction, outputs=selected(outputs, names - gone)) if gone and names - gone else prediction


def without_inputs(features: Sheet, outputs: Sheet) -> Sheet:
    """*outputs* of one exchange without the inputs that come back with it in every row, where others are left."""
    rows = range(len(outputs.values))
    if len(features.values) != len(rows):
        return outputs
    asked = {name: at for at, name in enumerate(features.names)}
    answered = {name: at for at, name in enumerate(outputs.names)}
    gone = {
        output
        for output, feature in _shared(features.names, outputs.names)
        if _are_equal(
            [row[asked[feature]] for row in features.values],
            [row[answered[output]] for row in outputs.values],
            [(at, at) for at in rows],
        )
    }
    kept = [at for at, name in enumerate(outputs.names) if name not in gone]
    if not gone or not kept:
        return outputs
    left_out: dict[str, LeftOut] = {**outputs.left_out, **dict.fromkeys(sorted(gone), "answer")}
    return replace(
        outputs,
        names=tuple(outputs.names[at] for at in kept),
        values=[tuple(row[at] for at in kept) for row in outputs.values],
        left_out=left_out,
    )


def have_shared_names(features: tuple[str, ...], outputs: tuple[str, ...]) -> bool:
    """Whether one of *outputs*, by its name, may be one of *features* that comes back."""
    return bool(_shared(features, outputs))


def in_order_of_inputs(features: Sheet, outputs: Sheet) -> Sheet:
    """*outputs* in the order of *features*, where both have a column that tells the rows apart."""
    if not 1 < len(features.values) == len(outputs.values) or (
        features.row_ids and features.row_ids == outputs.row_ids
    ):
        return outputs
    for output, feature in sorted(_shared(features.names, outputs.names)):
        at, place = features.names.index(feature), outputs.names.index(output)
        asked, told = [row[at] for row in features.values], [row[place] for row in outputs.values]
        if asked == told:
            return outputs
        if all(type(cell) in {str, int} for cell in (*asked, *told)):
            ordered = in_order(replace(outputs, row_ids=tuple(told)), tuple(asked))
            if ordered.row_ids == tuple(asked):
                return replace(ordered, row_ids=outputs.row_ids)
    return outputs


def _shared(features: tuple[str, ...], outputs: tuple[str, ...]) -> Sequence[tuple[str, str]]:
    """Each of *outputs* that is called as one of *features*, with it."""
    bare = {_bare(name): name for name in features}
    return [(name, bare[_bare(name)]) for name in outputs if _bare(name) in bare and not _is_said(_bare(name))]


def _bare(name: str) -> str:
    """*name* without what says that it is an input."""
    found = _WRAPPED.match(name)
    return name if found is None else name[found.end() :]


@lru_cache(maxsize=512)
def _is_said(name: str) -> bool:
    return _SAID.fullmatch(name.rpartition(".")[2]) is not None


def _column(table: Table, name: str) -> Sequence[Cell]:
    if name in table.number_names:
        numbers: list[float] = table.numbers[table.number_names.index(name)].tolist()
        return numbers
    return table.cells[table.cell_names.index(name)]


def _same_rows(features: Table, outputs: Table) -> list[tuple[int, int]]:
    """Places of the rows of both tables that belong together: those of exchanges with as many answers as questions."""
    if np.array_equal(features.exchange, outputs.exchange):
        return [(at, at) for at in range(features.rows)]
    asked, starts, counts = np.unique(features.exchange, return_index=True, return_counts=True)
    answered = dict(zip(*(part.tolist() for part in np.unique(outputs.exchange, return_index=True)), strict=True))
    many = np.bincount(outputs.exchange) if outputs.rows else np.zeros(0, np.intp)
    return [
        (start + at, answered[exchange] + at)
        for exchange, start, count in zip(asked.tolist(), starts.tolist(), counts.tolist(), strict=True)
        if exchange in answered and many[exchange] == count
        for at in range(count)
    ]


def _are_equal(asked: Sequence[Cell], told: Sequence[Cell], places: Sequence[tuple[int, int]]) -> bool | None:
    """Whether what was *told* is what was *asked* in each row that says something; None where none does."""
    found = None
    for at, place in places:
        cell = told[place]
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            continue
        if cell != asked[at] or isinstance(cell, bool) is not isinstance(asked[at], bool):
            return False
        found = True
    return found
