"""A pane of the machine that is being judged, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashlight.counting.machine import MachinePane
from dashlight.counting.remains import Remains
from dashlight.records import Alert
from dashlight.watching.machine import MachineWatch
from dashlight.window.reference.steps import Steps
from dashlight.workers.mailbox import Letter


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
