"""Metrics that installed packages offer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dashlight.labels.rows import LabelledRows
from dashlight.runtime.assembly.own_measures import own_measures
from dashlight.window.performance.newest_rows import NewestRows

MODULE = """
import numpy

def profit(labels, predictions, scores):
    return 10 * ((predictions == 1) & (labels == 1)).sum() - ((predictions == 1) & (labels == 0)).sum()

constant = 3
"""
POINTS = """
[dashlight.metrics]
profit = odd_metrics:profit
lost = odd_metrics:nowhere
missing = no_such_module:profit
constant = odd_metrics:constant
accuracy = odd_metrics:profit
mae[step 1] = odd_metrics:profit
"""


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, points: str) -> None:
    (tmp_path / "odd_metrics.py").write_text(MODULE)
    described = tmp_path / "odd_metrics-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-metrics\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.fixture
def newest() -> NewestRows:
    rows = NewestRows()
    zeros = np.zeros(3)
    rows.add(
        LabelledRows(
            ("", "", ""), "binary", ("no", "yes"), zeros, zeros, zeros, np.array([1, 1, 0], np.int32),
            np.array([1.0, 0.0, 1.0]), np.zeros(3, np.int32), np.zeros(3, np.bool_),
        )
    )  # fmt: skip
    return rows


def test_a_metric_that_a_package_offers_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newest: NewestRows
) -> None:
    install(tmp_path, monkeypatch, "[dashlight.metrics]\nprofit = odd_metrics:profit\n")

    (figure,) = own_measures().figures("fraud", newest, 0.0)

    assert (figure.name, figure.value, figure.rows) == ("profit", 9.0, 3)


def test_those_that_cannot_be_used_are_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newest: NewestRows, caplog: pytest.LogCaptureFixture
) -> None:
    install(tmp_path, monkeypatch, POINTS)

    found = own_measures()

    assert [figure.name for figure in found.figures("fraud", newest, 0.0)] == ["profit"]
    (record,) = caplog.records
    for name in ("lost", "missing", "constant", "accuracy", "mae[step 1]"):
        assert name in record.getMessage()


def test_sixteen_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newest: NewestRows, caplog: pytest.LogCaptureFixture
) -> None:
    names = "\n".join(f"profit{number:02} = odd_metrics:profit" for number in range(18))
    install(tmp_path, monkeypatch, f"[dashlight.metrics]\n{names}\n")

    assert len(own_measures().figures("fraud", newest, 0.0)) == 16
    assert "profit17 is one of more than 16" in caplog.text


def test_without_any_there_are_no_figures(newest: NewestRows) -> None:
    assert own_measures().figures("fraud", newest, 0.0) == []
