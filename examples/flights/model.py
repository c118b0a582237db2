"""Will a flight arrive more than 15 minutes late? Logistic regression, trained in numpy, applied without it."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from examples.flights.flights import CODES, NUMBERS, Flight
from numpy.typing import NDArray

RIDGE = 6.0  # a prior worth 35 flights of a code: 35 * 0.23 * 0.77, the information in flights of which 23 % are late
STEPS = 8  # Newton's method is within 1e-12 after six


@dataclass(frozen=True, slots=True)
class Number:
    """How one numeric feature counts: *weight* of each unit above *mean*; a missing value counts as the mean."""

    mean: float
    weight: float


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: log odds = intercept + sum of weights."""

    intercept: float
    numbers: Mapping[str, Number]
    codes: Mapping[str, Mapping[str, float]]
    """Of every feature in CODES, the weight of each code there is; 0 for one that training did not see."""

    def predict(self, row: Mapping[str, float | str | None]) -> float:
        """Probability, 0 to 1, that the flight with the features *row* is late.

        Raises KeyError for a carrier, origin or destination that does not exist.
        """
        odds = self.intercept
        for name, number in self.numbers.items():
            value = row[name]
            if isinstance(value, int | float) and not math.isnan(value):
                odds += number.weight * (value - number.mean)
        for name, weights in self.codes.items():
            odds += weights[str(row[name])]
        return 0.5 + 0.5 * math.tanh(odds / 2)  # the logistic function, without its overflow

    def save(self, path: Path) -> None:
        """Write the model as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1))

    @staticmethod
    def load(path: Path) -> "Model":
        """The model that `save` wrote."""
        saved = json.loads(path.read_text())
        numbers = {name: Number(**number) for name, number in saved["numbers"].items()}
        return Model(saved["intercept"], numbers, saved["codes"])


def train(flights: Sequence[Flight], *, timetable: Iterable[Flight]) -> Model:
    """Fit a model to *flights*; the codes of *timetable* are those it accepts.

    Minimises the negative log likelihood + RIDGE/2 * |weights|^2 over standardised numbers and one-hot codes,
    the intercept left free, by Newton's method.
    """
    known = _codes(timetable)
    values = np.array([[flight.features[name] for name in NUMBERS] for flight in flights], dtype=np.float64)
    means, spreads = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    standard = np.nan_to_num((values - means) / spreads)
    one_hot = [[flight.features[name] == code for name in CODES for code in known[name]] for flight in flights]
    design = np.hstack([np.ones((len(flights), 1)), standard, np.array(one_hot, dtype=np.float64)])
    weights = _newton(design, np.array([flight.late for flight in flights], dtype=np.float64))

    slopes = weights[1 : len(NUMBERS) + 1] / spreads
    numbers = {
        name: Number(float(mean), float(slope)) for name, mean, slope in zip(NUMBERS, means, slopes, strict=True)
    }
    remaining = iter(weights[len(NUMBERS) + 1 :].tolist())
    codes = {name: {code: next(remaining) for code in known[name]} for name in CODES}
    return Model(float(weights[0]), numbers, codes)


def _codes(flights: Iterable[Flight]) -> dict[str, list[str]]:
    """Every code of every feature in CODES, in alphabetical order."""
    seen: dict[str, set[str]] = {name: set() for name in CODES}
    for flight in flights:
        for name in CODES:
            seen[name].add(str(flight.features[name]))
    return {name: sorted(codes) for name, codes in seen.items()}


def _newton(design: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the ridge logistic regression; the first column of *design* is the intercept."""
    penalty = np.full(design.shape[1], RIDGE)
    penalty[0] = 0.0
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (probability - labels) + penalty * weights
        curvature = (design.T * (probability * (1 - probability))) @ design + np.diag(penalty)
        weights = weights - np.linalg.solve(curvature, gradient)
    return weights
