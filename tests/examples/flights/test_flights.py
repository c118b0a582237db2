from collections.abc import Callable
from pathlib import Path

from examples.flights.flights import FEATURES, SHIPPED, Flight, part, read, write


def test_the_shipped_year_is_complete_and_in_the_order_of_the_timetable() -> None:
    flights = read()

    assert len(flights) == 40_919
    assert [flight.scheduled for flight in flights] == sorted(flight.scheduled for flight in flights)
    assert {flight.month for flight in flights} == set(range(1, 13))
    assert all(tuple(flight.features) == FEATURES for flight in flights)
    assert SHIPPED.stat().st_size < 1_500_000


def test_every_fifth_flight_of_january_and_february_is_replayed_before_the_later_months() -> None:
    flights = read()

    training, replay = part(flights)

    assert {flight.month for flight in training} == {1, 2}
    assert (len(training), len(replay)) == (5_002, 35_917)
    assert [flight.part for flight in replay[:1_250]] == ["held-out"] * 1_250
    assert replay[:2] == [flights[4], flights[9]]
    assert [flight.part for flight in replay[1_250:]] == sorted(flight.part for flight in replay[1_250:])


def test_a_flight_survives_being_written_and_read(flight: Callable[..., Flight], tmp_path: Path) -> None:
    flights = [flight(temp=None, late=True), flight(scheduled="2013-12-31T23:59", temp=-1.5)]

    write(tmp_path / "flights.csv", flights)

    assert read(tmp_path / "flights.csv") == flights
