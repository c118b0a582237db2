"""One model as one process counts it: against which references, and which rows are kept to be learned from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.matching import fits
from dashlight.counting.model import (
    MOST_BYTES,
    ModelBrief,
    ModelCounter,
    ModelPane,
    merged_models,
)
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.records import Prediction, Role, Table
from dashlight.store.learned import LearnedReferences
from dashlight.store.reference_file import ReferenceFile
from dashlight.window.columns import Reference, columns_of
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump
from dashlight.window.tables import Column, table_of_columns

KEY = ("/predict", "risk", "3")
TO_LEARN = 100
Predictions = Callable[..., Prediction]


def rows(count: int, *, seed: int = 1) -> dict[str, Column]:
    rng = np.random.default_rng(seed)
    return {"age": rng.normal(40, 10, count), "income": rng.gamma(4, 500, count), "score": rng.random(count)}


def reference_of(*names: str, seed: int = 2) -> Reference:
    held = {name: values for name, values in rows(600, seed=seed).items() if name in names}
    roles = {"score": "output"} if "score" in names else {}
    return build_reference_from_columns(held, roles, rng=np.random.default_rng(0), created_at=float(seed))  # type: ignore[arg-type]


WHOLE, OTHER = reference_of("age", "income", "score"), reference_of("age", "income", "score", seed=3)
FEATURES, OUTPUTS = reference_of("age", "income"), reference_of("score")


class Counted:
    """A counter of one model, and a batch for it."""

    def __init__(
        self,
        prediction: Predictions,
        *,
        reference: Reference | None = None,
        learned: LearnedReferences | None = None,
        file: ReferenceFile | None = None,
    ) -> None:
        self.learned = learned or LearnedReferences(None)
        references = References(self.learned, reference, file)
        self.counter = ModelCounter(KEY, Policy(reference_rows=TO_LEARN), references, LearningRoom())
        self._prediction = prediction

    def add(self, held: Mapping[str, Column]) -> Counted:
        made = self._prediction(held)
        self.counter.add(made, traces(max(made.features.rows, made.outputs.rows)))
        return self

    def close(self) -> ModelPane:
        pane = self.counter.close()
        assert pane is not None
        return pane


@pytest.fixture
def counted(prediction: Predictions) -> Callable[..., Counted]:
    return lambda **arguments: Counted(prediction, **arguments)


def traces(count: int) -> NDArray[np.void]:
    return np.frombuffer(b"".join(number.to_bytes(16, "big") for number in range(1, count + 1)), "V16")


def versions(pane: ModelPane) -> list[str]:
    return [each.reference for each in pane.compared]


def kept_rows(pane: ModelPane) -> list[Mapping[Role, int]]:
    """Rows by role, of each chunk that is to be learned from."""
    return [kept.rows for kept in pane.rows]


def names(chunk: Mapping[Role, Table]) -> set[str]:
    return {name for table in chunk.values() for name in (*table.number_names, *table.cell_names)}


def test_rows_are_counted_against_the_reference_that_fits(counted: Callable[..., Counted]) -> None:
    pane = counted(reference=WHOLE).add(rows(20)).close()

    assert (versions(pane), pane.rows) == ([WHOLE.version], ())
    assert pane.compared[0].counts[:, :].sum(1).tolist() == [20, 20, 20]


def test_without_a_reference_rows_are_kept_up_to_those_wanted(counted: Callable[..., Counted]) -> None:
    learning = counted()
    for _ in range(9):
        learning.add(rows(15))

    pane = learning.close()

    assert versions(pane) == []
    assert kept_rows(pane) == [{"feature": 105, "output": 105}]
    assert pane.row_count == 105
    assert kept_rows(learning.add(rows(15)).close()) == [{"feature": 15, "output": 15}]


def test_beside_a_file_without_outputs_the_outputs_are_kept(counted: Callable[..., Counted]) -> None:
    pane = counted(reference=FEATURES).add(rows(20)).close()

    assert versions(pane) == [FEATURES.version]
    assert [names(kept.chunk()) for kept in pane.rows] == [{"score"}]


def test_beside_a_file_without_outputs_what_was_learned_is_counted_against(counted: Callable[..., Counted]) -> None:
    learned = LearnedReferences(None)
    learned.save(OUTPUTS, *KEY, FEATURES.version)

    pane = counted(reference=FEATURES, learned=learned).add(rows(20)).close()

    assert (versions(pane), pane.rows) == ([FEATURES.version, OUTPUTS.version], ())


def test_what_was_learned_before_is_counted_against_from_the_first_row(counted: Callable[..., Counted]) -> None:
    learned = LearnedReferences(None)
    learned.save(WHOLE, *KEY)

    assert versions(counted(learned=learned).add(rows(20)).close()) == [WHOLE.version]


def test_a_probe_with_an_empty_body_does_not_cost_the_file(counted: Callable[..., Counted]) -> None:
    probed = counted(reference=WHOLE)
    empty = replace(table_of_columns({}), rows=1, numbers=np.empty((0, 1)), exchange=np.zeros(1, np.intp))
    probed.counter.add(Prediction("/predict", "risk", "3", "plain", empty, empty), traces(1))
    assert probed.counter.close() is None

    assert versions(probed.add(rows(5)).close()) == [WHOLE.version]


def test_rows_of_other_columns_than_those_of_the_file_are_kept_to_be_learned_from(
    counted: Callable[..., Counted],
) -> None:
    pane = counted(reference=WHOLE).add({"height": np.arange(10.0)}).close()

    assert versions(pane) == []
    assert kept_rows(pane)[0]["feature"] == 10


def test_without_rows_there_is_nothing_to_tell(counted: Callable[..., Counted]) -> None:
    assert counted().counter.close() is None
    assert counted(reference=WHOLE).counter.close() is None


def test_a_reference_that_the_judge_learned_is_counted_against_from_then_on(counted: Callable[..., Counted]) -> None:
    process = counted().add(rows(20))
    process.counter.follow(ModelBrief(()))
    assert kept_rows(process.close()) == [{"feature": 20, "output": 20}]
    process.learned.save(WHOLE, *KEY)

    process.counter.follow(ModelBrief((WHOLE.version,)))
    pane = process.add(rows(10)).close()

    assert (versions(pane), pane.rows) == ([WHOLE.version], ())


def test_a_reference_that_is_forgotten_is_kept_for_anew(counted: Callable[..., Counted]) -> None:
    process = counted()
    process.learned.save(WHOLE, *KEY)
    process.counter.follow(ModelBrief((WHOLE.version,)))
    assert versions(process.add(rows(10)).close()) == [WHOLE.version]
    process.learned = LearnedReferences(None)
    process.counter._references = References(process.learned)

    process.counter.follow(ModelBrief(()))
    pane = process.add(rows(10)).close()

    assert (versions(pane), kept_rows(pane)) == ([], [{"feature": 10, "output": 10}])


def test_outputs_that_were_learned_beside_a_file_are_counted_against_and_kept_no_more(
    counted: Callable[..., Counted],
) -> None:
    process = counted(reference=FEATURES).add(rows(20))
    process.counter.follow(ModelBrief((FEATURES.version,)))
    assert [names(kept.chunk()) for kept in process.close().rows] == [{"score"}]
    process.learned.save(OUTPUTS, *KEY, FEATURES.version)

    process.counter.follow(ModelBrief((FEATURES.version, OUTPUTS.version)))
    pane = process.add(rows(10)).close()

    assert (versions(pane), pane.rows) == ([FEATURES.version, OUTPUTS.version], ())


def test_rows_of_the_pane_that_fills_are_not_lost_where_the_same_reference_stays(
    counted: Callable[..., Counted],
) -> None:
    process = counted(reference=FEATURES).add(rows(20))
    for brief in (ModelBrief((FEATURES.version,)), ModelBrief((FEATURES.version, OUTPUTS.version))):
        process.learned.save(OUTPUTS, *KEY, FEATURES.version)
        process.counter.follow(brief)

    (features, *_) = process.add(rows(10)).close().compared

    assert features.counts[0].sum() == 30


def test_where_what_was_learned_has_no_outputs_none_are_kept_for_ever(counted: Callable[..., Counted]) -> None:
    process = counted()
    process.learned.save(FEATURES, *KEY)

    process.counter.follow(ModelBrief((FEATURES.version,)))

    assert process.add(rows(10)).close().rows == ()


def test_rows_whose_reference_cannot_be_found_are_counted(counted: Callable[..., Counted]) -> None:
    process = counted()
    process.counter.follow(ModelBrief(("unheard of",)))

    process.add(rows(10)).add(rows(5))

    assert process.counter._room.uncompared_rows == 15


def test_a_reference_that_cannot_be_found_is_told_once(
    counted: Callable[..., Counted], caplog: pytest.LogCaptureFixture
) -> None:
    process = counted()
    for _ in range(3):
        process.counter.follow(ModelBrief(("unheard of",)))

    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "/predict risk 3: this process knows nothing of the reference unheard of that is in force"
    ]


def test_a_file_that_was_replaced_is_read_where_the_judge_compares_with_it(
    counted: Callable[..., Counted], tmp_path: Path
) -> None:
    path = tmp_path / "reference.json"
    path.write_bytes(dump(WHOLE))
    file = ReferenceFile(path)
    file.read()
    process = counted(file=file).add(rows(5))
    assert versions(process.close()) == [WHOLE.version]
    (tmp_path / "new.json").write_bytes(dump(OTHER))
    (tmp_path / "new.json").replace(path)

    process.counter.follow(ModelBrief((OTHER.version,)))

    assert versions(process.add(rows(5)).close()) == [OTHER.version]


@pytest.mark.parametrize(
    ("reference", "held", "expected"),
    [
        (WHOLE, ["age", "income"], True),
        (WHOLE, ["age"], True),
        (WHOLE, ["score"], False),
        (WHOLE, ["height"], False),
        (OUTPUTS, ["score"], True),
        (OUTPUTS, ["age"], False),
    ],
    ids=["all", "half", "outputs alone", "none", "of outputs", "other than outputs"],
)
def test_a_prediction_fits_with_half_of_the_features(
    prediction: Predictions, reference: Reference, held: Sequence[str], *, expected: bool
) -> None:
    made = prediction({name: rows(3)[name] if name != "height" else np.zeros(3) for name in held})

    assert fits(reference, made) is expected
    assert columns_of(reference, "output") or reference is not OUTPUTS


def test_what_is_measured_of_a_vector_or_a_text_is_no_feature_that_a_prediction_has_to_have(
    prediction: Predictions, columns: Callable[..., dict[str, Column]], reference: Reference
) -> None:
    held = columns(np.random.default_rng(1), 2)

    assert fits(reference, prediction(held))
    assert fits(reference, prediction({name: held[name] for name in ("age", "city", "embedding")}))
    assert not fits(reference, prediction({name: held[name] for name in ("age", "embedding")}))


def test_panes_of_processes_merge_by_reference(counted: Callable[..., Counted]) -> None:
    panes = [counted(reference=each).add(rows(count)).close() for each, count in ((WHOLE, 5), (OTHER, 6), (WHOLE, 7))]
    panes.append(counted().add(rows(8)).close())
    panes.append(counted().add(rows(9)).close())

    merged = merged_models(panes)

    assert {each.reference: each.counts[0].sum() for each in merged.compared} == {WHOLE.version: 12, OTHER.version: 6}
    assert kept_rows(merged) == [{"feature": 8, "output": 8}, {"feature": 9, "output": 9}]


def test_rows_to_learn_from_that_nobody_takes_are_kept_in_bounded_memory(counted: Callable[..., Counted]) -> None:
    pane = counted().add(rows(100)).close()

    merged = merged_models([replace(pane, rows=pane.rows * 20_000), pane])

    assert len(merged.rows) == MOST_BYTES // pane.rows[0].size_bytes
    assert {kept.row_count for kept in merged.rows} == {100}


def test_rows_are_kept_as_far_as_there_is_room_for_all_models_of_the_process(prediction: Predictions) -> None:
    room = LearningRoom(100_000)
    references = References(LearnedReferences(None))
    held = {"text": ["x" * 1000] * 60, "score": np.zeros(60)}
    counters = [ModelCounter(("/predict", "risk", version), Policy(), references, room) for version in "12"]
    for counter in counters:
        counter.add(prediction(held), traces(60))
        counter.add(prediction(held), traces(60))

    one, other = [counter.close() for counter in counters]

    assert one is not None
    # A text of 1,008 bytes, the number of the exchange for either role, and a score: 1,032 a row.
    assert kept_rows(one) == [{"feature": 96, "output": 96}]
    assert one.rows[0].size_bytes < 105_000
    assert other is None
    assert room.empty() == 24 + 120
    counters[1].add(prediction(held), traces(60))
    assert (again := counters[1].close()) is not None
    assert kept_rows(again) == [{"feature": 60, "output": 60}]
    assert room.empty() == 0
