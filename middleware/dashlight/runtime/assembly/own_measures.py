"""Metrics of somebody's own, by entry points of the group `dashlight.metrics`: loaded once, at the start."""

from __future__ import annotations

import logging
import time
from importlib.metadata import entry_points
from typing import Final

from dashlight.capture.plugins import offered
from dashlight.judge.words import printable
from dashlight.window.performance.own_measures import OwnMeasure, OwnMeasures

logger = logging.getLogger(__name__)

METRICS: Final = "dashlight.metrics"
MOST_METRICS: Final = 16
"""More are left out."""
TAKEN: Final = frozenset({
    "accuracy", "precision", "recall", "f1", "precision_macro", "recall_macro", "f1_macro", "precision_weighted",
    "recall_weighted", "f1_weighted", "roc_auc", "roc_auc_ovr", "average_precision", "log_loss", "brier", "ece", "mae", "rmse",
    "mape", "bias", "r2", "ctr", "mrr", "mean_grade",
})  # fmt: skip
"""Names of our own figures."""


def own_measures() -> OwnMeasures:
    """What installed packages offer; one warning for those that cannot be used, and without them."""
    found: dict[str, OwnMeasure] = {}
    wrong: list[str] = []
    for name in sorted(entry_points(group=METRICS).names):
        try:
            metric = offered(METRICS, name)
        except LookupError:
            wrong.append(f"{printable(name)} cannot be loaded")
            continue
        if not callable(metric):
            wrong.append(f"{printable(name)} is no function")
        elif name in TAKEN or printable(name) != name or "[" in name or "@" in name:
            wrong.append(f"{printable(name)} is the name of a figure of ours, or none that can be shown")
        elif len(found) >= MOST_METRICS:
            wrong.append(f"{printable(name)} is one of more than {MOST_METRICS}")
        else:
            found[name] = metric
    if wrong:
        logger.warning("entry points of %s: %s; the others are used", METRICS, "; ".join(wrong))
    return OwnMeasures(found, time.thread_time)
