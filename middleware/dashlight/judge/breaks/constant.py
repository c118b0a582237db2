"""A column that is stuck at one value. Pure."""

from collections import Counter

import numpy as np

from dashlight.judge.breaks.fill import FILLS
from dashlight.judge.breaks.sight import Finding, Sight, nats, upper_share
from dashlight.judge.words import percent, printable
from dashlight.window.values import number_text

NEARLY_ALL = 0.97
MOST_BEFORE = 0.3
RUNS_LONGER, RUN_ROWS = 3, 50
"""A stuck source is told from a quiet one by a run this many times the longest of the reference, and so many rows more."""


def constant(sight: Sight) -> Finding | None:
    """Whether nearly all values are one, which in the reference was one of many."""
    texts = _texts(sight)
    if not texts or len(texts) < 0.5 * sight.rows:
        return None
    text, count = Counter(texts).most_common(1)[0]
    share, before = count / len(texts), sight.reference_share(text)
    if share < NEARLY_ALL or before > MOST_BEFORE:
        return None
    shown = printable(text) if text else "empty"
    default = " (a default fill?)" if text in FILLS else ""
    what = f"{sight.name} is stuck at {shown}{default} in {percent(share)} of rows ({percent(before)} in the reference)"
    certainty = max(sight.nats(share, before), _nats_of_run(sight, len(texts)) if count == len(texts) else 0.0)
    look = f"; look at the source that writes {sight.name}: it may no longer be updated"
    return Finding("constant", what + look, f"{sight.name} = {shown}", before, share, certainty)


def _texts(sight: Sight) -> list[str]:
    if sight.column.kind == "numeric":
        values, counts = np.unique(sight.numbers, return_counts=True)
        most = int(counts.argmax()) if len(counts) else 0
        if not len(counts) or counts[most] < NEARLY_ALL * len(sight.numbers):
            return []
        return [str(number_text(float(values[most])))] * int(counts[most]) + [""] * int(counts.sum() - counts[most])
    return [text for text in sight.texts.tolist() if text is not None]


def _nats_of_run(sight: Sight, rows: int) -> float:
    """Certainty that so many rows of one value are no natural run: each repeats the one before."""
    profile = sight.profile
    if rows * sight.stride < RUNS_LONGER * profile.longest_run + RUN_ROWS:
        return 0.0
    # Memory is in the repeats themselves, so that rows count in full; a shuffled reference knows of none.
    known = min(rows - 1.0, sight.effective_rows) if not sight.column.variation else rows - 1.0
    return nats(1.0, upper_share(profile.repeat_share, max(profile.rows, 1)), known)
