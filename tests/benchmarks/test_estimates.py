from pathlib import Path

import numpy as np
import pytest
from benchmarks import estimates
from benchmarks.estimates_flights import flights_by_month
from benchmarks.estimates_sets import LabelledSet, Part, binned
from benchmarks.estimates_windows import estimated, estimator_of


def test_july_of_the_flights_lies_outside_of_january_and_february_and_gets_no_estimate() -> None:
    lines = flights_by_month().splitlines()
    months = {line.split()[0]: line for line in lines}

    assert "100% of the rows lie outside the reference (temp 100%" in months["07"]
    assert "told: 0.77" in months["held-out"]
    assert "told: 0.7" in months["03"]
    assert "of 3 months told" in lines[-2]
    assert "most of all 12, by +0.09" in lines[-2]


def test_a_set_is_estimated_by_what_came_before_it() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.random((2, 2000))
    reference, (codes, after) = binned({"x": inputs[0]}, {"x": inputs[1]})
    before, current = (
        Part(bins, scores, (scores > 0.5).astype(np.int32), (rng.random(2000) < scores).astype(np.float64))
        for bins, scores in zip((codes, after), inputs, strict=True)
    )
    labelled = LabelledSet(reference, before, current, 0)

    estimate = estimated(estimator_of(labelled, before), labelled, current)

    accuracy = next(each for each in estimate.measures if each.name == "accuracy")
    assert accuracy.low <= (current.predictions == current.labels).mean() <= accuracy.high


def test_without_a_wheel_it_says_why_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("WHEEL", str(tmp_path / "none.whl"))
    monkeypatch.setattr("sys.argv", ["estimates", "--sets", "car_loan"])

    estimates.main()

    assert "NannyML's sets are left out: no file at WHEEL=" in capsys.readouterr().out
