"""A numeric column that arrives in another unit: its values are those of the reference through a known map. Pure.

What grows by itself keeps its shape as well as a column in another unit does. A unit is therefore only named where the
factor is a known one, the shape fits closely, and something more speaks for it: the digits of the values, a map that no
growth or shift comes near, or a factor and a distance that nothing natural reaches. Counts and lengths have no unit:
whole numbers that stay whole are told by their digits alone.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import inf, log, sqrt

import numpy as np

from dashlight.judge.breaks.conversions import CONVERSIONS, CURVES, Conversion
from dashlight.judge.breaks.grid import decimals_before, nats_on_grid
from dashlight.judge.breaks.sight import Finding, Floats, Sight, distance, nats_apart, reached
from dashlight.window.profile import PRECISIONS, precisions_of

FEWEST_NUMBERS = 32
_APART = 0.5
"""Distance from the reference below which a drift that is natural explains the values as well."""
_FAR_APART = 0.9
"""Distance from which on a map may be told without the digits of the values, ..."""
_PRECISE, _NEAR, _DEVIATIONS = 0.016, 0.03, 2.0
"""... a factor where the mean is known to this part of itself, and is so near to where the factor puts it."""
_NEAR_HUGE = 0.05
_LARGE = log(4)
"""A factor beyond which nothing natural is taken for it, as far as the shape goes."""
_HUGE = log(50)
"""A factor that no growth reaches: its shape is proof enough."""
_CLEARLY_BETTER = 0.7
"""Of the misfit of any growth or shift: what that of a map must stay below that is neither."""
_BEYOND = 0.98
"""Distance at which the values and the reference have nothing in common."""
_DAY_AND_HOUR = (3600.0, 1 / 3600, 86400.0, 1 / 86400)
_FAR_BEYOND = 5.0
"""Times the column's own spread: a shift by so much is not natural, and a column so far from 0 is told by its place."""


def converted(sight: Sight) -> Finding | None:
    """The conversion through which the recent values fit the reference, where they do and far better than without."""
    if len(sight.numbers) < max(FEWEST_NUMBERS, 0.5 * sight.rows) or not sight.profile.quantiles:
        return None
    values, quantiles = sight.ordered, np.array(sight.profile.quantiles)
    own = distance(values, quantiles)
    known = _by_values(sight, values)
    if known is None and (own < _APART or min(_spread(values), _spread(quantiles)) <= 0):
        return None
    found = known or _by_shape(sight, values, quantiles, own)
    if found is None:
        return None
    conversion, certainty = found
    words = "" if conversion.curve else f" ({conversion.words})"
    what = f"{sight.name} looks like another unit: new values fit {conversion.map} of the reference{words}"
    low, high = quantiles[2], quantiles[-3]
    outside = float(((values < low) | (values > high)).mean())
    before = float(((quantiles < low) | (quantiles > high)).mean())
    event = f"{sight.name} outside the middle 99 % of the reference"
    return Finding("unit", f"{what}; look at the source that writes {sight.name}", event, before, outside, certainty)


