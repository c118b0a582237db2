"""A Monitor of this process whose collector is in memory: what integrations hand over can be looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dashlight.runtime.assembly import assemble
from dashlight.runtime.monitor import Monitor
from dashlight.runtime.process import process
from dashlight.testing import MemoryExporter

PATIENCE_SECONDS = 20.0


@dataclass
class Collected:
    """What has left the process."""

    exporter: MemoryExporter
    monitor: Monitor

    def events(self) -> list[dict[str, Any]]:
        """The attributes of the events of predictions."""
        assert self.monitor.flush(PATIENCE_SECONDS) == 0
        return [event["attributes"] for event in self.exporter.events("dashlight.prediction")]

    def event(self) -> dict[str, Any]:
        """Those of the one."""
        (only,) = self.events()
        return only

    @property
    def losses(self) -> dict[str, int]:
        """What was lost, by reason."""
        return self.monitor.capture.failures


@pytest.fixture
def collected(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collected]:
    """The Monitor of this process, with all events and their columns."""
    settings = {"COLLECTOR": "http://collector", "SAMPLE_RATE": "1", "PAYLOADS": "features"}
    for name, value in settings.items():
        monkeypatch.setenv(f"DASHLIGHT_{name}", value)
    exporter = MemoryExporter()
    monitor = assemble(os.environ, None, connect=exporter.connect)
    assert monitor is not None
    assert monitor.ready.wait(PATIENCE_SECONDS)
    # As if this process had started it.
    process.monitor, process._tried = monitor, True
    yield Collected(exporter, monitor)
    monitor.close()
