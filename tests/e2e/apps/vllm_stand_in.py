"""Stands in for `vllm serve MODEL --middleware ...`: no model, but the hook and the answers of vLLM.

The middleware is taken as vLLM 0.33.0 takes it: `--middleware` collects import paths
(vllm/entrypoints/common/cli_args.py, `FrontendArgs.middleware`, action `append`), and
vllm/entrypoints/serve/middleware/register.py, `init_entrypoints_middleware`, called by `build_app` of
vllm/entrypoints/launchers/app.py after all routes are there, splits each at its last dot, imports it, and calls
`app.add_middleware(imported)` for a class, without further arguments, or `app.middleware("http")(imported)` for a
coroutine function. Before, the same lines stood in `build_app` of vllm/entrypoints/openai/api_server.py (commit
0001948bc76939369ca855c90b36d81256477e85). CORS stands inside the user's middleware, as it is added before.
"""

import argparse
import importlib
import inspect
import json
import sys
from collections.abc import AsyncIterator
from typing import Any, cast

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, StreamingResponse

WORDS = ("Good", " evening", " to", " you")
USAGE = {"prompt_tokens": 31, "completion_tokens": 4, "total_tokens": 35}


def built(model: str, middlewares: list[str]) -> FastAPI:
    """The app, in the order in which vLLM builds it: routes, CORS, then what the user asked for."""
    app = FastAPI()

    @app.get("/health")
    async def health() -> Response:
        return Response(status_code=200)

    @app.post("/v1/chat/completions", response_model=None)
    async def chat(request: Request) -> Response:
        asked = await request.json()
        if asked["model"] != model:
            said = f"The model `{asked['model']}` does not exist."
            return JSONResponse(
                {"error": {"message": said, "type": "NotFoundError", "param": None, "code": 404}}, status_code=404
            )
        if asked.get("stream"):
            return StreamingResponse(chunks(model), media_type="text/event-stream")
        return JSONResponse(whole(model))

    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_credentials=False, allow_methods=["*"], allow_headers=["*"]
    )
    for middleware in middlewares:
        module_path, object_name = middleware.rsplit(".", 1)
        imported: Any = getattr(importlib.import_module(module_path), object_name)
        if inspect.isclass(imported):
            app.add_middleware(cast("Any", imported))
        elif inspect.iscoroutinefunction(imported):
            app.middleware("http")(imported)
        else:
            raise ValueError(f"Invalid middleware {middleware}. Must be a function or a class.")
    return app


def whole(model: str) -> dict[str, Any]:
    """A chat completion, as vLLM words it."""
    message: dict[str, Any] = {"role": "assistant", "content": "".join(WORDS), "refusal": None, "tool_calls": []}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop", "stop_reason": None}],
        "usage": {**USAGE, "prompt_tokens_details": None}, "prompt_logprobs": None,
    }  # fmt: skip


async def chunks(model: str) -> AsyncIterator[str]:
    """The same piece by piece: a role, the words, a finish reason, the usage without choices, and the end."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": model}
    deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in WORDS)]
    for number, delta in enumerate(deltas):
        finish = "stop" if number == len(WORDS) else None
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"
    yield f"data: {json.dumps({**head, 'choices': [], 'usage': USAGE})}\n\n"
    yield "data: [DONE]\n\n"


if __name__ == "__main__":
    command = argparse.ArgumentParser()
    command.add_argument("serve", choices=["serve"])
    command.add_argument("model")
    command.add_argument("--port", type=int, default=8000)
    command.add_argument("--middleware", action="append", default=[], type=str)
    given = command.parse_args(sys.argv[1:])
    uvicorn.run(built(given.model, given.middleware), host="127.0.0.1", port=given.port)
