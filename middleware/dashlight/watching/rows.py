"""Counted rows against one reference: judged as columns, pairs and whole rows, and shown by exemplars."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.policy import Policy
from dashlight.counting.rows import RowCounter, RowPane
from dashlight.counting.selection import watched_of
from dashlight.judge.alert_budget import BREAKS
from dashlight.judge.alerts import alert_key, check_alert, ended
from dashlight.judge.breaks.judge import BreakJudge
from dashlight.judge.breaks.state import Place
from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.columns.scores import SHIFT, scores
from dashlight.judge.directions.bets import Direction
from dashlight.judge.natural_variation import Movements
from dashlight.judge.traffic.repetition import RepetitionJudge
from dashlight.records import Alert, Role, Score
from dashlight.watching.examples import Examples
from dashlight.watching.joint import JointComparison, Labels
from dashlight.watching.left_out import LeftOut
from dashlight.watching.presence import Presence
from dashlight.watching.slices.history import SampledHistory
from dashlight.watching.state import ComparisonState
from dashlight.window.columns import Profile, Reference, stacked_counts
from dashlight.window.fitting import fitted, moment
from dashlight.window.panes import Panes
from dashlight.window.recent.pane import ROLES
from dashlight.window.reference.steps import Steps, finished

REPLACED = "the reference was replaced"
MEDIUM_SHIFT = 0.5
"""Cohen's h of a medium effect: a model is watched once a column's shift of that size would have been seen."""


class Comparison:
    """Judges the panes of rows that were counted over the bins of *reference*, by one process or by several."""

    def __init__(
        self,
        reference: Reference,
        policy: Policy,
        *,
        share: float = 1.0,
        endpoint: str = "",
        model: str = "",
        version: str = "",
        in_steps: bool = False,
    ) -> None:
        """Set up windows and judges. Columns of *reference* stand with the features first.

        *share* is the part of the budget of false alarms that the comparison may use. *in_steps*: it is of no use before
        `set_up` is done.
        """
        self.reference = reference
        self.columns = reference.columns
        self._policy = policy
        watched = watched_of(reference, policy)
        self.hidden = watched.hidden
        panes = policy.panes_between_false_alarms
        labels = Labels(endpoint=endpoint, model=model, version=version)
        movements = Movements()
        self._judge = DriftJudge(
            self.columns if watched.columns else (),
            panes=panes,
            tolerance=policy.tolerance,
            share=share * watched.parts.columns,
            importance=watched.importance if watched.columns else None,
            movements=movements,
            in_steps=True,
            **labels,
        )
        self._share, self._watched, self._movements, self._labels = share, watched, movements, labels
        self._repetition = RepetitionJudge(reference.payloads, pane_seconds=policy.pane_seconds, **labels)
        self._presence = Presence(self.columns, are_learned=reference.source == "learned")
        self._watched_places: frozenset[Place] = frozenset((column.role, column.name) for column in watched.columns)
        self._places = {(column.role, column.name): place for place, column in enumerate(self.columns)}
        self._reference_counts = stacked_counts(self.columns)
        self._panes = Panes(len(self.columns))
        self._left_out = LeftOut()
        self.examples = Examples(self.columns, self._panes)
        self.history = SampledHistory(len(self.columns))
        """Rows of the last days side by side: no part of the state, a judge that begins anew collects them anew."""
        self._in_force: dict[str, Alert] = {}
        self._ended_at: float | None = None
        self._rows = np.zeros(len(self.columns))
        self.unknown_columns: tuple[str, ...] = ()
        """Names, of the last batch that had any, that the reference does not know; some of them."""
        if not in_steps:
            finished(self.set_up())

    def set_up(self) -> Steps[None]:
        """Make what takes long, some columns at a time. What moved in the reference is measured once for all judges."""
        watched, share, movements, labels = self._watched, self._share, self._movements, self._labels
        yield from self._judge.set_up()
        yield
        self._joint = JointComparison(
            self.reference, watched, self._policy, share=share, movements=movements, labels=labels
        )
        yield
        profiles: dict[tuple[Role, str], Profile] = {
            (each.role, each.name): each.profile for each in watched.columns if each.profile is not None
        }
        panes = self._policy.panes_between_false_alarms
        self._breaks = BreakJudge(
            self.columns, profiles, panes=panes, share=share * BREAKS, movements=movements, **labels
        )
        self._recent = self._breaks.recent_values()
        yield
        movements.forget()

    @property
    def too_short(self) -> tuple[str, ...]:
        """Columns whose reference is too short for their own variation: slow to alarm."""
        return tuple(column.name for column in self._judge.too_short)

    @property
    def state(self) -> ComparisonState:
        """What outlives the process: all but what follows from the reference and the policy."""
        return ComparisonState(
            panes=self._panes.state,
            repeated=self._left_out.state,
            repetition=self._repetition.state,
            judge=self._judge.state,
            joint=self._joint.state,
            breaks=self._breaks.state,
            recent=self._recent.state,
            exemplars=self.examples.kept.state,
            in_force=tuple(self._in_force.values()),
            ended_at=self._ended_at,
            rows=self._rows,
            unknown_columns=self.unknown_columns,
            presence=self._presence.state,
        )

    def restore(self, state: ComparisonState) -> None:
        """Goes on from *state*; ValueError where it does not fit the reference or the policy."""
        self._panes.restore(state.panes)
        self._left_out.restore(state.repeated, self._panes)
        self._repetition.restore(state.repetition)
        self._judge.restore(state.judge)
        self._joint.restore(state.joint)
        self._breaks.restore(state.breaks)
        self._recent.restore(state.recent)
        self.examples.kept.restore(state.exemplars)
        for alert in state.in_force:
            check_alert(alert)
            self._in_force[alert.key] = alert
        self._ended_at = None if state.ended_at is None else moment("end of a pane", state.ended_at)
        self._rows = fitted("rows of columns", state.rows, like=self._rows, least=0)
        self.unknown_columns = state.unknown_columns
        self._presence.restore(state.presence)

    def counter(self) -> RowCounter:
        """What counts rows for this comparison."""
        return RowCounter(self.reference, self._policy)

    @property
    def directions(self) -> Mapping[str, Direction]:
        """Along which the rows of the next pane are to be counted, by name."""
        return self._joint.directions

    @property
    def repeated(self) -> tuple[int, ...]:
        """Hashes of payloads that came too often on the whole machine in the last minute."""
        return self._repetition.hashes

    def fits(self, pane: RowPane) -> bool:
        """Whether *pane* is of the columns, pairs and directions that are judged here: no other can be judged."""
        recent = pane.recent
        return (
            pane.counts.shape == self._reference_counts.shape
            and (pane.repeated is None or pane.repeated.shape == pane.counts.shape)
            and self._joint.fits(pane.joint)
            and self.history.fits(pane.sampled)
            and (
                recent is None
                or all(len(recent.sides[role].present) == len(self._recent.columns_of(role)) for role in ROLES)
            )
        )

    def close_pane(self, pane: RowPane | None, at: float) -> list[Alert]:
        """Judges the *pane* that ended *at*; the alerts whose state changed. None, a pane without rows, does not count."""
        return finished(self.close_pane_in_steps(pane, at))

    def close_pane_in_steps(self, pane: RowPane | None, at: float) -> Steps[list[Alert]]:
        """As `close_pane`. Nothing else may be asked of the comparison before the last step."""
        began_at, self._ended_at = self._ended_at, at
        self.history.take(None if pane is None else pane.sampled, at)
        if pane is None or not pane.row_count:
            return []
        self.unknown_columns = pane.unknown or self.unknown_columns
        self.examples.kept.take(pane.exemplars, pane=self._panes.closed)
        # What never came is not judged: no request may ever bring it. Once it comes, it has no past.
        self._panes.forget(self._presence.take(pane.counts))
        self._left_out.take(pane.repeated, at, self._panes)
        self._panes.add(pane.counts)
        counts = self._presence.judged(self._panes.close(at))
        self._rows += counts.sum(1)
        self._recent.take(pane.recent, at)
        judged = yield from self._judge.update_in_steps(counts, at, self.window, began_at=began_at)
        yield
        alerts = [self.examples.shown(alert) for alert in judged if not self._is_of_a_missing_column(alert, judged)]
        self._remember(alerts)
        told = {each.column for each in self._in_force.values() if each.column}
        told |= {column.name for column in self.columns if column.of in told}
        never = self._presence.never
        beside = self._joint.close_pane(pane.joint, at, told=told.union(name for _, name in never))
        yield
        beside += [self._dated(each) for each in self._breaks.update(self._recent, at, never=never)]
        beside += self._repetition.update(pane.repetition, at)
        # What ends without having been told is no news.
        beside = [each for each in beside if each.state in {"pending", "firing"} or each.key in self._in_force]
        self._remember(beside)
        return alerts + beside

    def _dated(self, alert: Alert) -> Alert:
        """*alert* of a break, which began when its column did: as the alert on that says, or else the panes."""
        if alert.state not in {"pending", "firing"} or alert.column is None or alert.role is None:
            return alert
        moved = self._in_force.get(alert_key("drift", alert.model, alert.endpoint, alert.role, alert.column))
        if moved is None:
            return self._judge.dated(alert, self.window)
        at, earliest_at, latest_at = moved.since_at, moved.since_earliest_at, moved.since_latest_at
        return replace(alert, since_at=at, since_earliest_at=earliest_at, since_latest_at=latest_at)

    def _is_of_a_missing_column(self, alert: Alert, judged: Sequence[Alert]) -> bool:
        """Whether *alert* is of a facet whose text or vector has an alert: what is missing has no length either."""
        of = self.columns[self._places[alert.role, alert.column]].of if alert.role and alert.column else ""
        if not of or alert.state not in {"pending", "firing"} or alert.key in self._in_force:
            return False
        whole = alert_key("drift", alert.model, alert.endpoint, alert.role or "", of)
        return whole in self._in_force or any(each.key == whole and each.state != "inactive" for each in judged)

    def _remember(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            if alert.state in {"pending", "firing"}:
                self._in_force[alert.key] = alert
            else:
                self._in_force.pop(alert.key, None)

    @property
    def in_force(self) -> Collection[str]:
        """Keys of the alerts that are pending or firing."""
        return self._in_force.keys()

    def withdraw(self, at: float, reason: str = REPLACED) -> list[Alert]:
        """The alerts in force, ended because for this *reason* there will be no such comparison any more."""
        withdrawn = [ended(alert, at, reason) for alert in self._in_force.values()]
        self._in_force.clear()
        return withdrawn

    @property
    def has_enough_rows(self) -> bool:
        """Whether a medium shift of most columns would have been seen by now; before that silence says little."""
        found = self._judge.detectable_scores(self._rows)
        shifts = [score.value for score in found if score.statistic == SHIFT and score.column not in self.hidden]
        return 2 * sum(shift <= MEDIUM_SHIFT for shift in shifts) > len(self._watched_places - self._presence.never)

    @property
    def never_came(self) -> tuple[str, ...]:
        """Names of the watched columns that no row of traffic had a value in so far, facets left out."""
        never = self._presence.never & self._watched_places
        return tuple(column.name for column in self.columns if not column.of and (column.role, column.name) in never)

    def news(self, unknown: Sequence[str] | None = None) -> list[str]:
        """Which columns the reference alone or traffic (its are *unknown*) alone has, a sentence each, with rows enough."""
        common = {each.name for each in self._recent.common_unknown}
        told = [name for name in self.unknown_columns if name in common] if unknown is None else unknown
        return self._presence.news(self._watched_places, told)

    def scores(self, panes: int) -> list[Score]:
        """The scores of the last *panes*, and which shift would have been seen by now; none before a pane has ended."""
        if not self._panes.closed:
            return []
        counts, left_out = self._left_out.beside(self._panes.window(panes).counts, panes)
        found = scores(self.columns, self._reference_counts, counts)
        found += self._judge.detectable_scores(self._rows)
        return left_out + [score for score in found if score.column not in self.hidden]

    def traces_of_missing(self, role: Role, column: str, since_at: float) -> tuple[str, ...]:
        """Trace ids of exchanges after *since_at* without a value in *column*; none where it is not of this reference."""
        return self.examples.of_missing(role, column, since_at)

    @property
    def came(self) -> NDArray[np.bool_]:
        """Which columns any row of traffic ever had a value in, shape (columns,)."""
        return self._presence.state.came

    @property
    def importance(self) -> Mapping[str, float]:
        """Columns with so many times the budget of others; 0 leaves one out."""
        return self._watched.importance

    def window(self, panes: int) -> tuple[NDArray[np.int64], int]:
        """Counts of about the last *panes*, shape (columns, BINS), and how many panes they really cover."""
        return (window := self._panes.window(panes)).counts, window.panes
