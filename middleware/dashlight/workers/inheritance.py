"""What a judge takes over from the one before: its statistics, as far as they can be gone on from, and what it owed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.deliver.alerting.owed import Owed
from dashlight.judge.notices import notices
from dashlight.judge.silences import audible, quiet
from dashlight.records import Alert
from dashlight.watching.machine import MachineWatch
from dashlight.window.reference.steps import Steps
from dashlight.workers.checkpoints import Checkpoint
from dashlight.workers.generations import CheckpointFiles
from dashlight.workers.operator import Operator

logger = logging.getLogger("dashlight")


@dataclass(frozen=True, slots=True, eq=False)
class Inheritance:
    """What was taken over."""

    watch: MachineWatch
    over: Sequence[Alert] = ()
    """Alerts that ended because nobody is left who judges them."""
    counted: Mapping[str, int] = field(default_factory=dict[str, int])
    """Number of the last pane of each process that is counted in the watch; empty where it begins anew."""
    is_taken_over: bool = False


def inherit(
    files: CheckpointFiles, policy: Policy, references: References, owed: Owed, *, at: float
) -> Steps[Inheritance]:
    """In steps: goes on where the process that judged before left off, or begins.

    What is owed to routes is taken over whatever becomes of the statistics.
    """
    watch = MachineWatch(policy, references, at=at)
    checkpoint = files.inherited()
    if checkpoint is None:
        owed.clear()
        return Inheritance(watch)
    _inherit_owed(files, checkpoint, owed)
    machine = checkpoint.state.machine
    if machine.policy != policy:
        logger.warning("the kept statistics were made under other settings: beginning anew")
        return Inheritance(watch, checkpoint.ended_alerts(at, "the settings were changed"))
    try:
        over = yield from watch.restore(checkpoint.state, at, lose=files.lose)
    except Exception as error:  # a file can say anything
        files.lose("first part", error)
        # Nobody is left who could end them later.
        over = checkpoint.ended_alerts(at, "the statistics behind it could not be taken over")
        return Inheritance(MachineWatch(policy, references, at=at), over)
    logger.info("judging for all processes from here on, after %d panes", machine.pane_count)
    return Inheritance(watch, over, checkpoint.counted, is_taken_over=True)


def owe(owed: Owed, changed: Sequence[Alert], watch: MachineWatch, at: float, operator: Operator) -> None:
    """Owes what is to be told of the alerts of *watch*, of which these *changed*; held until a checkpoint has it."""
    told = {notice.key: notice for notice in owed.in_force()}
    told_of = {alert.key for notice in told.values() for alert in notice.alerts}
    silences = operator.silences()
    operator.quiet = quiet(told.values(), silences, at)
    in_force = audible(watch.in_force, silences, told=told_of, at=at)
    heard = {alert.key for alert in in_force}
    found = notices(
        audible(changed, silences, told=told_of, at=at),
        incidents=[incident for incident in watch.alerts.incidents if not heard.isdisjoint(incident.members)],
        in_force=in_force,
        told=told,
        at=at,
    )
    for notice in found:
        owed.owe(notice, held=True)
    operator.remember(found)


def _inherit_owed(files: CheckpointFiles, checkpoint: Checkpoint, owed: Owed) -> None:
    owed.clear()
    try:
        if checkpoint.owed is not None:
            owed.restore(checkpoint.owed)
            return
    except Exception as error:  # a file can say anything
        files.lose("owed part", error)
    logger.error("which alerts routes had not answered for is lost: what is in force is told anew")
