from __future__ import annotations

import numpy as np
import pytest

from dashlight.counting.kept_rows import KeptRows
from dashlight.watching.learned_columns import within_memory
from dashlight.watching.learner import Learner
from dashlight.watching.learning_room import LearningPlaces
from dashlight.window.reference.chunks import Chunk
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column, table_of_columns

MB = 1_000_000


def rows(seed: int = 1, *, count: int = 300) -> Chunk:
    rng = np.random.default_rng(seed)
    features: dict[str, Column] = {
        "age": rng.normal(size=count),
        "city": [f"city {each}" for each in rng.integers(0, 5, count)],
        "note": [" ".join(rng.choice(["rain", "sun", "wind", "cloud"], 12)) for _ in range(count)],
        "image": rng.normal(size=(count, 16)).tolist(),
        "income": rng.normal(size=count),
    }
    return {"feature": table_of_columns(features), "output": table_of_columns({"score": rng.random(count)})}


def names(chunk: Chunk) -> set[str]:
    return {name for table in chunk.values() for name in (*table.number_names, *table.cell_names)}


@pytest.mark.parametrize(
    ("most_bytes", "kept"),
    [
        (9 * MB, {"age", "city", "note", "image", "income", "score"}),
        (2 * MB, {"age", "city", "note", "income", "score"}),
        (1 * MB, {"age", "city", "income", "score"}),
        (170_000, {"age", "score"}),
        (90_000, {"score"}),
    ],
)
def test_so_many_columns_are_learned_as_there_is_memory_for_outputs_first(most_bytes: int, kept: set[str]) -> None:
    chunk, left_out = within_memory(rows(), most_bytes=most_bytes)

    assert names(chunk) == kept
    assert left_out == 6 - len(kept)


def test_what_fits_stays_as_it_is() -> None:
    held = rows()

    chunk, left_out = within_memory(held, most_bytes=float("inf"))

    assert left_out == 0
    assert all(chunk[role] is held[role] for role in held)


def test_a_reference_is_learned_of_the_columns_that_there_is_memory_for(caplog: pytest.LogCaptureFixture) -> None:
    places = LearningPlaces(90 * MB, most_reference_bytes=MB)
    learner = Learner("/predict risk", 300, tolerance=0.02, places=places)
    learner.take(KeptRows.of(rows()))

    reference = finished(learner.reference(0.0, model="risk"))

    assert reference is not None
    assert {column.name for column in reference.columns} == {"age", "city", "income", "score"}
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any("no memory for 2 of its columns" in each and "DASHLIGHT_MEMORY" in each for each in told)
