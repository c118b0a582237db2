"""Training files as they come out of spreadsheets and pandas, and traffic like them: no alarm while nothing changes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dashlight import DriftDetector
from dashlight.cli.main import main

Rows = Callable[[np.random.Generator], Mapping[str, Any]]


def detector_of(path: Path, *words: str) -> DriftDetector:
    output = path.with_suffix(".json")
    assert main(["reference", "build", str(path), "--output", str(output), *words]) == 0
    return DriftDetector(str(output))


def fired(detector: DriftDetector, rows: Rows) -> list[str]:
    rng = np.random.default_rng(1)
    return [alert.summary for pane in range(30) for alert in detector.update(rows(rng), at=10.0 * pane)]


def kinds(detector: DriftDetector) -> dict[str, str]:
    return {column.name: column.kind for column in detector.reference.columns}


def normal(rng: np.random.Generator) -> Mapping[str, Any]:
    return {"x": rng.normal(50, 10, 100).round(1), "y": rng.normal(size=100).round(3)}


def test_semicolons_and_decimal_commas_are_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    pairs = zip(rng.normal(50, 10, 5000), rng.normal(size=5000), strict=True)
    lines = [f"{x:.1f};{y:.3f}".replace(".", ",") for x, y in pairs]
    (tmp_path / "t.csv").write_text("\n".join(["x;y", *lines]) + "\n")

    detector = detector_of(tmp_path / "t.csv")

    assert kinds(detector) == {"x": "numeric", "y": "numeric"}
    assert fired(detector, normal) == []


@pytest.mark.parametrize("marker", ["N/A", "None", "?", "-", " ", "#DIV/0!", "eleven"])
def test_one_odd_cell_leaves_a_column_of_numbers_one(tmp_path: Path, marker: str) -> None:
    cells = [str(value) for value in np.random.default_rng(3).normal(50, 10, 5000).round(1)]
    cells[777] = marker
    (tmp_path / "t.csv").write_text("\n".join(["x", *cells]) + "\n")

    detector = detector_of(tmp_path / "t.csv")

    assert kinds(detector) == {"x": "numeric"}
    assert fired(detector, lambda rng: {"x": normal(rng)["x"]}) == []


@pytest.mark.parametrize("form", ["to_csv", "read and written again", "to_parquet"])
def test_the_index_that_pandas_writes_is_no_column(tmp_path: Path, form: str) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(50, 10, 4000).round(1), "y": rng.normal(size=4000).round(3)})
    path = tmp_path / ("t.parquet" if form == "to_parquet" else "t.csv")
    if form == "to_parquet":
        frame[frame.x > 0].to_parquet(path)
    else:
        frame.to_csv(path)
        if form == "read and written again":
            pd.read_csv(path).to_csv(path, index=False)

    detector = detector_of(path)

    assert list(kinds(detector)) == ["x", "y"]
    assert fired(detector, normal) == []


@pytest.mark.parametrize("form", ["datetimes", "texts", "texts with a zone"])
@pytest.mark.parametrize("source", ["file", "memory"])
def test_moments_are_compared_whichever_way_they_come(tmp_path: Path, source: str, form: str) -> None:
    base = pd.Timestamp("2024-01-01")
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"t": base + pd.to_timedelta(rng.integers(0, 24, 4000), "h"), "x": rng.normal(size=4000)})
    frame.to_parquet(tmp_path / "t.parquet")
    detector = (
        detector_of(tmp_path / "t.parquet", "--unordered", "--keep", "t")
        if source == "file"
        else DriftDetector(frame, {"t": "numeric"}, ordered=False)
    )

    def rows(live: np.random.Generator) -> Mapping[str, Any]:
        moments = base + pd.to_timedelta(live.integers(0, 24, 100), "h")
        zone = "+00:00" if form == "texts with a zone" else ""
        texts = [moment.isoformat() + zone for moment in moments]
        return {"t": moments if form == "datetimes" else texts, "x": live.normal(size=100)}

    assert kinds(detector) == {"t": "numeric", "x": "numeric"}
    assert fired(detector, rows) == []


@pytest.mark.parametrize(("stored", "served"), [("f8", "f4"), ("f4", "f8"), ("f8", "f8")])
def test_the_width_of_a_number_is_no_change_of_range(stored: str, served: str) -> None:
    levels = np.array([0.1, 0.2, 0.3])
    detector = DriftDetector({"x": np.random.default_rng(1).choice(levels, 4000).astype(stored)})

    alerts = fired(detector, lambda rng: {"x": rng.choice(levels, 100).astype(served)})

    assert [text for text in alerts if "range" in text or "share" in text] == []


def test_outputs_that_are_numbers_in_text_are_numbers_as_in_traffic(tmp_path: Path) -> None:
    lines = [f'{at % 7},"$1,{at % 900:03d}.50"' for at in range(500)]
    (tmp_path / "t.csv").write_text("\n".join(["x,price", *lines]) + "\n")

    assert kinds(detector_of(tmp_path / "t.csv", "--prediction", "price")) == {"x": "numeric", "price": "numeric"}


def test_arrays_and_lists_of_one_in_every_row_are_their_elements() -> None:
    rng = np.random.default_rng(0)
    detector = DriftDetector({"p": rng.normal(size=(400, 1)), "q": [[value] for value in rng.normal(size=400)]})

    assert kinds(detector) == {"p": "numeric", "q": "numeric"}
