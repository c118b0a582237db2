"""What every test may rely on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from dashlight.labels.rows import NO_CLASS, LabelledRows, Task
from dashlight.records import Exchange, OwnSpan
from dashlight.runtime.process import process

DEFAULTS: Mapping[str, Any] = {
    "id": 0x0190_1234_5678_7ABC_8DEF_0123_4567_89AB,
    "route": "/predict/{name}",
    "method": "POST",
    "path": "/predict/fraud",
    "query": b"token=secret",
    "scheme": "http",
    "server": ("10.0.0.7", 8000),
    "http_version": "1.1",
    "request_headers": (),
    "response_headers": (),
    "status": 200,
    "error": "",
    "outcome": "ok",
    "started_at": 1_790_000_000.25,
    "first_byte_seconds": 0.25,
    "duration_seconds": 0.5,
    "request_bytes": 300,
    "response_bytes": 20_000,
    "request_chunks": (b"x" * 300,),
    "response_chunks": (b"y" * 20_000,),
    "trace_id": 0xABCDEF0123456789ABCDEF0123456789,
    "span_id": 0x1122334455667788,
    "trace_flags": 1,
    "own_span": OwnSpan(),
}


@pytest.fixture
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No Monitor before and none after, as at the start of a process; panes too long to end in a test."""
    monkeypatch.setenv("DASHLIGHT_PANE", "1h")
    process.forget()
    yield
    if process.monitor is not None:
        process.monitor.close()
    process.forget()


@pytest.fixture
def exchange() -> Callable[..., Exchange]:
    """Makes an exchange that went well, save what is given otherwise."""
    return lambda **overrides: Exchange(**{**DEFAULTS, **overrides})


@pytest.fixture
def labelled() -> Callable[..., LabelledRows]:
    """Makes rows of a task with labels, scores and predictions; all else is usual where it is not said."""

    def made(task: Task, labels: Any, scores: Any = None, predictions: Any = None, **others: Any) -> LabelledRows:
        count = len(labels)
        usual: dict[str, Any] = {
            "classes": ("no", "yes") if task == "binary" else (),
            "predicted_at": np.zeros(count),
            "labelled_at": np.ones(count),
            "steps": np.zeros(count, np.int32),
            "is_implied": np.zeros(count, np.bool_),
        }
        return LabelledRows(
            model=("/predict", "fraud", "1"),
            task=task,
            labels=np.asarray(labels, np.float64),
            scores=np.full(count, np.nan) if scores is None else np.asarray(scores, np.float64),
            predictions=np.full(count, NO_CLASS, np.int32)
            if predictions is None
            else np.asarray(predictions, np.int32),
            **{**usual, **others},
        )

    return made
