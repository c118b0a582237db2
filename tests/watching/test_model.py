"""Which reference a model is compared with: the file, what was learned before, or its own first rows."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.model import ModelCounter, merged_models
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.records import Alert, Prediction, Score, Table
from dashlight.store.learned import LearnedReferences
from dashlight.watching.model import ModelWatch
from dashlight.watching.rows import Comparison
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column, table_of_columns

NOTHING: Mapping[str, Column] = {}
ROWS_TO_LEARN = 1000
ROWS = 250
"""Of each pane."""


@pytest.fixture(scope="module")
def file() -> Reference:
    """4,000 rows of age, income and the output score."""
    rng = np.random.default_rng(1)
    columns = {"age": rng.normal(40, 10, 4000), "income": rng.gamma(4, 500, 4000), "score": rng.random(4000)}
    return build_reference_from_columns(columns, {"score": "output"}, rng=rng, created_at=0.0)


@pytest.fixture(scope="module")
def file_without_outputs(file: Reference) -> Reference:
    """The same without score."""
    rng = np.random.default_rng(1)
    columns = {"age": rng.normal(40, 10, 4000), "income": rng.gamma(4, 500, 4000)}
    return build_reference_from_columns(columns, {}, rng=rng, created_at=0.0)


KEY = ("/predict", "risk", "3")


class Watched:
    """A model under watch, and the alerts so far."""

    def __init__(
        self,
        reference: Reference | None,
        state: Path | None = None,
        *,
        place: int = 1,
        ignored: Sequence[str] = (),
        importance: Mapping[str, float] | None = None,
    ) -> None:
        self.policy = Policy(reference_rows=ROWS_TO_LEARN, importance=importance or {}, ignored=tuple(ignored))
        self.references = References(LearnedReferences(state), reference)
        self.watch = ModelWatch(KEY, self.policy, self.references, place=place)
        self.counter = ModelCounter(KEY, self.policy, self.references, LearningRoom())
        self.alerts: list[Alert] = []
        self._rng = np.random.default_rng(5)
        self._panes = count(1)

    def serve(self, panes: int = 1, *, age: float = 40.0, score: float | None = 0.0, rows: int = ROWS) -> Watched:
        """Panes of usual rows, but for the middle of age and what is added to score; None: answers that say nothing."""
        for _ in range(panes):
            rng = self._rng
            asked = {"age": rng.normal(age, 10, rows), "income": rng.gamma(4, 500, rows)}
            self.serve_rows(asked, NOTHING if score is None else {"score": rng.random(rows) + score})
        return self

    def serve_rows(self, asked: Mapping[str, Column], answered: Mapping[str, Column] = NOTHING) -> None:
        """A pane of these rows, each an exchange."""
        self.add(asked, answered)
        self.end_pane()

    def add(self, asked: Mapping[str, Column], answered: Mapping[str, Column] = NOTHING) -> None:
        """Rows of the pane that fills."""
        features, outputs = table(asked), table(answered)
        self.add_tables(features, outputs)

    def add_tables(self, features: Table, outputs: Table) -> None:
        """Tables of the pane that fills."""
        traces = np.zeros(max(features.rows, outputs.rows), "V16")
        self.counter.add(Prediction("/predict", "risk", "3", "plain", features, outputs), traces)

    def end_pane(self) -> list[Alert]:
        """Judges what was counted, and has counted from then on what the judge wants."""
        found = list(filter(None, self.watch.close_pane(self.counter.close(), 10.0 * next(self._panes))))
        self.alerts += found
        self.counter.follow(self.watch.brief)
        return found

    def replace_file(self, reference: Reference, *, at: float) -> list[Alert]:
        """Another reference file, for whoever counts and whoever judges; the alerts that end with the old one."""
        references = References(self.references.learned, reference)
        self.counter = ModelCounter(KEY, self.policy, references, LearningRoom())
        return list(self.watch.replace_file(reference, at))

    @property
    def firing(self) -> set[str | None]:
        """Columns that have fired."""
        return {alert.column for alert in self.alerts if alert.state == "firing"}

    def scores(self) -> dict[str | None, list[Score]]:
        """Scores of the last pane by column."""
        found: dict[str | None, list[Score]] = {}
        for score in self.watch.scores(1):
            found.setdefault(score.column, []).append(score)
        return found


def table(columns: Mapping[str, Column]) -> Table:
    found = table_of_columns(columns)
    return replace(found, exchange=np.arange(found.rows))


def empty_objects(rows: int) -> Table:
    """What `{}` decodes to: rows without columns."""
    return replace(table(NOTHING), rows=rows, numbers=np.empty((0, rows)), exchange=np.arange(rows))


def learned_share(watched: Watched) -> Score | None:
    return next((score for score in watched.watch.scores(1) if score.statistic == "reference_learned"), None)


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


def test_a_reference_file_is_used_from_the_first_row(file: Reference) -> None:
    watched = Watched(file).serve(1, age=80.0)

    assert watched.firing == {"age"}


def test_without_drift_from_the_file_nothing_fires(file: Reference) -> None:
    assert Watched(file).serve(100).alerts == []


def test_the_outputs_of_a_file_are_judged_with_it(file: Reference) -> None:
    assert Watched(file).serve(4, score=0.5).firing == {"score"}


def test_without_a_file_the_first_rows_are_learned_and_nothing_is_judged_meanwhile() -> None:
    watched = Watched(None)

    watched.serve(2, age=40.0).serve(1, age=90.0)

    assert watched.alerts == []
    assert [score.statistic for score in watched.scores()[None]] == ["reference_learned"]


def test_the_scores_say_how_far_the_learning_is() -> None:
    watched = Watched(None)
    watched.serve(1)

    assert watched.watch.scores(6) == [Score(None, None, "reference_learned", 0.25, 0.25, 0.25, 250)]


def test_before_any_row_nothing_is_learned_and_nothing_said() -> None:
    assert Watched(None).watch.scores(6) == []


def test_once_there_are_enough_rows_what_follows_is_judged_against_them() -> None:
    watched = Watched(None).serve(4)
    assert learned_share(watched) is None

    watched.serve(8, age=55.0)

    assert watched.firing == {"age"}


def test_a_pane_is_never_half_learned_from_and_half_judged() -> None:
    watched = Watched(None)
    for _ in range(2):
        watched.add({"age": np.zeros(ROWS_TO_LEARN)})

    assert learned_share(watched) is None
    watched.serve_rows({"age": np.zeros(10)})
    assert watched.watch.scores(1) == []
    watched.serve_rows({"age": np.zeros(10)})
    assert {score.rows for score in watched.watch.scores(1)} == {10}


def test_learning_is_told_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    Watched(None).serve(6)

    begin, end, *_ = messages(caplog, logging.INFO)
    assert begin == "/predict risk 3: learning a reference from the first 1000 rows"
    assert "/predict risk 3: learned a reference from 1000 rows" in messages(caplog, logging.INFO)
    assert end.startswith("/predict risk 3: ")


def test_weights_of_columns_that_were_not_learned_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    Watched(None, importance={"age": 2.0, "wage": 3.0}).serve(8)

    told = [text for text in messages(caplog, logging.WARNING) if "DASHLIGHT_IMPORTANCE" in text]
    assert told == ["/predict risk 3: DASHLIGHT_IMPORTANCE names no columns: wage"]


def test_a_file_without_outputs_is_used_at_once_and_completed_by_learned_outputs(
    file_without_outputs: Reference,
) -> None:
    watched = Watched(file_without_outputs).serve(1, age=80.0)
    assert watched.firing == {"age"}
    assert set(watched.scores()) == {"age", "income", None}

    watched.serve(3)
    assert set(watched.scores()) == {"age", "income"}

    watched.serve(6, score=0.5)
    assert set(watched.scores()) == {"age", "income", "score"}
    assert "score" in watched.firing


def test_outputs_are_learned_also_where_the_first_answers_could_not_be_read(file_without_outputs: Reference) -> None:
    watched = Watched(file_without_outputs).serve(3, score=None)
    assert learned_share(watched) is None

    watched.serve(5)

    assert set(watched.serve(1).scores()) == {"age", "income", "score"}


def test_the_kth_model_of_a_process_has_a_share_of_1_in_k_times_k_plus_1(file: Reference) -> None:
    for place, share in ((1, 1 / 2), (2, 1 / 6), (3, 1 / 12), (8, 1 / 72)):
        watched = Watched(file, place=place).serve(1)

        assert shares_of_budget(watched) == [pytest.approx(share, rel=1e-3)]


def test_learned_outputs_have_a_fifth_of_the_budget_and_the_file_the_rest(
    file_without_outputs: Reference, tmp_path: Path
) -> None:
    learning = Watched(file_without_outputs, tmp_path, place=2).serve(4)
    restarted = Watched(file_without_outputs, tmp_path, place=2).serve(1)

    for watched in (learning, restarted):
        assert shares_of_budget(watched) == [pytest.approx(0.8 / 6, rel=1e-3), pytest.approx(0.2 / 6, rel=1e-3)]


def test_what_is_learned_without_a_file_has_the_whole_share(tmp_path: Path) -> None:
    learning = Watched(None, tmp_path, place=2).serve(4)
    restarted = Watched(None, tmp_path, place=2).serve(1)

    for watched in (learning, restarted):
        assert shares_of_budget(watched) == [pytest.approx(1 / 6, rel=1e-3)]


def shares_of_budget(watched: Watched) -> list[float]:
    """Of each comparison, by its lowest threshold, which is ln(panes / what the detector has of the budget)."""
    shares: list[float] = []
    for found in watched.watch._comparisons.values():
        whole = Comparison(found.reference, Policy())
        lowest = [-float(each._judge.tables.floor.max()) for each in (whole, found)]
        shares.append(math.exp(lowest[0] - lowest[1]))
    return shares


def test_a_file_of_other_columns_falls_back_to_learning_with_one_warning(
    file: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(file)

    for _ in range(6):
        watched.serve_rows({"height": np.arange(ROWS) % 97})

    (said,) = messages(caplog, logging.WARNING)
    assert said == (
        "/predict risk 3: these are not the columns of the reference file; a reference is learned from the first rows."
        " The reference has features that requests lack: age, income. Requests have features that it does not know:"
        " height. If some are the same, name them: DASHLIGHT_COLUMNS=height=age"
    )
    assert set(watched.scores()) == {"height"}
    assert watched.alerts == []


def test_how_good_the_model_of_the_file_was_says_nothing_of_a_model_of_other_columns(file: Reference) -> None:
    watched = Watched(file)
    assert watched.watch.reference is file

    watched.serve_rows({"height": np.arange(ROWS) % 97})

    assert watched.watch.reference is None


def test_a_probe_with_an_empty_body_does_not_cost_the_file(file: Reference, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(file)
    watched.add_tables(empty_objects(1), empty_objects(1))

    watched.serve(1, age=80.0)

    assert watched.firing == {"age"}
    assert learned_share(watched) is None
    assert messages(caplog, logging.WARNING) == []


def test_a_file_of_outputs_alone_is_used_where_it_knows_an_output(file: Reference) -> None:
    outputs = replace(file, columns=file.columns[2:])

    assert Watched(outputs).serve(4, score=0.5).firing == {"score"}


def test_rows_of_empty_objects_are_nothing_to_learn_from(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(None)

    for _ in range(5):
        watched.add_tables(empty_objects(ROWS_TO_LEARN), empty_objects(ROWS_TO_LEARN))
        assert watched.counter.close() is None
        assert watched.end_pane() == []

    assert watched.watch.scores(1) == []
    assert messages(caplog, logging.WARNING) == []


def test_what_was_learned_is_used_from_the_first_row_after_a_restart(tmp_path: Path) -> None:
    Watched(None, tmp_path).serve(4, age=40.0)

    assert Watched(None, tmp_path).serve(2, age=80.0).firing == {"age"}


def test_outputs_learned_beside_a_file_are_kept_as_well(file_without_outputs: Reference, tmp_path: Path) -> None:
    Watched(file_without_outputs, tmp_path).serve(4)

    again = Watched(file_without_outputs, tmp_path).serve(4, score=0.5)

    assert again.firing == {"score"}


def test_outputs_learned_beside_one_file_are_not_those_of_another(
    file_without_outputs: Reference, tmp_path: Path
) -> None:
    Watched(file_without_outputs, tmp_path).serve(4)

    another = Watched(replace(file_without_outputs, version="ba9876543210"), tmp_path).serve(1)

    assert learned_share(another) is not None


def test_a_damaged_reference_is_learned_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Watched(None, tmp_path).serve(4)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-100])

    again = Watched(None, tmp_path).serve(4, age=80.0).serve(2, age=80.0)

    assert again.alerts == []
    assert len(messages(caplog, logging.WARNING)) == 1
    assert Watched(None, tmp_path).serve(2, age=40.0).firing == {"age"}


def test_a_column_to_ignore_is_not_missed_where_the_file_holds_it(file: Reference) -> None:
    watched = Watched(file, ignored=["inc*", "score"])

    for _ in range(4):
        watched.serve_rows({"age": np.random.default_rng(3).normal(40, 10, ROWS)}, {"other": np.zeros(ROWS)})

    assert watched.alerts == []
    assert set(watched.scores()) == {"age"}


def test_a_column_to_ignore_is_not_missed_where_it_was_learned_before(tmp_path: Path) -> None:
    Watched(None, tmp_path).serve(4)

    again = Watched(None, tmp_path, ignored=["income"])
    again.serve_rows(
        {"age": np.random.default_rng(3).normal(40, 10, ROWS)}, {"score": np.random.default_rng(3).random(ROWS)}
    )

    assert again.alerts == []
    assert set(again.scores()) == {"age", "score"}


def test_names_that_were_matched_are_told_once_whichever_process_counts_and_whichever_judges(
    file: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Watched(file), Watched(file)
    rows = {"Age": np.full(5, 40.0)}
    for watched in (first, second):
        watched.add(rows)
    panes = [watched.counter.close() for watched in (first, second)]
    assert panes[0] is not None
    assert panes[1] is not None

    list(first.watch.close_pane(merged_models([panes[0], panes[1]]), 10.0))
    list(first.watch.close_pane(panes[1], 20.0))
    finished(second.watch.restore(first.watch.state))
    list(second.watch.close_pane(panes[0], 30.0))

    said = [each for each in messages(caplog, logging.WARNING) if "similar name" in each]
    assert said == ["/predict risk 3: columns are taken for those of the reference of a similar name: Age = age."]


def test_names_that_are_matched_with_another_reference_are_told_again(
    file: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(file)
    watched.serve_rows({"Age": np.full(5, 40.0)})
    other = build_reference_from_columns(
        {"aGe": np.arange(400.0), "income": np.arange(400.0)}, {}, rng=np.random.default_rng(1), created_at=0.0
    )

    watched.replace_file(other, at=15.0)
    watched.serve_rows({"Age": np.full(5, 40.0)})

    said = [each.rpartition(": ")[2] for each in messages(caplog, logging.WARNING) if "similar name" in each]
    assert said == ["Age = age.", "Age = aGe."]


def test_columns_that_the_file_does_not_know_are_named_once_and_on_one_line(
    file: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    watched = Watched(file)

    for rows in (99, 5, 5):
        watched.serve_rows({"age": np.full(rows, 40.0), "he\night": np.zeros(rows), "weight": np.zeros(rows)})

    assert [each for each in messages(caplog, logging.INFO) if "not in the reference" in each] == [
        "/predict risk 3: in the traffic, not in the reference: he?ight, weight: left out"
    ]


def test_of_many_unknown_columns_ten_are_named(file: Reference, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    unknown = {f"x{number}": np.zeros(100) for number in range(15)}

    Watched(file).serve_rows({"age": np.full(100, 40.0), **unknown})

    assert ": x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 and 5 more: left out" in messages(caplog, logging.INFO)[-1]


def test_it_is_told_where_a_reference_is_too_short_for_the_variation_it_shows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rng = np.random.default_rng(35)
    # Level for hundreds of rows, and hardly more blocks than levels.
    wandering = np.repeat(rng.normal(0, 5, 6), 400) + rng.normal(0, 1, 2400)
    short = build_reference_from_columns({"wandering": wandering}, {}, rng=rng, created_at=0.0)

    Watched(short).serve_rows({"wandering": np.zeros(5)})

    assert "the reference is too short for the variation of wandering, which will be slow to alarm" in caplog.text


def test_an_incident_among_the_first_rows_is_not_learned() -> None:
    watched = Watched(None).serve(3, age=90.0).serve(1)
    assert learned_share(watched) is not None

    watched.serve(4).serve(8, age=90.0)

    assert watched.firing == {"age"}


def test_a_replaced_file_is_compared_with_from_then_on_and_ends_the_alerts_of_the_old_one(file: Reference) -> None:
    watched = Watched(file).serve(4, age=80.0)
    assert watched.firing == {"age"}
    rng = np.random.default_rng(9)
    columns = {"age": rng.normal(80, 10, 4000), "income": rng.gamma(4, 500, 4000), "score": rng.random(4000)}
    newer = build_reference_from_columns(columns, {"score": "output"}, rng=rng, created_at=1.0)

    (alert,) = watched.replace_file(newer, at=100.0)

    assert (alert.column, alert.state, alert.at) == ("age", "resolved", 100.0)
    assert alert.summary.startswith("the reference was replaced; it was: ")
    watched.alerts.clear()
    assert watched.serve(20, age=80.0).alerts == []


def test_a_learned_reference_that_is_forgotten_is_learned_anew(tmp_path: Path) -> None:
    watched = Watched(None, tmp_path).serve(4)
    (path,) = tmp_path.iterdir()
    path.unlink()

    watched.serve(5, age=80.0).alerts.clear()

    assert watched.serve(10, age=80.0).alerts == []
    (path,) = tmp_path.iterdir()


def test_a_process_that_learned_later_takes_the_reference_of_the_first(tmp_path: Path) -> None:
    later = Watched(None, tmp_path).serve(3)
    Watched(None, tmp_path).serve(4)
    (path,) = tmp_path.iterdir()
    written = path.read_bytes()

    later.serve(1)

    assert path.read_bytes() == written
    assert later.serve(10).alerts == []


def test_a_column_of_no_importance_is_not_looked_at(file: Reference) -> None:
    assert Watched(file, importance={"age": 0.0}).serve(5, age=80.0).firing == set()


class Unlearnable:
    """What stands for rows of which no reference can be made."""

    def reference(self, at: float, *, model: str) -> Reference | None:
        raise ZeroDivisionError


def test_rows_of_which_no_reference_can_be_made_do_not_stop_the_learning_for_ever() -> None:
    watched = Watched(None).serve(1)
    watched.watch._learner = Unlearnable()  # type: ignore[assignment]

    with pytest.raises(ZeroDivisionError):
        list(watched.watch.close_pane(None, 100.0))

    assert watched.serve(4).serve(8, age=60.0).firing == {"age"}


def test_a_model_that_is_let_go_ends_its_alerts_and_says_why(file: Reference) -> None:
    watched = Watched(file).serve(4, age=80.0)
    assert list(watched.watch.in_force) == ["drift/risk/%2Fpredict/feature/age"]

    (alert,) = watched.watch.withdraw(100.0, "the model is no longer asked")

    assert (alert.column, alert.state, alert.at) == ("age", "resolved", 100.0)
    assert alert.summary.startswith("the model is no longer asked; it was: ")
    assert list(watched.watch.in_force) == []


def test_a_model_knows_its_place(file: Reference) -> None:
    assert Watched(file, place=3).watch.place == 3
