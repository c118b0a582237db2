"""What was lost, in the log: the only place to see it for whoever collects no metrics."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from dashlight.metrics.losses import SignalFate

logger = logging.getLogger("dashlight")


class LossLog:
    """Logs losses, one line for all of them."""

    def __init__(self) -> None:
        self._told: dict[SignalFate, int] = {}

    def tell(self, counts: Mapping[SignalFate, int]) -> None:
        """Logs all losses among *counts*, each since the start, where there are more than at the last call."""
        lost = {key: count for key, count in counts.items() if key.is_loss and count}
        if lost != self._told:
            self._told = lost
            logger.warning("lost so far: %s", ", ".join(f"{key} x {count}" for key, count in lost.items()))


def tell_owed(counts: Mapping[str, int], *, is_kept: bool) -> None:
    """Logs, at the end of a process, how many alerts each route has not answered for, if any; *is_kept*: in a checkpoint."""
    owed = ", ".join(f"{count} to {route}" for route, count in counts.items() if count)
    if owed and is_kept:
        logger.warning("alerts still owed at the end: %s; whoever judges next delivers them", owed)
    elif owed:
        logger.error("alerts lost at the end: %s; with DASHLIGHT_STATE_DIR they would be kept", owed)
