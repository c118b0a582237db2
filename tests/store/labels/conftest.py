"""Predictions for the tests of stores."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from dashlight.clock import Clock
from dashlight.labels.ids import entity_of, item_of, key_of
from dashlight.labels.rows import ModelKey, ScoredRows, Task
from dashlight.labels.store import LabelStore
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.redis_store import RedisLabelStore
from dashlight.store.labels.sqlite_store import SqliteLabelStore

KEY = HashKey(b"k" * 32)
MODEL: ModelKey = ("/score", "churn", "3")


def predictions(
    ids: Sequence[str],
    *,
    task: Task = "binary",
    classes: tuple[str, ...] = ("no", "yes"),
    at: float | Sequence[float] = 1_000_000.0,
    scores: Sequence[float] | None = None,
    entities: Sequence[str] | None = None,
    items: Sequence[Sequence[str]] | None = None,
    codes: bool = False,
    model: ModelKey = MODEL,
    reference: str = "",
    others: Sequence[str] | None = None,
) -> ScoredRows:
    n = len(ids)
    return ScoredRows(
        model,
        task,
        classes,
        keys=np.frombuffer(b"".join(key_of(each, KEY) for each in ids), "V16"),
        origins=np.frombuffer(b"o" * 16 * n, "V16"),
        places=np.arange(n, dtype=np.int32),
        predicted_at=np.broadcast_to(np.asarray(at, np.float64), n).copy(),
        scores=np.linspace(0.05, 0.95, n) if scores is None else np.asarray(scores, np.float64),
        predictions=np.zeros(n, np.int32),
        steps=np.zeros(n, np.int32),
        entities=None if entities is None else np.frombuffer(b"".join(entity_of(e, KEY) for e in entities), "V16"),
        items=None if items is None else np.array([[item_of(i, KEY) for i in row] for row in items], np.uint64),
        reference=reference,
        other_keys=None
        if others is None
        else np.frombuffer(b"".join(key_of(each, KEY) if each else bytes(16) for each in others), "V16"),
        sampled=np.arange(n, dtype=np.intp) if codes else None,
        codes=np.tile(np.arange(n, dtype=np.uint8), (3, 1)) if codes else None,
    )


@pytest.fixture
def rows() -> Callable[..., ScoredRows]:
    return predictions


@pytest.fixture
def hash_key() -> HashKey:
    return KEY


@pytest.fixture
def model() -> ModelKey:
    return MODEL


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of the machine, on loopback, which forgets everything."""
    server = shutil.which("redis-server")
    if server is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not installed: apt-get install redis-server")
        pytest.skip("redis-server is not installed")
    directory = tmp_path_factory.mktemp("redis")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [server, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(directory)]
    process = subprocess.Popen([*command, "--requirepass", "open-sesame"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield f"redis://:open-sesame@127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["sqlite", "redis"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., LabelStore]]:
    """Opens a store; a second one that is opened so shares it, as another process would."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    application, opened = uuid.uuid4().hex, list[LabelStore]()

    def open_one(clock: Clock, *, window: float = 86400.0, most_bytes: int = 1 << 30) -> LabelStore:
        store: LabelStore
        if url:
            store = RedisLabelStore(
                url, application=application, hash_key=KEY, label_window=window, most_bytes=most_bytes, clock=clock,
                write_seconds=0.02,
            )  # fmt: skip
        else:
            store = SqliteLabelStore(
                tmp_path / "labels.sqlite", hash_key=KEY, label_window=window, most_bytes=most_bytes, clock=clock,
                write_seconds=0.02,
            )  # fmt: skip
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close(10.0)
