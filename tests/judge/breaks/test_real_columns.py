"""The flights of 2013: January and February are the reference, March comes as it was, and broken."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight.records import Alert

FILE = Path(__file__).parents[3] / "examples" / "flights" / "flights.csv.gz"
NUMBERS = ("hour", "distance", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
Values = dict[str, Any]
Run = Callable[..., list[tuple[int, Alert]]]


def flights(*months: str) -> Values:
    with gzip.open(FILE, "rt", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["scheduled"][5:7] in months]
    numbers: Values = {name: np.array([float(row[name] or "nan") for row in rows]) for name in NUMBERS}
    return numbers | {name: [row[name] for row in rows] for name in ("carrier", "origin", "dest")}


@pytest.fixture(scope="module")
def march() -> Values:
    return flights("03")


@pytest.fixture(scope="module")
def winter(watch: Any) -> Any:
    return watch(flights("01", "02"))


def test_march_as_it_was_raises_nothing(winter: Any, march: Values, run: Run) -> None:
    assert run(winter, march) == []


def test_summer_is_no_other_unit(winter: Any, run: Run) -> None:
    assert run(winter, flights("07")) == []


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (
            lambda v: {"temp": np.round((v["temp"] - 32) / 1.8, 2)},
            "0.556 x - 17.8 of the reference (Fahrenheit -> Celsius)",
        ),
        (lambda v: {"hour": (v["hour"] + 5) % 24}, "hour is shifted by +5 h"),
        (lambda v: {"humid": np.round(v["humid"])}, "humid is rounded to whole numbers"),
        (lambda v: {"origin": [code.lower() for code in v["origin"]]}, "origin is lower-cased"),
        (lambda v: {"distance": v["pressure"], "pressure": v["distance"]}, "distance and pressure are swapped"),
        (lambda v: {"origin": v["dest"], "dest": v["origin"]}, "origin and dest are swapped"),
        (lambda v: {"distance": v["distance"] * 1.609344}, "(miles -> kilometres)"),
        (lambda v: {"wind_speed": v["wind_speed"] * 0.44704}, "(miles per hour -> metres per second)"),
        (lambda v: {"pressure": v["pressure"] * 100}, "fit 100 x"),
        (lambda v: {"visib": np.where(np.arange(len(v["visib"])) % 5 < 2, -1, v["visib"])}, "visib is -1 in 40 %"),
    ],
    ids=[
        "Celsius",
        "hours",
        "rounded",
        "case",
        "swapped numbers",
        "swapped codes",
        "kilometres",
        "wind",
        "pascal",
        "fill",
    ],
)
def test_march_broken_is_named(
    broken: Callable[[Values], Values], words: str, winter: Any, march: Values, run: Run
) -> None:
    alerts = [
        (came, alert)
        for came, alert in run(winter, {name: column[:500] for name, column in (march | broken(march)).items()})
        if alert.state == "firing"
    ]

    assert len(alerts) == 1
    assert words in alerts[0][1].summary
    assert alerts[0][0] <= 400
