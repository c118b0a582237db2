"""The reference of pairs as plain values that fit into JSON, and back."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import ColumnReference, PairReference
from dashlight.window.layout import BINS
from dashlight.window.pairs import MOST_PAIRED


class _PairsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    places: Annotated[list[int], msgspec.Meta(min_length=2, max_length=MOST_PAIRED)]
    signs: str
    shares: str
    trials: str
    phi: str
    tau: str


def pairs_content(reference: PairReference) -> dict[str, object]:
    """*reference* as text and base64 of little-endian arrays: 22 bytes a pair."""
    return {
        "places": reference.places.tolist(),
        "signs": base64.b64encode(reference.signs.astype(np.int8).tobytes()).decode(),
        "shares": _written(reference.shares),
        "trials": _written(reference.trials),
        "phi": _written(reference.phi),
        "tau": _written(reference.tau),
    }


def parsed_pairs(content: object, columns: Sequence[ColumnReference]) -> PairReference:
    """The reference that *content* describes, which is of *columns*; ReferenceDataError where that cannot be."""
    try:
        parsed = msgspec.convert(content, _PairsFile)
    except msgspec.ValidationError as error:
        raise ReferenceDataError(f"says of the pairs what cannot be: {error}") from None
    places = _places(parsed.places, columns)
    paired = len(places)
    count = paired * (paired - 1) // 2
    signs = np.frombuffer(_bytes(parsed.signs, "signs", paired * BINS), np.int8).reshape(paired, BINS)
    if (np.abs(signs.astype(np.int16)) > 1).any():
        raise _impossible("a sign that is not -1, 0 or 1")
    return PairReference(
        names=tuple(columns[place].name for place in parsed.places),
        places=places,
        signs=signs,
        shares=_numbers(parsed.shares, "shares", count, (0.0, 1.0)),
        trials=_numbers(parsed.trials, "trials", count, (0.0, np.inf)),
        phi=_numbers(parsed.phi, "phi", count, (1.0, np.inf)),
        tau=_numbers(parsed.tau, "tau", count, (0.0, np.inf)),
    )


def _places(places: Sequence[int], columns: Sequence[ColumnReference]) -> NDArray[np.intp]:
    """*places* among *columns*, checked."""
    if len(set(places)) < len(places):
        raise _impossible("a column that occurs twice")
    for place in places:
        if not 0 <= place < len(columns) or columns[place].kind != "numeric":
            raise _impossible(f"column number {place} is not there or not numeric")
    return np.array(places, np.intp)


def _numbers(text: str, name: str, count: int, limits: tuple[float, float]) -> NDArray[np.float32]:
    numbers = np.frombuffer(_bytes(text, name, 4 * count), "<f4").astype(np.float32)
    low, high = limits
    if not np.isfinite(numbers).all() or (numbers < low).any() or (numbers > high).any():
        raise _impossible(f"{name} outside {low:g} to {high:g}")
    return numbers


def _bytes(text: str, name: str, wanted: int) -> bytes:
    try:
        held = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _impossible(f"{name} that are not base64") from None
    if len(held) != wanted:
        raise _impossible(f"{len(held)} bytes of {name} instead of {wanted}")
    return held


def _written(numbers: NDArray[np.float32]) -> str:
    return base64.b64encode(numbers.astype("<f4").tobytes()).decode()


def _impossible(what: str) -> ReferenceDataError:
    return ReferenceDataError(f"says of the pairs what cannot be: {what}")
