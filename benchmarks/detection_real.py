"""Real rows: the flights of this project, and two sets out of NannyML's wheel, which is unpacked and never imported."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet
from benchmarks.detection_ours import by_detector
from benchmarks.detection_outcome import Alarms
from benchmarks.detection_streams import Column, Stream, joined, split
from examples.flights.flights import CODES, FEATURES, NUMBERS, Flight, part, read

SHUFFLED_REFERENCE_ROWS = 10_000
LONGEST = 50_000
"""Rows of a shuffled set that are watched."""
CAR_LOAN_CHANGE = 25_000
"""The row of its second half from which the set was made to differ, as its documentation says."""

_FOLDER = "nannyml/datasets/data/"
_NO_FEATURES = frozenset({"id", "timestamp", "year", "repaid", "employed"})


class NoSetError(Exception):
    """A set that was not given; the text says how to give it."""


@dataclass(frozen=True, slots=True)
class Span:
    """When a column was in alarm: from one moment to another, or to the end of the stream."""

    column: str
    began: str
    ended: str
    """Empty where it still was at the end."""


def in_order(folder: Path | None) -> dict[str, Stream | NoSetError]:
    """The sets in time order; only of the car loans it is known when they change."""
    training, flights, held_out_rows = _flights()
    streams: dict[str, Stream | NoSetError] = {
        f"flights of 2013, quiet until {held_out_rows:,}": Stream(_columns(training), _columns(flights))
    }
    streams["car loans, change at 25,000"] = _or_error(folder, _car_loans)
    streams["employment, 2015, then to 2018"] = _or_error(folder, _employment)
    return streams


def shuffled(stream: Stream, seed: int) -> Stream:
    """All rows of *stream* in an order in which nothing changes: every alarm is false."""
    rows = joined(stream.reference, stream.current)
    order = np.random.default_rng(seed).permutation(len(next(iter(rows.values()))))[: SHUFFLED_REFERENCE_ROWS + LONGEST]
    mixed: dict[str, Column] = {}
    for name, values in rows.items():
        if isinstance(values, list):
            mixed[name] = [values[row] for row in order.tolist()]
        else:
            mixed[name] = values[order]
    return Stream(*split(mixed, SHUFFLED_REFERENCE_ROWS))


def flights_year(pane_rows: int) -> tuple[int, list[Span]]:
    """Ours on the flights in time order: panes in alarm within the held-out part, and every alarm with its dates."""
    training, flights, held_out_rows = _flights()
    reference = _columns(training)
    alarms = by_detector(reference, _columns(flights), pane_rows=pane_rows)
    moments = [flights[(pane + 1) * pane_rows - 1].scheduled for pane in range(len(alarms))]
    held_out = alarms[: held_out_rows // pane_rows]
    return int(held_out.any(axis=1).sum()), spans(alarms, (*reference, "several columns"), moments)


def spans(alarms: Alarms, columns: Sequence[str], moments: Sequence[str]) -> list[Span]:
    """Every stretch of panes in alarm, in order of columns; *moments* are the ends of the panes."""
    found: list[Span] = []
    for column, held in zip(columns, alarms.T, strict=True):
        steps = np.diff(held.astype(np.int8), prepend=0)
        ends = [*np.flatnonzero(steps == -1).tolist(), None]
        for begin, end in zip(np.flatnonzero(steps == 1).tolist(), ends, strict=False):
            found.append(Span(column, moments[begin], "" if end is None else moments[end]))
    return found


def download(folder: Path) -> None:
    """Put NannyML's wheel into *folder*, without what it depends on, unless one is there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("nannyml-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "nannyml"]
        subprocess.run(command, check=True)


def _flights() -> tuple[list[Flight], list[Flight], int]:
    """Training flights, those to watch, and how many of these are of the training months, held out."""
    training, watched = part(read())
    return training, watched, sum(flight.part == "held-out" for flight in watched)


def _columns(flights: Sequence[Flight]) -> dict[str, Column]:
    rows = [flight.features for flight in flights]
    columns: dict[str, Column] = {}
    for name in FEATURES:
        values = [row[name] for row in rows]
        if name in CODES:
            columns[name] = [None if value is None else str(value) for value in values]
        elif name in NUMBERS:
            columns[name] = np.array([np.nan if value is None else value for value in values], np.float64)
    return columns


def _or_error(folder: Path | None, make: Callable[[zipfile.ZipFile], Stream]) -> Stream | NoSetError:
    if folder is None:
        return NoSetError("needs --data DIR, and --real to download it")
    wheels = sorted(folder.glob("nannyml-*.whl"))
    if not wheels:
        return NoSetError(f"no nannyml-*.whl in {folder}: --real downloads it")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        return make(wheel)


def _car_loans(wheel: zipfile.ZipFile) -> Stream:
    def read_part(name: str) -> dict[str, Column]:
        text = wheel.read(f"{_FOLDER}synthetic_car_loan_{name}.csv").decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        return {
            column: _parsed([row[column] for row in rows], numeric=column in numeric)
            for column in rows[0]
            if column not in _NO_FEATURES
        }

    numeric = frozenset({"car_value", "debt_to_income_ratio", "loan_length", "driver_tenure", "y_pred_proba"})
    return Stream(read_part("reference"), read_part("analysis"), CAR_LOAN_CHANGE)


def _employment(wheel: zipfile.ZipFile) -> Stream:
    def read_part(name: str) -> dict[str, Column]:
        table = pyarrow.parquet.read_table(io.BytesIO(wheel.read(f"{_FOLDER}employment_MA_{name}.pq")))
        columns: Mapping[str, list[object]] = table.to_pydict()
        return {
            column: _parsed([None if value is None else str(value) for value in values], numeric=column in numeric)
            for column, values in columns.items()
            if column not in _NO_FEATURES
        }

    numeric = frozenset({"AGEP", "predicted_probability"})
    return Stream(read_part("reference"), read_part("analysis"))


def _parsed(texts: Sequence[str | None], *, numeric: bool) -> Column:
    """Numbers, NaN where there is none; or words, None where there is none."""
    if numeric:
        return np.array([float(text) if text else np.nan for text in texts], np.float64)
    return [text or None for text in texts]
