"""Live rows against one reference: counted, judged as columns, pairs and whole rows, and shown by exemplars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from dashlight.exemplars import Exemplars
from dashlight.joint_comparison import JointComparison, Labels
from dashlight.judge.alerts import alert_key
from dashlight.judge.breaks.judge import BreakJudge
from dashlight.judge.drift import DriftJudge
from dashlight.judge.quality import scores
from dashlight.judge.shares import BREAKS, Shares, shares
from dashlight.records import Alert, Prediction, Role, Score
from dashlight.window.bins import Binner
from dashlight.window.facets import expanded, faceted
from dashlight.window.joint import joint_codes
from dashlight.window.panes import Panes
from dashlight.window.profile import Profile
from dashlight.window.reference import ColumnReference, Reference, columns_of, stacked_counts

_ROLES: tuple[Role, Role] = ("feature", "output")
MEDIUM_SHIFT = 0.5
"""Cohen's h of a medium effect: a model is watched once a column's shift of that size would have been seen."""
_NO_IMPORTANCE: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class Watching:
    """How rows are judged, whichever the reference."""

    panes_between_false_alarms: float
    tolerance: float
    share: float = 1.0
    """Part of the budget of false alarms that the comparison may use."""
    importance: Mapping[str, float] = field(default_factory=dict[str, float])
    """Columns with so many times the budget of others; 0 leaves one out. Names that no column has mean nothing."""
    ignored: Sequence[str] = ()
    """Globs of columns that are not looked at, also where the reference holds them."""
    strict: bool = False
    """Whether within the tolerance there is no drift at all, not only none worth an alert."""


class Comparison:
    """Counts the rows of predictions over the bins of *reference*, and judges every pane that held any."""

    def __init__(
        self, reference: Reference, watching: Watching, *, endpoint: str = "", model: str = "", version: str = ""
    ) -> None:
        """Set up bins, windows and judges. Columns of *reference* stand with the features first."""
        self.reference = reference
        self.columns = reference.columns
        self._hidden = frozenset(column.name for column in self.columns if _is_ignored(column, watching.ignored))
        importance = _importance(self.columns, watching.importance, self._hidden)
        watched = tuple(column for column in self.columns if _weight(column, importance) > 0)
        parts = _parts(reference, watched)
        panes, tolerance, share = watching.panes_between_false_alarms, watching.tolerance, watching.share
        labels = Labels(endpoint=endpoint, model=model, version=version)
        self._judge = DriftJudge(
            self.columns if watched else (),
            panes=panes,
            tolerance=tolerance,
            share=share * parts.columns,
            importance=importance if watched else None,
            strict=watching.strict,
            **labels,
        )
        self._joint = JointComparison(
            reference, watched, panes=panes, tolerance=tolerance, share=share, parts=parts, labels=labels
        )
        profiles: dict[tuple[Role, str], Profile] = {
            (each.role, each.name): each.profile for each in watched if each.profile is not None
        }
        self._breaks = BreakJudge(self.columns, profiles, panes=panes, share=share * BREAKS, **labels)
        self._recent = self._breaks.recent_values()
        self._sides: list[_Side] = []
        begin = 0
        for role in _ROLES:
            columns = columns_of(reference, role)
            if columns:
                self._sides.append(_Side(role, columns, slice(begin, begin + len(columns))))
            begin += len(columns)
        self._places = {(column.role, column.name): place for place, column in enumerate(self.columns)}
        self._reference_counts = stacked_counts(self.columns)
        self._panes = Panes(len(self.columns))
        self._exemplars = Exemplars(len(self.columns))
        self._in_force: dict[str, Alert] = {}
        self._ended_at: float | None = None
        self._rows = np.zeros(len(self.columns))
        self._watched_count = len(watched)
        self.too_short = tuple(column.name for column in self._judge.too_short)
        """Columns whose reference is too short for their own variation: slow to alarm."""
        self.unknown_columns: tuple[str, ...] = ()
        """Names, of the last batch that had any, that the reference does not know; some of them."""

    def add(self, prediction: Prediction, trace_ids: NDArray[np.void]) -> None:
        """Counts the rows of *prediction*; *trace_ids* holds 16 bytes for each exchange of its batch."""
        self._exemplars.begin_slice(self._panes.closed)
        codes: dict[Role, NDArray[np.uint8]] = {}
        for side in self._sides:
            table = prediction.features if side.role == "feature" else prediction.outputs
            if not table.rows:
                continue
            whole, matrices = expanded(table, side.kinds, widths=side.widths)
            held = side.binner.codes(whole)
            self._panes.current[side.columns] += side.binner.count(held)
            self._exemplars.keep(side.binner, held, trace_ids[table.exchange], columns=side.columns)
            self._recent.add(side.role, whole)
            codes[side.role] = held
            self._joint.observe(matrices)
            unknown_count, names = side.binner.unknown(whole)
            if unknown_count:
                self.unknown_columns = names
        if codes:
            self._joint.add(joint_codes(codes, {side.role: len(side.binner.columns) for side in self._sides}))

    def close_pane(self, at: float) -> list[Alert]:
        """Ends the pane and judges it; the alerts whose state changed. A pane without rows does not count."""
        began_at, self._ended_at = self._ended_at, at
        if not self._panes.current.any():
            return []
        counts = self._panes.close(at)
        self._rows += counts.sum(1)
        self._recent.close_pane(at)
        judged = self._judge.update(counts, at, self._window, began_at=began_at)
        alerts = [self._shown(alert) for alert in judged if not self._is_of_a_missing_column(alert, judged)]
        self._remember(alerts)
        told = {each.column for each in self._in_force.values() if each.column}
        told |= {column.name for column in self.columns if column.of in told}
        beside = self._joint.close_pane(at, told=told)
        beside += self._breaks.update(self._recent, at)
        # What ends without having been told is no news.
        beside = [each for each in beside if each.state in {"pending", "firing"} or each.key in self._in_force]
        self._remember(beside)
        return alerts + beside

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

    def withdraw(self, at: float) -> list[Alert]:
        """The alerts in force, ended because there will be no such comparison any more."""
        ended = [
            replace(alert, state="resolved", at=at, summary=f"the reference was replaced; it was: {alert.summary}")
            for alert in self._in_force.values()
        ]
        self._in_force.clear()
        return ended

    @property
    def has_enough_rows(self) -> bool:
        """Whether a medium shift of most columns would have been seen by now; before that silence says little."""
        shifts = [score.value for score in self._visible_shifts()]
        return 2 * sum(shift <= MEDIUM_SHIFT for shift in shifts) > self._watched_count

    def scores(self, panes: int) -> list[Score]:
        """The scores of the last *panes*, and which shift would have been seen by now; none before a pane has ended."""
        if not self._panes.closed:
            return []
        found = scores(self.columns, self._reference_counts, self._panes.window(panes).counts)
        return [score for score in found if score.column not in self._hidden] + self._visible_shifts()

    def _visible_shifts(self) -> list[Score]:
        """Of every column the smallest shift that would have been seen by now, in Cohen's h; none where none would."""
        if not self._judge.columns:
            return []
        shifts = self._judge.visible_shift(self._rows)
        return [
            Score(column.name, column.role, "visible_shift", float(shift), float(shift), float(shift), int(rows))
            for column, shift, rows in zip(self._judge.columns, shifts, self._rows, strict=True)
            if np.isfinite(shift) and column.name not in self._hidden
        ]

    def _window(self, panes: int) -> tuple[NDArray[np.int64], int]:
        window = self._panes.window(panes)
        return window.counts, window.panes

    def _shown(self, alert: Alert) -> Alert:
        """*alert* of its column, with exemplars: exchanges since the change with values in the bins that grew the most.

        A facet is a thing of ours; its column is the user's. The summary names the facet.
        """
        if alert.column is None or alert.role is None:
            return alert
        place = self._places[alert.role, alert.column]
        alert = replace(alert, column=self.columns[place].of or alert.column)
        if alert.state not in {"pending", "firing"}:
            return alert
        # Where the change is as old as the first pane, that pane is the moment since which it is told.
        since = self._panes.window(max(self._panes.since(alert.since_at).panes, 1))
        exemplars = self._exemplars.of(
            place,
            current=since.counts[place],
            reference=self._reference_counts[place],
            since_pane=self._panes.closed - since.panes,
        )
        return replace(alert, exemplars=exemplars)


