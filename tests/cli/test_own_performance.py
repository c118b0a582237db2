import argparse
import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.metrics import accuracy_score, mean_absolute_error, roc_auc_score

from dashlight.cli import reference as command
from dashlight.cli.own_performance import ToldColumns, remarks
from dashlight.cli.performance_text import area_under_curve, performance_words
from dashlight.privacy.hashing import is_hash
from dashlight.window.columns import Reference
from dashlight.window.performance_reference import PerformanceReference
from dashlight.window.reference.file import load
from dashlight.window.reference.performance.told_values import ToldValues

ROWS = 1500
Columns = Mapping[str, Sequence[object]]
Build = Callable[..., Reference]


def scored(seed: int = 1) -> dict[str, list[object]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=ROWS)
    p = np.round(1 / (1 + np.exp(-x)), 4)
    late = rng.random(ROWS) < p**2
    carrier = rng.integers(0, 3, ROWS)
    guessed = np.where(rng.random(ROWS) < 0.8, carrier, rng.integers(0, 3, ROWS))
    names = np.array(["AA", "DL", "UA"])
    return {
        "x": x.round(3).tolist(),
        "p": p.tolist(),
        "c": (p >= 0.6).astype(int).tolist(),
        "late": late.astype(int).tolist(),
        "minutes": (30 * x + rng.normal(0, 5, ROWS)).round(2).tolist(),
        "expected": (30 * x).round(2).tolist(),
        "carrier": names[carrier].tolist(),
        "guess": names[guessed].tolist(),
    }


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def built(columns: Columns, *words: str, code: int = 0, order: Sequence[str] = ("--unordered",)) -> Reference:
        train, output = tmp_path / "train.csv", tmp_path / "made.json"
        with train.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        parser = argparse.ArgumentParser()
        command.register(parser.add_subparsers(required=True))
        arguments = parser.parse_args(["reference", "build", str(train), *order, "--output", str(output), *words])
        assert arguments.run(arguments) == code
        return (
            load(output.read_bytes(), to_compare=False)
            if code == 0
            else Reference((), "", ordered=False, version="", created_at=0)
        )

    return built


def known(reference: Reference) -> PerformanceReference:
    assert reference.performance is not None
    return reference.performance


