"""What the process that judges takes for negative in the store of labels, as `judge.implied_negatives` allows it."""

from __future__ import annotations

from dashlight.judge.implied_negatives import ImpliedNegatives
from dashlight.labels.rows import ModelKey
from dashlight.labels.store import LabelStore

MOST_ROWS = 20_000
"""In one pane: what is more comes with the next."""


def imply_negatives(
    store: LabelStore, model: ModelKey, rule: ImpliedNegatives, *, until_at: float, most_rows: int = MOST_ROWS
) -> int:
    """Takes predictions of *model* for negative whose silence *rule* calls a no; how many. Waits for the store.

    *until_at*: up to then *rule* has been told everything, predictions and labels. May be called again and again, also
    by another process that judges later: the store knows what it has taken.
    """
    left = most_rows
    for span in rule.spans(until_at=until_at):
        left -= store.imply(model, since_at=span.since_at, before_at=span.before_at, most_rows=left)
        if left <= 0:
            break
    return most_rows - left
