"""Segments of an app behind the middleware: what failed and was refused, by the values of a feature."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight import DashlightMiddleware
from dashlight.counting.machine import MachinePane, ProcessStatus
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.records import Role
from dashlight.runtime.assembly import assemble
from dashlight.runtime.pipeline import Pipeline
from dashlight.runtime.process import process
from dashlight.window.columns import Reference
from dashlight.window.disclosure import with_shown
from dashlight.window.parts.segments import SegmentPane
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump, load
from dashlight.window.tables import Column

pytestmark = pytest.mark.usefixtures("fresh_process")
PATIENCE_SECONDS = 20.0
CITIES = ["Bonn", "Kiel", "Ulm"]
HOSTILE = ["\x1b[31mred\r\n", "y" * 10_000, "\u202edlrow"]
Row = dict[str, Any]


def rows_of(count: int, cities: Sequence[str] = CITIES) -> list[Row]:
    rng = np.random.default_rng(count)
    numbers = rng.normal(40, 10, count).round(4).tolist()
    return [{"city": cities[at % len(cities)], "age": age, "n": at % 7} for at, age in enumerate(numbers)]


def reference_of(rows: Sequence[Row]) -> Reference:
    columns: dict[str, Column] = {name: [row[name] for row in rows] for name in rows[0]}
    roles: dict[str, Role] = dict.fromkeys(columns, "feature")
    columns["p"], roles["p"] = np.linspace(0.01, 0.99, len(rows)), "output"
    return build_reference_from_columns(columns, roles, rng=np.random.default_rng(0), created_at=0.0)


async def model(scope: Any, receive: Any, send: Any) -> None:
    """Refuses what lacks an age, fails for Kiel in three ways, and answers the others."""
    body = json.loads((await receive())["body"])
    status, answer = 200, {"p": 0.5}
    if body.get("age") is None:
        status, answer = 422, {"detail": "age"}  # type: ignore[dict-item]
    elif body.get("city", body.get("town")) == "Kiel":
        if body["n"] % 3 == 0:
            raise ValueError("no such harbour")
        status, answer = (503, {}) if body["n"] % 3 == 1 else (200, {"error": "no such harbour"})  # type: ignore[dict-item]
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def receiving(body: bytes) -> Callable[[], Awaitable[MutableMapping[str, Any]]]:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body}

    return receive


async def asked(rows: Sequence[Row]) -> None:
    app = DashlightMiddleware(model)
    headers = [(b"content-type", b"application/json")]

    async def send(message: Any) -> None:
        pass

    for row in rows:
        scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": headers}
        with contextlib.suppress(ValueError):
            await app(scope, receiving(json.dumps(row).encode()), send)


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., MachinePane]:
    """Asks an app for batches of rows, one after another, against a reference; what was counted of all of them."""

    def served(reference: Reference, *batches: Sequence[Row], **environ: str) -> MachinePane:
        file = tmp_path / "r.dlref"
        file.write_bytes(dump(reference))
        said = {"DASHLIGHT_REFERENCE": str(file), "DASHLIGHT_CPU": "100%", "DASHLIGHT_MODEL": "risk", **environ}
        for name, value in said.items():
            monkeypatch.setenv(name, value)
        monitor = assemble(os.environ, None)
        assert monitor is not None
        assert monitor.ready.wait(PATIENCE_SECONDS)
        process.monitor = monitor
        for rows in batches:
            asyncio.run(asked(rows))
            assert monitor.flush(PATIENCE_SECONDS) == 0
        analysis = monitor._analysis
        assert isinstance(analysis, Pipeline)
        return analysis._counter.close(10.0, ProcessStatus(0, 1.0), {})

    return served


def segments_of(pane: MachinePane) -> SegmentPane:
    (model,) = (each for endpoint in pane.endpoints.values() for each in endpoint.models.values())
    assert model.segments is not None
    return model.segments


def by_name(reference: Reference, names: Sequence[str], tally: Any) -> dict[str, int]:
    told = segmentation_of(reference, names).names
    return {name: int(count) for name, count in zip(told, tally.tolist(), strict=True) if count}


def test_failures_of_one_value_are_counted_in_its_segment(serve: Callable[..., MachinePane]) -> None:
    rows = rows_of(1200)
    reference = reference_of(rows)
    good = [row for row in rows if row["city"] != "Kiel"][:60]
    bad = [row for row in rows if row["city"] == "Kiel"][:42]
    refused = [{**row, "age": None} for row in rows if row["city"] == "Ulm"][:30]

    pane = serve(reference, good, [*bad, *refused], DASHLIGHT_SEGMENTS="city", DASHLIGHT_SHOW="city")

    counted = segments_of(pane)
    shown = with_shown(load(dump(reference)), ["city"])
    assert by_name(shown, ["city"], counted.failed) == {"city=Kiel": 42}
    assert by_name(shown, ["city"], counted.refused) == {"city=Ulm": 30}
    assert by_name(shown, ["city"], counted.exchanges) == {"city=Bonn": 30, "city=Kiel": 42, "city=Ulm": 60}
    (endpoint,) = (each for each in pane.endpoints.values() if each.models)
    assert endpoint.unplaced == 0
    assert sum(each.row_count for each in endpoint.models.values()) == 60


def test_segments_go_by_the_new_names_of_columns(serve: Callable[..., MachinePane]) -> None:
    reference = reference_of(rows_of(1200))
    rows = [{"town": row["city"], "age": row["age"], "n": row["n"]} for row in rows_of(90)]
    environ = {"DASHLIGHT_SEGMENTS": "city", "DASHLIGHT_COLUMNS": "town=city", "DASHLIGHT_SHOW": "city"}

    counted = segments_of(serve(reference, rows, **environ))

    found = by_name(with_shown(reference, ["city"]), ["city"], counted.failed)
    assert found == {"city=Kiel": 30}


def test_hostile_and_hidden_values_are_told_nowhere(serve: Callable[..., MachinePane]) -> None:
    rows = rows_of(1200, HOSTILE)
    reference = reference_of(rows)

    segments_of(serve(reference, rows[:60], DASHLIGHT_SEGMENTS="city"))

    for told in (reference, with_shown(reference, ["*"])):
        for name in segmentation_of(told, ["city"]).names:
            assert name.isprintable()
            assert len(name) < 80
            assert told is not reference or "yyy" not in name


def test_what_nobody_can_read_is_counted_as_placed_nowhere(serve: Callable[..., MachinePane]) -> None:
    reference = reference_of(rows_of(1200))
    strange = [{"unheard": at} for at in range(12)]

    pane = serve(reference, rows_of(30), strange, DASHLIGHT_SEGMENTS="city")

    assert sum(endpoint.unplaced for endpoint in pane.endpoints.values()) == 12
