"""How often the rows of a reference repeat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role


@dataclass(frozen=True, slots=True, eq=False)
class PayloadReference:
    """How often the rows of a reference repeat, without a value of them."""

    key: int
    """Of the hashes: 64 bits."""
    role: Role
    """Whose columns make a payload: the features, or the outputs where there are none."""
    rows: int
    alone_share: float
    """Part of the rows whose payload came once: so much of new traffic is new. 0 to 1."""
    hashes: NDArray[np.uint64]
    """Shape (frequent,): of the payloads that came most often, more than once each; the most frequent first."""
    counts: NDArray[np.int64]
    """Shape (frequent,): in at most so many rows each of them came."""
    unlisted_count: int
    """In at most so many any other."""
    block_share: float
    """The largest share of one payload in a block of BLOCK_ROWS[0] consecutive rows."""
