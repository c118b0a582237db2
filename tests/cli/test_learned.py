"""`dashlight learned`: what servers learned, frozen or forgotten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dashlight.cli.main import main
from dashlight.store.learned import LearnedReferences
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import load
from dashlight.workers.rendezvous import Meeting


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with references of two models."""
    rng = np.random.default_rng(7)
    for model in ("fraud", "churn"):
        reference = build_reference_from_columns(
            {"age": rng.normal(40, 10, 300)}, {}, rng=rng, created_at=1_700_000_000.0, model=model
        )
        LearnedReferences(tmp_path / "state").save(reference, "/predict", model, "1")
    return tmp_path / "state"


def test_what_was_learned_is_listed(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learned", "list", str(state)]) == 0

    churn, fraud = capsys.readouterr().out.splitlines()
    assert churn.startswith("predict-churn-1-")
    assert "300 rows in time order, 1 columns of churn" in churn
    assert fraud.startswith("predict-fraud-1-")


def test_one_is_exported_to_a_file_that_can_be_used(state: Path, tmp_path: Path) -> None:
    output = tmp_path / "frozen.json"

    assert main(["learned", "export", str(state), "fraud", "--output", str(output)]) == 0

    assert load(output.read_bytes()).model == "fraud"


def test_one_is_forgotten_and_the_others_stay(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learned", "forget", str(state), "fraud"]) == 0

    assert capsys.readouterr().out.startswith("forgotten: predict-fraud-1-")
    assert [path.name.split("-")[2] for path in state.iterdir()] == ["churn"]


@pytest.mark.parametrize(("name", "says"), [("predict", "names several of"), ("spam", "names none of")])
def test_a_name_must_fit_one(state: Path, capsys: pytest.CaptureFixture[str], name: str, says: str) -> None:
    assert main(["learned", "forget", str(state), name]) == 2

    assert says in capsys.readouterr().err
    assert len(list(state.iterdir())) == 2


def test_a_directory_without_any_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learned", "list", str(tmp_path)]) == 2

    assert capsys.readouterr().err == f"dashlight learned: {tmp_path} holds no learned reference\n"


def test_a_damaged_one_is_listed_as_such_and_not_exported(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    next(path for path in state.iterdir() if "fraud" in path.name).write_text("{}")

    assert main(["learned", "list", str(state)]) == 0
    assert "cannot be used: it is not a Dashlight reference" in capsys.readouterr().out
    assert main(["learned", "export", str(state), "fraud", "--output", str(tmp_path / "frozen.json")]) == 2
    assert not (tmp_path / "frozen.json").exists()


def test_a_file_that_cannot_be_written_is_said(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = state / "not there" / "frozen.json"

    assert main(["learned", "export", str(state), "fraud", "--output", str(nowhere)]) == 2

    assert capsys.readouterr().err == f"dashlight learned: {nowhere}: No such file or directory\n"


@pytest.fixture
def shared(state: Path) -> Path:
    """The same, and below it the directories of two applications: one says what it serves, one does not."""
    rng = np.random.default_rng(7)
    reference = build_reference_from_columns(
        {"age": rng.normal(40, 10, 300)}, {}, rng=rng, created_at=1_700_000_000.0, model="spam"
    )
    meeting = Meeting.open(state, "shop:app in /srv/\x1b[31mshop")
    LearnedReferences(meeting.path).save(reference, "/predict", "spam", "1")
    LearnedReferences(state / "bank-12").save(reference, "/predict", "spam", "1")
    meeting.leave()
    return state


def test_what_each_application_learned_is_listed_after_what_lies_beside_them(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["learned", "list", str(shared)]) == 0

    churn, fraud, bank, shop = capsys.readouterr().out.splitlines()
    assert churn.startswith("predict-churn-1-")
    assert fraud.startswith("predict-fraud-1-")
    assert bank.startswith("bank-12/predict-spam-1-")
    assert "learned by" not in bank
    assert shop.startswith("shop-app-in-srv-31mshop-")
    assert "/predict-spam-1-" in shop
    assert shop.endswith("; learned by shop:app in /srv/?[31mshop")


def test_one_of_an_application_is_exported_and_forgotten_by_a_part_of_its_name(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "frozen.json"

    assert main(["learned", "export", str(shared), "spam", "--output", str(output)]) == 2
    assert "'spam' names several of" in capsys.readouterr().err
    assert main(["learned", "export", str(shared), "bank-12/predict", "--output", str(output)]) == 0
    assert load(output.read_bytes()).model == "spam"
    assert main(["learned", "forget", str(shared), "bank-12/predict"]) == 0
    assert "forgotten: bank-12/predict-spam-1-" in capsys.readouterr().out
    assert list((shared / "bank-12").iterdir()) == []
