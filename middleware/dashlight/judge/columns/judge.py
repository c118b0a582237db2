"""Drift of the columns of one model at one endpoint, from the counts of its panes to alerts with causes. Pure."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import alert_key
from dashlight.judge.columns.causes import explain
from dashlight.judge.columns.detectable import minimum_detectable_shift
from dashlight.judge.columns.season_tables import without_season
from dashlight.judge.columns.seasons import Seasons
from dashlight.judge.evidence.change_point import PANES_REMEMBERED, STEPS_OF_ONE, change_point
from dashlight.judge.evidence.effects import TOLERANCE, effects, strength
from dashlight.judge.evidence.evidence import Evidence, Firing
from dashlight.judge.evidence.hysteresis import Sight, Watch
from dashlight.judge.evidence.null import Floats, null_of
from dashlight.judge.evidence.score_tables import evidence_tables
from dashlight.judge.words import printable
from dashlight.records import Alert, AlertState
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_NAMES

Counts: TypeAlias = NDArray[np.int64]
Window: TypeAlias = Callable[[int], tuple[Counts, int]]
"""Counts of about the last k panes, shape (columns, BINS), and how many panes that really are: fewer where no more are
kept."""

LOCATIONS = (EVENT_COUNT + FUNCTIONAL_NAMES.index("higher"), EVENT_COUNT + FUNCTIONAL_NAMES.index("lower"))
STORY = 0.4
"""Part of the strongest effect from which a move of the values as a whole is told instead."""
LONGEST_WINDOW = 1 << 20
"""Panes; the ring that is asked ends sooner."""


class DriftJudge:
    """Watches the columns of one model at one endpoint, pane by pane."""

    def __init__(
        self,
        columns: Sequence[ColumnReference],
        *,
        panes: float,
        tolerance: float = TOLERANCE,
        importance: Mapping[str, float] | None = None,
        strict: bool = False,
        share: float = 1.0,
        model: str = "",
        version: str = "",
        endpoint: str = "",
    ) -> None:
        """Set up the evidence against the references of *columns*.

        *panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*. A column
        that *importance* names gets that many times the budget of another; 0 leaves it out. A *strict* judge calls
        whatever is within *tolerance* no drift: its evidence alone proves more than that, and it fires on it.

        Raises:
            ValueError: *importance* is negative, not finite, of an unknown column, or 0 for all.
        """
        self.columns = tuple(columns)
        self.margins = np.full(len(self.columns), -np.inf, np.float32)
        """Evidence of every column after the last pane, in nats over its threshold; below 0 there is none."""
        self._gate = float(np.sqrt(tolerance))
        self._strict = strict
        seasons = [column.season for column in self.columns]
        weights = _weights(self.columns, importance or {}) * share
        self.null = null_of(without_season(self.columns, seasons), tolerated=self._gate if strict else 0.0)
        self.tables = evidence_tables(self.null, weights, panes=panes)
        self._seasons = Seasons(self.columns, weights, panes=panes, like=self.tables) if any(seasons) else None
        self._evidence = Evidence(self.tables)
        self._model, self._version, self._endpoint = model, version, endpoint
        self._watches = [Watch() for _ in self.columns]
        self._alerts: dict[int, Alert] = {}
        self._ends: deque[float] = deque(maxlen=PANES_REMEMBERED)
        self._pane = -1

    @property
    def too_short(self) -> tuple[ColumnReference, ...]:
        """Columns whose reference is too short for its own variation: slow to alarm, and not to be relied on."""
        flags = self.null.variation.too_short
        return tuple(column for column, flag in zip(self.columns, flags, strict=True) if flag)

    def minimum_detectable_shift(self, rows: Floats) -> Floats:
        """The smallest shift that would have raised an alarm by now, in Cohen's h, shape (columns,).

        *rows*, shape (columns,), are those since the start; inf where no shift could have been seen.
        """
        return minimum_detectable_shift(self.null, self.tables, rows, gate=0.0 if self._strict else self._gate)

    def update(self, counts: Counts, at: float, window: Window, *, began_at: float | None = None) -> list[Alert]:
        """Take the counts of the pane that ended *at*, shape (columns, BINS); *window* includes it already.

        *began_at* is when the pane began, which matters to columns that follow the hour; None: not long ago.

        Returns:
            The alerts whose state changed, and those that fire on and whose description was renewed: that is after
            1, 2, 4, ... panes.
        """
        if not self.columns:
            return []
        self._pane += 1
        self._ends.append(at)
        tables = None
        if self._seasons is not None:
            tables = self._seasons.tables(at if began_at is None else began_at, at, int(counts.sum(1).max()))
            window = self._seasons.taken_off(window)
        self.margins = self._evidence.update(counts, tables)
        places = sorted({*self._alerts, *np.flatnonzero(self.margins >= 0).tolist()})
        if not places:
            return []
        windows, panes = _dyadic(window)
        news: list[Alert] = []
        for place in places:
            sight = Sight(
                pane=self._pane,
                firing=self._evidence.firing(place) if self.margins[place] >= 0 else None,
                windows=windows[:, place],
                panes=panes,
                measure=partial(effects, self.null, place, gate=self._gate),
                is_proof=self._strict,
            )
            news.extend(self._step(place, sight, at, window))
        return news

    def _step(self, place: int, sight: Sight, at: float, window: Window) -> list[Alert]:
        watch, known = self._watches[place], self._alerts.get(place)
        state = watch.step(sight)
        if state == "resolved":
            self._evidence.reset(place)
        if state in {"inactive", "resolved"}:
            self._alerts.pop(place, None)
            return [] if known is None else [_ended(known, state, at)]
        fired_for = watch.fired_for(self._pane)
        is_renewed = sight.firing is not None and fired_for > 0 and fired_for & (fired_for - 1) == 0
        if sight.firing is None or not (known is None or known.state != state or is_renewed):
            return []
        alert = self._described(place, sight, sight.firing, (state, at, self._ended_at(self._pane - watch.since)))
        self._alerts[place] = self._dated(alert, known, (place, sight.firing), window)
        return [self._alerts[place]]

    def _ended_at(self, panes: int) -> float:
        """When the pane ended of which so many others have ended since, or the earliest remembered."""
        return self._ends[max(-1 - panes, -len(self._ends))]

    def _dated(self, alert: Alert, known: Alert | None, seen: tuple[int, Firing], window: Window) -> Alert:
        """*alert* with the interval in which the change began; as it is *known* once its panes are kept together."""
        place, firing = seen
        if known is not None and firing.age > STEPS_OF_ONE:
            return replace(alert, since_earliest_at=known.since_earliest_at, since_latest_at=known.since_latest_at)
        latest, earliest = change_point(self.null, place, firing.leading, window, firing.age)
        return replace(
            alert,
            since_earliest_at=min(self._ended_at(earliest), alert.since_at),
            since_latest_at=max(self._ended_at(latest), alert.since_at),
        )

    def _described(self, place: int, sight: Sight, firing: Firing, when: tuple[AlertState, float, float]) -> Alert:
        """The alert of a column, told by the detector and the window that show the most."""
        column = self.columns[place]
        found = sight.measure(firing, sight.windows)
        strengths = strength(found)
        row, detector = np.unravel_index(strengths.argmax(), found.sizes.shape)
        # Values far out are spread as well; that they are higher, or lower, is the story.
        located = np.flatnonzero(np.isin(found.detectors, LOCATIONS))
        if found.detectors[detector] >= EVENT_COUNT and len(located):
            best = located[strengths[row, located].argmax()]
            detector = best if strengths[row, best] >= STORY * strengths[row, detector] else detector
        summary, cause = explain(column, int(found.detectors[detector]), sight.windows[row])
        if column.season is not None:
            summary = f"{summary} (what the hour explains is taken off)"
        state, at, since_at = when
        return Alert(
            key=alert_key("drift", self._model, self._endpoint, column.role, column.name),
            source="drift",
            model=self._model,
            version=self._version,
            endpoint=self._endpoint,
            column=column.name,
            role=column.role,
            state=state,
            summary=summary,
            at=at,
            since_at=since_at,
            rows=int(sight.rows[row]),
            score=float(found.sizes[row, detector]),
            causes=(cause,),
        )


def _dyadic(window: Window) -> tuple[Counts, NDArray[np.intp]]:
    """Counts of the last 1, 2, 4, ... panes, shape (windows, columns, BINS), and how many panes each holds."""
    counts: list[Counts] = []
    panes: list[int] = []
    wanted = 1
    while wanted <= LONGEST_WINDOW:
        held, covered = window(wanted)
        if panes and covered <= panes[-1]:
            break
        counts.append(held)
        panes.append(covered)
        wanted *= 2
    return np.stack(counts), np.array(panes, np.intp)


def _ended(alert: Alert, state: AlertState, at: float) -> Alert:
    name = printable(alert.column or "")
    return replace(alert, state=state, at=at, summary=f"{name} is back inside its band; it was: {alert.summary}")


def _weights(columns: Sequence[ColumnReference], importance: Mapping[str, float]) -> Floats:
    """Shares of the budget, shape (columns,), that sum to one; the facets of a text or a vector follow its name."""
    unknown = importance.keys() - {column.name for column in columns} - {column.of for column in columns}
    if unknown:
        raise ValueError(f"importance of unknown columns: {', '.join(sorted(unknown))}")
    given = [importance.get(column.name, importance.get(column.of, 1.0)) for column in columns]
    weights = np.array(given, np.float64)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("importance must be a number, 0 or more")
    if len(weights) and not weights.any():
        raise ValueError("importance is 0 for all columns: nothing would be watched")
    return np.asarray(weights / max(weights.sum(), 1e-12))
