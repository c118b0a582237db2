"""The versions of one model at one endpoint: which there are, and who is compared with whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from dashlight.judge.versions.evidence import Decision
from dashlight.judge.versions.pair import VersionPair, VersionPairState, pair_of
from dashlight.judge.versions.totals import VersionTotals, checked
from dashlight.labels.rows import LabelledRows
from dashlight.watching.versions.measured import scale_of_numbers, totals_of
from dashlight.window.fitting import moment, refuse, within

VersionedModel: TypeAlias = tuple[str, str]
"""An endpoint and a model."""
MOST_COMPARED: Final = 4
"""Versions of a model that are told apart."""
GONE_SECONDS: Final = 8 * 86_400.0
"""For so long what a version did is kept after it was last asked."""
GENERATION_SECONDS: Final = 86_400.0
"""What a version did of late is that of the last one or two spans of this length."""
_MEMORY: Final = 1 - 1 / 60
"""How often a version is asked of late: about the last 60 panes."""
_MUCH_MORE, _ENOUGH = 4.0, 20.0
"""A new version takes the place of one that is asked so many times less, once it is asked so often in a pane."""
_NOTHING: Final = VersionTotals()


@dataclass(frozen=True, slots=True, eq=False)
class VersionRecordState:
    """Of what one version did."""

    current: VersionTotals
    previous: VersionTotals
    turned_at: float
    asked_at: float
    recent: float


@dataclass(frozen=True, slots=True, eq=False)
class VersionGroupState:
    """Of `VersionGroup`."""

    records: Mapping[str, VersionRecordState]
    pairs: tuple[VersionPairState, ...]
    numbers_scale: float
    """0 where no label of a number came."""


@dataclass(slots=True, eq=False)
class _Record:
    """What one version did of late."""

    turned_at: float
    current: VersionTotals = _NOTHING
    previous: VersionTotals = _NOTHING
    asked_at: float = 0.0
    """When the last pane ended in which it was asked."""
    recent: float = 0.0
    """How often it is asked in a pane, of late."""

    def add(self, totals: VersionTotals, at: float) -> None:
        """Takes what it did in the pane that ended *at*."""
        if totals.asked and at - self.turned_at >= GENERATION_SECONDS:
            self.previous, self.current, self.turned_at = self.current, _NOTHING, at
        self.current += totals
        self.recent = self.recent * _MEMORY + totals.asked * (1 - _MEMORY)
        if totals.asked:
            self.asked_at = at


class VersionGroup:
    """Compares every version with the one that was asked most when it came."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}
        """In the order in which they came."""
        self.pairs: list[VersionPair] = []
        self._numbers_scale: float | None = None

    @property
    def asked_at(self) -> float:
        """When any of its versions was asked last."""
        return max((record.asked_at for record in self._records.values()), default=0.0)

    @property
    def state(self) -> VersionGroupState:
        """What outlives the process."""
        records = {
            version: VersionRecordState(each.current, each.previous, each.turned_at, each.asked_at, each.recent)
            for version, each in self._records.items()
        }
        return VersionGroupState(records, tuple(pair.state for pair in self.pairs), self._numbers_scale or 0.0)

    def restore(self, state: VersionGroupState) -> None:
        """Goes on from *state*, as new; ValueError, and nothing is taken over, where it does not fit."""
        refuse("more versions than are told apart", where=len(state.records) > MOST_COMPARED)
        pairs = [pair_of(each) for each in state.pairs]
        refuse(
            "a pair of versions that are not known",
            where=not all(_versions(each) <= state.records.keys() for each in pairs),
        )
        refuse("pairs of one candidate", where=len({pair.candidate for pair in pairs}) < len(pairs))
        records = {
            version: _Record(
                moment("a turn", each.turned_at),
                checked(each.current),
                checked(each.previous),
                moment("when a version was asked", each.asked_at),
                within("exchanges of late", each.recent),
            )
            for version, each in state.records.items()
        }
        self._numbers_scale = within("scale of errors", state.numbers_scale) or None
        self._records, self.pairs = records, pairs

    def close_pane(
        self,
        counted: Mapping[str, VersionTotals],
        at: float,
        *,
        unknown: VersionTotals = _NOTHING,
        most_pairs: int = MOST_COMPARED,
        pane_seconds: float = 0.0,
    ) -> Iterator[VersionPair]:
        """Takes what each version did in the pane that ended *at*; the pairs that may decide now.

        *unknown* is what exchanges did whose version nobody knows. There may be *most_pairs* pairs.
        """
        self._forget(at)
        before = list(self._records)
        came: list[str] = []
        for version in sorted(counted, key=lambda each: -counted[each].asked):
            if version not in self._records and self._makes_room(counted[version].asked, came):
                self._records[version] = _Record(at)
                came.append(version)
        earlier = [version for version in before if version in self._records]
        usual = max(earlier, key=lambda version: self._records[version].recent, default="".join(came[:1]))
        for version in came:
            if version != usual and len(self.pairs) < most_pairs:
                known = self._records[usual]
                pair = VersionPair(usual, version, at - pane_seconds, known.previous + known.current)
                pair.numbers_scale = self._numbers_scale or 1.0
                self.pairs.append(pair)
        for pair in self.pairs:
            others = [totals for version, totals in counted.items() if version not in _versions(pair)]
            stable, candidate = (counted.get(each, _NOTHING) for each in (pair.stable, pair.candidate))
            pair.add(stable, candidate, sum(others, start=_NOTHING), unknown)
        for version, record in self._records.items():  # last, so that what was before a pair is no part of it
            record.add(counted.get(version, _NOTHING), at)
        yield from self.pairs

    def take(self, rows: LabelledRows) -> None:
        """Takes rows of a version whose labels have come."""
        version = rows.model[2]
        record = self._records.get(version)
        if record is None:
            return
        if rows.task == "regression" and self._numbers_scale is None:
            # These rows say how large errors are, and nothing else.
            self._numbers_scale = scale_of_numbers(rows)
            for pair in self.pairs:
                pair.numbers_scale = self._numbers_scale or 1.0
            return
        record.current += totals_of(rows, numbers_scale=self._numbers_scale)
        for pair in self.pairs:
            if version in _versions(pair):
                its = totals_of(rows, pair.since_at, numbers_scale=self._numbers_scale)
                pair.add(*((its, _NOTHING) if version == pair.stable else (_NOTHING, its)), _NOTHING, _NOTHING)

    def _makes_room(self, asked: int, came: Collection[str]) -> bool:
        """Whether there is a place for a version that was *asked* so often in this pane, in which others *came* as well."""
        if not asked or len(self._records) < MOST_COMPARED:
            return asked > 0
        by_use = sorted(self._records.keys() - came, key=lambda version: self._records[version].recent)
        # The one that is asked most stays in any case.
        if len(by_use) < 2 or asked < max(_ENOUGH, _MUCH_MORE * self._records[by_use[0]].recent):
            return False
        self._let_go(by_use[0])
        return True

    def _forget(self, at: float) -> None:
        for version in [version for version, each in self._records.items() if at - each.asked_at >= GONE_SECONDS]:
            self._let_go(version)

    def _let_go(self, version: str) -> None:
        del self._records[version]
        self.pairs = [pair for pair in self.pairs if version not in _versions(pair)]


def decided(pair: VersionPair, decision: Decision, at: float) -> bool:
    """Whether *pair* is decided with this *decision*, which it was not before."""
    if pair.decision != "undecided" or decision == "undecided":
        return False
    pair.decide(decision, at)
    return True


def _versions(pair: VersionPair) -> set[str]:
    return {pair.stable, pair.candidate}
