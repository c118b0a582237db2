"""Exchanges with language models, in one piece and in many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from benchmarks.decoding_bodies import EMBEDDING_WIDTH, as_json, event, float32, in_base64, text, vector
from benchmarks.decoding_parts import Parts

STREAM: Final = {"content-type": "text/event-stream"}
_PIECES = 40
"""Words of an answer, each a piece of its stream."""
_MODEL = "small-1"


def chat(rng: Random) -> Parts:
    """OpenAI's chat."""
    message = {"role": "assistant", "content": text(rng)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 60, "completion_tokens": 50, "total_tokens": 110}
    answer = {"id": "c1", "object": "chat.completion", "model": _MODEL, "choices": [choice], "usage": usage}
    return Parts("/v1/chat/completions", as_json(_asked(rng)), as_json(answer))


def chat_tools(rng: Random) -> Parts:
    """OpenAI's chat, answered with the wish to call a function."""
    function = {"name": "find_order", "arguments": f'{{"order": "A-{rng.randrange(1000)}"}}'}
    message: dict[str, object] = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "t", "type": "function", "function": function}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    tools = [{"type": "function", "function": {"name": "find_order", "parameters": {"type": "object"}}}]
    answer = {"id": "c1", "object": "chat.completion", "model": _MODEL, "choices": [choice], "usage": None}
    return Parts("/v1/chat/completions", as_json({**_asked(rng), "tools": tools}), as_json(answer))


def chat_stream(rng: Random) -> Parts:
    """OpenAI's chat, word by word."""
    head = {"id": "c1", "object": "chat.completion.chunk", "model": _MODEL}
    pieces: list[dict[str, object]] = [
        {"delta": {"content": f"{word} "}, "finish_reason": None} for word in text(rng, _PIECES).split()
    ]
    pieces.append({"delta": {}, "finish_reason": "stop"})
    events = [event({**head, "choices": [{"index": 0, **piece}]}) for piece in pieces]
    asked = as_json({**_asked(rng), "stream": True})
    return Parts("/v1/chat/completions", asked, b"".join(events) + b"data: [DONE]\n\n", answer_headers=STREAM)


def completion(rng: Random) -> Parts:
    """OpenAI's completion of a text."""
    choice = {"index": 0, "text": text(rng), "finish_reason": "length"}
    answer = {"id": "c1", "object": "text_completion", "model": _MODEL, "choices": [choice]}
    return Parts("/v1/completions", as_json({"model": _MODEL, "prompt": text(rng)}), as_json(answer))


def response(rng: Random) -> Parts:
    """OpenAI's newer interface."""
    written = {"type": "output_text", "text": text(rng), "annotations": []}
    message = {"type": "message", "role": "assistant", "status": "completed", "content": [written]}
    usage = {"input_tokens": 60, "output_tokens": 50, "total_tokens": 110}
    answer = {
        "id": "r1",
        "object": "response",
        "status": "completed",
        "model": _MODEL,
        "output": [message],
        "usage": usage,
    }
    return Parts("/v1/responses", as_json({"model": _MODEL, "input": text(rng)}), as_json(answer))


def response_stream(rng: Random) -> Parts:
    """OpenAI's newer interface, word by word."""
    kind = "response.output_text.delta"
    words = text(rng, _PIECES).split()
    deltas = [event({"type": kind, "output_index": 0, "content_index": 0, "delta": word}, name=kind) for word in words]
    whole = {"id": "r1", "object": "response", "status": "completed", "model": _MODEL, "output": []}
    begun = event({"type": "response.created", "response": {**whole, "status": "in_progress"}}, name="response.created")
    ended = event({"type": "response.completed", "response": whole}, name="response.completed")
    asked = as_json({"model": _MODEL, "input": text(rng), "stream": True})
    return Parts("/v1/responses", asked, begun + b"".join(deltas) + ended, answer_headers=STREAM)


def embeddings(rng: Random) -> Parts:
    """OpenAI's embeddings as lists of numbers."""
    return _embeddings(rng, vector)


def embeddings_base64(rng: Random) -> Parts:
    """OpenAI's embeddings as its own client asks for them."""
    return _embeddings(rng, lambda rng, width: in_base64(float32(vector(rng, width))))


