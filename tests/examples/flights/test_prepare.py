import csv
import subprocess
import sys
from pathlib import Path

import pytest
from examples.flights.flights import read
from examples.flights.model import Model

ROOT = Path(__file__).parents[3]


def test_prepare_writes_the_model_its_training_table_and_the_replay(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.flights.prepare", str(tmp_path)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    model = Model.load(tmp_path / "model.json")
    with (tmp_path / "train.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    training = read(tmp_path / "train.csv")
    replay = read(tmp_path / "replay.csv")
    assert [row["scheduled"] for row in rows] == sorted(row["scheduled"] for row in rows)
    assert len(rows) + len(replay) == 40_919
    assert float(rows[7]["probability"]) == pytest.approx(model.predict(training[7].features))
    assert {row["late"] for row in rows} == {"0", "1"}
    assert said.splitlines()[1].split()[:2] == ["held-out", "1250"]
    assert len(said.splitlines()) == 12
