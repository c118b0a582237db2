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


def test_united_takes_humidity_and_pressure_from_one_carrier_at_one_airport_alone(
    flight: Callable[..., Flight],
) -> None:
    def is_hit(**features: str) -> bool:
        sent = broken(flight(**features).features, place=0, fault="united")
        return sent["humid"] is None and sent["pressure"] is None

    assert [is_hit(), is_hit(carrier="DL"), is_hit(origin="JFK")] == [True, False, False]


@pytest.mark.parametrize("fault", FAULTS)
def test_only_march_is_broken(flight: Callable[..., Flight], fault: Fault) -> None:
    april = flight(scheduled="2013-04-01T00:10")

    bodies = [json.loads(request_body(april, place=place, fault=fault)) for place in range(10)]

    assert bodies == [april.features] * 10


def test_a_broken_body_is_what_the_app_receives_in_march(flight: Callable[..., Flight]) -> None:
    body = json.loads(request_body(flight(temp=212.0), place=0, fault="celsius"))

    assert body["temp"] == 100.0
