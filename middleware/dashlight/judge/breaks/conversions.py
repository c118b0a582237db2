"""Units that stand for one another: the factors and curves that a change of unit goes by. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from math import e, log
from typing import TypeAlias

import numpy as np

from dashlight.judge.breaks.sight import Floats
from dashlight.judge.words import number

Curve: TypeAlias = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Conversion:
    """new = factor * old + offset, or the *curve* of old, where there is one."""

    words: str
    factor: float
    offset: float = 0.0
    curve: Curve | None = None

    def of(self, old: Floats) -> Floats:
        """The new values, ascending where *old* ascends; not finite where there is none."""
        if self.curve is not None:
            with np.errstate(all="ignore"):
                return self.curve(old)
        return np.sort(self.factor * old + self.offset)

    @property
    def size(self) -> float:
        """How far the factor is from 1: the absolute value of its logarithm."""
        return abs(log(abs(self.factor)))

    @property
    def map(self) -> str:
        """What it does to x, in words."""
        if self.curve is not None:
            return self.words
        factor = f"{self.factor:.3g}"
        if abs(self.offset) < 1e-9:
            return f"{factor} x"
        return f"{factor} x {'+' if self.offset > 0 else '-'} {number(float(f'{abs(self.offset):.3g}'))}"


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

_LARGEST_EXPONENT = 300.0


def _powers(base: float) -> Curve:
    return lambda old: np.asarray(base ** np.minimum(old, _LARGEST_EXPONENT / log(base)))


CURVES = (
    Conversion("the logarithm", 1.0, curve=np.log),
    Conversion("the logarithm of 1 + x, instead", 1.0, curve=np.log1p),
    Conversion("the decimal logarithm", 1.0, curve=np.log10),
    Conversion("the exponential", 1.0, curve=_powers(e)),
    Conversion("the power of ten", 1.0, curve=_powers(10.0)),
)
"""Scales that are no multiples of one another."""
