"""What every test may rely on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashlight.process import process


@pytest.fixture
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No Monitor before and none after, as at the start of a process; panes too long to end in a test."""
    monkeypatch.setenv("DASHLIGHT_PANE", "1h")
    process.forget()
    yield
    if process.monitor is not None:
        process.monitor.close()
    process.forget()
