"""A numeric column that arrives in another unit: its quantiles are those of the reference through a linear map. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from dashlight.judge.breaks.sight import Finding, Floats, Sight, distance, nats_apart, reached
from dashlight.judge.words import number
from dashlight.window.profile import PRECISIONS, precisions_of


@dataclass(frozen=True, slots=True)
class Conversion:
    """new = factor * old + offset."""

    words: str
    factor: float
    offset: float = 0.0


CONVERSIONS = (
    Conversion("Fahrenheit -> Celsius", 5 / 9, -160 / 9),
    Conversion("Celsius -> Fahrenheit", 1.8, 32.0),
    Conversion("Celsius -> Kelvin", 1.0, 273.15),
    Conversion("Kelvin -> Celsius", 1.0, -273.15),
    Conversion("Fahrenheit -> Kelvin", 5 / 9, 459.67 * 5 / 9),
    Conversion("Kelvin -> Fahrenheit", 1.8, -459.67),
    Conversion("miles -> kilometres", 1.609344),
    Conversion("kilometres -> miles", 1 / 1.609344),
    Conversion("metres -> feet", 1 / 0.3048),
    Conversion("feet -> metres", 0.3048),
    Conversion("miles per hour -> metres per second", 0.44704),
    Conversion("metres per second -> miles per hour", 1 / 0.44704),
    Conversion("knots -> kilometres per hour", 1.852),
    Conversion("kilometres per hour -> knots", 1 / 1.852),
    Conversion("metres per second -> kilometres per hour", 3.6),
    Conversion("kilometres per hour -> metres per second", 1 / 3.6),
    Conversion("kilograms -> pounds", 1 / 0.45359237),
    Conversion("pounds -> kilograms", 0.45359237),
    Conversion("inches -> centimetres", 2.54),
    Conversion("centimetres -> inches", 1 / 2.54),
    Conversion("ten times as much, such as centimetres -> millimetres", 10.0),
    Conversion("a tenth, such as millimetres -> centimetres", 0.1),
    Conversion("share -> percent, or units -> cents", 100.0),
    Conversion("percent -> share, or cents -> units", 0.01),
    Conversion("a thousand times as much, such as seconds -> milliseconds", 1e3),
    Conversion("a thousandth, such as milliseconds -> seconds", 1e-3),
    Conversion("a million times as much, such as seconds -> microseconds", 1e6),
    Conversion("a millionth, such as microseconds -> seconds", 1e-6),
    Conversion("1e9 times as much, such as seconds -> nanoseconds", 1e9),
    Conversion("1e-9 times as much, such as nanoseconds -> seconds", 1e-9),
    Conversion("minutes -> seconds, or hours -> minutes", 60.0),
    Conversion("seconds -> minutes, or minutes -> hours", 1 / 60),
    Conversion("hours -> seconds", 3600.0),
    Conversion("seconds -> hours", 1 / 3600),
    Conversion("days -> seconds", 86400.0),
    Conversion("seconds -> days", 1 / 86400),
    Conversion("the sign flipped", -1.0),
)

FEWEST_NUMBERS = 32
_APART = 0.5
"""Distance from the reference below which a drift that is natural explains the values as well."""
_LARGE = log(4)
"""A factor beyond which nothing natural is taken for it."""
_UNNAMED = log(5)
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
    words = f" ({conversion.words})" if conversion.words else ""
    what = f"{sight.name} looks like another unit: new values fit {_map(conversion)} of the reference{words}"
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
    allowed = min(0.12 + 0.7 * error, 0.4, own / 2)
    shifted = distance(values, quantiles + (np.median(values) - np.median(quantiles)))
    fits = [(_fit(values, quantiles, each), each) for each in _plausible(values, quantiles, error)]
    good = [(fit, each) for fit, each in fits if fit <= allowed and (fit <= shifted or not _is_small(each))]
    if good:
        # A name says more than a map that was fitted to the values, and always fits.
        return min(good, key=lambda pair: (not pair[1].words, pair[0]))[1], certainty
    if own >= 0.98 and (placed := _by_place(values, quantiles)) is not None:
        return placed, certainty
    return None


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
    grown, middle, was = log(ratio), float(np.median(values)), float(np.median(quantiles))
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
    # Without a name only where the factor stands out.
    if abs(grown) >= max(_UNNAMED, 6 * error):
        offset = middle - ratio * was
        if abs(offset) <= _spread(values):
            yield Conversion("", ratio, offset)


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
        if size >= _LARGE and abs(ratio - 1) <= near:
            return each
    return None


def _fit(values: Floats, quantiles: Floats, conversion: Conversion) -> float:
    return distance(values, np.sort(conversion.factor * quantiles + conversion.offset))


def _is_small(conversion: Conversion) -> bool:
    """Whether something natural may be taken for it: what grows, or shifts, or spreads."""
    return 0 < abs(log(abs(conversion.factor))) < _LARGE


def _spread(ordered: Floats) -> float:
    """Between the tenth and the ninetieth percentile, or the extremes where these are one."""
    last = len(ordered) - 1
    spread = float(ordered[round(0.9 * last)] - ordered[round(0.1 * last)])
    return spread if spread > 0 else float(ordered[-1] - ordered[0])


def _map(conversion: Conversion) -> str:
    factor = f"{conversion.factor:.3g}"
    if abs(conversion.offset) < 1e-9:
        return f"{factor} x"
    return f"{factor} x {'+' if conversion.offset > 0 else '-'} {number(float(f'{abs(conversion.offset):.3g}'))}"
