"""Drift of whole rows along a direction that is learned from the stream itself: joint rows, vectors, hashed texts. Pure.

Many columns that move a little together, or an embedding that moves in a direction nobody could have named before, show
in no single column. The running mean of the rows says where they went; the next pane is bet to lie there too. A
direction is learned from the panes before the one that it is bet on, so that the bet is fair.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import AlertWriter, Phase
from dashlight.judge.directions.bets import SIZES, Direction, DirectionPane, direction_along, observed
from dashlight.judge.directions.learning import MEMORIES, Learned, LearnedState
from dashlight.judge.directions.null import DirectionNull
from dashlight.judge.directions.watch import DirectionWatch, DirectionWatchState, PaneScores
from dashlight.judge.directions.words import ENDED, direction_summary
from dashlight.judge.evidence.cusum import Cusum, CusumState
from dashlight.judge.evidence.effects import TOLERANCE
from dashlight.judge.evidence.null import SEASON_DEVIATIONS
from dashlight.judge.evidence.pane_ends import PaneEnds, PaneEndsState
from dashlight.records import Alert
from dashlight.window.columns import DirectionReference
from dashlight.window.fitting import fitted, refuse, within

Floats: TypeAlias = NDArray[np.float64]

RENEWAL_ROWS = 200
"""A direction is renewed after so many rows, or with every pane while one of its bets has some evidence: bets along
an older one are as fair, and to know what a direction does without drift is most of the cost."""
MOST_DIRECTIONS = 2**40
"""In any life: at one a pane hundreds of thousands of years."""
SOME_EVIDENCE = 1.5
"""Nats, of a bet that only chance moves seldom reached."""


@dataclass(frozen=True, slots=True, eq=False)
class DirectionJudgeState:
    """What a DirectionJudge remembers."""

    learned: LearnedState
    watch: DirectionWatchState
    bets: CusumState
    ends: PaneEndsState
    weights: Floats
    """Shape (memories, dims): what had been learned when the direction was last renewed; the direction follows from it."""
    number: int
    """Of that direction."""
    rows_since: int
    """Rows since it was renewed."""
    valid_from: int
    """Number of the first direction since the last drift was over."""
    pane: DirectionPane
    """What was observed of the open pane."""


class DirectionJudge:
    """Watches the rows of one model at one endpoint, or one of its vector columns, pane by pane."""

    def __init__(
        self,
        reference: DirectionReference,
        *,
        panes: float,
        tolerance: float = TOLERANCE,
        share: float = 1.0,
        model: str = "",
        version: str = "",
        endpoint: str = "",
        names: Sequence[str] = (),
        phi: Floats | None = None,
        tau: Floats | None = None,
    ) -> None:
        """Set up the evidence against *reference*.

        *panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*. *names*
        are those of the dimensions of joint rows, in their order; a vector has none. *phi* and *tau*, shape (dims,),
        are natural variation of the dimensions that was measured elsewhere, if it was.

        Raises:
            ValueError: another number of *names* than of dimensions.
        """
        if names and len(names) != reference.dims:
            raise ValueError(f"{len(names)} names for {reference.dims} dimensions")
        self._reference = reference
        self._null = DirectionNull(reference, phi=phi, tau=tau)
        self._nats = float(np.log(panes) - np.log(share / (len(MEMORIES) * len(SIZES))))
        self._names = tuple(names)
        self._writer = AlertWriter("drift", model=model, version=version, endpoint=endpoint)
        self._learned = Learned(reference, memory_rows=self._null.memory_rows)
        self._watch = DirectionWatch(len(MEMORIES), gate=float(np.sqrt(tolerance)))
        self._cusum = Cusum(np.full(len(SIZES), -self._nats), bets=len(MEMORIES))
        self._ends = PaneEnds()
        self._number, self._rows_since, self._valid_from = 0, 0, 0
        self._weights: Floats = np.zeros((len(MEMORIES), reference.dims))
        self.direction = self._renewed()
        """The direction along which rows of the open pane are observed: to be shared with other workers."""
        self._pane = self._empty()

    @property
    def state(self) -> DirectionJudgeState:
        """What is remembered: the arrays themselves."""
        return DirectionJudgeState(
            learned=self._learned.state,
            watch=self._watch.state,
            bets=self._cusum.state,
            ends=self._ends.state,
            weights=self._weights,
            number=self._number,
            rows_since=self._rows_since,
            valid_from=self._valid_from,
            pane=self._pane,
        )

    def restore(self, state: DirectionJudgeState) -> None:
        """Go on from *state*; ValueError where no panes of rows of these dimensions lead to it."""
        self._learned.restore(state.learned)
        alert, key = state.watch.alert, self._writer.key("direction", self._reference.name)
        refuse("an alert of something else", where=alert is not None and alert.key != key)
        self._watch.restore(state.watch)
        self._cusum.restore(state.bets)
        self._ends.restore(state.ends)
        self._number = within("the number of a direction", state.number, 1, MOST_DIRECTIONS)
        self._rows_since = within("rows since a direction was renewed", state.rows_since)
        self._valid_from = within("the first direction that is valid", state.valid_from, 0, state.number)
        self._weights = fitted("weights", state.weights, like=self._weights)
        self.direction = self._directed()
        state.pane.check(self._reference.dims)
        refuse("a pane along another direction", where=state.pane.direction != state.number)
        self._pane = state.pane

    @property
    def margin(self) -> float:
        """Evidence after the last pane, in nats over its threshold; below 0 there is none."""
        return float(self._cusum.margins.max())

    @property
    def too_short(self) -> bool:
        """Whether the reference is too short for its own variation: then nothing is bet."""
        return self._null.too_short

    def carried_by(self, names: Collection[str]) -> float:
        """Part of the shift along the leading direction that the columns *names* make up, 0 to 1."""
        shift = self._learned.shift(self._leading_memory)
        whole = float((shift**2).sum())
        is_named = np.array([name in names for name in self._names], np.bool_)
        return float((shift[is_named] ** 2).sum()) / whole if whole and self._names else 0.0

    def observe(self, rows: NDArray[np.floating]) -> None:
        """Take rows of the open pane, shape (rows, width of the reference); ValueError where they are of another width."""
        if rows.ndim != 2 or rows.shape[1] != self._reference.width:
            raise ValueError(f"rows of shape {rows.shape}, not (rows, {self._reference.width})")
        self._pane += observed(self.direction, rows)

    def add(self, pane: DirectionPane) -> None:
        """Take what a worker observed of the open pane, along this direction or one before it.

        Of rows that were bet on along a direction of before the last drift was over only the sum is taken.
        """
        if pane.direction < self._valid_from:
            pane = replace(pane, gains=np.zeros_like(pane.gains), scores=np.zeros_like(pane.scores))
        self._pane += replace(pane, direction=self._pane.direction)

    def close(self, at: float) -> list[Alert]:
        """Close the pane, which ended *at*: judge it, then learn from it. A pane without rows does not count.

        Returns:
            The alert, where its state changed, or where it still fires and is described anew (see `is_renewed`).
        """
        pane = self._pane
        if not pane.rows:
            return []
        self._ends.add(at, pane.rows)
        self._cusum.add(pane.gains)
        self._cusum.settle()
        self._cusum.cap()
        self._learned.add(pane.total, pane.rows)
        news = self._judged(pane, at)
        self._rows_since += pane.rows
        if self._rows_since >= RENEWAL_ROWS or self.margin >= SOME_EVIDENCE - self._nats:
            self.direction = self._renewed()
        self._pane = self._empty()
        return news

    def _judged(self, pane: DirectionPane, at: float) -> list[Alert]:
        age = self._cusum.leading_age()
        is_evident = self.margin >= 0
        seen = PaneScores(
            is_evident=is_evident,
            rows=pane.rows,
            rows_of_evidence=int(self._ends.rows_of_last(age)),
            scores=pane.scores,
            phi=self.direction.phi,
            reference_variance=self._variance,
            natural=self._natural,
        )
        state = self._watch.step(seen)
        memory = self._leading_memory
        if state == "resolved":
            self._forget()
        return self._watch.life_cycle.step(
            Phase(state, at, self._ends.ended_at(age)),
            partial(self._described, memory) if is_evident else None,
            over=ENDED,
            fired_for=self._watch.hysteresis.fired_for,
        )

    @property
    def _leading_memory(self) -> int:
        return int(self._cusum.margins.argmax()) // len(SIZES)

    def _described(self, memory: int, phase: Phase) -> Alert:
        """The alert, told by the direction of the *memory* that leads."""
        effect, rows = self._watch.effect
        name = self._reference.name
        return self._writer.write(
            *("direction", name),
            phase=phase,
            summary=direction_summary(name, self._names, self._learned.shift(memory), effect),
            rows=rows,
            score=effect,
            column=name or None,
        )

    def _forget(self) -> None:
        """Forget what was learned of a drift that is over, and won by bets on it."""
        self._cusum.reset()
        self._learned.forget()
        self._valid_from = self._number + 1
        self.direction = self._renewed()

    def _renewed(self) -> Direction:
        """The direction of the next panes."""
        self._number, self._rows_since = self._number + 1, 0
        self._weights = self._learned.weights()
        return self._directed()

    def _directed(self) -> Direction:
        """The direction that follows from the weights, which is all that a restart needs to know of it."""
        learned = np.flatnonzero(self._weights.any(1))
        along = self._null.along(self._weights[learned])
        self._variance, self._natural = np.zeros(len(MEMORIES)), np.zeros(len(MEMORIES))
        self._variance[learned], self._natural[learned] = along.variance, SEASON_DEVIATIONS * along.tau
        return direction_along(
            self._number,
            along,
            learned=learned,
            memories=len(MEMORIES),
            centre=self._reference.centre,
            spread=self._reference.spread,
            nats=self._nats,
        )

    def _empty(self) -> DirectionPane:
        gains = np.zeros((len(MEMORIES), len(SIZES)))
        return DirectionPane(self.direction.number, 0, np.zeros(self._reference.dims), gains, np.zeros(len(MEMORIES)))
