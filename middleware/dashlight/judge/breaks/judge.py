"""Breaks upstream of one model at one endpoint: from recent rows to alerts that name what broke. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import log

import numpy as np

from dashlight.judge.alerts import AlertWriter, LifeCycle, Phase
from dashlight.judge.breaks.finders import Candidate, find_breaks
from dashlight.judge.breaks.presence import new, new_columns
from dashlight.judge.breaks.screen import Screen
from dashlight.judge.breaks.sight import BreakKind, Finding, Sight
from dashlight.judge.evidence.hysteresis import Hysteresis
from dashlight.judge.natural_variation import natural_variation
from dashlight.records import Alert, Cause, Role
from dashlight.window.columns import ColumnReference, Profile
from dashlight.window.profile import bounded
from dashlight.window.recent import ABSENT, SPARSE_STRIDE, RecentRows, RecentValues, UnknownColumn

SHARE = 0.02
"""Part of the budget of false alarms that suffices: breaks are large."""
LOOK_PANES = 12
"""Panes from one look to the next."""
NEWEST_ROWS = 64
"""The shortest stretch that is looked at: a break is named before it fills all the rows that are kept."""
FEWEST_EXCHANGES, FEWEST_PANES = 20, 2
UNKNOWN_MEMORY = 5.0
"""Rows that are worth one where the reference does not tell, as it is not in time order: clients send alike ones in a row."""
FEWEST_SPARSE = 32
STRETCHES = 3
_ORDER = ("new", "gone", "swap", "encoding", "fill", "constant", "hours", "unit", "rounding")
"""What says more comes first: values of another unit also have other decimals."""
_PENDING = 0.5
_LOOKS_TO_RESOLVE = 2
_LONGEST_WAIT = 32
"""Looks that a column is spared after as many in vain, one that only drifted."""
_ROLES: tuple[Role, ...] = ("feature", "output")
_Place = tuple[Role, str]


@dataclass(frozen=True, slots=True)
class _Memory:
    """How the rows of a column hang together: see NaturalVariation."""

    phi: float
    tau: float


@dataclass(slots=True)
class _Break:
    """One break that is pending or firing."""

    kind: BreakKind
    since_at: float
    hysteresis: Hysteresis = field(default_factory=Hysteresis)
    life_cycle: LifeCycle = field(default_factory=LifeCycle)
    missed: int = 0
    """Looks in a row that did not show it."""


class BreakJudge:
    """Watches the columns of one model at one endpoint for breaks upstream."""

    def __init__(
        self,
        columns: Sequence[ColumnReference],
        profiles: Mapping[_Place, Profile],
        *,
        panes: float,
        share: float = SHARE,
        model: str = "",
        version: str = "",
        endpoint: str = "",
    ) -> None:
        """*profiles* holds those of *columns*, by role and name; a column without one is not watched.

        *panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*.
        """
        watched = [column for column in columns if (column.role, column.name) in profiles and not column.of]
        self.columns = tuple(column for column in watched if column.kind != "vector")
        looks = max(panes / LOOK_PANES, 1.0) * max(len(self.columns), 1) * len(_ORDER) * STRETCHES
        self.needed_nats = log(looks / min(share, 1.0))
        """Certainty that a break needs to fire."""
        self._profiles = profiles
        self._writer = AlertWriter("break", model=model, version=version, endpoint=endpoint)
        memories = _memories(self.columns)
        self._memory = {_place(column): memory for column, memory in zip(self.columns, memories, strict=True)}
        of_role = {role: [column for column in self.columns if column.role == role] for role in _ROLES}
        self._screens = {role: Screen(of_role[role], profiles) for role in _ROLES}
        self._looks = 0
        self._pane = -1
        self._wait: dict[_Place, tuple[int, int]] = {}
        self._rows_seen = dict.fromkeys(_ROLES, 0)
        self._breaks: dict[_Place, _Break] = {}
        self._partners: set[_Place] = set()

    def recent_values(self) -> RecentValues:
        """An empty memory of the columns that are watched, for `update`."""
        return RecentValues(self.columns)

    def update(self, recent: RecentValues, at: float) -> list[Alert]:
        """Look at the rows up to *at*, the end of a pane that *recent* has closed; it must be of `recent_values`.

        Returns:
            The alerts whose state changed.
        """
        self._pane += 1
        if self._pane % LOOK_PANES:
            return []
        self._looks += 1
        news: list[Alert] = []
        for role in _ROLES:
            if recent.rows_seen[role] != self._rows_seen[role]:
                self._rows_seen[role] = recent.rows_seen[role]
                news.extend(self._look(recent, role, at))
        news.extend(self._new_columns(recent, at))
        return news

    def _look(self, recent: RecentValues, role: Role, at: float) -> list[Alert]:
        rows = recent.dense(role)
        columns = recent.columns_of(role)
        if not columns or rows.rows < NEWEST_ROWS or not _is_spread(rows):
            return []
        words = slice(self._looks % 2, None, 2)
        suspicious = self._screens[role].suspicious(rows, words=words)
        keys = [_place(column) for column in columns]
        odd = np.flatnonzero(suspicious).tolist()
        told = [place for place, key in enumerate(keys) if key in self._breaks or key in self._partners]
        # All that are odd are looked at together: two of them may have changed places.
        places = sorted({*told, *odd}) if told or any(self._is_due(keys[place]) for place in odd) else []
        if not places:
            return []
        news: list[Alert] = []
        candidates = {place: self._candidate(recent, role, place, at) for place in places}
        found, partners = find_breaks(candidates, _PENDING * self.needed_nats)
        others = {key for key in self._partners if key[0] != role}
        self._partners = others | {keys[place] for place in partners}
        for place in places:
            key = keys[place]
            finding = found.get(place)
            if finding is None and key not in self._partners:
                _, wait = self._wait.get(key, (0, 0))
                self._wait[key] = (self._looks, min(max(2 * wait, 1), _LONGEST_WAIT))
            else:
                self._wait.pop(key, None)
            news.extend(self._step(key, finding, rows.rows, at))
        return news

    def _is_due(self, key: _Place) -> bool:
        looked, wait = self._wait.get(key, (0, 0))
        return self._looks > looked + wait

    def _candidate(self, recent: RecentValues, role: Role, place: int, at: float) -> Candidate:
        column = recent.columns_of(role)[place]
        present = recent.last_present_pane(role, column.name)
        dense, sparse = recent.dense(role), recent.sparse(role)
        return Candidate(
            newest=self._sight(column, place, dense.newest(NEWEST_ROWS), 1),
            dense=self._sight(column, place, dense, 1),
            sparse=lambda: self._sight(column, place, sparse, SPARSE_STRIDE) if sparse.rows >= FEWEST_SPARSE else None,
            absent_seconds=at - recent.last_present_at(role, column.name),
            renamed=[seen.name for seen in recent.unknown if seen.role == role and seen.first_pane >= present],
        )

    def _sight(self, column: ColumnReference, place: int, rows: RecentRows, stride: int) -> Sight:
        memory = self._memory[_place(column)]
        profile = self._profiles[_place(column)]
        numbers, exchanges = rows.numbers[place], rows.exchange_count
        finite = bounded(numbers)
        independent = 1 / (memory.phi / (rows.rows * stride) + memory.tau**2)
        return Sight(
            column=column,
            profile=profile,
            numbers=finite,
            ordered=np.sort(finite),
            type_counts=np.bincount(rows.types[place], minlength=ABSENT + 1),
            types=rows.types[place],
            texts=rows.texts[place],
            effective_rows=min(independent, exchanges),
            reference_rows=max(column.rows / memory.phi, 1.0),
            exchanges=exchanges,
            least_nats=_PENDING * self.needed_nats,
            stride=stride,
        )

    def _step(self, key: _Place, finding: Finding | None, rows: int, at: float) -> list[Alert]:
        """From the finding of a column to the alerts whose state changed."""
        known, news, since_at = self._breaks.get(key), list[Alert](), at
        if finding is not None and (known is None or known.kind != finding.kind):
            if known is not None:
                if not self._replaces(finding, known):
                    known.missed = 0
                    return []
                news, since_at = known.life_cycle.end(at), known.since_at
            known = self._breaks[key] = _Break(finding.kind, since_at)
        return news if known is None else news + self._go_on(known, key, finding, rows, at)

    def _replaces(self, finding: Finding, known: _Break) -> bool:
        """Whether the *known* break is told by the name of the *finding* from now on: where that says more, and as surely."""
        says_more = _ORDER.index(finding.kind) < _ORDER.index(known.kind)
        return not known.life_cycle.is_firing or (says_more and finding.nats >= self.needed_nats)

    def _go_on(self, known: _Break, key: _Place, finding: Finding | None, rows: int, at: float) -> list[Alert]:
        known.missed = known.missed + 1 if finding is None else 0
        state = known.hysteresis.step(
            self._looks,
            is_evident=finding is not None,
            fires=lambda: finding is not None and finding.nats >= self.needed_nats,
            gone_for=lambda: 0.0 if known.missed >= _LOOKS_TO_RESOLVE else None,
        )
        if state in {"inactive", "resolved"}:
            del self._breaks[key]
        describe = None if finding is None else partial(self._described, key, finding, rows)
        return known.life_cycle.step(Phase(state, at, known.since_at), describe)

    def _described(self, key: _Place, finding: Finding, rows: int, phase: Phase) -> Alert:
        role, column = key
        return self._writer.write(
            *(role, column, finding.kind),
            phase=phase,
            summary=finding.summary,
            rows=rows,
            score=_cohens_h(finding.reference, finding.current),
            column=column,
            role=role,
            causes=(Cause(finding.event, finding.reference, finding.current),),
        )

    def _new_columns(self, recent: RecentValues, at: float) -> list[Alert]:
        news: list[Alert] = []
        seen_now: dict[_Place, UnknownColumn] = {
            (seen.role, seen.name): seen for seen in new_columns(recent) if _has_stayed(seen)
        }
        for key, seen in seen_now.items():
            known = self._breaks.setdefault(key, _Break("new", seen.first_at))
            describe = partial(self._described, key, new(seen), seen.rows)
            news += known.life_cycle.step(Phase("firing", at, seen.first_at), describe)
        watched = self._memory.keys()
        over = [key for key in self._breaks if key not in seen_now and key not in watched]
        return news + [alert for key in over for alert in self._breaks.pop(key).life_cycle.end(at)]


def _place(column: ColumnReference) -> _Place:
    return column.role, column.name


def _memories(columns: Sequence[ColumnReference]) -> list[_Memory]:
    """Of every column the memory of what hangs together the most, but for a tenth of the events, which overlap."""
    if not columns:
        return []
    variation = natural_variation(columns)
    phi = np.maximum(np.quantile(variation.phi, 0.9, axis=1), variation.functional_phi.max(axis=1, initial=1.0))
    tau = np.maximum(np.quantile(variation.tau, 0.9, axis=1), variation.functional_tau.max(axis=1, initial=0.0))
    return [
        _Memory(float(rows), float(moves)) if column.variation else _Memory(UNKNOWN_MEMORY, 0.0)
        for column, rows, moves in zip(columns, phi, tau, strict=True)
    ]


def _is_spread(rows: RecentRows) -> bool:
    """Whether the rows are more than one burst of one client."""
    newest = rows.newest(NEWEST_ROWS)
    return rows.exchange_count >= FEWEST_EXCHANGES and newest.exchange_count >= 2 and rows.pane_count >= FEWEST_PANES


def _has_stayed(seen: UnknownColumn) -> bool:
    return seen.rows >= NEWEST_ROWS and seen.last_pane > seen.first_pane


def _cohens_h(reference: float, current: float) -> float:
    shares = np.clip([reference, current], 0.0, 1.0)
    return float(abs(np.diff(2 * np.arcsin(np.sqrt(shares)))[0]))