class _Side:
    """The features of the reference, or its outputs."""

    def __init__(self, role: Role, columns: tuple[ColumnReference, ...], places: slice) -> None:
        self.role: Role = role
        self.columns = places
        """Their places among all columns."""
        self.binner = Binner(columns)
        self.kinds, self.widths = faceted(columns)


def _parts(reference: Reference, watched: Sequence[ColumnReference]) -> Shares:
    names = {column.name for column in watched}
    return shares(
        pairs=reference.pairs is not None and len(names.intersection(reference.pairs.names)) > 1,
        directions=bool(reference.directions),
        breaks=any(column.profile is not None for column in watched),
    )


def _importance(
    columns: Sequence[ColumnReference], wanted: Mapping[str, float], hidden: frozenset[str]
) -> dict[str, float]:
    names = {column.name for column in columns} | {column.of for column in columns if column.of}
    return {name: weight for name, weight in wanted.items() if name in names} | dict.fromkeys(hidden, 0.0)


def _weight(column: ColumnReference, importance: Mapping[str, float]) -> float:
    """How much *column* matters: a facet as much as what it is of, unless it is named itself."""
    return importance.get(column.name, importance.get(column.of, 1.0))


def _is_ignored(column: ColumnReference, ignored: Sequence[str]) -> bool:
    return any(fnmatchcase(name, each) for name in {column.name, column.of} - {""} for each in ignored)
