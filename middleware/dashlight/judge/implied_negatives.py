"""When silence says no: clicks come as labels, and what nobody clicked in time is negative, as long as the feed lives.

Time is cut into cells, a quarter of DASHLIGHT_POSITIVE_WITHIN each. Those positives count that came within half of it, against
what the predictions of the same time lead one to expect at the usual rate: a feed that is late by as much looks like one that
stopped. A cell is alive where at least LEAST_SHARE of what is usual came, both in the stretch that ends with it and in the
one that begins with it, each long enough for NEEDED_POSITIVES. Only of cells that are alive is the usual rate learned, so
that it follows a slide of the click rate and no outage. What no cell bears witness to stays pending, for good.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats, LabelledRows
from dashlight.window.fitting import LATEST_AT, MOST_COUNT, fitted, within

LEAST_SHARE: Final = 0.5
"""Of the usual rate. Fewer may be a feed of which a part fell out; more may be that people click less."""
NEEDED_POSITIVES: Final = 40.0
"""Expected in a stretch: by chance fewer than half of them come in one of 5,000. Source: Poisson, P(X < 20 | 40) = .0002. An
outage that costs half as many is not seen."""
LEARNED_POSITIVES: Final = 50
"""Seen before anything is called usual."""
CELLS: Final = 512
_A_SPAN: Final = 4
"""Cells of DASHLIGHT_POSITIVE_WITHIN."""
_PROMPT: Final = 2
"""Cells within which a positive comes that counts."""
_REMEMBERED_CELLS: Final = 48.0
_REMEMBERED_POSITIVES: Final = 300.0
"""At least."""
_UNDECIDED, _ALIVE, _DEAD = 0, 1, 2


@dataclass(frozen=True, slots=True)
class SilentSpan:
    """Predictions of this time that have no label are negative."""

    since_at: float
    before_at: float


@dataclass(frozen=True, slots=True, eq=False)
class ImpliedNegativesState:
    """What an ImpliedNegatives remembers."""

    newest: int
    """Number of the newest cell, seconds since the epoch by the length of a cell; -1: none yet."""
    decided: int
    """Number of the first cell that is not decided."""
    predictions: NDArray[np.int64]
    """Shape (CELLS,), a ring: cell n is at n modulo CELLS. Likewise the others."""
    positives: NDArray[np.int64]
    """By the cell in which they came."""
    verdicts: NDArray[np.int64]
    lags: Floats
    """Shape (_PROMPT + 1,): positives by how many cells after their prediction they came."""
    usual: Floats
    """Shape (2,): positives of cells that were alive, and the predictions behind them; 0, 0: not learned yet."""


class ImpliedNegatives:
    """Says of one model whose silence is a no. What it is told must come in the order of time, cell by cell at least."""

    def __init__(self, within_seconds: float) -> None:
        """*within_seconds* is DASHLIGHT_POSITIVE_WITHIN, above zero."""
        self._within_seconds = within_seconds
        self._cell_seconds = within_seconds / _A_SPAN
        self._newest, self._decided = -1, 0
        self._predictions, self._positives, self._verdicts = (np.zeros(CELLS, np.int64) for _ in range(3))
        self._lags = np.zeros(_PROMPT + 1)
        self._usual = np.zeros(2)

    @property
    def state(self) -> ImpliedNegativesState:
        """What outlives the process, in arrays of its own."""
        return ImpliedNegativesState(
            self._newest,
            self._decided,
            self._predictions.copy(),
            self._positives.copy(),
            self._verdicts.copy(),
            self._lags.copy(),
            self._usual.copy(),
        )

    def restore(self, state: ImpliedNegativesState) -> None:
        """Goes on from *state*; ValueError where that is none. Of another DASHLIGHT_POSITIVE_WITHIN it must not be."""
        newest = within("newest cell", state.newest, -1, MOST_COUNT)
        decided = within("first undecided cell", state.decided, 0, newest + 1)
        counts = [
            fitted("counts of cells", each, like=self._predictions, least=0, most=MOST_COUNT)
            for each in (state.predictions, state.positives)
        ]
        verdicts = fitted("verdicts", state.verdicts, like=self._verdicts, least=_UNDECIDED, most=_DEAD)
        lags = fitted("lags", state.lags, like=self._lags, least=0, most=MOST_COUNT)
        usual = fitted("usual rate", state.usual, like=self._usual, least=0, most=MOST_COUNT)
        self._newest, self._decided, self._verdicts, self._lags, self._usual = newest, decided, verdicts, lags, usual
        self._predictions, self._positives = counts

    def note_predictions(self, at: float, count: int) -> None:
        """*count* predictions were made at about *at*, seconds since the epoch."""
        cell = self._cell(at)
        if self._keep(cell):
            self._predictions[cell % CELLS] += count

    def note_labels(self, rows: LabelledRows) -> None:
        """These labels came; of them those count that are positive, said by somebody, and prompt."""
        delays = rows.labelled_at - rows.predicted_at
        is_counted = (
            (rows.labels > 0) & ~rows.is_implied & (delays >= 0) & (delays <= self._within_seconds * _PROMPT / _A_SPAN)
        )
        for labelled_at, predicted_at in zip(
            rows.labelled_at[is_counted].tolist(), rows.predicted_at[is_counted].tolist(), strict=True
        ):
            cell = self._cell(labelled_at)
            if self._keep(cell):
                self._positives[cell % CELLS] += 1
                self._lags[min(cell - self._cell(predicted_at), _PROMPT)] += 1

    def spans(self, *, until_at: float) -> tuple[SilentSpan, ...]:
        """All predictions, as far as they are remembered, whose silence is a no, in order of time.

        *until_at*: up to then everything has been told. What was once among them stays so until it is forgotten.
        """
        self._decide(self._cell(until_at))
        first = max(self._newest - CELLS + 1, 0)
        cells = np.arange(first, self._decided)
        is_alive = np.concatenate([[False], self._verdicts[cells % CELLS] == _ALIVE, [False]])
        changes = np.flatnonzero(np.diff(is_alive.astype(np.int8)))
        found: list[SilentSpan] = []
        for begin, end in zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True):
            if end - begin > _A_SPAN:
                since_at = (first + begin) * self._cell_seconds
                found.append(SilentSpan(since_at, (first + end - _A_SPAN) * self._cell_seconds))
        return tuple(found)

    @property
    def decided_at(self) -> float:
        """Of predictions made before it is known whose silence is a no; seconds since the epoch, 0 where of none."""
        return max(self._decided - _A_SPAN, 0) * self._cell_seconds

    def _cell(self, at: float) -> int:
        return int(min(max(at, 0.0), LATEST_AT) // self._cell_seconds)

    def _keep(self, cell: int) -> bool:
        """Whether *cell* is remembered; makes room for it where it is a new one."""
        if self._newest < 0:
            self._newest, self._decided = cell, cell
        if cell > self._newest:
            gone = np.arange(self._newest + 1, min(cell, self._newest + CELLS) + 1) % CELLS
            for ring in (self._predictions, self._positives, self._verdicts):
                ring[gone] = 0
            self._newest = cell
            self._decided = max(self._decided, cell - CELLS + 1)
        return cell > self._newest - CELLS

    def _decide(self, end: int) -> None:
        """Decides all cells before *end* of which enough is known."""
        end = min(end, self._newest + 1)
        first = max(self._newest - CELLS + 1, 0)
        if self._newest < 0 or not self._learn(first, end):
            return
        places = np.arange(first, end) % CELLS
        positives: list[float] = [0.0, *np.cumsum(self._positives[places]).tolist()]
        behind: list[float] = [0.0, *np.cumsum(self._behind(first, end)).tolist()]
        while self._decided < end:
            needed = NEEDED_POSITIVES * self._usual[1] / self._usual[0]
            place = self._decided - first
            until = bisect_left(behind, behind[place] + needed)
            if until >= len(behind):
                return
            since = max(bisect_right(behind, behind[place + 1] - needed) - 1, 0)
            is_alive = self._is_usual(positives[until] - positives[place], behind[until] - behind[place])
            is_alive &= self._is_usual(positives[place + 1] - positives[since], behind[place + 1] - behind[since]) or (
                behind[place + 1] < needed  # there was nothing before
            )
            self._verdicts[self._decided % CELLS] = _ALIVE if is_alive else _DEAD
            if is_alive:
                self._remember(positives[place + 1] - positives[place], behind[place + 1] - behind[place])
            self._decided += 1

    def _is_usual(self, positives: float, behind: float) -> bool:
        return bool(positives >= LEAST_SHARE * behind * self._usual[0] / self._usual[1])

    def _learn(self, first: int, end: int) -> bool:
        """Whether it is known what is usual: from the first positive on, until there are enough of them.

        Predictions are told from the first label on only: positives of the cell in which that happened, and until those
        behind them are all known, belong to predictions of which nobody told.
        """
        if self._usual[0] > 0:
            return True
        places = np.arange(first, end) % CELLS
        told = np.flatnonzero(self._predictions[places])
        came = np.flatnonzero(self._positives[places])
        if not len(told) or not len(came):
            return False
        begin = max(int(came[0]), int(told[0]) + 1)
        positives = float(self._positives[places][begin:].sum())
        behind = float(self._behind(first, end)[begin:].sum())
        if positives < LEARNED_POSITIVES or behind < positives:
            return False
        self._usual[:] = positives, behind
        return True

    def _remember(self, positives: float, behind: float) -> None:
        self._usual += positives, behind
        faded = self._usual * (1 - 1 / _REMEMBERED_CELLS)
        if faded[0] >= _REMEMBERED_POSITIVES:
            self._usual = faded

    def _behind(self, first: int, end: int) -> Floats:
        """Shape (end - first,): of each cell the predictions whose positives come in it, as far as they are prompt."""
        shares = self._lags / max(self._lags.sum(), 1.0)
        padded = np.concatenate([np.zeros(_PROMPT), self._predictions[np.arange(first, end) % CELLS]])
        return np.convolve(padded, shares)[_PROMPT : _PROMPT + end - first]
