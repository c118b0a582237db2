"""Since when more exchanges fail, by the rows themselves: a rule says it only once its window is over a limit."""

from __future__ import annotations

import numpy as np

from dashlight.window.parts.sampled_rows import SampledRows


def began_at(before: SampledRows | None, now: SampledRows, outcome: int, since_at: float) -> float:
    """When rows began to have the *outcome* as often as *now*, where that was before *since_at*; else *since_at*.

    Rows *before* of which as many hurt as since then would hide in what is usual that anything changed. The beginning is where the
    sum of (hurt - middle), from there to *since_at*, is largest, the middle being that of the rates before and now: the cumulative
    sum of Page (1954), taken backwards.
    """
    if before is None or not before.row_count:
        return since_at
    order = np.argsort(before.at, kind="stable")
    hurt = (before.outcomes == outcome)[order].astype(np.float64)
    middle = (hurt.mean() + (now.outcomes == outcome).mean()) / 2
    sums = np.cumsum((hurt - middle)[::-1])[::-1]
    best = int(sums.argmax())
    return float(min(before.at[order[best]], since_at)) if sums[best] > 0 else since_at
