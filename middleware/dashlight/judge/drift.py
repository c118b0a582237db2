"""Drift of the columns of one model at one endpoint, from the counts of its panes to alerts with causes. Pure."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import alert_key
from dashlight.judge.bands import bands
from dashlight.judge.causes import explain
from dashlight.judge.effects import effects, strength
from dashlight.judge.evidence import Evidence, Firing
from dashlight.judge.watch import Sight, Watch
from dashlight.judge.words import printable
from dashlight.records import Alert, AlertState
from dashlight.window.reference import ColumnReference

Counts: TypeAlias = NDArray[np.int64]
Window: TypeAlias = Callable[[int], tuple[Counts, int]]
"""Counts of about the last k panes, shape (columns, BINS), and how many panes that really are: fewer where no more are
kept."""

TOLERANCE = 0.02
"""The smallest shift worth waking somebody, as a PSI; its square root is the gate in Cohen's h."""
PANES_REMEMBERED = 8192
"""Moments of so many panes are kept, to say since when: most of a day at ten seconds a pane."""
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
        share: float = 1.0,
        model: str = "",
        version: str = "",
        endpoint: str = "",
    ) -> None:
        """Set up the evidence against the references of *columns*.

        *panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*. A column
        that *importance* names gets that many times the budget of another; 0 leaves it out.
        """
        self.columns = tuple(columns)
        self.margins = np.full(len(self.columns), -np.inf, np.float32)
        """Evidence of every column after the last pane, in nats over its threshold; below 0 there is none."""
        weights = np.array([(importance or {}).get(column.name, 1.0) for column in self.columns], np.float64)
        if (weights < 0).any():
            raise ValueError("importance must not be negative")
        self._bands = bands(self.columns)
        self._evidence = Evidence(self._bands, weights * (share / max(weights.sum(), 1e-12)), panes=panes)
        self._gate = float(np.sqrt(tolerance))
        self._model, self._version, self._endpoint = model, version, endpoint
        self._watches = [Watch() for _ in self.columns]
        self._alerts: dict[int, Alert] = {}
        self._ends: deque[float] = deque(maxlen=PANES_REMEMBERED)
        self._pane = -1

    @property
    def too_short(self) -> tuple[ColumnReference, ...]:
        """Columns whose reference is too short for its own variation: slow to alarm, and not to be relied on."""
        flags = self._bands.variation.too_short
        return tuple(column for column, flag in zip(self.columns, flags, strict=True) if flag)

    def update(self, counts: Counts, at: float, window: Window) -> list[Alert]:
        """Take the counts of the pane that ended *at*, shape (columns, BINS); *window* includes it already.

        Returns:
            The alerts whose state changed, and those that fire on and whose description was renewed: that is after
            1, 2, 4, ... panes.
        """
        if not self.columns:
            return []
        self._pane += 1
        self._ends.append(at)
        self.margins = self._evidence.update(counts)
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
                measure=partial(effects, self._bands, place, gate=self._gate),
            )
            news.extend(self._step(place, sight, at))
        return news

    def _step(self, place: int, sight: Sight, at: float) -> list[Alert]:
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
        since_at = self._ends[max(watch.since - self._pane - 1, -len(self._ends))]
        self._alerts[place] = self._described(place, sight, sight.firing, (state, at, since_at))
        return [self._alerts[place]]

    def _described(self, place: int, sight: Sight, firing: Firing, when: tuple[AlertState, float, float]) -> Alert:
        """The alert of a column, told by the detector and the window that show the most."""
        column = self.columns[place]
        found = sight.measure(firing, sight.windows)
        row, detector = np.unravel_index(strength(found).argmax(), found.sizes.shape)
        summary, cause = explain(column, int(found.detectors[detector]), sight.windows[row])
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
