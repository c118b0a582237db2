import math
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest
from examples.flights.flights import CODES, NUMBERS, Flight
from examples.flights.model import Model, Number, train


@pytest.fixture
def model() -> Model:
    numbers = {name: Number(mean=0.0, weight=0.0) for name in NUMBERS} | {"temp": Number(mean=40.0, weight=-0.1)}
    codes = {"carrier": {"UA": 0.5}, "origin": {"EWR": 0.0}, "dest": {"ATL": 0.25}}
    return Model(-1.0, numbers, codes)


def test_the_probability_is_the_logistic_function_of_the_weighted_sum(
    model: Model, flight: Callable[..., Flight]
) -> None:
    probability = model.predict(flight(temp=50.0).features)

    assert probability == pytest.approx(1 / (1 + math.exp(1.25)))  # -1 - 0.1 * 10 + 0.5 + 0.25


@pytest.mark.parametrize("missing", [None, math.nan], ids=["null", "not a number"])
def test_a_missing_number_counts_as_the_mean(
    model: Model, flight: Callable[..., Flight], missing: float | None
) -> None:
    assert model.predict(flight(temp=missing).features) == model.predict(flight(temp=40.0).features)


@pytest.mark.parametrize("temp", [1e9, -1e9], ids=["hot", "cold"])
def test_an_absurd_number_gives_a_probability_all_the_same(
    model: Model, flight: Callable[..., Flight], temp: float
) -> None:
    assert 0 <= model.predict(flight(temp=temp).features) <= 1


def test_a_destination_that_does_not_exist_raises(model: Model, flight: Callable[..., Flight]) -> None:
    with pytest.raises(KeyError, match="#N/A"):
        model.predict(flight(dest="#N/A").features)


def test_a_saved_model_loads_as_it_was(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")

    assert Model.load(tmp_path / "model.json") == model


def test_training_is_calibrated_and_learns_which_way_a_feature_acts(flight: Callable[..., Flight]) -> None:
    # Every number varies, as standardising needs; only the hour tells which flights are late.
    flights = [
        flight(**{name: place % (3 + order) for order, name in enumerate(NUMBERS)} | {"hour": place % 24}, late=late)
        for place in range(480)
        for late in [place % 24 > 17]
    ]
    unseen = flight(dest="SFO")

    model = train(flights, timetable=[*flights, unseen])

    predicted = fmean(model.predict(each.features) for each in flights)
    assert predicted == pytest.approx(fmean(each.late for each in flights))  # the intercept carries no penalty
    assert model.numbers["hour"].weight > 0.3
    assert model.codes["dest"]["SFO"] == 0
    assert set(model.codes) == set(CODES)
