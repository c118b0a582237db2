"""What is logged between the beginning and the end of one `with bentoml.monitor(...)`, made rows of a prediction."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

from dashlight import note_loss, record
from dashlight_bentoml.call import SILENT, Rows, current
from dashlight_bentoml.values import MOST_ROWS, Stills

UNEQUAL = "monitor_columns_of_unequal_length"
OUTSIDE = "monitor_used_outside_of_its_block"
NO_BATCH = "monitor_batch_not_iterable"
TARGET = "monitor_target_left_out"
UNKNOWN_ROLE = "monitor_role_unknown"


@dataclass(slots=True)
class _Block:
    """One block: its columns, by what they are, and when it began."""

    began: float
    features: dict[str, list[object]] = field(default_factory=dict[str, list[object]])
    predictions: dict[str, list[object]] = field(default_factory=dict[str, list[object]])


class Recording:
    """The blocks of one monitor, in as many contexts at once as there are. Nothing is raised, losses are counted."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._block: ContextVar[_Block | None] = ContextVar(f"dashlight_bentoml_{name}", default=None)

    def begin(self) -> None:
        """Begins a block. One that an exception has left before its end is forgotten."""
        self._block.set(_Block(perf_counter()))

    def log(self, value: object, name: str, role: str) -> None:
        """Takes one value of the column *name*."""
        self.log_all((value,), name, role)

    def log_all(self, values: Iterable[object], name: str, role: str) -> None:
        """Takes values of the column *name*, one a row."""
        try:
            block = self._block.get()
            if block is None:
                note_loss(OUTSIDE)
                return
            if role not in {"feature", "prediction"}:
                note_loss(TARGET if role == "target" else UNKNOWN_ROLE)
                return
            column = list(values)
            columns = block.features if role == "feature" else block.predictions
            columns.setdefault(str(name), []).extend(column)
        except TypeError:
            note_loss(NO_BATCH)
        except Exception as error:
            note_loss(type(error).__name__)

    def end(self) -> None:
        """Ends the block: its rows belong to the request within which it stands, or are a prediction by themselves."""
        try:
            block = self._block.get()
            self._block.set(None)
            if block is None or not (block.features or block.predictions):
                return
            lengths = set(map(len, (*block.features.values(), *block.predictions.values())))
            if len(lengths) != 1:
                # Which value belongs to which cannot be told.
                note_loss(UNEQUAL)
                return
            rows = Rows(_rows(block.features), _rows(block.predictions))
            call = current.get()
            if call is None or call is SILENT or not call.take_rows(self._name, rows):
                self._record(rows, perf_counter() - block.began)
        except Exception as error:
            note_loss(type(error).__name__)

    def _record(self, rows: Rows, duration_seconds: float) -> None:
        path = f"/monitor/{self._name}"
        record(
            {"type": "http", "method": "POST", "path": path, "headers": [], "endpoint": self._name},
            status=200,
            duration_seconds=duration_seconds,
            # Without features there is one row that has none, as in a request without a body.
            inputs=rows.features or {},
            outputs=rows.predictions or None,
            model=self._name,
        )


def _rows(columns: dict[str, list[object]]) -> list[dict[str, object]]:
    stills = Stills()
    names = list(columns)
    length = len(columns[names[0]]) if names else 0
    step = max(1, -(-length // MOST_ROWS))
    picked = [columns[name][::step] for name in names]
    return [
        {name: stills.of(value) for name, value in zip(names, row, strict=True)} for row in zip(*picked, strict=True)
    ]
