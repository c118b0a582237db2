"""The flights of 2013 that this example ships, and how they are parted into training and replay."""

import csv
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Features: TypeAlias = dict[str, float | str | None]
"""What the model is given, by column; None where the weather was not recorded."""

NUMBERS = ("hour", "distance", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
CODES = ("carrier", "origin", "dest")
FEATURES = (*NUMBERS, *CODES)
LABEL = "late"
TIME = "scheduled"
COLUMNS = (TIME, *FEATURES, LABEL)
"""Columns of flights.csv.gz, in its order."""

SHIPPED = Path(__file__).with_name("flights.csv.gz")
TRAINING_MONTHS = (1, 2)
HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class Flight:
    """One departure from New York City, with the weather of its hour."""

    scheduled: str
    """Scheduled departure in local time, `2013-01-01T05:15`."""
    features: Features
    late: bool
    """The label: it arrived more than 15 minutes late."""

    @property
    def month(self) -> int:
        """1 to 12."""
        return int(self.scheduled[5:7])

    @property
    def part(self) -> str:
        """The part of the replay it belongs to: `held-out`, or its month as `03` to `12`."""
        return HELD_OUT if self.month in TRAINING_MONTHS else f"{self.month:02}"


def read(path: Path = SHIPPED) -> list[Flight]:
    """Flights of a CSV file with COLUMNS (gzip where its name ends so), in the order of the file."""
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as lines:
        return [_flight(row) for row in csv.DictReader(lines)]


def part(flights: Sequence[Flight]) -> tuple[list[Flight], list[Flight]]:
    """Training flights, and the flights to replay: the held-out fifth of the training months, then the rest."""
    early = [flight for flight in flights if flight.month in TRAINING_MONTHS]
    later = [flight for flight in flights if flight.month not in TRAINING_MONTHS]
    training = [flight for place, flight in enumerate(early) if place % 5 != 4]
    return training, early[4::5] + later


def write(path: Path, flights: Iterable[Flight]) -> None:
    """Write *flights* as CSV with COLUMNS."""
    with path.open("w", newline="") as lines:
        rows = csv.writer(lines, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows(row(flight) for flight in flights)


def row(flight: Flight) -> list[float | str | None]:
    """*flight* as the values of COLUMNS; the label as 0 or 1."""
    return [flight.scheduled, *(flight.features[name] for name in FEATURES), int(flight.late)]


def _flight(values: dict[str, str]) -> Flight:
    features: Features = {name: _number(values[name]) for name in NUMBERS}
    features.update((name, values[name]) for name in CODES)
    return Flight(values[TIME], features, values[LABEL] == "1")


def _number(text: str) -> float | None:
    if not text:
        return None
    return int(text) if text.isdecimal() else float(text)
