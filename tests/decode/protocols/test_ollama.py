import json
from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.records import Exchange

Make = Callable[..., Exchange]
ASKED = {"model": "llama3.2", "prompt": "Why is the sky blue?", "options": {"temperature": 0.1}}
LAST = {"done": True, "done_reason": "stop", "prompt_eval_count": 26, "eval_count": 259, "context": [1, 2, 3]}


def lines(*events: dict[str, object]) -> bytes:
    return b"".join(json.dumps({"model": "llama3.2", **event}).encode() + b"\n" for event in events)


def answered(exchange: Make, asked: object, answer: object, *, path: str) -> Decoded:
    kind = "application/x-ndjson" if isinstance(answer, bytes) else "application/json"
    return decode_exchange(exchange(asked, answer, path=path, answer_headers={"content-type": kind}))


def test_lines_of_a_completion_are_one_answer(exchange: Make) -> None:
    body = lines({"response": "The", "done": False}, {"response": " air.", "done": False}, {"response": "", **LAST})
    decoded = answered(exchange, ASKED, body, path="/api/generate")
    said = decoded.generation

    assert (decoded.protocol, decoded.model, decoded.rows) == ("ollama", "llama3.2", 1)
    assert said is not None
    assert (said.input_text, said.output_text, said.operation) == (
        "Why is the sky blue?",
        "The air.",
        "text_completion",
    )
    assert said.is_streamed
    assert dict(said.usage) == {"input": 26, "output": 259}
    assert said.finish == ("stop",)


def test_a_whole_completion_is_read(exchange: Make) -> None:
    decoded = answered(exchange, ASKED, {"model": "llama3.2", "response": "The air.", **LAST}, path="/api/generate")

    assert decoded.generation is not None
    assert (decoded.generation.output_text, decoded.generation.is_streamed) == ("The air.", False)


@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_chat_is_read_with_its_tool_calls_and_tokens(exchange: Make, *, is_streamed: bool) -> None:
    asked = {"model": "llama3.2", "messages": [{"role": "user", "content": "Weather in Bern?"}]}
    call = {"function": {"name": "weather", "arguments": {"city": "Bern"}}}
    first = {"message": {"role": "assistant", "content": "Let me see.", "tool_calls": [call, call]}}
    last = {"message": {"role": "assistant", "content": ""}, **LAST}
    body = lines({**first, "done": False}, last) if is_streamed else {"model": "llama3.2", **first, **LAST}
    decoded = answered(exchange, asked, body, path="/api/chat")
    said = decoded.generation

    assert decoded.protocol == "openai_chat"
    assert said is not None
    assert (said.input_text, said.output_text) == ("Weather in Bern?", "Let me see.")
    assert [call.name for call in said.tool_calls] == ["weather", "weather"]
    assert dict(said.usage) == {"input": 26, "output": 259}


def test_an_error_in_a_line_is_a_failure(exchange: Make) -> None:
    body = lines({"response": "The", "done": False}, {"error": "an error was encountered while running the model"})
    decoded = answered(exchange, ASKED, body, path="/api/generate")

    assert decoded.error is not None
    assert decoded.error.kind == "stream"


@pytest.mark.parametrize("asked", [{"prompt": "x"}, {"model": 3, "prompt": "x"}, {"model": "m", "prompt": ["x"]}])
def test_other_apps_may_use_the_path(exchange: Make, asked: object) -> None:
    assert decode_exchange(exchange(asked, {"y": 1}, path="/api/generate")).protocol != "ollama"
