"""A pane of the machine that is being judged, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashlight.counting.machine import MachinePane
from dashlight.counting.remains import Remains
from dashlight.records import Alert
from dashlight.watching.machine import MachineWatch
from dashlight.window.reference.steps import Steps
from dashlight.workers.labels import LabelReader
from dashlight.workers.mailbox import Letter


def judged(
    watch: MachineWatch, pane: MachinePane, at: float, remains: Sequence[Remains], labels: LabelReader | None
) -> Steps[list[Alert]]:
    """In steps: the alerts that change with the *pane* that ended *at*, and with what *labels* have come by then."""
    news = None if labels is None else (yield from labels.read(watch.performances, watch.measured_models, at))
    return (yield from watch.close_pane_in_steps(pane, at, remains, news))


@dataclass(frozen=True, slots=True, eq=False)
class Closing:
    """The judging of a pane that has begun, and what is done with once that is over."""

    steps: Steps[list[Alert]]
    own: list[MachinePane]
    """What this process counted of it."""
    letters: Sequence[Letter]
    """Those of the others, and what else waited."""
    number: int
    """Of the last of *own*."""
    remains: Sequence[Remains]
    """Of processes that have ended."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What this process has to tell as the judge of its machine."""

    watch: MachineWatch
    alerts: Sequence[Alert]
    """Those whose state changed."""
    has_pane: bool = True
    """Whether a pane was judged; else they are what ended with the judge before."""
