"""An app whose answers end in every way, below a middleware as FastAPI's users write them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

import dashlight

inner = FastAPI()


@inner.middleware("http")
async def passing(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Does nothing, and makes a stream of every answer."""
    return await call_next(request)


async def pieces(count: int, breaks_at: int) -> AsyncIterator[bytes]:
    """Pieces of an answer."""
    for number in range(count):
        if number == breaks_at:
            raise LookupError("no more tokens")
        yield b"data: %d\n\n" % number
        await asyncio.sleep(0.01)


@inner.post("/stream")
async def stream(count: int, breaks_at: int = -1) -> Response:
    """A stream, perhaps one that breaks."""
    return StreamingResponse(pieces(count, breaks_at), media_type="text/event-stream")


@inner.post("/large")
async def large(request: Request) -> Response:
    """Takes a large body, and fails with a larger answer."""
    size = sum([len(piece) async for piece in request.stream()])

    async def mebibytes() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield bytes(2**20)

    return StreamingResponse(mebibytes(), status_code=500 if size > 1 else 200)


@inner.post("/raise")
async def fail() -> Response:
    """Fails before it answers."""
    raise LookupError("no model")


@inner.post("/says")
async def says(age: int) -> Response:
    """Says that it failed, below a good status."""
    return JSONResponse({"error": "model not loaded"} if age < 0 else {"score": 0.5})


@inner.get("/healthz")
async def health() -> Response:
    """Whether it is up."""
    return JSONResponse({})


app: Any = dashlight.watch(inner)
