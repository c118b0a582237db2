"""One valid file of each kind that a state directory holds, how it is read, and what then becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec
import numpy as np
from benchmarks.decoding_parts import Parts, exchange_of
from benchmarks.detection_ours import prediction_of

from dashlight.counting.kept_rows import KeptRows
from dashlight.counting.machine import Briefing, MachineCounter, MachinePane, ProcessStatus, lightened, merged
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.errors import ReferenceDataError, StateError
from dashlight.metrics.losses import INBOX_FULL
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump, load
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column, table_of_columns
from dashlight.workers.checkpoints import Checkpoint, CheckpointLayout
from dashlight.workers.layouts import BRIEFING, FIGURES, PANE

REFUSALS = (StateError, ReferenceDataError)
_PANE_SECONDS = 10.0


@dataclass(frozen=True)
class Kind:
    """One kind of file."""

    file: bytes
    """A valid one."""
    read: Callable[[bytes], Any]
    """Raises one of REFUSALS, or gives what the file holds."""
    use: Callable[[Any], object]
    """What is done with what was read; raises nothing."""
    is_state: bool = True
    """Whether it is a file of parts; else it is JSON with a checksum of its content."""


def kinds() -> Mapping[str, Kind]:
    """Every kind, by its name."""
    rng = np.random.default_rng(1)
    columns = _columns(rng, 2500)
    reference = build_reference_from_columns(columns, {}, rng=rng, created_at=0.0)
    machine = _Machine(reference)
    pane = machine.counted("other")
    kept = KeptRows.of(
        {"feature": _table(_columns(rng, 20) | {"list": [np.ones(3), ["a", "b"], {"bytes": 3}, None] * 5})}
    )
    machine.judge(pane)
    layout = CheckpointLayout()
    return {
        "pane": Kind(_file(PANE.freeze(pane)), lambda blob: PANE.thaw(bytearray(blob)), machine.judge),
        "briefing": Kind(_file(BRIEFING.freeze(machine.watch.briefing)), BRIEFING.thaw, machine.follow),
        "figures": Kind(
            _file(FIGURES.freeze(machine.figures())), lambda blob: FIGURES.thaw(bytearray(blob)), FIGURES.freeze
        ),
        "rows": Kind(
            kept.frozen.tobytes(), lambda blob: KeptRows(kept.rows, np.frombuffer(blob, np.uint8)).chunk(), KeptRows.of
        ),
        "checkpoint": Kind(
            _file(layout.freeze(Checkpoint(machine.watch.state, {"other": 3}))),
            lambda blob: layout.thaw(bytearray(blob)),
            machine.go_on,
        ),
        "reference": Kind(dump(reference), load, dump, is_state=False),
    }


def with_checksum(content: dict[str, object]) -> bytes:
    """The file of a reference of this *content*, whatever that is."""
    told = {key: value for key, value in content.items() if key != "checksum"}
    digest = hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()
    return msgspec.json.encode(told | {"checksum": f"sha256:{digest}"})


class _Machine:
    """A process that counts, and the judge of its machine."""

    def __init__(self, reference: Reference) -> None:
        self._policy = Policy(pane_seconds=_PANE_SECONDS, reference_rows=1000)
        self._references = References(LearnedReferences(None), reference)
        self._counter = MachineCounter("own", self._policy, self._references)
        self._rng = np.random.default_rng(2)
        self._at = _PANE_SECONDS
        self.watch = MachineWatch(self._policy, self._references, at=0.0)

    def counted(self, process: str) -> MachinePane:
        """What a process of this name counted, and rows that one kept which knows of no reference."""
        knowing, learning = (
            MachineCounter(process, self._policy, self._references),
            MachineCounter(process, self._policy, replace(self._references, fixed=None)),
        )
        for counter in (knowing, learning):
            self._serve(counter)
        return merged([each.close(self._at, ProcessStatus(1, 1.0), {INBOX_FULL: 1}) for each in (knowing, learning)])

    def judge(self, pane: MachinePane) -> None:
        """Judges *pane* beside an own one, as whoever holds the lease does with a letter."""
        self._serve(self._counter)
        own = self._counter.close(self._at, ProcessStatus(1, 1.0), {})
        try:
            both = lightened(merged([own, pane]), most_bytes=1 << 20)
        except ValueError:  # counted as unfitting
            both = own
        self._at += _PANE_SECONDS
        self.watch.close_pane(both, self._at)

    def go_on(self, checkpoint: Checkpoint) -> None:
        """Takes over from *checkpoint*, judges a few panes and keeps what came of it, as whoever gets the lease does."""
        watch = MachineWatch(self._policy, self._references, at=self._at)
        if checkpoint.state.machine.policy != self._policy:
            return
        try:
            finished(watch.restore(checkpoint.state, self._at, lose=_is_refusal))
        except ValueError:  # counted, and begun anew
            return
        before, self.watch = self.watch, watch
        try:
            for _ in range(3):
                self._counter.follow(watch.briefing)
                self.judge(merged([]))
            list(watch.snapshots())
            self.figures()
            CheckpointLayout().freeze(Checkpoint(watch.state, {}))
        finally:
            self.watch = before

    def follow(self, briefing: Briefing) -> None:
        """Counts what *briefing* wants."""
        counter = MachineCounter("own", self._policy, self._references)
        self._serve(counter)
        counter.follow(briefing)
        self._serve(counter)

    def figures(self) -> Any:
        """The figures of the machine."""
        return self.watch.totals.figures(
            at=self._at, snapshots=self.watch.snapshots(), alerts=(), gauges={"workers": 1}
        )

    def _serve(self, counter: MachineCounter) -> None:
        exchange = exchange_of(Parts("/predict", b"{}", b"{}"))
        endpoint = counter.endpoint("/predict")
        endpoint.add(prediction_of(_table(_columns(self._rng, 30))), [exchange])
        endpoint.count([exchange, msgspec.structs.replace(exchange, status=500, outcome="error")], {})


def _is_refusal(part: str, error: Exception) -> None:
    if type(error) is not ValueError:
        raise RuntimeError(f"{part} is neither taken over nor refused: {error!r}") from error


def _columns(rng: np.random.Generator, rows: int) -> dict[str, Column]:
    return {
        "age": rng.normal(40, 10, rows),
        "income": rng.gamma(4.0, 500.0, rows),
        "city": [f"c{place}" for place in rng.integers(0, 4, rows)],
    }


def _table(columns: Mapping[str, Column]) -> Any:
    table = table_of_columns(columns)
    return replace(table, exchange=np.zeros(table.rows, np.intp))


def _file(pieces: Any) -> bytes:
    return b"".join(cast("list[bytes]", pieces))
