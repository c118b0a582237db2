from collections.abc import Callable

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


def test_embeddings_name_both_models(exchange: Make) -> None:
    asked = {"model": "e", "input": ["a b", "c"]}
    answered = {"model": "e-1", "data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [2.0]}]}

    facts = generation_facts(decode_exchange(exchange(asked, answered, path="/v1/embeddings")))

    assert facts is not None
    assert (facts.operation, facts.requested_model, facts.answered_model) == ("embeddings", "e", "e-1")
    assert (facts.approximate, facts.output_tokens) == (("input",), None)


def test_where_no_language_model_was_asked_there_are_none(exchange: Make) -> None:
    assert generation_facts(decode_exchange(exchange({"x": 1}, {"y": 2}))) is None
