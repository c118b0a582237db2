"""Train the model and write what the demo starts from.

python -m examples.flights.prepare demo-run

model.json   the model that the app loads
train.csv    its training flights in time order: features, `probability` as the model answers it, `late`, `scheduled`
replay.csv   the flights to replay, in order: the held-out fifth of January and February, then March to December
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import fmean

from examples.flights.flights import COLUMNS, Flight, part, read, row, write
from examples.flights.model import Model, train

PREDICTION = "probability"


@dataclass(frozen=True, slots=True)
class Files:
    """What `prepare` wrote."""

    model: Path
    train: Path
    replay: Path


def main() -> None:
    """Write the files into the directory named on the command line, and say how the model fares by month."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    files = prepare(parser.parse_args().directory)
    print(f"{'part':<9}{'flights':>8}{'temp F':>8}{'predicted':>10}{'late':>7}{'accuracy':>9}{'Brier':>7}")
    model = Model.load(files.model)
    for name, flights in groupby(read(files.replay), lambda flight: flight.part):
        print(_fares(name, list(flights), model))


def prepare(directory: Path) -> Files:
    """Train on four fifths of January and February and write the files into *directory*."""
    directory.mkdir(parents=True, exist_ok=True)
    files = Files(directory / "model.json", directory / "train.csv", directory / "replay.csv")
    flights = read()
    training, replay = part(flights)
    model = train(training, timetable=flights)
    model.save(files.model)
    write(files.replay, replay)
    _write_training(files.train, training, model)
    return files


def _write_training(path: Path, flights: Sequence[Flight], model: Model) -> None:
    with path.open("w", newline="") as lines:
        rows = csv.writer(lines, lineterminator="\n")
        rows.writerow([*COLUMNS, PREDICTION])
        rows.writerows([*row(flight), model.predict(flight.features)] for flight in flights)


def _fares(name: str, flights: Sequence[Flight], model: Model) -> str:
    """One line: how the model fares on *flights*."""
    probabilities = [model.predict(flight.features) for flight in flights]
    accuracy = fmean((p > 0.5) == flight.late for p, flight in zip(probabilities, flights, strict=True))
    brier = fmean((p - flight.late) ** 2 for p, flight in zip(probabilities, flights, strict=True))
    temp = fmean(t for flight in flights if isinstance(t := flight.features["temp"], int | float))
    late = fmean(flight.late for flight in flights)
    return (
        f"{name:<9}{len(flights):>8}{temp:>8.1f}{fmean(probabilities):>10.3f}{late:>7.3f}{accuracy:>9.3f}{brier:>7.3f}"
    )


if __name__ == "__main__":
    main()
