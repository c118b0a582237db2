"""Drift of the columns of one model at one endpoint, from the counts of its panes to alerts with causes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import AlertWriter, Phase
from dashlight.judge.columns.described import DriftWriter, Others
from dashlight.judge.columns.detectable import DetectableShifts
from dashlight.judge.columns.importance import weights_of
from dashlight.judge.columns.outages import Outages, OutagesState
from dashlight.judge.columns.scores import SHIFT, known_scores
from dashlight.judge.columns.season_tables import SlotRowsState, without_season
from dashlight.judge.columns.seasons import Seasons
from dashlight.judge.evidence.change_point import STEPS_OF_ONE, change_point, clearest_change
from dashlight.judge.evidence.cusum import CAP_NATS, CusumState
from dashlight.judge.evidence.effects import TOLERANCE, effects
from dashlight.judge.evidence.evidence import ANY_FIRING, Evidence, Firing
from dashlight.judge.evidence.null import Floats, null_of
from dashlight.judge.evidence.pane_ends import PaneEnds, PaneEndsState
from dashlight.judge.evidence.score_tables import evidence_steps
from dashlight.judge.evidence.shift_watch import RecentWindows, ShiftWatch, ShiftWatchState
from dashlight.judge.evidence.windows import Counts, Window, dyadic_windows
from dashlight.judge.natural_variation import Movements
from dashlight.records import Alert, Score
from dashlight.window.columns import ColumnReference
from dashlight.window.fitting import fitted, refuse, within
from dashlight.window.layout import BINS
from dashlight.window.reference.steps import Steps, finished

_MOVED_A_STEP = 4
"""Columns described at a time, of those that moved: each takes a millisecond or two."""


@dataclass(frozen=True, slots=True, eq=False)
class DriftJudgeState:
    """What a DriftJudge remembers between panes."""

    evidence: CusumState
    margins: NDArray[np.float32]
    watches: Mapping[int, ShiftWatchState]
    """Of the columns that ever had evidence, by place."""
    ends: PaneEndsState
    outages: OutagesState
    slot_rows: SlotRowsState | None
    """None where no column follows the hour."""


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
        movements: Movements | None = None,
        model: str = "",
        version: str = "",
        endpoint: str = "",
        segments: Sequence[str] = (),
        others: Others | None = None,
        in_steps: bool = False,
    ) -> None:
        """Set up the evidence against the references of *columns*; *in_steps*: that is left to `set_up`.

        *panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*. A column
        that *importance* names gets that many times the budget of another; 0 leaves it out. A *strict* judge calls
        whatever is within *tolerance* no drift: its evidence alone proves more than that, and it fires on it.
        *movements* spare measuring again what another judge of these columns has measured. *segments* are those whose
        rows alone each column is of, where it is; *others* says how all other rows do.

        Raises:
            ValueError: *importance* is negative, not finite, of an unknown column, or 0 for all.
        """
        self.columns = tuple(columns)
        self.margins = np.full(len(self.columns), -np.inf, np.float32)
        """Evidence of every column after the last pane, in nats over its threshold; below 0 there is none."""
        self._gate = float(np.sqrt(tolerance))
        self._strict = strict
        self._panes = panes
        self._weights = weights_of(self.columns, importance or {}) * share
        self._movements = movements or Movements()
        writer = AlertWriter("drift", model=model, version=version, endpoint=endpoint)
        self._writer = DriftWriter(self.columns, writer, segments=segments, others=others)
        self._watches: dict[int, ShiftWatch] = {}
        """Of the columns that ever had evidence, by place."""
        self._ends = PaneEnds()
        self._outages = Outages(self.columns)
        if not in_steps:
            finished(self.set_up())

    def set_up(self) -> Steps[None]:
        """Make the tables of the evidence, some columns at a time."""
        seasons = [column.season for column in self.columns]
        columns = without_season(self.columns, seasons)
        yield from self._movements.measured(columns)
        tolerated = self._gate if self._strict else 0.0
        self.null = null_of(columns, tolerated=tolerated, movements=self._movements)
        yield
        weights, panes = self._weights, self._panes
        self.tables = yield from evidence_steps(self.null, weights, panes=panes)
        self._seasons = Seasons(self.columns, weights, panes=panes, like=self.tables) if any(seasons) else None
        self._evidence = Evidence(self.tables)
        # What bursts are to be expected stands in the tables.
        self.null = replace(self.null, variation=replace(self.null.variation, bursts=()))
        self._detectable = DetectableShifts(self.null, self.tables, gate=0.0 if self._strict else self._gate)

    @property
    def state(self) -> DriftJudgeState:
        """What is remembered: the arrays themselves, to be written before the next pane changes them."""
        return DriftJudgeState(
            evidence=self._evidence.state,
            margins=self.margins,
            watches={place: watch.state for place, watch in self._watches.items()},
            ends=self._ends.state,
            outages=self._outages.state,
            slot_rows=None if self._seasons is None else self._seasons.state,
        )

    def restore(self, state: DriftJudgeState) -> None:
        """Go on from *state*. The windows that `update` is given must go back as far as they did before.

        Raises:
            ValueError: *state* does not fit these columns, or is out of range. The judge is then to be thrown away.
        """
        self._evidence.restore(state.evidence)
        self.margins = fitted("margins of columns", state.margins, like=self.margins, least=-np.inf, most=CAP_NATS)
        self._ends.restore(state.ends)
        self._outages.restore(state.outages)
        if self._seasons is not None and state.slot_rows is not None:
            self._seasons.restore(state.slot_rows)
        elif self._seasons is not None or state.slot_rows is not None:
            raise ValueError("rows by time of day are missing, or there although no column follows the time of day")
        for place, watch_state in state.watches.items():
            within("the number of a column", place, 0, len(self.columns) - 1)
            key = self._writer.key(place)
            told = watch_state.alert
            refuse("an alert of another column", where=told is not None and told.key != key)
            watch = self._watches[place] = ShiftWatch()
            watch.restore(watch_state, pane=self._ends.closed - 1, bins=BINS, possible=ANY_FIRING)

    @property
    def too_short(self) -> tuple[ColumnReference, ...]:
        """Columns whose reference is too short for its own variation: slow to alarm, and not to be relied on."""
        flags = self.null.variation.too_short
        return tuple(column for column, flag in zip(self.columns, flags, strict=True) if flag)

    def minimum_detectable_shift(self, rows: Floats) -> Floats:
        """The smallest shift that would have raised an alarm by now, in Cohen's h, shape (columns,).

        *rows*, shape (columns,), are those since the start; inf where no shift could have been seen.
        """
        return self._detectable.minimum(rows, panes=self._ends.closed)

    def minimum_detectable_rates(self, rows: Floats) -> Mapping[str, Floats]:
        """The smallest rates of missing values and of new categories that would have raised an alarm by now.

        By their names in `scores.RATES`; shape (columns,); NaN where none could have been seen.
        """
        return self._detectable.minimum_rates(rows, panes=self._ends.closed)

    def detectable_scores(self, rows: Floats) -> list[Score]:
        """What would have been seen by now, after so many *rows*, of every column; nothing of what would not.

        That is the smallest shift, in Cohen's h, and the smallest rates of missing values and new categories.
        """
        if not self.columns:
            return []
        rates = {f"minimum_detectable_{rate}": each for rate, each in self.minimum_detectable_rates(rows).items()}
        return known_scores(self.columns, {SHIFT: self.minimum_detectable_shift(rows)} | rates, rows)

    def update(self, counts: Counts, at: float, window: Window, *, began_at: float | None = None) -> list[Alert]:
        """Take the counts of the pane that ended *at*, shape (columns, BINS); *window* includes it already.

        *began_at* is when the pane began, which matters to columns that follow the hour; None: not long ago.

        Returns:
            The alerts whose state changed, and those that fire on and whose description was renewed: that is after
            1, 2, 4, ... panes.
        """
        return finished(self.update_in_steps(counts, at, window, began_at=began_at))

    def update_in_steps(
        self, counts: Counts, at: float, window: Window, *, began_at: float | None = None
    ) -> Steps[list[Alert]]:
        """As `update`, a few of the columns that have evidence at a time."""
        if not self.columns:
            return []
        self._ends.add(at)
        tables = None
        if self._seasons is not None:
            tables = self._seasons.tables(at if began_at is None else began_at, at, int(counts.sum(1).max()))
            window = self._seasons.taken_off(window)
        self.margins = self._evidence.update(counts, tables)
        proven = {
            each.place
            for each in self._outages.update(counts, self._evidence.rows)
            if self._evidence.prove(each.place, each.bin, each.panes)
        }
        self.margins[list(proven)] = CAP_NATS
        active = [place for place, watch in self._watches.items() if watch.is_active]
        places = sorted({*active, *np.flatnonzero(self.margins >= 0).tolist()})
        if not places:
            return []
        windows, panes = dyadic_windows(window)
        news: list[Alert] = []
        for number, place in enumerate(places, 1):
            peak = self._watches[place].peak if place in self._watches else None
            if peak is not None and self._outages.is_over(place, peak, windows[:, place], panes):
                self._evidence.reset(place)
                self.margins[place] = self.tables.floor[place].max()
            recent = RecentWindows(
                pane=self._ends.closed - 1,
                firing=self._evidence.firing(place) if self.margins[place] >= 0 else None,
                windows=windows[:, place],
                panes=panes,
                measure=partial(effects, self.null, place, gate=self._gate),
                is_proof=self._strict or place in proven,
            )
            news.extend(self._step(place, recent, at, window))
            if number % _MOVED_A_STEP == 0:
                yield
        return news

    def dated(self, alert: Alert, window: Window) -> Alert:
        """*alert*, of another judge, with the interval in which its column changed; as it is where none of these shows a change."""
        places = [at for at, each in enumerate(self.columns) if (each.role, each.name) == (alert.role, alert.column)]
        if not places:
            return alert
        if self._seasons is not None:
            window = self._seasons.taken_off(window)
        windows, panes = dyadic_windows(window)
        found = clearest_change(self.null, places[0], windows[:, places[0]])
        if found is None:
            return alert
        latest, earliest = change_point(self.null, places[0], found[0], window, int(panes[found[1]]))
        earliest_at, latest_at = self._ends.ended_at(earliest), self._ends.ended_at(latest)
        since_at = self._ends.ended_at((earliest + latest) // 2)
        return replace(alert, since_at=since_at, since_earliest_at=earliest_at, since_latest_at=latest_at)

    def _step(self, place: int, recent: RecentWindows, at: float, window: Window) -> list[Alert]:
        watch, firing = self._watches.setdefault(place, ShiftWatch()), recent.firing
        state = watch.step(recent)
        if state == "resolved":
            self._evidence.reset(place)
        told = watch.life_cycle.alert

        def describe(firing: Firing, phase: Phase) -> Alert:
            return self._dated(self._writer.write(place, recent, firing, phase), told, (place, firing), window)

        return watch.life_cycle.step(
            Phase(state, at, self._ends.ended_at(recent.pane - watch.since)),
            None if firing is None else partial(describe, firing),
            over=f"{self._writer.named(place)} is back inside its band",
            fired_for=watch.hysteresis.fired_for,
        )

    def _dated(self, alert: Alert, told: Alert | None, seen: tuple[int, Firing], window: Window) -> Alert:
        """*alert* with the interval in which the change began: as first *told*, once its panes are no longer kept one by one."""
        place, firing = seen
        if told is not None and firing.age > STEPS_OF_ONE:
            return replace(alert, since_earliest_at=told.since_earliest_at, since_latest_at=told.since_latest_at)
        latest, earliest = change_point(self.null, place, firing.leading, window, firing.age)
        return replace(
            alert,
            since_earliest_at=min(self._ends.ended_at(earliest), alert.since_at),
            since_latest_at=max(self._ends.ended_at(latest), alert.since_at),
        )
