"""Two versions of a model since the later one came: what each did, and what has been shown of their difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dashlight.judge.versions.bets import PairedBets, PairedBetsState
from dashlight.judge.versions.evidence import Decision
from dashlight.judge.versions.totals import MEASURES, VersionTotals, checked
from dashlight.window.fitting import moment, refuse, within

ALONE_PANES: Final = 30
"""So many panes in which the candidate was asked and the stable one was not, since it last was: then it is before and after."""
MOST_UNKNOWN: Final = 0.01
"""Share of failures, or of refusals, whose version may be unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class VersionPairState:
    """Of `VersionPair`."""

    stable: str
    candidate: str
    since_at: float
    before: VersionTotals
    totals: tuple[VersionTotals, VersionTotals]
    others: VersionTotals
    unknown: VersionTotals
    bets: Mapping[str, PairedBetsState]
    alone_panes: int
    decision: Decision
    decided_at: float
    numbers_scale: float = 1.0


class VersionPair:
    """Counts a pane after the other."""

    def __init__(self, stable: str, candidate: str, since_at: float, before: VersionTotals) -> None:
        """*before* is what the stable version did of late, before the candidate came in the pane that began *since_at*."""
        self.stable, self.candidate = stable, candidate
        self.since_at = since_at
        self.before = before
        self.totals = VersionTotals(), VersionTotals()
        """Of stable and candidate since then."""
        self.others = VersionTotals()
        """Likewise of all other versions of the model, ..."""
        self.unknown = VersionTotals()
        """... and of exchanges whose version nobody knows."""
        self._bets: dict[str, PairedBets] = {"failure_rate": PairedBets(), "refusal_rate": PairedBets()}
        self.numbers_scale = 1.0
        """Of what a model of numbers predicts: the error that counts as 1, as does every larger one."""
        self._alone_panes = 0
        self.decision: Decision = "undecided"
        self.decided_at = float("nan")

    @property
    def state(self) -> VersionPairState:
        """What outlives the process."""
        return VersionPairState(
            self.stable,
            self.candidate,
            self.since_at,
            self.before,
            self.totals,
            self.others,
            self.unknown,
            {name: bets.state for name, bets in self._bets.items()},
            self._alone_panes,
            self.decision,
            0.0 if self.decision == "undecided" else self.decided_at,
            self.numbers_scale,
        )

    def restore(self, state: VersionPairState) -> None:
        """Goes on from *state*, of the same versions; ValueError where it does not fit."""
        self.totals = checked(state.totals[0]), checked(state.totals[1])
        self.others, self.unknown = checked(state.others), checked(state.unknown)
        refuse("bets on what nobody measures", where=not state.bets.keys() <= {*self._bets, *MEASURES})
        for name, bets in state.bets.items():
            if name in MEASURES:
                self._bets[name] = PairedBets(MEASURES[name][0])
            self._bets[name].restore(bets)
        self._alone_panes = within("panes", state.alone_panes)
        self.numbers_scale = within("scale of errors", state.numbers_scale)
        if state.decision != "undecided":
            self.decide(state.decision, moment("a decision", state.decided_at))

    @property
    def bets(self) -> Mapping[str, PairedBets]:
        """By the name of the figure."""
        return self._bets

    @property
    def is_simultaneous(self) -> bool:
        """Whether both are asked of late; else it is before and after."""
        return self._alone_panes < ALONE_PANES

    def add(
        self, stable: VersionTotals, candidate: VersionTotals, others: VersionTotals, unknown: VersionTotals
    ) -> None:
        """Takes what was counted in a pane."""
        self.totals = self.totals[0] + stable, self.totals[1] + candidate
        self.others, self.unknown = self.others + others, self.unknown + unknown
        if stable.asked:
            self._alone_panes = 0
        elif candidate.asked:
            self._alone_panes += 1
        if stable.asked or candidate.asked:
            self._bets["failure_rate"].add(stable.failures, candidate.failures)
            self._bets["refusal_rate"].add(stable.refusals, candidate.refusals)
        for name in MEASURES:  # in one order, whichever version's labels came first
            rows = [each.measured.get(name) for each in (stable, candidate)]
            if any(each is not None for each in rows):
                values = MEASURES[name][0]
                nothing = 0.0 * values
                bets = self._bets.setdefault(name, PairedBets(values))
                bets.add(*(nothing if each is None else each for each in rows))

    def decide(self, decision: Decision, at: float) -> None:
        """Keeps what was decided, *at* that moment, for good."""
        self.decision, self.decided_at = decision, at


def pair_of(state: VersionPairState) -> VersionPair:
    """The pair that goes on from *state*; ValueError where it does not fit."""
    refuse("a version beside itself", where=state.stable == state.candidate)
    pair = VersionPair(
        state.stable, state.candidate, moment("first pane of a version", state.since_at), checked(state.before)
    )
    pair.restore(state)
    return pair
