"""The model servers that the client tests talk to, watched by one line; `bare` is the same without it.

There is no model behind them: they answer in the way that the interfaces want. The first part of a path tells the
tests apart; behind it everything is as the client wants it.
"""

import base64
import gzip
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

import dashlight

HEAD_LENGTH = "inference-header-content-length"
WIDTH = 3


async def chat(request: Request) -> Response:
    """OpenAI's chat: whole, streamed, streamed until it breaks, or refused."""
    asked = await request.json()
    case = request.url.path.split("/")[1]
    if case == "busy":
        error = {"message": "come back later", "type": "rate_limit", "param": None, "code": "busy"}
        return JSONResponse({"error": error}, 429)
    if asked.get("stream"):
        events = broken_events() if case == "breaking" else completion_events()
        return StreamingResponse(events, media_type="text/event-stream")
    return JSONResponse(completion_of(asked))


async def embed(request: Request) -> Response:
    """OpenAI's embeddings."""
    return JSONResponse(embeddings_of(await request.json()))


async def message(request: Request) -> Response:
    """Anthropic's messages."""
    asked = await request.json()
    if asked.get("stream"):
        return StreamingResponse(message_events(), media_type="text/event-stream")
    return JSONResponse(message_of(asked))


async def sentiment(request: Request) -> Response:
    """Hugging Face: classifies a text."""
    return JSONResponse(sentiment_of(await request.json()))


async def picture(request: Request) -> Response:
    """Hugging Face: classifies an image."""
    return JSONResponse(labels_of(await request.body()))


async def write(request: Request) -> Response:
    """Hugging Face: continues a text."""
    return JSONResponse(continuation_of(await request.json()))


async def infer(request: Request) -> Response:
    """Open Inference with binary tensors."""
    body, headers = sums_of(await request.body(), request.headers, request.path_params["model"])
    return Response(body, headers=headers)


async def health(request: Request) -> Response:
    """Whether it is up."""
    return PlainTextResponse("ok")


def served() -> Starlette:
    """All of them."""
    cases = ("whole", "streamed", "tools", "busy", "breaking")
    return Starlette(
        routes=[
            *(Route(f"/{case}/v1/chat/completions", chat, methods=["POST"]) for case in cases),
            Route("/v1/embeddings", embed, methods=["POST"]),
            *(Route(f"/{case}/v1/messages", message, methods=["POST"]) for case in ("whole", "streamed")),
            Route("/sentiment", sentiment, methods=["POST"]),
            Route("/picture", picture, methods=["POST"]),
            Route("/write", write, methods=["POST"]),
            Route("/v2/models/{model}/infer", infer, methods=["POST"]),
            Route("/healthz", health),
        ]
    )


def completion_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's answer to a chat: an echo, or a call of the first tool that is offered."""
    tools = asked.get("tools")
    message: dict[str, Any] = {"role": "assistant", "content": f"You said: {asked['messages'][-1]['content']}"}
    if tools:
        function = {"name": tools[0]["function"]["name"], "arguments": '{"city": "Oslo"}'}
        message |= {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tools else "stop", "logprobs": None}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return {**_chat_head("chat.completion"), "choices": [choice], "usage": usage}


def completion_events() -> Iterator[bytes]:
    """OpenAI's stream: three pieces, the end, the tokens beside no choice at all."""
    head = _chat_head("chat.completion.chunk")
    for piece in ("Good", " mor", "ning"):
        yield _event({**head, "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield _event({**head, "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}})
    yield b"data: [DONE]\n\n"


def broken_events() -> Iterator[bytes]:
    """A stream that begins well and then says what went wrong."""
    choice = {"index": 0, "delta": {"content": "Good"}, "finish_reason": None}
    yield _event({**_chat_head("chat.completion.chunk"), "choices": [choice]})
    yield _event({"error": {"message": "out of memory", "type": "server_error", "code": None, "param": None}})


def embeddings_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's embeddings, in base64 where that is asked."""
    vectors = [[len(text) + 0.5, 0.25, -1.0] for text in asked["input"]]
    in_base64 = asked.get("encoding_format") == "base64"
    found = [
        {
            "object": "embedding",
            "index": at,
            "embedding": base64.b64encode(struct.pack(f"<{WIDTH}f", *vector)).decode() if in_base64 else vector,
        }
        for at, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    return {"object": "list", "model": "embed-1", "data": found, "usage": usage}


def message_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Anthropic's answer: an echo."""
    text = f"You said: {asked['messages'][-1]['content']}"
    return {**_message_head(), "stop_reason": "end_turn", "content": [{"type": "text", "text": text}]}


def message_events() -> Iterator[bytes]:
    """Anthropic's stream."""
    yield _event({"type": "message_start", "message": _message_head()})
    yield _event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    for piece in ("Good", " morning"):
        yield _event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}})
    yield _event({"type": "content_block_stop", "index": 0})
    delta = {"stop_reason": "max_tokens", "stop_sequence": None}
    yield _event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}})
    yield _event({"type": "message_stop"})


def sentiment_of(asked: Mapping[str, Any]) -> list[Any]:
    """Hugging Face's classification of one text, best last."""
    return [[{"label": "negative", "score": 0.2}, {"label": "positive", "score": 0.8}]]


def labels_of(body: bytes) -> list[Any]:
    """Hugging Face's classification of one image."""
    return [{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.1}] if body else []


def continuation_of(asked: Mapping[str, Any]) -> list[Any]:
    """Hugging Face's continuation of a text."""
    return [{"generated_text": f"{asked['inputs']} and so on"}]


def sums_of(body: bytes, headers: Mapping[str, str], model: str) -> tuple[bytes, dict[str, str]]:
    """Open Inference: the sum of each row of the one tensor of four-byte numbers, as bytes."""
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    length = int(headers[HEAD_LENGTH])
    [tensor] = json.loads(body[:length])["inputs"]
    rows, width = tensor["shape"]
    numbers = struct.unpack(f"<{rows * width}f", body[length:])
    sums = [sum(numbers[at * width : (at + 1) * width]) for at in range(rows)]
    output = {"name": "total", "datatype": "FP32", "shape": [rows, 1], "parameters": {"binary_data_size": 4 * rows}}
    head = json.dumps({"model_name": model, "model_version": "3", "outputs": [output]}).encode()
    answer_headers = {"content-type": "application/octet-stream", HEAD_LENGTH: str(len(head))}
    return head + struct.pack(f"<{rows}f", *sums), answer_headers


def _chat_head(kind: str) -> dict[str, Any]:
    return {"id": "chat-1", "object": kind, "created": 1_790_000_000, "model": "small-1"}


def _message_head() -> dict[str, Any]:
    usage = {"input_tokens": 12, "output_tokens": 6}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-small", "content": []}
    return {**head, "stop_reason": None, "stop_sequence": None, "usage": usage}


def _event(value: Mapping[str, Any]) -> bytes:
    name = f"event: {value['type']}\n" if "type" in value else ""
    return f"{name}data: {json.dumps(value)}\n\n".encode()


bare = served()
app = dashlight.watch(served())
