"""A chat assistant that streams as OpenAI's API does, with a stand-in for the model, and thumbs from its readers."""

import json
import os
import uuid
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

import dashlight
from dashlight import DashlightMiddleware

ANSWER = "You will find the form under Settings , then Billing ; it takes two minutes ."


class Message(BaseModel):
    """One turn of the conversation."""

    role: str
    content: str


class Asked(BaseModel):
    """As `POST /v1/chat/completions` takes it."""

    messages: list[Message]
    model: str = "helper-1"
    stream: bool = True


class Thumb(BaseModel):
    """What a reader thought of an answer; *id* is that of the stream."""

    id: str
    up: bool


app = FastAPI(title="Helper")
app.add_middleware(DashlightMiddleware)


@app.post("/v1/chat/completions")
async def complete(asked: Asked) -> StreamingResponse:
    """Streams an answer; HELPER_PROMPT is the template that somebody may have broken."""
    return StreamingResponse(pieces(asked.model), media_type="text/event-stream")


async def pieces(model: str) -> AsyncIterator[str]:
    """Server-sent events, a word each."""
    identifier = f"chatcmpl-{uuid.uuid4().hex}"
    for word in f"{os.environ.get('HELPER_PROMPT', '')}{ANSWER}".split():
        chunk = {
            "id": identifier,
            "object": "chat.completion.chunk",
            "model": model,
            "choices": [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}],
        }
        yield f"data: {json.dumps(chunk)}\n\n"
    last = {"id": identifier, "object": "chat.completion.chunk", "model": model}
    yield f"data: {json.dumps(last | {'choices': [{'index': 0, 'delta': {}, 'finish_reason': 'stop'}]})}\n\n"
    yield "data: [DONE]\n\n"


@app.post("/thumb")
async def thumb(told: Thumb) -> None:
    """A thumb is a label: 1 is up, 0 is down."""
    dashlight.label(told.id, 1 if told.up else 0)
