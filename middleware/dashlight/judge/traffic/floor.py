"""What of the default limits holds of whole stretches: whether too much failed to learn from it, and whether bodies were readable. Pure."""

from collections.abc import Sequence

import numpy as np

from dashlight.judge.traffic.rules import FLOOR_EXCHANGES, FLOOR_FAILURE_RATE, FLOOR_REFUSAL_RATE
from dashlight.window.outcomes import OutcomeCounts

PANES, EXCHANGES = 6, 100
"""A stretch that is held against the shares covers so many panes, and so many exchanges: with fewer, what fails one time in
ten would be above one in five by chance."""

READABLE_PANES = 30


def is_readable(counts: OutcomeCounts) -> bool:
    """Whether most bodies of *counts*, of READABLE_PANES, could be decoded, and there were enough to say so."""
    return counts.analysed >= FLOOR_EXCHANGES and 2 * sum(counts.undecodable.values()) < counts.analysed


def is_above_floor(blocks: Sequence[OutcomeCounts]) -> bool:
    """Whether failures or refusals were beyond their floor in some stretch of *blocks*, which follow each other in time.

    The stretches end with each block and reach back as far as they must; where all blocks are too few, there is none.
    """
    tallied = [(block.panes, block.exchanges, block.failed, block.refused) for block in blocks]
    sums = np.concatenate([np.zeros((1, 4), np.int64), np.cumsum(np.array(tallied).reshape(-1, 4), axis=0)])
    ends = sums[1:]
    # The last boundary before each end from which there are enough panes, and enough exchanges.
    begins = np.minimum(
        np.searchsorted(sums[:, 0], ends[:, 0] - PANES, side="right"),
        np.searchsorted(sums[:, 1], ends[:, 1] - EXCHANGES, side="right"),
    )
    is_long = begins > 0
    stretches = (ends - sums[begins - 1])[is_long]
    exchanges = stretches[:, 1]
    is_failing = stretches[:, 2] > FLOOR_FAILURE_RATE * exchanges
    return bool((is_failing | (stretches[:, 3] > FLOOR_REFUSAL_RATE * exchanges)).any())
