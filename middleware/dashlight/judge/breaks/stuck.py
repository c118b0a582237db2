"""Whether a number has just got stuck: then it is looked at at once, and not when the next look is due. Pure."""

from collections.abc import Sequence

import numpy as np

from dashlight.judge.breaks.constant import FEWEST_AT_ONCE, RUN_ROWS, RUNS_LONGER
from dashlight.window.columns import Profile
from dashlight.window.recent.values import RecentRows

LEAST_PANES = 3


def newly_stuck(rows: RecentRows, profiles: Sequence[Profile]) -> list[int]:
    """Places of the columns that hold one number for long enough by the newest pane, and did not by the one before.

    That is for FEWEST_AT_ONCE rows over LEAST_PANES panes, and for longer than `constant` takes for a natural run; *profiles*
    are those of the columns, in the order of the rows' arrays. Words that get stuck at a new one are seen by their bins.
    """
    if rows.rows < FEWEST_AT_ONCE:
        return []
    newest = rows.numbers[:, -FEWEST_AT_ONCE:]
    still = np.flatnonzero((newest == newest[:, -1:]).all(axis=1))  # never where it is missing
    return [place for place in still.tolist() if _gets_stuck(rows, place, profiles[place].longest_run)]


def _gets_stuck(rows: RecentRows, place: int, longest_run: int) -> bool:
    others = np.flatnonzero(rows.numbers[place] != rows.numbers[place, -1])
    panes = rows.panes[int(others[-1]) + 1 if len(others) else 0 :]
    return _is_long(panes, longest_run) and not _is_long(panes[panes < panes[-1]], longest_run)


def _is_long(panes: np.ndarray[tuple[int, ...], np.dtype[np.int64]], longest_run: int) -> bool:
    least = max(FEWEST_AT_ONCE, RUNS_LONGER * longest_run + RUN_ROWS)
    return len(panes) >= least and len(np.unique(panes)) >= LEAST_PANES
