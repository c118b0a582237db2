"""The flights of 2013: what is estimated of each month by a model of January and February, beside what came true."""

from collections.abc import Sequence

import numpy as np
from benchmarks.estimates_sets import LabelledSet, Part, binned
from benchmarks.estimates_windows import estimated, estimator_of
from examples.flights.flights import CODES, NUMBERS, Flight, part, read
from examples.flights.model import Model, train
from numpy.typing import NDArray

from dashlight.judge.performance.estimates.record import EstimateRecord
from dashlight.window.tables import Column


def flights_by_month() -> str:
    """A line a month."""
    flights = read()
    training, replay = part(flights)
    model = train(training, timetable=flights)
    reference, (codes, codes_after) = binned(flight_columns(training), flight_columns(replay))
    before, after = _part(codes, training, model), _part(codes_after, replay, model)
    labelled = LabelledSet(reference, before, after, 0)
    estimator, without_limit = estimator_of(labelled, before), estimator_of(labelled, before, most_outside=1.0)
    lines = ["flights by month: accuracy realised, estimated (or why not), what CBPE would have said; Brier likewise"]
    names = np.array([flight.part for flight in replay])
    months, record = list(dict.fromkeys(names.tolist())), EstimateRecord()
    for number, name in enumerate(months):
        month = after.rows(np.flatnonzero(names == name))
        realised = (month.predictions == month.labels).mean(), ((month.scores - month.labels) ** 2).mean()
        told = estimated(estimator, labelled, month)
        record.keep(number, number + 1, told)
        record.settle(number + 1, {"accuracy": float(realised[0]), "brier": float(realised[1])})
        would = {each.name: each for each in estimated(without_limit, labelled, month).measures}
        accuracy, brier = would["accuracy"], would["brier"]
        said = (
            f"{accuracy.value:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f})" if told.reason is None else told.detail
        )
        lines.append(
            f"  {name:<9} {realised[0]:.3f}  CBPE {accuracy.value:.3f}   Brier {realised[1]:.3f}  CBPE {brier.value:.3f}"
            f"   told: {said}"
        )
    for measure in ("accuracy", "brier"):
        score = record.accuracy(measure)
        if score is not None:
            lines.append(
                f"  {measure} of {score.windows} months told: off by {score.mean_absolute_error:.3f} on average, inside the interval"
                f" {score.inside_share:.0%}; most of all {months[int(score.worst_began_at)]}, by {score.worst_error:+.3f}"
            )
    return "\n".join(lines)


def _part(codes: NDArray[np.uint8], flights: list[Flight], model: Model) -> Part:
    scores = np.array([model.predict(flight.features) for flight in flights])
    labels = np.array([flight.late for flight in flights], np.float64)
    return Part(codes, scores, (scores > 0.5).astype(np.int32), labels)


def flight_columns(flights: Sequence[Flight]) -> dict[str, Column]:
    """The features of *flights*, by column."""
    numbers: dict[str, Column] = {
        name: np.array(
            [np.nan if value is None else value for value in (flight.features[name] for flight in flights)], float
        )
        for name in NUMBERS
    }
    codes: dict[str, Column] = {
        name: [None if (value := flight.features[name]) is None else str(value) for flight in flights] for name in CODES
    }
    return numbers | codes
