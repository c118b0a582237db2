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


@pytest.mark.parametrize(
    ("separator", "form"),
    [
        (",", lambda value: f'"{value:.3f}"'.replace(".", ",")),
        ("\t", lambda value: f"{value:.3f}".replace(".", ",")),
        (";", lambda value: f"{value:.3f} \u20ac".replace(".", ",")),
        (",", lambda value: f"{value:.3f} %"),
        (",", lambda value: f'"${value * 1000:,.2f}"'),
        (";", lambda value: f"({-value:.3f})" if value < 0 else f"{value:.3f}"),
        (",", lambda value: f"{value:.3f}".replace("-", "\u2212")),
    ],
    ids=["quoted commas", "tabs", "euros", "percent", "dollars", "accounts", "a minus sign"],
)
def test_numbers_are_some_however_they_are_written(
    tmp_path: Path, separator: str, form: Callable[[float], str]
) -> None:
    values = np.random.default_rng(3).normal(size=5000)
    lines = [separator.join([form(value), str(at % 7)]) for at, value in enumerate(values)]
    (tmp_path / "t.csv").write_text("\n".join([f"y{separator}n", *lines]) + "\n")
    factor = 1000 if "$" in form(1.0) else 1

    def typed(rng: np.random.Generator) -> Mapping[str, Any]:
        return {"y": (factor * rng.normal(size=100)).round(2 if factor > 1 else 3), "n": rng.integers(0, 7, 100)}

    def as_text(rng: np.random.Generator) -> Mapping[str, Any]:
        return {"y": [form(value).strip('"') for value in rng.normal(size=100)], "n": rng.integers(0, 7, 100)}

    detector = detector_of(tmp_path / "t.csv", "--unordered")

    assert kinds(detector) == {"y": "numeric", "n": "numeric"}
    assert fired(detector, typed) == []
    assert fired(DriftDetector(detector.reference), as_text) == []


@pytest.mark.parametrize(
    "marker", ["N/A", "None", "?", "-", " ", "#DIV/0!", "eleven", "missing", "--", "NaT", "inf", "007"]
)
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


HOURS = pd.date_range("2024-01-01", periods=24, freq="h")


def in_form(moments: pd.DatetimeIndex, form: str) -> Any:
    """*moments* as one column, in one of the forms in which they come."""
    texts = {"texts": "%Y-%m-%dT%H:%M:%S", "blanks": "%Y-%m-%d %H:%M", "strokes": "%Y/%m/%d %H:%M:%S.%f"}
    if form in texts:
        return moments.strftime(texts[form]).tolist()
    if form == "texts with a zone":
        return [moment.isoformat() + "+00:00" for moment in moments]
    if form == "another zone":
        return [moment.isoformat() for moment in moments.tz_localize("UTC").tz_convert("Asia/Kolkata")]
    if form == "aware":
        return moments.tz_localize("UTC").tz_convert("America/New_York")
    return moments if form == "datetimes" else moments.to_pydatetime().tolist()


FORMS = ["datetimes", "texts", "texts with a zone", "blanks", "strokes", "another zone", "aware", "objects"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("source", ["Parquet", "CSV", "frame", "texts in a frame", "CSV of texts with a zone"])
def test_moments_are_compared_whichever_way_they_come(tmp_path: Path, source: str, form: str) -> None:
    rng = np.random.default_rng(3)
    moments = HOURS[rng.integers(0, 24, 4000)]
    stored = {"texts in a frame": "texts", "CSV of texts with a zone": "another zone"}.get(source, "datetimes")
    frame = pd.DataFrame({"t": in_form(moments, stored), "x": rng.normal(size=4000)})
    if "frame" in source:
        detector = DriftDetector(frame, {"t": "numeric"}, ordered=False)
    else:
        path = tmp_path / ("t.parquet" if source == "Parquet" else "t.csv")
        frame.to_parquet(path) if source == "Parquet" else frame.to_csv(path, index=False)
        detector = detector_of(path, "--unordered", "--keep", "t")

    def rows(live: np.random.Generator) -> Mapping[str, Any]:
        return {"t": in_form(HOURS[live.integers(0, 24, 100)], form), "x": live.normal(size=100)}

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
