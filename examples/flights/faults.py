"""What can break upstream of the model: the same flights, sent wrong."""

import json
from typing import Literal, TypeAlias, get_args

from examples.flights.flights import Features, Flight

Fault: TypeAlias = Literal["none", "celsius", "nulls", "errors", "united"]
FAULTS: tuple[Fault, ...] = get_args(Fault)

# March is like the reference in every column, so an alert in it can have no cause but the fault. From May to
# autumn `temp` fires of itself: there a fault in `temp` could not be told from the summer.
FAULT_PART = "03"
NULL_SHARE = 0.4
ERROR_SHARE = 0.4
UNITED = {"carrier": "UA", "origin": "EWR"}
"""Whose flights alone `united` hits: a sixth of all."""
IMPOSSIBLE_DESTINATION = "#N/A"  # what a spreadsheet leaves where a look-up failed


def request_body(flight: Flight, *, place: int, fault: Fault) -> bytes:
    """The JSON body that is sent for *flight*, the one numbered *place*; with *fault* in it where it is its month."""
    features = broken(flight.features, place=place, fault=fault) if flight.part == FAULT_PART else flight.features
    return json.dumps(features).encode()


def broken(features: Features, *, place: int, fault: Fault) -> Features:
    """*features* as the upstream system with *fault* would send them; some faults hit a share, spread by *place*."""
    match fault:
        case "celsius":
            return {**features, "temp": _celsius(features["temp"]), "dewp": _celsius(features["dewp"])}
        case "nulls" if _hit(place, NULL_SHARE):
            return {**features, "humid": None, "pressure": None}
        case "errors" if _hit(place, ERROR_SHARE):
            return {**features, "dest": IMPOSSIBLE_DESTINATION}
        case "united" if features.items() >= UNITED.items():
            return {**features, "humid": None, "pressure": None}
        case _:
            return features


def _celsius(fahrenheit: float | str | None) -> float | None:
    return round((fahrenheit - 32) / 1.8, 2) if isinstance(fahrenheit, int | float) else None


def _hit(place: int, share: float) -> bool:
    """Whether *place* is in the *share*, evenly spread: the whole number rises at every such place."""
    return int((place + 1) * share) > int(place * share)
