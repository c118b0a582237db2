"""Latency that a watched server adds at a fixed rate: open loop, counted from the moment each request is due."""

from __future__ import annotations

import itertools
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks.model_app import bodies
from benchmarks.overhead_slices import ROOT, NoResultError, clean_environ
from benchmarks.sink import counts_of
from benchmarks.variants import variants

RATE = 300.0
"""Requests a second."""
_WARM_UP_SECONDS = 2.0
_POOL = 8192
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class AddedLatency:
    """Medians, over pairs of neighbouring blocks, of watched minus bare; in milliseconds."""

    p50_ms: float
    p99_ms: float
    bare_p50_ms: float
    bare_p99_ms: float
    p99_noise_ms: float
    """Half of the spread between the quartiles of the differences of p99."""
    requests: int


class Client:
    """Sends requests when they are due over as many connections as it takes, from one thread."""

    def __init__(self, url: str, pool: Sequence[bytes], *, rate: float = RATE) -> None:
        """*rate* is in requests a second."""
        self._rate = rate
        address = urlsplit(url)
        self._address = (str(address.hostname), int(address.port or 0))
        # On and on through all of them: a few hundred rows over and over would be a drift, and found.
        self._requests = itertools.cycle([_request(body) for body in pool])
        self._idle: deque[socket.socket] = deque()
        self._busy: dict[socket.socket, tuple[float, bytes]] = {}

    def block(self, seconds: float) -> list[float]:
        """Seconds from due to answered, of all requests of a block of this length."""
        began = time.perf_counter()
        answered: list[float] = []
        for place in range(int(seconds * self._rate)):
            due_at = began + place / self._rate
            while (now := time.perf_counter()) < due_at:
                self._read(due_at - now, answered)
            connection = self._idle.pop() if self._idle else self._connect()
            self._busy[connection] = (due_at, b"")
            connection.sendall(next(self._requests))
        last_at = time.perf_counter() + _PATIENCE_SECONDS
        while self._busy:
            self._read(1.0, answered)
            if time.perf_counter() > last_at:
                raise NoResultError("latency: a request was not answered")
        return answered

    def close(self) -> None:
        """Ends all connections; a block begins new ones."""
        while self._idle:
            self._idle.pop().close()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _read(self, timeout_seconds: float, answered: list[float]) -> None:
        # select() because its timeout counts in microseconds, that of epoll in milliseconds.
        readable, _, _ = select.select(list(self._busy), [], [], timeout_seconds)
        for connection in readable:
            due_at, known = self._busy[connection]
            known += connection.recv(65536)
            if _is_whole(known):
                answered.append(time.perf_counter() - due_at)
                del self._busy[connection]
                self._idle.append(connection)
            else:
                self._busy[connection] = (due_at, known)


def added_latency(sink: str, reference: Path, *, pairs: int, block_seconds: float) -> AddedLatency:
    """Watched against bare: two servers on loopback, loaded in turn.

    Raises:
        NoResultError: a server did not answer as it should, or spans were lost.
    """
    spans_before = _spans(sink)
    pool = bodies(_POOL, seed=2)
    # As a user would have it: the budget at its default of 10 % of a core.
    watched = variants(sink, reference)["own"].environ | {"DASHLIGHT_CPU": "10%"}
    with served("bare", {}) as bare_url, served("watched", watched) as watched_url:
        clients = {"bare": Client(bare_url, pool), "watched": Client(watched_url, pool)}
        for client in clients.values():
            client.block(_WARM_UP_SECONDS)
        found: dict[str, list[list[float]]] = {name: [] for name in clients}
        order = list(clients)
        for taken in range(pairs):
            for name in order:
                found[name].append(sorted(clients[name].block(block_seconds)))
            order.reverse()
            print(f"\r  pair {taken + 1} of {pairs}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        for client in clients.values():
            client.close()
    sent = sum(map(len, found["watched"])) + int(_WARM_UP_SECONDS * RATE)
    if (arrived := _spans(sink) - spans_before) != sent:
        raise NoResultError(f"latency: {arrived:.0f} spans arrived of {sent}")
    p50, p99 = (_differences(found, share) for share in (0.50, 0.99))
    return AddedLatency(
        median(p50),
        median(p99),
        median(_quantile(block, 0.50) for block in found["bare"]) * 1e3,
        median(_quantile(block, 0.99) for block in found["bare"]) * 1e3,
        (_quantile(sorted(p99), 0.75) - _quantile(sorted(p99), 0.25)) / 2,
        sum(map(len, found["watched"])),
    )


@contextmanager
def served(name: str, environ: Mapping[str, str]) -> Iterator[str]:
    """The URL of uvicorn with the app in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    factory = f"benchmarks.served_app:{name}"
    command = [
        "uvicorn",
        "--factory",
        factory,
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "warning",
        "--timeout-keep-alive",
        "600",
    ]
    child = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=clean_environ(environ))
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _answers(port):
            if child.poll() is not None or time.monotonic() > deadline:
                raise NoResultError(f"latency: the {name} server did not start")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait()


def _spans(sink: str) -> float:
    """Spans of the watched server that have arrived, after its shutdown all of them."""
    return counts_of(sink).get("own", {}).get("traces", 0)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _request(body: bytes) -> bytes:
    head = (
        f"POST /predict HTTP/1.1\r\nhost: app\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    if not answer or (b"\r\n" in head and b" 200 " not in head.split(b"\r\n")[0]):
        raise NoResultError(f"latency: the server said {answer[:100]!r}")
    sizes = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(sizes) and len(body) >= int(sizes[0])


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _differences(found: Mapping[str, Sequence[Sequence[float]]], share: float) -> list[float]:
    """Watched minus bare of every pair, in milliseconds."""
    pairs = zip(found["watched"], found["bare"], strict=True)
    return [1e3 * (_quantile(watched, share) - _quantile(bare, share)) for watched, bare in pairs]
