"""What an endpoint's traffic is compared with: the counts of its first exchanges, kept in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashlight.window.outcomes import OutcomeCounts, merge_outcomes

MOST_BLOCKS = 128
"""Blocks kept while learning; then neighbours are joined, so that memory stays bounded however long it takes."""
FEWEST_PANES = 64
"""With exchanges in them. Fewer say nothing of how errors and slowness come in bursts."""
LONGEST_SECONDS = 7 * 86400.0
"""An endpoint asked once an hour does not learn for half a year: a week is all there is to see of its rhythm."""
MOST_TIMES = 4
"""Times the wanted exchanges after which the last of them are taken for the reference, steady or not."""


@dataclass(frozen=True, slots=True, eq=False)
class TrafficReference:
    """Exchanges of one endpoint while it was learned."""

    blocks: Sequence[OutcomeCounts]
    """In order of time, each the sum of as many panes that held exchanges; the last may be shorter."""
    total: OutcomeCounts
    """The sum of the blocks."""

    @property
    def seconds(self) -> float:
        """From the end of its first pane to that of its last: what it knows nothing of lies outside."""
        return self.total.last_ended_at - self.total.first_ended_at


class TrafficLearning:
    """Gathers the panes of which a reference is made."""

    def __init__(self, rows: int) -> None:
        """*rows* is how many exchanges are wanted."""
        self.rows_wanted = rows
        self.rows = 0
        """Exchanges held."""
        self._seen = 0
        self._panes_a_block = 1
        self._blocks: list[OutcomeCounts] = []

    @property
    def is_full(self) -> bool:
        """Whether there is enough to learn from: exchanges, or a week; and panes."""
        if sum(block.panes for block in self._blocks) < FEWEST_PANES:
            return False
        first, last = self._blocks[0].first_ended_at, self._blocks[-1].last_ended_at
        return self.rows >= self.rows_wanted or last - first >= LONGEST_SECONDS

    @property
    def is_last_try(self) -> bool:
        """Whether so much was seen that what is held has to do."""
        return self._seen >= MOST_TIMES * self.rows_wanted

    def add(self, pane: OutcomeCounts) -> None:
        """Take the next pane; one without exchanges says nothing and is left out."""
        if not pane.exchanges:
            return
        self.rows += pane.exchanges
        self._seen += pane.exchanges
        blocks = self._blocks
        if blocks and blocks[-1].panes < self._panes_a_block:
            blocks[-1] = merge_outcomes([blocks[-1], pane])
        else:
            blocks.append(pane)
        if len(blocks) > MOST_BLOCKS:
            # The newest one stays alone: only whole pairs are joined.
            self._blocks = [merge_outcomes(blocks[at : at + 2]) for at in range(0, len(blocks), 2)]
            self._panes_a_block *= 2

    def reference(self) -> TrafficReference:
        """What is held; at least one pane must have been added."""
        return TrafficReference(tuple(self._blocks), merge_outcomes(self._blocks))

    def copy(self) -> "TrafficLearning":
        """One that holds the same and goes its own way."""
        other = TrafficLearning(self.rows_wanted)
        other.rows, other._seen, other._panes_a_block = self.rows, self._seen, self._panes_a_block
        other._blocks = list(self._blocks)
        return other

    def forget_oldest(self) -> None:
        """Let the oldest quarter go, to go on learning."""
        self._blocks = self._blocks[max(len(self._blocks) // 4, 1) :]
        self.rows = sum(block.exchanges for block in self._blocks)
