from collections.abc import Callable

import pytest

from dashlight.decode.exchange import decode_exchange
from dashlight.decode.generation_facts import generation_facts
from dashlight.records import Exchange, GenerationFacts

Make = Callable[..., Exchange]

ASKED = {"model": "m", "messages": [{"role": "user", "content": "A secret"}], "temperature": 0.5, "n": 2}
CHOICE = {"index": 0, "message": {"content": "Well, hm"}, "finish_reason": "stop"}


def test_everything_that_is_known_and_nothing_that_was_said(exchange: Make) -> None:
    answered = {"id": "c-1", "model": "m-2026", "choices": [CHOICE], "usage": {"prompt_tokens": 9}}

    facts = generation_facts(decode_exchange(exchange(ASKED, answered, path="/v1/chat/completions")))

    assert facts == GenerationFacts(
        operation="chat",
        protocol="openai_chat",
        requested_model="m",
        answered_model="m-2026",
        response_id="c-1",
        settings={"temperature": 0.5, "n": 2},
        input_tokens=9,
        output_tokens=2,
        approximate=("output",),
        finish=("stop",),
        tool_calls=0,
        refusals=0,
        is_streamed=False,
    )
    assert "secret" not in repr(facts)
    assert "hm" not in repr(facts)


@pytest.mark.parametrize(
    ("path", "usage", "found"),
    [
        (
            "/v1/chat/completions",
            {
                "prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            (9, 5, 4, None, 3),
        ),
        (
            "/v1/messages",
            {"input_tokens": 9, "output_tokens": 5, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2},
            (9, 5, 4, 2, None),
        ),
        (
            "/v1/chat/completions",
            {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": [1], "completion_tokens_details": None},
            (9, 5, None, None, None),
        ),
    ],
    ids=["openai", "anthropic", "nonsense"],
)  # fmt: skip
def test_tokens_of_the_cache_and_of_reasoning_are_known_where_the_server_counts_them(
    exchange: Make, path: str, usage: dict[str, object], found: tuple[int | None, ...]
) -> None:
    answered = {"id": "c", "model": "m", "choices": [CHOICE], "usage": usage}
    if path == "/v1/messages":
        content = [{"type": "text", "text": "Well"}]
        answered = {"id": "c", "type": "message", "role": "assistant", "model": "m", "content": content, "usage": usage}

    facts = generation_facts(decode_exchange(exchange(ASKED, answered, path=path)))

    assert facts is not None
    assert found == (
        facts.input_tokens, facts.output_tokens, facts.cache_read_tokens, facts.cache_write_tokens, facts.reasoning_tokens,
    )  # fmt: skip


def test_embeddings_name_both_models(exchange: Make) -> None:
    asked = {"model": "e", "input": ["a b", "c"]}
    answered = {"model": "e-1", "data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [2.0]}]}

    facts = generation_facts(decode_exchange(exchange(asked, answered, path="/v1/embeddings")))

    assert facts is not None
    assert (facts.operation, facts.requested_model, facts.answered_model) == ("embeddings", "e", "e-1")
    assert (facts.approximate, facts.output_tokens) == (("input",), None)


def test_where_no_language_model_was_asked_there_are_none(exchange: Make) -> None:
    assert generation_facts(decode_exchange(exchange({"x": 1}, {"y": 2}))) is None