def message(rng: Random) -> Parts:
    """Anthropic's messages."""
    answer = {
        "id": "m1", "type": "message", "role": "assistant", "model": _MODEL, "stop_reason": "end_turn",
        "content": [{"type": "text", "text": text(rng)}], "usage": {"input_tokens": 60, "output_tokens": 50},
    }  # fmt: skip
    return Parts("/v1/messages", as_json({**_asked(rng), "max_tokens": 200}), as_json(answer))


def message_stream(rng: Random) -> Parts:
    """Anthropic's messages, word by word."""
    started = {"id": "m1", "type": "message", "model": _MODEL, "content": [], "usage": {"input_tokens": 60}}
    said: list[Mapping[str, object]] = [
        {"type": "message_start", "message": started},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    said += [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"{word} "}}
        for word in text(rng, _PIECES).split()
    ]
    said += [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 50}},
        {"type": "message_stop"},
    ]
    asked = as_json({**_asked(rng), "max_tokens": 200, "stream": True})
    events = b"".join(event(each, name=str(each["type"])) for each in said)
    return Parts("/v1/messages", asked, events, answer_headers=STREAM)


def generate(rng: Random) -> Parts:
    """Text Generation Inference."""
    asked = {"inputs": text(rng), "parameters": {"max_new_tokens": 50}}
    details = {"finish_reason": "length", "generated_tokens": 50}
    return Parts("/generate", as_json(asked), as_json({"generated_text": text(rng), "details": details}))


def generate_stream(rng: Random) -> Parts:
    """Text Generation Inference, token by token."""
    words = text(rng, _PIECES).split()
    tokens: list[dict[str, object]] = [
        {"token": {"id": at, "text": word}, "generated_text": None} for at, word in enumerate(words)
    ]
    tokens[-1] |= {"generated_text": " ".join(words), "details": {"finish_reason": "length", "generated_tokens": 40}}
    asked = as_json({"inputs": text(rng), "parameters": {"max_new_tokens": 40}})
    return Parts("/generate_stream", asked, b"".join(map(event, tokens)), answer_headers=STREAM)


def triton_generate(rng: Random) -> Parts:
    """Triton's generate extension."""
    answer = {"model_name": "llm", "model_version": "1", "text_output": text(rng)}
    return Parts("/v2/models/llm/generate", as_json({"text_input": text(rng), "max_tokens": 50}), as_json(answer))


def bare_stream(rng: Random) -> Parts:
    """Text that calls itself events and is none, as a generator under BentoML writes it."""
    asked = as_json({"prompt": text(rng)})
    return Parts("/generate_text", asked, text(rng, _PIECES).encode(), answer_headers=STREAM)


def _asked(rng: Random) -> dict[str, object]:
    messages = [{"role": "system", "content": "Answer in short."}, {"role": "user", "content": text(rng)}]
    return {"model": _MODEL, "messages": messages, "temperature": 0.2}


def _embeddings(rng: Random, written: Callable[[Random, int], object]) -> Parts:
    found = [{"object": "embedding", "index": at, "embedding": written(rng, EMBEDDING_WIDTH)} for at in range(2)]
    answer = {"object": "list", "data": found, "model": _MODEL, "usage": {"prompt_tokens": 60, "total_tokens": 60}}
    return Parts("/v1/embeddings", as_json({"model": _MODEL, "input": [text(rng), text(rng)]}), as_json(answer))


LLM_KINDS: Final[Mapping[str, tuple[str, Callable[[Random], Parts]]]] = {
    "OpenAI chat": ("openai_chat", chat),
    "OpenAI chat: a tool call": ("openai_chat", chat_tools),
    "OpenAI chat: a stream of 41": ("openai_chat", chat_stream),
    "OpenAI completion": ("openai_completions", completion),
    "OpenAI response": ("openai_responses", response),
    "OpenAI response: a stream of 42": ("openai_responses", response_stream),
    "OpenAI embeddings: 2 x 384 numbers": ("openai_embeddings", embeddings),
    "OpenAI embeddings: base64": ("openai_embeddings", embeddings_base64),
    "Anthropic message": ("anthropic", message),
    "Anthropic message: a stream of 45": ("anthropic", message_stream),
    "TGI generate": ("tgi", generate),
    "TGI generate: a stream of 40": ("tgi", generate_stream),
    "Triton generate": ("triton_generate_stream", triton_generate),
    "text that calls itself a stream": ("plain", bare_stream),
}
"""By title: the protocol that must be found, and what makes one."""
