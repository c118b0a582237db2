"""A season in a reference file: JSON with arrays as base64 of 32-bit floats, little-endian, since they are many."""

import base64
import binascii
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import Season, Variation
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.layout import BINS
from dashlight.window.reference.seasons.waves import HIGHEST_HARMONIC, HOURS

_FLOAT = np.dtype("<f4")
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Harmonic = Annotated[int, msgspec.Meta(ge=1, le=HIGHEST_HARMONIC)]


class _VariationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    block_rows: _Count
    blocks: _Count
    events: str
    functionals: str


class _SeasonFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    harmonics: Annotated[list[_Harmonic], msgspec.Meta(min_length=1)]
    waves: str
    hour_rows: str
    variation: list[_VariationFile]


def season_content(season: Season) -> dict[str, object]:
    """*season* as JSON would have it."""
    return {
        "harmonics": season.harmonics.tolist(),
        "waves": _written(season.waves),
        "hour_rows": _written(season.hour_rows),
        "variation": [
            {
                "block_rows": part.block_rows,
                "blocks": part.blocks,
                "events": _written(part.events),
                "functionals": _written(part.functionals),
            }
            for part in season.variation
        ],
    }


def parsed_season(content: object) -> Season:
    """The season that *content* says; ReferenceDataError, in half a sentence, where it cannot be one."""
    try:
        parsed = msgspec.convert(content, _SeasonFile)
    except msgspec.ValidationError as error:
        raise ReferenceDataError(f"holds a season that is none: {error}") from None
    harmonics = np.array(parsed.harmonics, np.int64)
    if (np.diff(harmonics) <= 0).any():
        raise ReferenceDataError("holds a season whose harmonics do not ascend")
    waves = _read(parsed.waves, (1 + 2 * len(harmonics), BINS), "waves")
    hour_rows = _read(parsed.hour_rows, (HOURS,), "hour_rows")
    if not np.isfinite(waves).all() or not (np.isfinite(hour_rows) & (hour_rows >= 1)).all():
        raise ReferenceDataError("holds a season with numbers that cannot be")
    return Season(harmonics, waves, hour_rows, tuple(_variation(part) for part in parsed.variation))


def _variation(part: _VariationFile) -> Variation:
    events = _read(part.events, (EVENT_COUNT,), "events")
    functionals = _read(part.functionals, (FUNCTIONAL_COUNT,), "functionals")
    if np.isinf([*events, *functionals]).any() or (np.concatenate([events, functionals]) < 0).any():
        raise ReferenceDataError("holds a season with a variation that cannot be")
    return Variation(part.block_rows, part.blocks, events, functionals)


def _written(numbers: NDArray[np.float64]) -> str:
    return base64.b64encode(numbers.astype(_FLOAT).tobytes()).decode()


def _read(text: str, shape: tuple[int, ...], name: str) -> NDArray[np.float64]:
    try:
        numbers = np.frombuffer(base64.b64decode(text, validate=True), _FLOAT)
        return numbers.reshape(shape).astype(np.float64)
    except (binascii.Error, ValueError):
        raise ReferenceDataError(f"holds a season whose {name} are damaged") from None
