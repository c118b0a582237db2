"""How one budget of false alarms is shared out: to columns, pairs, directions, traffic and performance. Pure."""

from dataclasses import dataclass
from itertools import count

from dashlight.window.fitting import refuse, within

PAIRS = 0.15
"""Of a model's budget, for columns that change how they move together."""
DIRECTIONS = 0.10
"""For many columns that each move a little, and for embeddings."""
BREAKS = 0.02
"""For named breaks of a source, which are large effects and need little."""
TRAFFIC = 0.15
"""For failures, latency, silence and undecodable exchanges, of the endpoints that a model is served at."""
PERFORMANCE = 0.10
"""For agreement with labels, where labels are taken at all."""
SEGMENTS = 0.10
"""Of what columns have, of what traffic has, and of what performance has: for their segments, where somebody named any."""
LEARNED_OUTPUTS = 0.2
"""Of a model's budget, for outputs that a reference file does not hold and that are learned beside it."""
MOST_PLACES = 1 << 16
"""More than there are models at all endpoints."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of the budget; they sum to one with that of traffic."""

    columns: float
    pairs: float
    directions: float
    breaks: float
    performance: float
    segments: float = 0.0
    """For the columns within segments."""


def shares(
    *,
    pairs: bool = False,
    directions: bool = False,
    breaks: bool = False,
    performance: bool = False,
    segments: bool = False,
) -> Shares:
    """The parts of a model's budget for what it has; what it has not is the columns'."""
    parts = {
        "pairs": PAIRS if pairs else 0.0,
        "directions": DIRECTIONS if directions else 0.0,
        "breaks": BREAKS if breaks else 0.0,
        "performance": PERFORMANCE if performance else 0.0,
    }
    columns = 1.0 - TRAFFIC - sum(parts.values())
    of_segments = segments_part(segments)
    return Shares(columns=columns * (1 - of_segments), segments=columns * of_segments, **parts)


def segments_part(are_there: object) -> float:
    """The part of a share that belongs to the segments, where they *are_there*."""
    return SEGMENTS if are_there else 0.0


def share_of_place(place: int) -> float:
    """The part of a budget that the k-th *place* has, 1/(k(k+1)): however many places there are, all sum to 1.

    ValueError where nobody gave out such a place.
    """
    within("place in the budget", place, 1, MOST_PLACES)
    return 1.0 / (place * (place + 1))


@dataclass(frozen=True, slots=True, eq=False)
class PlacesState:
    """What outlives the process of `Places`: the places that are taken, in order."""

    models: tuple[int, ...]
    endpoints: tuple[int, ...]


class Places:
    """Which places the models and the endpoints of a machine have; one that was given back is the next one's."""

    def __init__(self) -> None:
        self._models: set[int] = set()
        self._endpoints: set[int] = set()

    @property
    def state(self) -> PlacesState:
        """What outlives the process."""
        return PlacesState(tuple(sorted(self._models)), tuple(sorted(self._endpoints)))

    def restore(self, state: PlacesState) -> None:
        """Go on where another was in *state*; ValueError where a place is below 1, or taken twice."""
        for taken, places in ((state.models, self._models), (state.endpoints, self._endpoints)):
            for place in taken:
                refuse(f"place {place} taken twice", where=place in places)
                places.add(within("place in the budget", place, 1, MOST_PLACES))

    @property
    def models(self) -> int:
        """How many models have a place."""
        return len(self._models)

    @property
    def endpoints(self) -> int:
        """How many endpoints have one."""
        return len(self._endpoints)

    def next_model(self) -> int:
        """The place of the next model, from 1: the first that is free."""
        return _first_free(self._models)

    def next_endpoint(self) -> int:
        """The place of the next endpoint, likewise."""
        return _first_free(self._endpoints)

    def give_back_model(self, place: int) -> None:
        """The *place* of a model that goes is free."""
        self._models.discard(place)

    def give_back_endpoint(self, place: int) -> None:
        """The *place* of an endpoint that goes is free."""
        self._endpoints.discard(place)


def _first_free(places: set[int]) -> int:
    """Takes the first place that is not among *places*."""
    place = next(each for each in count(1) if each not in places)
    places.add(place)
    return place
