"""How long rare values stay once they come, from runs of rows: what blocks are too long, or too few, to tell. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import Runs
from dashlight.window.events import EVENT_COUNT

Floats = NDArray[np.float64]

FEWEST_OCCURRENCES, ENOUGH_OCCURRENCES = 20, 100
"""Of an event that fewer rows hold, or lack, nothing can be said; of one that so many do, enough."""
RARE_SHARE = 0.2
"""An event that fewer rows hold, or lack, may come in bursts longer than any that the reference shows."""
CLEAR_OF_CHANCE = 5.0
"""Standard errors by which rows must follow their like more often than chance would have it, ..."""
CLEAR_OF_ONE = 0.5
"""... and by half a row: where hardly any are expected, one that does is more than chance."""
CLUMPED_PHI, BURST_PHI = 1.5, 3.0
"""A memory that chance alone can give is no sign that rows hang together, nor, of one event among thousands, of runs."""
LEAST_BURST = 2.0
"""Rows of a burst, however short those of the reference were."""
FEWEST_RUNS = 30
"""Of fewer nobody can say how long they typically are."""
SPREAD_OF_LONGEST = 2.0
"""The longest of k runs that end by chance is longer than m (ln k + 2) once in eight times."""
TYPICAL_PHI = 1.5
LEAST_PANE_NATS, TYPICAL_PANE_NATS = 1.0, 3.0
"""A run of rows, be it as long as it may, is one thing: what a pane may say of it where its length is unknown, or known."""


def run_memory(runs: Runs, safety: float) -> Floats:
    """Memory phi of every event from its runs, shape (EVENT_COUNT,), NaN where it is too rare.

    With share p of n rows, independent rows make n p (1 - p) runs; x times as many are those of a chain whose rows
    correlate by 1 - x from one to the next, so that phi = (2 - x) / x. *safety* standard errors of x, 1/sqrt(runs), are
    added. Where the event's rows follow one another no more often than chance may have it, phi is 1.
    """
    held = _rarer(runs)
    expected = held * (1 - held / max(runs.rows, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.clip(_counts(runs) / expected, 1e-9, 1.0)
        phi = (2 - part) / part * (1 + safety / np.sqrt(_counts(runs)))
    return np.where(held >= FEWEST_OCCURRENCES, np.where(_follow(runs), phi, 1.0), np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Bursts:
    """What is to be expected of events that come in runs; all of shape (EVENT_COUNT,)."""

    phi: Floats
    """Memory at least; NaN of events that do not come in runs."""
    rows: Floats
    """By which the fullest block held more of the event than its share, see `Runs.bursts`; inf of events that do not."""
    pane_nats: Floats
    """What a pane may say of the event; inf likewise."""

    @property
    def are_unknown(self) -> bool:
        """Whether some come in runs of which nobody knows how long they get."""
        return bool((self.pane_nats == LEAST_PANE_NATS).any())


NO_BURSTS = Bursts(np.full(EVENT_COUNT, np.nan), np.full(EVENT_COUNT, np.inf), np.full(EVENT_COUNT, np.inf))


def bursts(runs: Runs, phi: Floats, most: Floats) -> Bursts:
    """What *runs* lead one to expect where the memory of the events is *phi*, and surely *most*, shape (EVENT_COUNT,).

    What comes and goes with the hour comes in runs too, but blocks hold as much of it as one another: *most* is below 1.

    Runs that end by chance after any row have a typical length m: the longest of k is about m (ln k + 1), and phi is
    2m - 1. Where the fullest block held more than that, or phi is larger, or runs are few, nobody knows how long they get:
    one that is many times as long as any of the reference is to be expected, and a memory as long as the fullest burst
    is the least to assume.
    """
    held = _rarer(runs)
    chain = run_memory(runs, 0.0)
    in_runs = (held < RARE_SHARE * runs.rows) & ((_follow(runs) & (most > 1)) | (phi > BURST_PHI))
    counts = _counts(runs)
    longest = chain * (np.log(counts) + SPREAD_OF_LONGEST) / 2
    typical = (counts >= FEWEST_RUNS) & (runs.bursts <= longest) & (phi <= TYPICAL_PHI * chain)
    least = np.where(typical, LEAST_BURST, np.maximum(runs.bursts, LEAST_BURST))
    nats = np.where(typical, TYPICAL_PANE_NATS, LEAST_PANE_NATS)
    return Bursts(
        phi=np.where(in_runs, least, np.nan),
        rows=np.where(in_runs, np.maximum(runs.bursts, LEAST_BURST), np.inf),
        pane_nats=np.where(in_runs, nats, np.inf),
    )


def bursts_beside(columns: Sequence[Runs | None], known: Sequence[Bursts]) -> list[Bursts]:
    """The *known* bursts of the *columns*, and those of events too rare to tell: runs of unknown length where others are so.

    They are where at least half of the columns with a rare event that occurred often enough come in such runs: how rows
    arrive is shared by all columns.
    """
    tell = [column is not None and _tells(column) for column in columns]
    unknown_count = sum(told and each.are_unknown for told, each in zip(tell, known, strict=True))
    if not unknown_count or 2 * unknown_count < sum(tell):
        return list(known)
    return [each if runs is None else _assumed(runs, each) for runs, each in zip(columns, known, strict=True)]


def _tells(runs: Runs) -> bool:
    """Whether *runs* have a rare event that occurred often enough to say how it comes."""
    held = _rarer(runs)
    return bool(((held >= FEWEST_OCCURRENCES) & (held < RARE_SHARE * runs.rows)).any())


def _assumed(runs: Runs, known: Bursts) -> Bursts:
    held = _rarer(runs)
    seldom = (held > 0) & (held < FEWEST_OCCURRENCES) & np.isnan(known.phi)
    return Bursts(
        phi=np.where(seldom, LEAST_BURST, known.phi),
        rows=np.where(seldom, np.maximum(runs.bursts, LEAST_BURST), known.rows),
        pane_nats=np.where(seldom, LEAST_PANE_NATS, known.pane_nats),
    )


def little_known(runs: Runs) -> NDArray[np.bool_]:
    """Events that occurred too seldom to be taken for calmer than everything else is, shape (EVENT_COUNT,)."""
    held = _rarer(runs)
    return np.asarray((held >= FEWEST_OCCURRENCES) & (held < ENOUGH_OCCURRENCES))


def _follow(runs: Runs) -> NDArray[np.bool_]:
    """Events whose rows follow one another more often than chance would have it."""
    held = _rarer(runs)
    by_chance = held * held / max(runs.rows, 1)
    clear = by_chance + CLEAR_OF_CHANCE * np.sqrt(by_chance) + CLEAR_OF_ONE
    return np.asarray((held > 0) & (held - _counts(runs) > clear))


def _rarer(runs: Runs) -> Floats:
    """Rows that hold each event, or that lack it where these are fewer."""
    return np.minimum(runs.held, runs.rows - runs.held).astype(np.float64)


def _counts(runs: Runs) -> Floats:
    """Runs of these rows, at least 1; what lacks an event most likely neither begins nor ends the reference."""
    return np.maximum(runs.counts - (2 * runs.held > runs.rows), 1).astype(np.float64)