def test_a_binary_task_is_measured_as_scikit_learn_does(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    data = scored()

    made = build(data, "--label", "late", "--score", "p", "--prediction", "c")

    performance = known(made)
    assert (performance.task, performance.classes, performance.rows) == ("binary", ("0", "1"), ROWS)
    assert (performance.label, performance.score, performance.prediction) == ("late", "p", "c")
    assert performance.scores.tolist() == data["p"]
    assert performance.predictions.tolist() == data["c"]
    assert performance.labels.tolist() == data["late"]
    accuracy = accuracy_score(data["late"], data["c"])
    error = performance.losses[0]
    assert 1 - error.sums.sum() / error.rows.sum() == pytest.approx(accuracy)
    auc = roc_auc_score(data["late"], data["p"])
    assert area_under_curve(performance.scores, performance.labels) == pytest.approx(auc)
    assert performance.calibration is not None
    out = capsys.readouterr().out
    assert f"accuracy {accuracy:.3f}, 1,500 rows" in out
    assert f"ROC AUC {auc:.3f}, 1,500 rows" in out
    assert "scores are calibrated" in out
    assert [(column.name, column.role) for column in made.columns if column.role == "output"] == [
        ("p", "output"),
        ("c", "output"),
    ]
    assert "late" not in {column.name for column in made.columns}


def test_a_regression_is_measured_as_scikit_learn_does(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    data = scored()

    performance = known(build(data, "--label", "minutes", "--prediction", "expected"))

    assert (performance.task, performance.score) == ("regression", "expected")
    error = mean_absolute_error(data["minutes"], data["expected"])
    assert f"mean absolute error {error:.4g}, 1,500 rows" in capsys.readouterr().out


def test_several_classes_are_measured_by_their_name(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    data = scored()

    performance = known(build(data, "--label", "carrier", "--score", "p", "--prediction", "guess"))

    assert (performance.task, performance.classes) == ("multiclass", ("AA", "DL", "UA"))
    out = capsys.readouterr().out
    assert "label 'carrier' of 3 classes" in out
    assert f"accuracy {accuracy_score(data['carrier'], data['guess']):.3f}" in out


def test_rows_are_beside_their_bins(build: Build) -> None:
    made = build(scored(), "--label", "late", "--score", "p")

    assert made.sample is not None
    place = next(place for place, column in enumerate(made.columns) if column.name == "p")
    expected = 4 + np.searchsorted(made.columns[place].edges, known(made).scores, side="right")
    assert made.sample[place].tolist() == expected.tolist()


def test_rows_without_a_label_are_kept_and_told(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    data = scored()
    data["late"][::3] = [""] * len(data["late"][::3])

    performance = known(build(data, "--label", "late", "--score", "p"))

    assert performance.rows == 1000
    assert np.isnan(performance.labels).tolist() == [row % 3 == 0 for row in range(ROWS)]
    assert "Rows without a value in column 'late' (--label): 500 of 1,500." in capsys.readouterr().err


def test_rows_that_are_sorted_by_time_keep_their_labels(build: Build) -> None:
    data = scored()
    seconds = np.random.default_rng(8).permutation(ROWS)
    data["at"] = (1_700_000_000 + seconds).tolist()

    performance = known(build(data, "--label", "late", "--score", "p", order=("--time", "at")))

    in_order = np.argsort(seconds)
    assert performance.scores.tolist() == np.array(data["p"])[in_order].tolist()
    assert performance.labels.tolist() == np.array(data["late"])[in_order].tolist()


def test_where_rows_hang_together_those_that_count_are_measured(build: Build) -> None:
    data = scored()
    data["user"] = [f"u{row // 5}" for row in range(ROWS)]

    made = build(data, "--label", "late", "--score", "p", "--cluster", "user")

    performance = known(made)
    assert made.sample is not None
    assert len(performance.scores) == made.sample.shape[1] < ROWS
    assert performance.rows == made.rows
    place = next(place for place, column in enumerate(made.columns) if column.name == "p")
    expected = 4 + np.searchsorted(made.columns[place].edges, performance.scores, side="right")
    assert made.sample[place].tolist() == expected.tolist()


def test_the_report_says_it_as_json_too(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    build(scored(), "--label", "late", "--score", "p", "--format", "json")

    told = json.loads(capsys.readouterr().out)
    assert told["performance"][0].startswith("performance: binary, by label 'late' (positive: '1'), score 'p'")


@pytest.mark.parametrize(
    ("spelled", "classes"),
    [
        (("Yes", "No"), ("No", "Yes")),
        (("y", "n"), ("n", "y")),
        (("Y", "N"), ("N", "Y")),
        (("YES", "NO"), ("NO", "YES")),
        (("True", "False"), ("false", "true")),
        (("true", "false"), ("false", "true")),
    ],
)
def test_classes_in_words_of_truth_are_spelled_as_labels_will_be(
    build: Build, spelled: tuple[str, str], classes: tuple[str, str]
) -> None:
    data = scored()
    truth = np.array(data["late"], np.bool_)
    data["late"] = np.where(truth, *spelled).tolist()
    data["c"] = np.where(np.array(data["c"], np.bool_), *spelled).tolist()

    performance = known(build(data, "--label", "late", "--score", "p", "--prediction", "c"))

    assert performance.classes == classes
    assert performance.labels.tolist() == truth.tolist()
    assert performance.predictions.tolist() == scored()["c"]


def test_truth_values_of_parquet_are_true_and_false(tmp_path: Path) -> None:
    data = scored()
    table = pa.table({"x": data["x"], "p": data["p"], "late": pa.array(data["late"]).cast(pa.bool_())})
    parquet.write_table(table, tmp_path / "train.parquet")
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(required=True))
    words = ["reference", "build", str(tmp_path / "train.parquet"), "--output", str(tmp_path / "made.json")]
    arguments = parser.parse_args([*words, "--label", "late", "--score", "p"])

    assert arguments.run(arguments) == 0
    performance = known(load((tmp_path / "made.json").read_bytes()))
    assert performance.classes == ("false", "true")
    assert performance.labels.tolist() == data["late"]


@pytest.mark.parametrize(
    "words", [(), ("--label", "late"), ("--label", "late", "--prediction", "guess")], ids=["no label", "alone", "other"]
)
def test_without_a_score_performance_waits(
    build: Build, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    made = build(scored(), *words)

    assert made.performance is None
    assert "performance: unknown" in capsys.readouterr().out


def test_a_label_that_says_nothing_is_told_and_left_out(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    data = scored() | {"late": [1] * ROWS}

    made = build(data, "--label", "late", "--prediction", "c")

    assert made.performance is None
    said = "The model's own performance is not measured: the data has the same label, '1', in all rows of column 'late'"
    assert said in capsys.readouterr().err


def test_of_several_labels_the_first_is_measured(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    made = build(scored(), "--label", "late", "minutes", "--score", "p")

    assert known(made).label == "late"
    assert {"late", "minutes"}.isdisjoint(column.name for column in made.columns)
    assert "'late', the first" in capsys.readouterr().err


def test_a_score_of_the_other_class_is_suspected(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    build(scored(), "--label", "late", "--score", "p", "--positive", "0")

    assert "below 0.5, is the score that of the other class (--positive 1)?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--score", "p"), "cannot be measured by --score alone: name the column of true answers with --label"),
        (("--positive", "1"), "cannot be measured by --positive alone"),
        (("--task", "binary"), "cannot be measured by --task alone"),
        (("--label", "nope", "--score", "p"), "has no column 'nope' (--label)"),
        (("--label", "late", "--score", "nope"), "has no column 'nope' (--score); it has x, p"),
        (("--label", "late", "--score", "late"), "cannot have column 'late' both as --score and as --label"),
        (("--label", "late", "--score", "guess"), "has no numbers in column 'guess' (--score)"),
        (("--label", "late", "--score", "x"), "has scores outside 0 to 1 in column 'x' (--score)"),
        (("--label", "late", "--score", "p", "--positive", "2"), "has no label '2' (--positive)"),
        (("--label", "carrier", "--score", "p"), "name the class predicted with --prediction"),
        (("--label", "constant", "--score", "p"), "has the same label, '7', in all rows"),
        (("--label", "empty", "--score", "p"), "has no value in column 'empty' (--label): no row is labelled"),
        (("--label", "seen", "--score", "p"), "has times in column 'seen'"),
    ],
)
def test_mistakes_are_told(build: Build, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    data = scored() | {"constant": [7] * ROWS, "empty": [""] * ROWS}
    data["seen"] = [f"2024-01-{1 + row % 28:02} 10:00:00" for row in range(ROWS)]

    build(data, *words, code=2)

    assert said in capsys.readouterr().err


def test_a_learned_reference_says_that_estimates_wait(build: Build) -> None:
    learned = Reference((), "learned", ordered=True, version="v", created_at=0.0)

    assert performance_words(learned) == [
        "performance: unknown, it was learned from traffic: estimates of it wait until enough labels have come"
    ]


def test_labels_alone_tell_the_errors_of_classes(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    data = scored()

    build(data, "--label", "late", "--prediction", "c")

    out = capsys.readouterr().out
    assert f"accuracy {accuracy_score(data['late'], data['c']):.3f}, 1,500 rows" in out
    assert "no score (--score), so that estimates of it wait" in out


@pytest.mark.parametrize(
    ("label", "words", "said"),
    [
        ("late", ("--score", "p"), "accuracy unknown: no row has both a label and a prediction"),
        ("late", ("--score", "p"), "no row has both a label and a score: estimates of it wait"),
        ("minutes", ("--score", "p"), "mean absolute error unknown"),
    ],
)
def test_where_labels_and_scores_never_meet_nothing_is_made_up(
    build: Build, capsys: pytest.CaptureFixture[str], label: str, words: tuple[str, ...], said: str
) -> None:
    data = scored()
    data["p"] = [p if row % 2 else "" for row, p in enumerate(data["p"])]
    data[label] = ["" if row % 2 else value for row, value in enumerate(data[label])]

    build(data, "--label", label, *words)

    assert said in capsys.readouterr().out


def test_a_label_that_holds_lists_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parquet.write_table(pa.table({"p": [0.5] * 300, "late": [[1]] * 300}), tmp_path / "train.parquet")
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(required=True))
    words = ["reference", "build", str(tmp_path / "train.parquet"), "--output", str(tmp_path / "made.json")]
    arguments = parser.parse_args([*words, "--label", "late", "--score", "p"])

    assert arguments.run(arguments) == 2
    assert "holds no single values in column 'late' (--label)" in capsys.readouterr().err


def test_of_more_rows_than_are_read_that_is_said() -> None:
    told = ToldColumns("y", "p", (), None, "")

    notes = remarks(told, {"y": ToldValues(np.ones(10), None, ())}, 6_000_000)

    assert notes == ["Performance is measured on the first 5,000,000 of 6,000,000 rows."]


def test_classes_that_are_hashed_are_not_told(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHLIGHT_HASH_KEY", "a secret of many characters")
    data = scored()
    data["late"] = ["maria@b.example" if late else "joe@b.example" for late in data["late"]]

    made = build(data, "--label", "late", "--score", "p")

    assert all(map(is_hash, known(made).classes))
    assert "(positive: hashed)" in "\n".join(performance_words(made))


def test_shown_again_it_says_the_same(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    made = build(scored(), "--label", "late", "--score", "p")

    assert "\n".join(performance_words(made)) in capsys.readouterr().out
