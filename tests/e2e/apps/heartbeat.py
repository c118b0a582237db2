"""An app that measures how late its event loop is, and gives back what it is sent where the query says so."""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any

from dashlight import DashlightMiddleware

BEAT_SECONDS = 0.005


class Heartbeat:
    """Answers any path; `/lag` with the latest beat since it was asked before."""

    def __init__(self) -> None:
        self._lag_seconds = 0.0
        self._beating: asyncio.Task[None] | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body, media_type = await _body(receive), b"application/json"
        if scope["path"] == "/lag":
            answer, self._lag_seconds = json.dumps(self._lag_seconds).encode(), 0.0
        elif scope["query_string"] == b"back":
            answer, media_type = body, dict(scope["headers"])[b"content-type"]
        else:
            answer = b'{"y": 1}'
        headers = [(b"content-type", media_type), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self._beating = asyncio.create_task(self._beat())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._beating.cancel()
        with suppress(asyncio.CancelledError):
            await self._beating
        await send({"type": "lifespan.shutdown.complete"})

    async def _beat(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(BEAT_SECONDS)
            self._lag_seconds = max(self._lag_seconds, time.perf_counter() - began - BEAT_SECONDS)


async def _body(receive: Any) -> bytes:
    pieces: list[bytes] = []
    more = True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


app = DashlightMiddleware(Heartbeat())