def _by_values(sight: Sight, values: Floats) -> tuple[Conversion, float] | None:
    """The conversion that brings the values back to the very ones that the reference holds.

    Neighbouring rows may hang together: each distinct value counts once. One that is brought back at random hits a
    value of the reference with the share of the places that those take, of all with as many decimals.
    """
    known = np.array(sight.profile.values)
    distinct = np.unique(values[values != 0])
    if len(known) < 4 or len(distinct) < 4 or _hits(distinct, known) > 0.3:
        return None
    decimals = max(PRECISIONS[int(precisions_of(known).max())], 0)
    luck = min(len(known) / max((known[-1] - known[0]) * 10.0**decimals, 1.0), 1.0)
    certainty = len(distinct) * log(1 / max(luck, 1e-3)) - log(len(CONVERSIONS))
    if luck > 0.3 or certainty < sight.least_nats:
        return None
    back = [(float(distinct[len(distinct) // 2]) - each.offset) / each.factor for each in CONVERSIONS]
    likely = [each for each, middle in zip(CONVERSIONS, back, strict=True) if known[0] <= middle <= known[-1]]
    hits = [(_hits(np.sort((distinct - each.offset) / each.factor), known), each) for each in likely]
    share, best = max(hits, key=lambda hit: hit[0], default=(0.0, CONVERSIONS[0]))
    return (best, share * certainty) if share >= 0.8 else None


def _hits(values: Floats, known: Floats) -> float:
    below, up_to = reached(known, values)
    return float((up_to > below).mean())


def _by_shape(sight: Sight, values: Floats, quantiles: Floats, own: float) -> tuple[Conversion, float] | None:
    certainty = max(nats_apart(sight, values), _nats_of_gap(sight, values, quantiles))
    error = 1 / sqrt(sight.effective_rows)
    allowed = min(min(0.12 + 0.7 * error, 0.03 + 1.4 * error, 0.4) / sight.least("unit", 1.0), own / 2)
    fits = [(distance(values, each.of(quantiles)), each) for each in _plausible(values, quantiles, error)]
    proven: list[Conversion] = []
    for fit, each in sorted((pair for pair in fits if pair[0] <= allowed), key=lambda pair: pair[0]):
        of_digits = nats_on_grid(sight, values, each)
        if of_digits is not None and of_digits >= sight.least_nats:
            return each, max(certainty, of_digits)
        if _is_proven(sight, values, each, fit=fit, own=own):
            proven.append(each)
    if proven:
        best = proven[0]
        # Pounds a kilogram, and miles an hour a metre per second, are too near each other to be told apart.
        rivals = [each for each in proven if (each.offset, each.curve) == (best.offset, best.curve)]
        near = [each.words for each in rivals if abs(each.size - best.size) < _NEAR]
        return replace(best, words=", or ".join(near)), certainty
    if own >= _BEYOND and (placed := _by_place(values, quantiles)) is not None:
        return placed, certainty
    return None


def _is_proven(sight: Sight, values: Floats, conversion: Conversion, *, fit: float, own: float) -> bool:
    """Whether nothing natural explains *values* as well as *conversion*, which has this *fit*."""
    if own < sight.nearly_all("unit", _FAR_APART):
        return False
    quantiles = np.array(sight.profile.quantiles)
    if conversion.curve is not None or (conversion.offset and conversion.factor != 1):
        return fit <= _CLEARLY_BETTER / sight.least("unit", 1.0) * _natural_fit(values, quantiles)
    if conversion.factor < 0 or conversion.offset:
        return True
    # Where the memory of the rows is unknown, as many count as there are: what is near is told strictly then.
    rows, reference_rows = sight.effective_rows, sight.reference_rows
    if not sight.column.variation:
        rows, reference_rows = sight.exchanges, sight.column.rows
    error = _error_of_mean(values, quantiles, rows, reference_rows)
    off = abs(log(abs(float(values.mean()) / (conversion.factor * float(quantiles.mean()))))) if error < inf else inf
    if conversion.size >= _HUGE:
        return off <= max(_NEAR_HUGE, _DEVIATIONS * error) / sight.least("unit", 1.0)
    # What is written with so many decimals is told by them, or not at all: counts and lengths have no unit.
    has_digits = decimals_before(sight) is not None
    is_tenfold = abs(conversion.size - log(10)) < 1e-9
    if has_digits or is_tenfold or error > _PRECISE:
        return False
    # Once told it is told on, unless it is clearly something else.
    return off <= min(_NEAR, _DEVIATIONS * error) / sight.least("unit", 1.0)


def _natural_fit(values: Floats, quantiles: Floats) -> float:
    """How well the reference explains *values* after it moved, or grew, as a whole."""
    middle, was = float(np.median(values)), float(np.median(quantiles))
    moved = distance(values, quantiles + (middle - was))
    return min(moved, distance(values, np.sort(quantiles * (middle / was)))) if middle * was > 0 else moved


def _error_of_mean(values: Floats, quantiles: Floats, rows: float, reference_rows: float) -> float:
    """Standard error of the logarithm of the factor between the means; inf where they differ in sign."""
    mean, was = float(values.mean()), float(quantiles.mean())
    if mean * was <= 0:
        return inf
    now, before = float(values.std()) / mean, float(quantiles.std()) / was
    return sqrt(now**2 / rows + before**2 / reference_rows)


def _nats_of_gap(sight: Sight, values: Floats, quantiles: Floats) -> float:
    """Certainty where the values lie beyond the reference's range by several times its width: 2 ln(gap/width) a row.

    Chebyshev's bound, with the width for the standard deviation. Twenty exchanges count for four rows at least.
    """
    middle, width = float(np.median(values)), float(quantiles[-1] - quantiles[0])
    gap = max(middle - float(quantiles[-1]), float(quantiles[0]) - middle)
    return 2 * log(gap / width) * max(sight.effective_rows, 4.0) if gap > width > 0 else 0.0


def _plausible(values: Floats, quantiles: Floats, error: float) -> Iterator[Conversion]:
    """Conversions that would explain the spread of *values*, whose logarithm has the *error*."""
    ratio = _spread(values) / _spread(quantiles)
    grown, was = log(ratio), float(np.median(quantiles))
    for each in CONVERSIONS:
        factor = log(abs(each.factor))
        if each.factor < 0:
            if quantiles[0] * quantiles[-1] > 0 and abs(grown) < 1:
                yield each
        elif each.factor == 1:
            # A shift, and nothing but the shift of two scales so far apart that no weather brings it.
            if abs(each.offset) > _FAR_BEYOND * _spread(quantiles) and abs(grown) < 1:
                yield each
        else:
            # What lies around 0 grows and shrinks by itself; what is far from it does not.
            if _is_small(each) and each.offset == 0 and abs(was) < _spread(quantiles):
                continue
            slack = 0.1 + 2.5 * error if abs(factor) < _LARGE else 0.2 + 3 * error
            if abs(grown - factor) <= min(slack, 0.5 * abs(factor)) and abs(grown) >= 4 * error:
                yield each
    yield from (each for each in CURVES if np.isfinite(each.of(quantiles)).all())


def _by_place(values: Floats, quantiles: Floats) -> Conversion | None:
    """The factor that explains where the values lie, of a column far from 0 such as a pressure or a moment."""
    middle, was = float(np.median(values)), float(np.median(quantiles))
    if abs(was) < _FAR_BEYOND * _spread(quantiles) or abs(middle) < _FAR_BEYOND * _spread(values):
        return None
    for each in CONVERSIONS:
        ratio = middle / (each.factor * was) if each.offset == 0 else 0.0
        size = abs(log(abs(each.factor)))
        is_thousands = size > log(999) and each.factor not in _DAY_AND_HOUR
        near = 0.2 if is_thousands else min(0.02 + _spread(quantiles) / abs(was), 0.1)
        if size >= _HUGE and abs(ratio - 1) <= near:
            return each
    return None


def _is_small(conversion: Conversion) -> bool:
    """Whether something natural may be taken for it: what grows, or shifts, or spreads."""
    return 0 < abs(log(abs(conversion.factor))) < _LARGE


def _spread(ordered: Floats) -> float:
    """Between the tenth and the ninetieth percentile, or the extremes where these are one."""
    last = len(ordered) - 1
    spread = float(ordered[round(0.9 * last)] - ordered[round(0.1 * last)])
    return spread if spread > 0 else float(ordered[-1] - ordered[0])
