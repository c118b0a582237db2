import json
from collections.abc import Callable

import pytest
from examples.flights.faults import FAULTS, Fault, broken, request_body
from examples.flights.flights import Flight


def test_celsius_changes_temperature_and_dew_point_alone(flight: Callable[..., Flight]) -> None:
    features = flight(temp=50.0, dewp=None).features

    assert broken(features, place=0, fault="celsius") == features | {"temp": 10.0}


def test_nulls_take_humidity_and_pressure_from_two_requests_in_five(flight: Callable[..., Flight]) -> None:
    sent = [broken(flight().features, place=place, fault="nulls") for place in range(1000)]

    assert sum(each["humid"] is None and each["pressure"] is None for each in sent) == 400
    assert sum(each["humid"] is None or each["pressure"] is None for each in sent) == 400


def test_errors_corrupt_the_destination_of_two_requests_in_five(flight: Callable[..., Flight]) -> None:
    sent = [broken(flight().features, place=place, fault="errors") for place in range(1000)]

    assert sum(each["dest"] == "#N/A" for each in sent) == 400


def test_united_corrupts_destinations_of_one_carrier_at_one_airport_alone(flight: Callable[..., Flight]) -> None:
    def sent(**features: str) -> int:
        bodies = [broken(flight(**features).features, place=place, fault="united") for place in range(1000)]
        return sum(body["dest"] == "#N/A" for body in bodies)

    assert [sent(), sent(carrier="DL"), sent(origin="JFK")] == [400, 0, 0]


@pytest.mark.parametrize("fault", FAULTS)
def test_only_march_is_broken(flight: Callable[..., Flight], fault: Fault) -> None:
    april = flight(scheduled="2013-04-01T00:10")

    bodies = [json.loads(request_body(april, place=place, fault=fault)) for place in range(10)]

    assert bodies == [april.features] * 10


def test_a_broken_body_is_what_the_app_receives_in_march(flight: Callable[..., Flight]) -> None:
    body = json.loads(request_body(flight(temp=212.0), place=0, fault="celsius"))

    assert body["temp"] == 100.0
