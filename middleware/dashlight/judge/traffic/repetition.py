"""Whether a payload is sent again and again: an event of its own, beside the budget of false alarms. Pure.

There is something to tell where, in a minute, at least LEAST_ROWS rows and LEAST_SHARE of all rows said again what was
just said, and twice the largest share that one payload had in any hundred rows of the reference. It fires once that share
grows no more, after a minute at the latest, and tells the largest. It is over once RESOLVED_SECONDS have passed without
so many. Where rows of the reference repeat by nature nothing is counted as repeated, and this never fires.
"""

from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from math import isnan

from dashlight.judge.alerts import AlertWriter, LifeCycle, Phase
from dashlight.judge.words import percent
from dashlight.records import Alert, Cause
from dashlight.window.fitting import MOST_COUNT, moment, refuse, within
from dashlight.window.payload_reference import PayloadReference
from dashlight.window.payloads.repetition import (
    MINUTE_SECONDS,
    MOST_TOLD,
    TRACES_TOLD,
    RepetitionPane,
    merged_repetition,
)

LEAST_ROWS = 20
LEAST_SHARE = 0.1
TIMES_THE_REFERENCE = 2.0
RESOLVED_SECONDS = 1800.0
MOST_HASHES = 64
_NAME = "repeats"
_MOSTLY = 0.5
"""Part of all repeats from which on one payload is told alone."""


@dataclass(frozen=True, slots=True, eq=False)
class RepetitionState:
    """What a RepetitionJudge remembers."""

    minute: tuple[RepetitionPane, ...]
    """Panes of the last minute with rows in them, oldest first."""
    ends: tuple[float, ...]
    """When each of them ended."""
    last_over_at: float
    """When last too much was repeated; NaN where it never was."""
    over_for: int
    """Panes since there was something to tell."""
    peak: RepetitionPane | None
    """The minute with the largest share since then."""
    alert: Alert | None


class RepetitionJudge:
    """Watches what is repeated at one endpoint by those who ask one model."""

    def __init__(
        self,
        payloads: PayloadReference | None,
        *,
        pane_seconds: float,
        model: str = "",
        version: str = "",
        endpoint: str = "",
    ) -> None:
        """*payloads* are those of the reference."""
        self._pane_seconds = pane_seconds
        usual = 0.0 if payloads is None else payloads.block_share
        self._usual, self._least_share = usual, max(LEAST_SHARE, TIMES_THE_REFERENCE * usual)
        self._writer = AlertWriter("traffic", model=model, version=version, endpoint=endpoint)
        self._parts = (_NAME, model)
        self._panes: deque[tuple[float, RepetitionPane]] = deque(maxlen=max(round(MINUTE_SECONDS / pane_seconds), 1))
        self._last_over_at = float("nan")
        self._over_for = 0
        self._peak: RepetitionPane | None = None
        self._life_cycle = LifeCycle()

    @property
    def state(self) -> RepetitionState:
        """What is remembered."""
        return RepetitionState(
            minute=tuple(pane for _, pane in self._panes),
            ends=tuple(at for at, _ in self._panes),
            last_over_at=self._last_over_at,
            over_for=self._over_for,
            peak=self._peak,
            alert=self._life_cycle.alert,
        )

    def restore(self, state: RepetitionState) -> None:
        """Go on from *state*; ValueError where no panes lead to it."""
        within("panes of a minute", len(state.minute), 0, self._panes.maxlen or 0)
        for pane, at in zip(state.minute, state.ends, strict=True):
            check_repetition(pane)
            self._panes.append((moment("end of a pane", at), pane))
        told = state.alert
        refuse("an alert of something else", where=told is not None and told.key != self._writer.key(*self._parts))
        is_known = not isnan(state.last_over_at)
        refuse(
            "an alert on nothing", where=(told is None) != (state.peak is None) or (told is not None and not is_known)
        )
        self._last_over_at = moment("last repeats", state.last_over_at) if is_known else state.last_over_at
        self._over_for = within("panes since there was something to tell", state.over_for)
        if state.peak is not None:
            check_repetition(state.peak)
            refuse("an alert on no payload", where=not state.peak.payloads)
        self._peak = state.peak
        self._life_cycle.restore(told)

    @property
    def hashes(self) -> tuple[int, ...]:
        """Those of the payloads that came too often in the last minute, ascending; at most MOST_HASHES."""
        return tuple(sorted({payload.hash for _, pane in self._panes for payload in pane.payloads})[:MOST_HASHES])

    def update(self, pane: RepetitionPane | None, at: float) -> list[Alert]:
        """Take what was repeated in the *pane* that ended *at*: the alert where its state changed, or is described anew."""
        while self._panes and at - self._panes[0][0] >= MINUTE_SECONDS:
            self._panes.popleft()
        if pane is not None and pane.rows:
            self._panes.append((at, pane))
        minute = merged_repetition([each for _, each in self._panes])
        is_over = minute.left_out >= max(LEAST_ROWS, self._least_share * minute.rows)
        if is_over:
            self._last_over_at = at
        elif self._peak is None:
            return []
        if at - self._last_over_at >= RESOLVED_SECONDS:
            self._over_for, self._peak = 0, None
            return self._life_cycle.end(at, "no payload comes more often than the others any more")
        grows = is_over and (self._peak is None or _share(minute) > _share(self._peak))
        if grows:
            self._peak = minute
        self._over_for += 1
        is_told = self._life_cycle.is_firing or not grows or self._over_for >= (self._panes.maxlen or 1)
        since_at = next((ended for ended, each in self._panes if each.left_out), at) - self._pane_seconds
        return self._life_cycle.step(
            Phase("firing" if is_told else "pending", at, since_at),
            None if self._peak is None else partial(self._described, self._peak),
            fired_for=self._over_for,
        )

    def _described(self, minute: RepetitionPane, phase: Phase) -> Alert:
        most = minute.payloads[0]
        is_one = most.rows >= _MOSTLY * minute.left_out
        share = (most.rows if is_one else minute.left_out) / minute.rows
        who = "one payload was" if is_one else f"{len(minute.payloads)} payloads or more, sent again and again, were"
        what = "requests" if minute.exchanges == minute.rows else "rows"
        where = f" of {self._writer.endpoint}" if self._writer.endpoint else ""
        alert = self._writer.write(
            *self._parts,
            phase=phase,
            summary=f"{who} {percent(share)} of the {what}{where} in a minute: it counts once",
            rows=minute.rows,
            score=share,
            causes=(Cause("rows that repeat a payload", self._usual, share),),
        )
        return replace(alert, exemplars=tuple(reversed(most.traces[-TRACES_TOLD:])))


def is_of_repeats(alert: Alert) -> bool:
    """Whether *alert* tells of payloads that are sent again and again."""
    return alert.source == "traffic" and alert.key.split("/")[2:3] == [_NAME]


def _share(minute: RepetitionPane) -> float:
    return minute.left_out / minute.rows


def check_repetition(pane: RepetitionPane) -> None:
    """Raises ValueError where *pane*, read from a file, cannot be."""
    within("rows", pane.rows, 0, MOST_COUNT)
    within("exchanges", pane.exchanges, 0, pane.rows)
    within("repeated rows", pane.left_out, 0, pane.rows)
    within("repeated payloads", len(pane.payloads), 0, MOST_TOLD)
    for payload in pane.payloads:
        within("a hash", payload.hash, 0, 2**64 - 1)
        within("rows of a payload", payload.rows, 1, pane.rows)
        within("repeated rows of a payload", payload.left_out, 1, payload.rows)
        within("traces of a payload", len(payload.traces), 0, TRACES_TOLD)
