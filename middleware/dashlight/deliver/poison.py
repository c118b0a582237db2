"""Whether events are refused for their content, or the collector refuses everything."""

_TALLY_SECONDS = 60.0
"""How long refusals for their content are tallied before that begins anew."""
_FEW_POISONED = 5
_MOST_POISONED_SHARE = 0.1
"""Of the entries tried; where more are refused, and more than a few, the fault is the collector's."""


class PoisonTally:
    """What was tried and what was refused for its content, over about a minute."""

    def __init__(self) -> None:
        self._since_at = float("-inf")
        self._tried_count = self._poisoned_count = 0

    def try_batch(self, count: int, *, at: float) -> None:
        """Counts entries that are tried for the first time."""
        if at - self._since_at >= _TALLY_SECONDS:
            self.clear(at=at)
        self._tried_count += count

    def is_the_collector(self) -> bool:
        """Counts one poisoned entry; True where they are so many that the fault must be another."""
        self._poisoned_count += 1
        return self._poisoned_count >= _FEW_POISONED and self._poisoned_count > _MOST_POISONED_SHARE * self._tried_count

    def clear(self, *, at: float) -> None:
        """Begins anew."""
        self._since_at = at
        self._tried_count = self._poisoned_count = 0
