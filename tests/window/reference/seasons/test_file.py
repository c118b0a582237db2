import base64
from typing import Any

import msgspec
import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import Season, Variation
from dashlight.window.reference.seasons.file import parsed_season, season_content
from dashlight.window.reference.seasons.waves import HOURS


def season() -> Season:
    rng = np.random.default_rng(0)

    def numbers(*shape: int, least: float = 0.0) -> Any:
        return rng.uniform(least, least + 1, shape).astype(np.float32).astype(np.float64)

    events = numbers(92)
    events[3] = np.nan
    return Season(
        np.array([1, 7, 84]),
        numbers(7, 36, least=-0.5),
        numbers(HOURS, least=1.0),
        (Variation(100, 9, events, numbers(8)),),
    )


def test_a_season_comes_back_from_json_as_it_was() -> None:
    written = season()

    read = parsed_season(msgspec.json.decode(msgspec.json.encode(season_content(written))))

    assert read.harmonics.tolist() == [1, 7, 84]
    assert read.waves.tolist() == written.waves.tolist()
    assert read.hour_rows.tolist() == written.hour_rows.tolist()
    (part,) = read.variation
    assert (part.block_rows, part.blocks) == (100, 9)
    assert part.events.tolist() == pytest.approx(written.variation[0].events.tolist(), abs=0, nan_ok=True)
    assert part.functionals.tolist() == written.variation[0].functionals.tolist()


def floats(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, np.float32).tobytes()).decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"harmonics": []}, "is none", id="no harmonics"),
        pytest.param({"harmonics": [0, 1, 2]}, "is none", id="a wave that never comes back"),
        pytest.param({"harmonics": [1, 2, 85]}, "is none", id="a wave too fine"),
        pytest.param({"harmonics": [7, 1, 84]}, "do not ascend", id="harmonics out of order"),
        pytest.param({"harmonics": [7, 7, 84]}, "do not ascend", id="one harmonic twice"),
        pytest.param({"harmonics": [7]}, "waves are damaged", id="more waves than harmonics"),
        pytest.param({"waves": "?"}, "waves are damaged", id="no base64"),
        pytest.param({"waves": floats(*[np.nan] * 252)}, "numbers that cannot be", id="waves that are not numbers"),
        pytest.param({"hour_rows": floats(*[1.0] * 167)}, "hour_rows are damaged", id="an hour too few"),
        pytest.param({"hour_rows": floats(*[0.5] * 168)}, "numbers that cannot be", id="less than a row"),
        pytest.param({"hour_rows": floats(*[np.inf] * 168)}, "numbers that cannot be", id="rows without end"),
        pytest.param({"colour": "red"}, "is none", id="a word that nobody knows"),
    ],
)
def test_what_cannot_be_a_season_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ReferenceDataError, match=sentence):
        parsed_season(season_content(season()) | change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"events": floats(1.0)}, "events are damaged", id="too few events"),
        pytest.param({"functionals": floats(*[-1.0] * 8)}, "a variation that cannot be", id="below zero"),
        pytest.param({"functionals": floats(*[np.inf] * 8)}, "a variation that cannot be", id="infinite"),
        pytest.param({"blocks": -1}, "is none", id="fewer blocks than none"),
    ],
)
def test_a_variation_that_cannot_be_is_refused(change: dict[str, object], sentence: str) -> None:
    content: Any = season_content(season())
    content["variation"][0].update(change)

    with pytest.raises(ReferenceDataError, match=sentence):
        parsed_season(content)


@pytest.mark.parametrize("content", [None, [], "season", {}, 7])
def test_what_is_no_season_at_all_is_refused(content: object) -> None:
    with pytest.raises(ReferenceDataError, match="holds a season that is none"):
        parsed_season(content)
