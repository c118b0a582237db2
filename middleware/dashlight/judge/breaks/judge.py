"""Breaks upstream of one model at one endpoint: from recent rows to alerts that name what broke. Pure."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from math import log

import numpy as np

from dashlight.judge.alerts import AlertWriter, Phase
from dashlight.judge.breaks.finders import Candidate, find_breaks
from dashlight.judge.breaks.memory import memories
from dashlight.judge.breaks.presence import new, new_columns
from dashlight.judge.breaks.screen import Screen
from dashlight.judge.breaks.sight import Finding, Sight
from dashlight.judge.breaks.state import LOOKS_TO_RESOLVE, Break, BreakJudgeState, Place
from dashlight.judge.breaks.stuck import newly_stuck
from dashlight.judge.natural_variation import Movements
from dashlight.records import Alert, Cause, Role
from dashlight.window.columns import ColumnReference, Profile
from dashlight.window.fitting import refuse, within
from dashlight.window.profile import bounded
from dashlight.window.recent.pane import MOST_UNKNOWN
from dashlight.window.recent.values import ABSENT, SPARSE_STRIDE, RecentRows, RecentValues, UnknownColumn
from dashlight.window.values import as_shortest

SHARE = 0.02
"""Part of the budget of false alarms that suffices: breaks are large."""
LOOK_PANES = 12
"""Panes from one look to the next."""
NEWEST_ROWS = 100
"""The shortest stretch that is looked at: a break is named before it fills all the rows that are kept."""
FEWEST_EXCHANGES, FEWEST_PANES = 20, 2
FEWEST_SPARSE = 100
STRETCHES = 3
_ORDER = ("new", "gone", "swap", "encoding", "fill", "constant", "hours", "unit", "rounding")
"""What says more comes first: values of another unit also have other decimals."""
_PENDING = 0.5
_LONGEST_WAIT = 32
"""Longest wait, in looks, until a column is looked at again that looked odd and was not broken; from one on waits double."""
_ROLES: tuple[Role, ...] = ("feature", "output")


class BreakJudge:
    """Watches the columns of one model at one endpoint for breaks upstream."""

    def __init__(
        self,
        columns: Sequence[ColumnReference],
        profiles: Mapping[Place, Profile],
        *,
        panes: float,
        share: float = SHARE,
        movements: Movements | None = None,
        model: str = "",
        version: str = "",
        endpoint: str = "",
    ) -> None:
        """*profiles* holds those of *columns*, by role and name; a column without one is not watched.

        *panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*.
        *movements* spare measuring again what another judge of these columns has measured.
        """
        watched = [column for column in columns if (column.role, column.name) in profiles and not column.of]
        self.columns = tuple(column for column in watched if column.kind != "vector")
        looks = max(panes / LOOK_PANES, 1.0) * max(len(self.columns), 1) * len(_ORDER) * STRETCHES
        self.needed_nats = log(looks / min(share, 1.0))
        """Certainty that a break needs to fire."""
        self._profiles = profiles
        self._writer = AlertWriter("break", model=model, version=version, endpoint=endpoint)
        self._memory = dict(zip(map(_place, self.columns), memories(self.columns, movements), strict=True))
        of_role = {role: [column for column in self.columns if column.role == role] for role in _ROLES}
        self._told = {role: [profiles[_place(column)] for column in held] for role, held in of_role.items()}
        self._screens: dict[Role, Screen] = {role: Screen(of_role[role], profiles) for role in _ROLES}
        self._pane = -1
        self._waits: dict[Place, tuple[int, int]] = {}
        self._rows_seen = dict.fromkeys(_ROLES, 0)
        self._breaks: dict[Place, Break] = {}
        self._partners: set[Place] = set()

    @property
    def state(self) -> BreakJudgeState:
        """What is remembered beside the recent rows: the arrays themselves, to be written before the next pane."""
        return BreakJudgeState(
            pane=self._pane,
            rows_seen=self._rows_seen,
            odd_words={role: screen.odd_words for role, screen in self._screens.items()},
            waits=self._waits,
            breaks={key: standing.state for key, standing in self._breaks.items()},
            partners=tuple(sorted(self._partners)),
        )

    def restore(self, state: BreakJudgeState) -> None:
        """Go on from *state*, together with the recent rows of the same moment.

        Raises:
            ValueError: *state* does not fit these columns, or is out of range. The judge is then to be thrown away.
        """
        self._pane = within("the last pane", state.pane, -1)
        roles = self._screens.keys()
        refuse("rows or words of other roles", where=not state.rows_seen.keys() == state.odd_words.keys() == roles)
        for role in _ROLES:
            self._rows_seen[role] = within("rows of a role", state.rows_seen[role])
            self._screens[role].restore(state.odd_words[role])
        watched = self._memory.keys()
        refuse("columns that are not watched", where=not watched >= {*state.waits, *state.partners})
        for key, (look, wait) in state.waits.items():
            self._waits[key] = within("a look", look, 1, self._looks), within("a wait", wait, 1, _LONGEST_WAIT)
        self._partners = set(state.partners)
        refuse(f"more than {MOST_UNKNOWN} new columns", where=len(state.breaks.keys() - watched) > MOST_UNKNOWN)
        for key, break_state in state.breaks.items():
            is_new, told = break_state.kind == "new", break_state.alert
            refuse(
                "a new column that is watched, or another break of one that is not", where=is_new is (key in watched)
            )
            alert_key = self._writer.key(*key, break_state.kind)
            refuse("an alert of another break", where=told is not None and told.key != alert_key)
            self._breaks[key] = Break(break_state.kind, break_state.since_at)
            self._breaks[key].restore(break_state)

    @property
    def _looks(self) -> int:
        """Looks so far, the first of them at the first pane."""
        return self._pane // LOOK_PANES + 1

    def recent_values(self) -> RecentValues:
        """An empty memory of the columns that are watched, for `update`."""
        return RecentValues(self.columns)

    def update(self, recent: RecentValues, at: float, *, never: Collection[Place] = ()) -> list[Alert]:
        """Look at the rows up to *at*, the end of a pane that *recent* has closed; it must be of `recent_values`.

        Columns that *never* came cannot be gone, and are not looked at.

        Returns:
            The alerts whose state changed.
        """
        self._pane += 1
        is_due = self._pane % LOOK_PANES == 0
        stuck = {role: self._newly_stuck(recent, role, never) for role in _ROLES}
        if not is_due and not any(stuck.values()):
            return []
        news: list[Alert] = []
        for role in _ROLES:
            if recent.rows_seen[role] != self._rows_seen[role] and (is_due or stuck[role]):
                self._rows_seen[role] = recent.rows_seen[role]
                news.extend(self._look(recent, role, at, stuck[role], never))
        news.extend(self._new_columns(recent, at))
        return news

    def _newly_stuck(self, recent: RecentValues, role: Role, never: Collection[Place]) -> list[int]:
        columns = recent.columns_of(role)
        return [at for at in newly_stuck(recent.dense(role), self._told[role]) if _place(columns[at]) not in never]

    def _look(
        self, recent: RecentValues, role: Role, at: float, stuck: Sequence[int], never: Collection[Place]
    ) -> list[Alert]:
        rows = recent.dense(role)
        columns = recent.columns_of(role)
        if not columns or rows.rows < NEWEST_ROWS or not _is_spread(rows):
            return []
        words = slice(self._looks % 2, None, 2)
        suspicious = self._screens[role].suspicious(rows, words=words)
        keys = [_place(column) for column in columns]
        suspicious[[place for place, key in enumerate(keys) if key in never]] = False
        odd = np.flatnonzero(suspicious).tolist()
        told = [place for place, key in enumerate(keys) if key in self._breaks or key in self._partners]
        told += stuck
        # All that are odd are looked at together: two of them may have changed places.
        places = sorted({*told, *odd}) if told or any(self._is_due(keys[place]) for place in odd) else []
        if not places:
            return []
        news: list[Alert] = []
        candidates = {place: self._candidate(recent, role, place, at) for place in places}
        findings, partners = find_breaks(candidates, _PENDING * self.needed_nats)
        others = {key for key in self._partners if key[0] != role}
        self._partners = others | {keys[place] for place in partners}
        for place in places:
            key = keys[place]
            finding = findings.get(place)
            if finding is None and key not in self._partners:
                _, wait = self._waits.get(key, (0, 0))
                self._waits[key] = (self._looks, min(max(2 * wait, 1), _LONGEST_WAIT))
            else:
                self._waits.pop(key, None)
            news.extend(self._step(key, finding, rows.rows, at))
        return news

    def _is_due(self, key: Place) -> bool:
        looked, wait = self._waits.get(key, (0, 0))
        return self._looks >= looked + wait

    def _candidate(self, recent: RecentValues, role: Role, place: int, at: float) -> Candidate:
        column = recent.columns_of(role)[place]
        present = recent.last_present_pane(role, column.name)
        dense, sparse = recent.dense(role), recent.sparse(role)
        return Candidate(
            newest=self._sight(column, place, dense.newest(NEWEST_ROWS), 1),
            dense=self._sight(column, place, dense, 1),
            sparse=lambda: self._sight(column, place, sparse, SPARSE_STRIDE) if sparse.rows >= FEWEST_SPARSE else None,
            absent_seconds=at - recent.last_present_at(role, column.name),
            renamed=[each.name for each in recent.common_unknown if each.role == role and each.first_pane >= present],
        )

    def _sight(self, column: ColumnReference, place: int, rows: RecentRows, stride: int) -> Sight:
        memory = self._memory[_place(column)]
        profile, standing = self._profiles[_place(column)], self._breaks.get(_place(column))
        numbers, exchanges = rows.numbers[place], rows.exchange_count
        finite = as_shortest(bounded(numbers))
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
            standing=standing.kind if standing is not None and standing.life_cycle.is_firing else None,
        )

    def _step(self, key: Place, finding: Finding | None, rows: int, at: float) -> list[Alert]:
        """From the finding of a column to the alerts whose state changed."""
        standing, news, since_at = self._breaks.get(key), list[Alert](), at
        if finding is not None and (standing is None or standing.kind != finding.kind):
            if standing is not None:
                if not self._replaces(finding, standing):
                    standing.missed = 0
                    return []
                news, since_at = standing.life_cycle.end(at), standing.since_at
            standing = self._breaks[key] = Break(finding.kind, since_at)
        return news if standing is None else news + self._go_on(standing, key, finding, rows, at)

    def _replaces(self, finding: Finding, standing: Break) -> bool:
        """Whether the *standing* break is told by the name of the *finding* from now on: where that says more, and as surely."""
        says_more = _ORDER.index(finding.kind) < _ORDER.index(standing.kind)
        return not standing.life_cycle.is_firing or (says_more and finding.nats >= self.needed_nats)

    def _go_on(self, standing: Break, key: Place, finding: Finding | None, rows: int, at: float) -> list[Alert]:
        standing.missed = standing.missed + 1 if finding is None else 0
        state = standing.hysteresis.step(
            self._looks,
            is_evident=finding is not None,
            fires=lambda: finding is not None and finding.nats >= self.needed_nats,
            gone_for=lambda: 0.0 if standing.missed >= LOOKS_TO_RESOLVE else None,
        )
        if state in {"inactive", "resolved"}:
            del self._breaks[key]
        describe = None if finding is None else partial(self._described, key, finding, rows)
        return standing.life_cycle.step(Phase(state, at, standing.since_at), describe)

    def _described(self, key: Place, finding: Finding, rows: int, phase: Phase) -> Alert:
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
        seen_now: dict[Place, UnknownColumn] = {
            (seen.role, seen.name): seen for seen in new_columns(recent) if _has_stayed(seen)
        }
        for key, seen in seen_now.items():
            standing = self._breaks.setdefault(key, Break("new", seen.first_at))
            describe = partial(self._described, key, new(seen), seen.rows)
            news += standing.life_cycle.step(Phase("firing", at, seen.first_at), describe)
        watched = self._memory.keys()
        over = [key for key in self._breaks if key not in seen_now and key not in watched]
        return news + [alert for key in over for alert in self._breaks.pop(key).life_cycle.end(at)]


def _place(column: ColumnReference) -> Place:
    return column.role, column.name


def _is_spread(rows: RecentRows) -> bool:
    """Whether the rows are more than one burst of one client."""
    newest = rows.newest(NEWEST_ROWS)
    return rows.exchange_count >= FEWEST_EXCHANGES and newest.exchange_count >= 2 and rows.pane_count >= FEWEST_PANES


def _has_stayed(seen: UnknownColumn) -> bool:
    return seen.rows >= NEWEST_ROWS and seen.last_pane > seen.first_pane


def _cohens_h(reference: float, current: float) -> float:
    shares = np.clip([reference, current], 0.0, 1.0)
    return float(abs(np.diff(2 * np.arcsin(np.sqrt(shares)))[0]))
