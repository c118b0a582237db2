"""Streams in which there is no slice to be named: for `benchmarks.slices`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from benchmarks.slices_worlds import Floats, World
from numpy.typing import NDArray

from dashlight.judge.slices.copies import no_explanation
from dashlight.judge.slices.rows import HurtRows
from dashlight.window.reference.steps import finished

Drawn: TypeAlias = tuple[HurtRows, HurtRows, frozenset[int]]
"""Rows of now and of before, and the columns to leave out."""

BASE = 0.1
RISE = 0.06
USUAL_ROWS = 4_000
SAMPLED = 20_000
_NOTHING = frozenset[int]()


@dataclass(frozen=True, slots=True)
class Null:
    """A kind of stream."""

    name: str
    draw: Callable[[np.random.Generator, World, int], Drawn]


def _alike(rng: np.random.Generator, world: World, rows: int) -> Drawn:
    return _risen(rng, world, rows, lambda _: np.array([BASE]), lambda rates: rates + RISE)


def _nothing(rng: np.random.Generator, world: World, rows: int) -> Drawn:
    return _risen(rng, world, rows, _groups(rng, world), lambda rates: rates)


def _by_as_much(rng: np.random.Generator, world: World, rows: int) -> Drawn:
    return _risen(rng, world, rows, _groups(rng, world), lambda rates: rates + RISE)


def _by_as_many_times(rng: np.random.Generator, world: World, rows: int) -> Drawn:
    return _risen(rng, world, rows, _groups(rng, world), lambda rates: 1.6 * rates)


def _by_the_same_odds(rng: np.random.Generator, world: World, rows: int) -> Drawn:
    return _risen(rng, world, rows, _groups(rng, world), lambda rates: 2 * rates / (1 + rates))


def _moved_groups(rng: np.random.Generator, world: World, rows: int) -> Drawn:
    """Rows of groups that usually hurt more come more often; what is usual in a group stays."""
    rates_of = _groups(rng, world)
    values = world.draw(rng, 4 * rows)
    rates = rates_of(values)
    kept = np.flatnonzero(rng.random(4 * rows) < np.minimum(2 * rates + 0.1, 1.0))[:rows]
    return _hurt(rng, world, values[:, kept], rates[kept]), _before(rng, world, rates_of), _NOTHING


def _losses(rng: np.random.Generator, world: World, rows: int) -> Drawn:
    """Losses from 0 to 1, larger in some groups, become larger in all."""
    rates_of = _groups(rng, world)

    def lost(count: int, times: float) -> HurtRows:
        values = world.draw(rng, count)
        return HurtRows(world.codes(values), np.minimum(rng.gamma(2.0, times * rates_of(values) / 2), 1.0))

    return lost(rows, 1.4), lost(USUAL_ROWS, 1.0), _NOTHING


def _column_moved(rng: np.random.Generator, world: World, rows: int) -> Drawn:
    """A column on which others hang moves by half a deviation in all rows alike."""
    return _drifted(rng, world, rows, lambda row: row + 0.5 * np.nanstd(row))


def _column_replaced(rng: np.random.Generator, world: World, rows: int) -> Drawn:
    """Likewise a tenth of its values become its largest."""
    return _drifted(rng, world, rows, lambda row: np.where(rng.random(len(row)) < 0.1, np.nanmax(row), row))


NULLS = (
    Null("all rose alike, no group differs", _alike),
    Null("nothing rose, groups differ", _nothing),
    Null("all rose by as much, groups differ", _by_as_much),
    Null("all rose by as many times, groups differ", _by_as_many_times),
    Null("all rose by the same odds, groups differ", _by_the_same_odds),
    Null("rows moved to groups that always hurt more", _moved_groups),
    Null("losses rose in all groups", _losses),
    Null("a column moved in all rows", _column_moved),
    Null("a tenth of a column replaced in all rows", _column_replaced),
)


def _groups(rng: np.random.Generator, world: World) -> Callable[[Floats], Floats]:
    """Rates that hang on three columns: from about a third to three times BASE."""
    places = rng.choice(len(world.columns), 3, replace=False)
    weights = rng.normal(0, 0.5, 3)
    sample = world.draw(rng, 2_000)[places]
    middles, spreads = np.nanmean(sample, axis=1), np.maximum(np.nanstd(sample, axis=1), 1e-9)

    def rates(values: Floats) -> Floats:
        deviations = np.nan_to_num((values[places] - middles[:, None]) / spreads[:, None])
        found: Floats = BASE * np.exp(np.clip(weights @ np.clip(deviations, -2, 2), -1.1, 1.1))
        return found

    return rates


def _risen(
    rng: np.random.Generator,
    world: World,
    rows: int,
    rates_of: Callable[[Floats], Floats],
    rise: Callable[[Floats], Floats],
) -> Drawn:
    values = world.draw(rng, rows)
    return _hurt(rng, world, values, rise(rates_of(values))), _before(rng, world, rates_of), _NOTHING


def _before(rng: np.random.Generator, world: World, rates_of: Callable[[Floats], Floats]) -> HurtRows:
    values = world.draw(rng, USUAL_ROWS)
    return _hurt(rng, world, values, rates_of(values))


def _hurt(rng: np.random.Generator, world: World, values: Floats, rates: Floats) -> HurtRows:
    return HurtRows(world.codes(values), (rng.random(values.shape[1]) < rates).astype(np.float64))


def _drifted(rng: np.random.Generator, world: World, rows: int, moved: Callable[[Floats], Floats]) -> Drawn:
    numeric = [place for place, column in enumerate(world.columns) if column.kind == "numeric"]
    drifted = int(rng.choice(numeric))
    values = world.draw(rng, rows)
    values[drifted] = moved(values[drifted])
    codes, usual = world.codes(values), world.codes(world.draw(rng, SAMPLED))
    now_counts, counts = (np.bincount(each[drifted], minlength=256) / each.shape[1] for each in (codes, usual))
    rose = now_counts > counts
    left_out = finished(no_explanation(world.columns, drifted, usual))
    return _in_bins(codes, drifted, rose), _in_bins(usual, drifted, rose), left_out


def _in_bins(codes: NDArray[np.uint8], place: int, rose: NDArray[np.bool_]) -> HurtRows:
    return HurtRows(codes, rose[codes[place]].astype(np.float64))
