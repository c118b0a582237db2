from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.stationarity import moved_columns
from dashlight.window.reference.chunks import Chunk
from dashlight.window.tables import table_of_columns

MakeValues = Callable[..., dict[str, NDArray[np.float64]]]


def chunk(features: dict[str, Any], outputs: dict[str, Any] | None = None) -> Chunk:
    made: Chunk = {"feature": table_of_columns(features)}
    return made if outputs is None else {**made, "output": table_of_columns(outputs)}


def moved(rows: Chunk) -> tuple[str, ...]:
    return moved_columns(rows, tolerance=0.02, rng=np.random.default_rng(0))


def test_rows_that_hold_still_are_steady_two_hundred_times(table: MakeValues) -> None:
    rng = np.random.default_rng(300)

    assert [found for _ in range(200) if (found := moved(chunk(dict(table(rng, 1000)))))] == []


def test_rows_that_remember_are_steady(memory: MakeValues) -> None:
    rng = np.random.default_rng(301)

    assert [found for _ in range(20) if (found := moved(chunk(dict(memory(rng, 5000, 0.9)))))] == []


@pytest.mark.parametrize("begins", [500, 2500, 4000])
def test_an_incident_among_the_rows_is_named(table: MakeValues, begins: int) -> None:
    rng = np.random.default_rng(302)
    values = table(rng, 5000)
    ends = 2000 if begins == 500 else 5000
    values["normal"][begins:ends] += 2.0

    assert moved(chunk(dict(values))) == ("normal",)


def test_outputs_are_looked_at_too(table: MakeValues) -> None:
    rng = np.random.default_rng(303)
    scores = np.where(np.arange(2000) < 1000, 0.2, 0.4) * rng.random(2000)

    assert moved(chunk(dict(table(rng, 2000)), {"score": scores})) == ("score",)


def test_of_too_few_rows_nothing_is_said() -> None:
    assert moved(chunk({"x": [0.0] * 150 + [1.0] * 150})) == ()


def test_texts_are_steady_by_what_can_be_measured_of_them() -> None:
    rng = np.random.default_rng(304)
    words = ["rain", "sun", "wind", "cloud"]
    texts = [" ".join(rng.choice(words, 12)) for _ in range(2000)]
    longer = [" ".join(rng.choice(words, 12 if row < 1000 else 30)) for row in range(2000)]

    assert (moved(chunk({"comment": texts})), moved(chunk({"comment": longer}))) == ((), ("comment",))
