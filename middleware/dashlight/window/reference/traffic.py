"""What an endpoint's traffic is compared with: the counts of its first exchanges, kept in the order of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Outcome
from dashlight.window.fitting import MOST_COUNT, fitted, moment, refuse, within
from dashlight.window.outcomes import BINNING, HISTOGRAM_ENDS, OutcomeCounts, merge_outcomes

MOST_BLOCKS = 128
"""Blocks kept while learning; then neighbours are joined, so that memory stays bounded however long it takes."""
FEWEST_PANES = 64
"""With exchanges in them. Fewer say nothing of how errors and slowness come in bursts."""
LONGEST_SECONDS = 7 * 86400.0
"""An endpoint asked once an hour does not learn for half a year: a week is all there is to see of its rhythm."""
_MOST_OF_A_BLOCK = MOST_COUNT // MOST_BLOCKS
"""Of anything in one block: the sum of all of them stays within 64 bits."""


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


@dataclass(frozen=True, slots=True, eq=False)
class BlockTallies:
    """What is counted of one block beside its histograms; as in OutcomeCounts."""

    outcomes: Mapping[Outcome, int]
    failures: Mapping[str, int]
    rows: int
    panes: int
    first_ended_at: float
    last_ended_at: float
    analysed: int
    undecodable: Mapping[str, int]
    refusals: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class TrafficLearningState:
    """What outlives the process of a TrafficLearning: a tenth of what the blocks themselves take."""

    seen: int
    """Exchanges, those that were forgotten too."""
    panes_a_block: int
    blocks: tuple[BlockTallies, ...]
    histograms: NDArray[np.unsignedinteger]
    """All four of each block, one after another: shape (blocks, BINNING.bins), in as few bytes as hold every count."""


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
    def state(self) -> TrafficLearningState:
        """What outlives the process."""
        histograms = np.zeros((len(self._blocks), BINNING.bins), np.int64)
        for row, block in zip(histograms, self._blocks, strict=True):
            row[:] = block.histograms
        smallest = np.min_scalar_type(int(histograms.max(initial=0)))
        blocks = tuple(map(_tallies, self._blocks))
        return TrafficLearningState(self._seen, self._panes_a_block, blocks, histograms.astype(smallest))

    def restore(self, state: TrafficLearningState) -> None:
        """Go on from *state*; ValueError where no panes lead to it."""
        count = len(state.blocks)
        refuse(f"{count} blocks of exchanges: expected {MOST_BLOCKS} at most", where=count > MOST_BLOCKS)
        like = np.empty((count, BINNING.bins), state.histograms.dtype)
        histograms = fitted("histograms", state.histograms, like=like, most=_MOST_OF_A_BLOCK).astype(np.int64)
        self._blocks = [_block(tallies, row) for tallies, row in zip(state.blocks, histograms, strict=True)]
        self.rows = sum(block.exchanges for block in self._blocks)
        self._seen = within("exchanges seen", state.seen, self.rows)
        self._panes_a_block = within("panes of a block", state.panes_a_block, 1, max(self._seen, 1))

    @property
    def is_full(self) -> bool:
        """Whether there is enough to learn from: exchanges, or a week; and panes."""
        if sum(block.panes for block in self._blocks) < FEWEST_PANES:
            return False
        first, last = self._blocks[0].first_ended_at, self._blocks[-1].last_ended_at
        return self.rows >= self.rows_wanted or last - first >= LONGEST_SECONDS

    @property
    def progress(self) -> float:
        """Part of the exchanges, or of the panes, that are wanted and still fewer, 0 to 1."""
        panes = sum(block.panes for block in self._blocks)
        return min(1.0, self.rows / self.rows_wanted, panes / FEWEST_PANES)

    @property
    def tries(self) -> float:
        """How many times the exchanges that are wanted were seen, those forgotten too."""
        return self._seen / self.rows_wanted

    @property
    def blocks(self) -> Sequence[OutcomeCounts]:
        """What is held, in order of time."""
        return self._blocks

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


def _tallies(block: OutcomeCounts) -> BlockTallies:
    return BlockTallies(
        outcomes=block.outcomes,
        failures=block.failures,
        rows=block.rows,
        panes=block.panes,
        first_ended_at=block.first_ended_at,
        last_ended_at=block.last_ended_at,
        analysed=block.analysed,
        undecodable=block.undecodable,
        refusals=block.refusals,
    )


def _block(tallies: BlockTallies, histograms: NDArray[np.int64]) -> OutcomeCounts:
    """The block of which these are the *tallies* and the *histograms*; ValueError where it cannot be."""
    tallied = (tallies.outcomes, tallies.failures, tallies.undecodable, tallies.refusals)
    for count in (tallies.rows, tallies.analysed, *(count for counts in tallied for count in counts.values())):
        within("exchanges of a block", count, 0, _MOST_OF_A_BLOCK)
    within("panes of a block", tallies.panes, 1, _MOST_OF_A_BLOCK)
    moment("beginning of a block", tallies.first_ended_at)
    moment("end of a block", tallies.last_ended_at)
    refuse("a block that ends before it begins", where=tallies.first_ended_at > tallies.last_ended_at)
    refuse("a block without exchanges", where=not sum(tallies.outcomes.values()))
    durations, first_bytes, requests, responses = np.split(histograms, HISTOGRAM_ENDS)
    return OutcomeCounts(
        outcomes=tallies.outcomes,
        failures=tallies.failures,
        rows=tallies.rows,
        durations=durations,
        first_bytes=first_bytes,
        request_sizes=requests,
        response_sizes=responses,
        panes=tallies.panes,
        first_ended_at=tallies.first_ended_at,
        last_ended_at=tallies.last_ended_at,
        analysed=tallies.analysed,
        undecodable=tallies.undecodable,
        refusals=tallies.refusals,
    )
