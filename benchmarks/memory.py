"""Resident memory of a watched app under traffic that is shaped to fill it, against DASHLIGHT_MEMORY.

    python -m benchmarks.memory                       all shapes, in the process that judges and in a worker beside it
    python -m benchmarks.memory columns --memory 64MB --trace

Each run is a process of its own: a Starlette app whose requests are driven without a server, panes of 200 ms, a learned
reference of 200 rows. What grows is counted from the first answered requests on, when everything is loaded. *--trace* says
which lines hold what.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.memory_shapes import FILE_COLUMNS, SHAPES, Request, warm

from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

ROOT = Path(__file__).parents[1]
_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes of resident memory above those of a process that has answered its first requests."""

    flooded_bytes: int
    """After the flood."""
    again_bytes: int
    """After as much again."""
    settled_bytes: int
    """When nothing has come for some panes."""
    told: Sequence[str]
    """What the log warns of."""


def growth(shape: str, *, memory: str = "", role: str = "judge", trace: bool = False) -> Growth:
    """What traffic of this *shape* takes in the process that judges, or in a worker beside one."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DASHLIGHT_", "OTEL_"))}
    environ |= {"DASHLIGHT_PANE": "200ms", "DASHLIGHT_REFERENCE_ROWS": "200", "DASHLIGHT_CPU": "100%"}
    environ |= {"DASHLIGHT_MEMORY": memory} if memory else {}
    with tempfile.TemporaryDirectory() as state:
        if shape == "columns":
            environ["DASHLIGHT_REFERENCE"] = str(_reference(Path(state)))
        command = [sys.executable, "-m", "benchmarks.memory", "--child", shape, *(["--trace"] if trace else [])]
        environ["DASHLIGHT_STATE_DIR"] = state
        judge = None
        if role == "worker":
            idle = [sys.executable, "-m", "benchmarks.memory", "--child", "idle"]
            judge = subprocess.Popen(idle, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert_line(judge)
        try:
            run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        finally:
            if judge is not None:
                judge.kill()
                judge.communicate()
    if run.returncode:
        raise RuntimeError(f"{shape}: {run.stderr[-2000:]}")
    if trace:
        print(run.stderr)
    return Growth(**json.loads(run.stdout.splitlines()[-1]))


def _reference(directory: Path) -> Path:
    """A reference file of 2,000 rows."""
    rng, path = np.random.default_rng(0), directory / "reference.json"
    columns = {name: rng.normal(size=2_000) for name in FILE_COLUMNS}
    path.write_bytes(dump(build_reference_from_columns(columns, {}, rng=rng, created_at=0.0)))
    return path


def assert_line(process: subprocess.Popen[bytes]) -> None:
    """Waits until *process* says that it is there."""
    if process.stdout is None or not process.stdout.readline():
        raise RuntimeError("the process that judges did not start")


def _app() -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request as Asked
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def answer(request: Asked) -> JSONResponse:
        await request.body()
        return JSONResponse({"predictions": [0.5]})

    async def refuse(request: Asked) -> JSONResponse:
        await request.body()
        field = request.query_params.get("field", "")
        return JSONResponse({"detail": [{"type": "missing", "loc": ["body", field], "msg": "?"}]}, status_code=422)

    async def chat(request: Asked) -> JSONResponse:
        asked = json.loads(await request.body())
        usage = {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109}
        message = {"role": "assistant", "content": "so it is"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        said = {"id": "x", "object": "chat.completion", "created": 1, "model": asked["model"]}
        return JSONResponse({**said, "choices": [choice], "usage": usage})

    routes = [Route(f"/r{number}", answer, methods=["POST"]) for number in range(64)]
    routes += [Route("/refused", refuse, methods=["POST"]), Route("/v1/chat/completions", chat, methods=["POST"])]
    return Starlette(routes=routes)


async def _ask(app: Any, asked: Request) -> None:
    path, body, headers = asked
    path, _, query = path.partition("?")
    sent = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": sent,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        del message

    await app(scope, receive, send)


def _child(shape: str, *, trace: bool) -> None:
    import logging

    from dashlight import DashlightMiddleware
    from dashlight.runtime.process import process

    told: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("dashlight").addHandler(handler)
    app = DashlightMiddleware(_app())
    rng = np.random.default_rng(1)

    async def drive(requests: Iterator[Request]) -> None:
        for number, asked in enumerate(requests):
            await _ask(app, asked)
            if number % 20 == 19:
                await _read()

    async def _read() -> None:
        # As fast as it is analysed: what waits is bounded too, and another thing.
        monitor = process.monitor
        until = time.monotonic() + _PATIENCE_SECONDS
        while monitor is not None and len(monitor.capture.inbox) > 40 and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def rest(seconds: float) -> None:
        """Until nothing has grown or shrunk for so long."""
        await _read()
        until = time.monotonic() + _PATIENCE_SECONDS
        held, since = 0, time.monotonic()
        while time.monotonic() - since < seconds and time.monotonic() < until:
            await asyncio.sleep(0.2)
            gc.collect()
            if abs(_resident_bytes() - held) > 1_000_000:
                held, since = _resident_bytes(), time.monotonic()

    async def run() -> None:
        await drive(warm(rng))
        monitor = process.monitor
        if monitor is None or not monitor.ready.wait(_PATIENCE_SECONDS):
            raise RuntimeError("it is not watched")
        await rest(2.0)
        if shape == "idle":
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.read)
            return
        if trace:
            tracemalloc.start(6)
        began = _resident_bytes()
        sizes: list[int] = []
        for _ in range(2):
            await drive(SHAPES[shape](rng))
            await rest(3.0)
            sizes.append(_resident_bytes() - began)
        await rest(3.0)
        sizes.append(_resident_bytes() - began)
        if trace:
            _show(tracemalloc.take_snapshot())
        names = "flooded_bytes", "again_bytes", "settled_bytes"
        print(json.dumps({**dict(zip(names, sizes, strict=True)), "told": told}))

    asyncio.run(run())
    os._exit(0)


def _show(snapshot: tracemalloc.Snapshot) -> None:
    by_line: Counter[str] = Counter()
    for held in snapshot.statistics("traceback"):
        ours = [frame for frame in held.traceback if "dashlight" in frame.filename]
        if ours:
            by_line[f"{ours[-1].filename.rpartition('dashlight/')[2]}:{ours[-1].lineno}"] += held.size
    for line, size in by_line.most_common(25):
        print(f"{size / 1e6:8.1f} MB  {line}", file=sys.stderr)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    """Prints what each shape takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shapes", nargs="*", default=[])
    parser.add_argument("--memory", default="")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--role", choices=("judge", "worker"), default="")
    parser.add_argument("--trace", action="store_true")
    arguments = parser.parse_args()
    if arguments.child:
        _child(arguments.shapes[0], trace=arguments.trace)
        return
    print(f"{'shape':12} {'process':8} {'flooded':>9} {'again':>9} {'settled':>9}  MB")
    for shape in arguments.shapes or SHAPES:
        for role in (arguments.role,) if arguments.role else ("judge", "worker"):
            found = growth(shape, memory=arguments.memory, role=role, trace=arguments.trace)
            sizes = found.flooded_bytes, found.again_bytes, found.settled_bytes
            print(f"{shape:12} {role:8} {' '.join(f'{size / 1e6:9.1f}' for size in sizes)}", flush=True)


if __name__ == "__main__":
    main()
