from collections.abc import Callable

import pytest

from dashlight.decode.exchange import decode_exchange
from dashlight.records import Exchange

Make = Callable[..., Exchange]
ANSWERED = {
    "id": "r-1",
    "object": "response",
    "model": "m",
    "status": "completed",
    "error": None,
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello!"}]}],
    "usage": {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11},
}
ITEMS = [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]


@pytest.mark.parametrize(
    ("path", "given", "text"),
    [
        ("/v1/responses", {"input": "Hi"}, "Hi"),
        ("/v1/responses", {"input": ITEMS}, "Hi"),
        ("/v1/responses", {"previous_response_id": "r-0"}, ""),
        ("/responses", {"input": "Hi"}, "Hi"),
    ],
    ids=["a text", "items", "nothing new", "a shorter path"],
)
def test_texts_and_items_are_asked(exchange: Make, path: str, given: dict[str, object], text: str) -> None:
    decoded = decode_exchange(exchange({"model": "m", **given}, ANSWERED, path=path))

    assert (decoded.protocol, decoded.model, decoded.request_id) == ("openai_responses", "m", "r-1")
    assert decoded.generation is not None
    assert (decoded.generation.input_text, decoded.generation.output_text) == (text, "Hello!")
    assert decoded.generation.usage == {"input": 5, "output": 6, "total": 11}


def test_responses_of_other_applications_are_theirs(exchange: Make) -> None:
    assert decode_exchange(exchange({"answer": 3}, {"y": 1}, path="/survey/responses")).protocol == "plain"
