from dataclasses import replace
from itertools import product

import pytest

from dashlight.judge.alert_budget import MOST_PLACES, TRAFFIC, Places, PlacesState, Shares, share_of_place, shares
from dashlight.store.layout import Layout

LAYOUT: Layout[PlacesState] = Layout("places", 1, PlacesState)


@pytest.mark.parametrize("there", list(product([False, True], repeat=4)), ids=str)
def test_whatever_a_model_has_the_parts_and_traffic_are_the_whole_budget(there: tuple[bool, ...]) -> None:
    pairs, directions, breaks, performance = there

    found = shares(pairs=pairs, directions=directions, breaks=breaks, performance=performance)

    parts = (found.columns, found.pairs, found.directions, found.breaks, found.performance)
    assert sum(parts) + TRAFFIC == pytest.approx(1.0)
    assert [part > 0 for part in parts] == [True, *there]


def test_what_is_not_there_is_the_columns() -> None:
    everything = shares(pairs=True, directions=True, breaks=True, performance=True)

    assert replace(everything, columns=0.0) == Shares(0.0, 0.15, 0.10, 0.02, 0.10)
    assert everything.columns == pytest.approx(0.48)
    assert shares().columns == pytest.approx(0.85)


def test_the_shares_of_all_places_are_the_whole() -> None:
    assert [share_of_place(place) for place in (1, 2, 3, 8)] == [1 / 2, 1 / 6, 1 / 12, 1 / 72]
    assert sum(share_of_place(place) for place in range(1, 10_000)) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("place", [-1, 0, MOST_PLACES + 1])
def test_a_place_that_nobody_gave_out_has_no_share(place: int) -> None:
    with pytest.raises(ValueError, match="place in the budget"):
        share_of_place(place)


def test_a_place_that_was_given_back_is_the_next_one_s() -> None:
    places = Places()
    assert [places.next_model() for _ in range(4)] == [1, 2, 3, 4]
    assert [places.next_endpoint() for _ in range(2)] == [1, 2]

    places.give_back_model(3)
    places.give_back_model(2)
    places.give_back_endpoint(1)
    assert (places.models, places.endpoints) == (2, 1)

    assert [places.next_model() for _ in range(3)] == [2, 3, 5]
    assert [places.next_endpoint() for _ in range(2)] == [1, 3]
    assert (places.models, places.endpoints) == (5, 3)


def test_places_that_are_restored_go_on_as_they_were() -> None:
    places, restored = Places(), Places()
    for _ in range(4):
        places.next_model()
        places.next_endpoint()
    places.give_back_model(2)

    restored.restore(LAYOUT.thaw(b"".join(LAYOUT.freeze(places.state))))

    assert (restored.models, restored.endpoints) == (3, 4)
    assert [restored.next_model() for _ in range(2)] == [2, 5]
    assert restored.next_endpoint() == 5


@pytest.mark.parametrize(
    "state",
    [PlacesState((0,), ()), PlacesState((), (-1,)), PlacesState((1, 2, 1), ()), PlacesState((), (2**62,))],
    ids=["below one", "negative", "taken twice", "beyond all bounds"],
)
def test_places_that_cannot_be_taken_are_refused(state: PlacesState) -> None:
    with pytest.raises(ValueError, match="place"):
        Places().restore(state)
