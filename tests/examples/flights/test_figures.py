import math
from collections.abc import Callable

from examples.flights.figures import PartFigures, Pulse, Tally, from_line, to_line
from examples.flights.flights import Flight


def test_a_tally_gives_the_means_of_what_was_answered(flight: Callable[..., Flight]) -> None:
    tally = Tally("03")
    tally.add(flight(late=True), {"temp": 40.0}, {"probability": 0.75, "late": True})
    tally.add(flight(late=True), {"temp": None}, {"probability": 0.25, "late": False})
    tally.add(flight(), {"temp": 60.0}, None)

    assert tally.figures() == PartFigures(
        part="03", requests=3, failed=1, temp=50.0, probability=0.5, accuracy=0.5, brier=0.3125
    )


def test_means_of_nothing_are_not_numbers() -> None:
    figures = Tally("03").figures()

    assert all(map(math.isnan, (figures.temp, figures.probability, figures.accuracy, figures.brier)))


def test_reports_survive_being_written() -> None:
    pulse = Pulse("03", 1.5, 10, 100, 300.0, 0.002, None)
    figures = PartFigures("03", 10, 1, 41.0, 0.2, 0.8, 0.15)

    assert [from_line(to_line(pulse)), from_line(to_line(figures))] == [pulse, figures]
