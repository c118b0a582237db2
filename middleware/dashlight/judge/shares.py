"""How one budget of false alarms is shared out: to columns, pairs, directions, traffic and performance. Pure."""

from dataclasses import dataclass

PAIRS = 0.15
"""Of a model's budget, for columns that change how they move together."""
DIRECTIONS = 0.10
"""For many columns that each move a little, and for embeddings."""
BREAKS = 0.02
"""For named breaks of a source, which are large effects and need little."""
TRAFFIC = 0.15
"""For failures, latency, silence and undecodable exchanges, of the endpoints that a model is served at."""
PERFORMANCE = 0.10
"""For agreement with labels."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of the budget; they sum to one with that of traffic."""

    columns: float
    pairs: float
    directions: float
    breaks: float
    performance: float


def shares(*, pairs: bool = False, directions: bool = False, breaks: bool = False, performance: bool = False) -> Shares:
    """The parts of a model's budget for what it has; what it has not is the columns'."""
    parts = {
        "pairs": PAIRS if pairs else 0.0,
        "directions": DIRECTIONS if directions else 0.0,
        "breaks": BREAKS if breaks else 0.0,
        "performance": PERFORMANCE if performance else 0.0,
    }
    return Shares(columns=1.0 - TRAFFIC - sum(parts.values()), **parts)
