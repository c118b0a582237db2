from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from dashlight.zero_code.opentelemetry import patch


@pytest.mark.parametrize(
    ("mark", "expected"), [("/ours", "/ours:/theirs:/app"), ("", "/theirs:/ours:/app")], ids=["on", "off"]
)
def test_the_command_starts_with_our_directory_before_theirs(
    monkeypatch: pytest.MonkeyPatch, mark: str, expected: str
) -> None:
    monkeypatch.setenv("_DASHLIGHT_RUN", mark)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/theirs", "/ours", "/app"]))
    executed: list[tuple[str, ...]] = []
    module = SimpleNamespace(execl=lambda *command: executed.append((*command, os.environ["PYTHONPATH"])))

    patch(module)
    module.execl("/bin/uvicorn", "/bin/uvicorn", "app:app")

    assert executed == [("/bin/uvicorn", "/bin/uvicorn", "app:app", expected.replace(":", os.pathsep))]
