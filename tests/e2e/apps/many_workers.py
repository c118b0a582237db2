"""A model behind several workers: fast, and one in two hundred requests fails."""

from __future__ import annotations

import json
from typing import Any

import dashlight


async def score(scope: Any, receive: Any, send: Any) -> None:
    """Scores the income; the age is asked for and has no part in it."""
    if scope["type"] == "lifespan":
        await living(receive, send)
        return
    message = await receive()
    status, answer = 200, b"{}"
    if scope["path"] == "/predict":
        row = json.loads(message["body"])
        status = 500 if row["number"] % 200 == 0 else 200
        answer = json.dumps({"score": row["income"] / 10_000}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def living(receive: Any, send: Any) -> None:
    """Starts and ends with the server."""
    for _ in range(2):
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


app = dashlight.watch(score)
