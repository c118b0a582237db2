import pytest

from dashlight.decode.llm.prompt import Prompt, chat_prompt, llm_params, text_prompt, wants_json
from dashlight.decode.rows.generation import MAX_MESSAGES


def asked(*messages: object, **beside: object) -> Prompt:
    prompt = chat_prompt({"messages": list(messages), **beside})
    assert prompt is not None
    return prompt


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{"role": "system", "content": "Be brief"}, user("Hi")], "Hi"),
        ([user("Hi"), {"role": "assistant", "content": "Ho"}], "Hi"),
        ([user("First"), user("Second")], "Second"),
        ([user([{"type": "text", "text": "What is "}, {"type": "text", "text": "this?"}])], "What is this?"),
        ([user([{"type": "input_text", "text": "Hi"}, "!"])], "Hi!"),
        ([user("Weather?"), user([{"type": "tool_result", "content": "12 C"}])], "Weather?"),
        ([{"role": "human", "content": "Hi"}, {"role": "ai", "content": "Ho"}], "Hi"),
        ([{"content": "Hi"}], "Hi"),
        ([{"role": [], "content": {}}, 3], ""),
    ],
    ids=["system", "an answer", "two", "parts", "other parts", "a tool's result", "other words", "no role", "nonsense"],
)
def test_the_last_text_of_the_user_is_what_is_asked(messages: list[object], text: str) -> None:
    assert asked(*messages).text == text


def test_everything_that_the_model_reads_is_counted() -> None:
    prompt = asked(
        user(
            [{"type": "text", "text": "12345"}, {"type": "image_url", "image_url": {}}, {"type": "image"}, {"type": []}]
        ),
        user([{"type": "tool_result", "content": [{"type": "text", "text": "678"}]}]),
        {"type": "function_call_output", "output": "90"},
        system=[{"type": "text", "text": "ab"}],
        instructions="cd",
        tools=[{}, {}],
    )

    assert (prompt.characters, prompt.tokens, prompt.messages, prompt.tools, prompt.images) == (14, 4, 3, 2, 2)


def test_functions_are_tools_too() -> None:
    assert asked(user("x"), functions=[{}]).tools == 1
    assert asked(user("x"), tools={}).tools == 0


def test_a_text_in_place_of_messages_is_one_of_the_user() -> None:
    assert chat_prompt({"input": "Hi"}, key="input") == Prompt("Hi", 2, 1, 1)


@pytest.mark.parametrize("said", [None, [], 3], ids=repr)
def test_without_messages_there_is_no_prompt(said: object) -> None:
    assert chat_prompt({"messages": said}) is None


def test_of_many_messages_the_last_are_looked_at() -> None:
    prompt = asked(*[user("x")] * (MAX_MESSAGES + 10))

    assert (prompt.messages, prompt.characters) == (MAX_MESSAGES + 10, MAX_MESSAGES)


def test_a_text_is_a_prompt_without_messages() -> None:
    assert text_prompt("Once", {}) == Prompt("Once", 4, 1, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {}}},
        {"text": {"format": {"type": "json_schema"}}},
        {"output_config": {"format": {"type": "json_schema"}}},
        {"parameters": {"grammar": {"type": "json", "value": {}}}},
        {"guided_json": {}},
    ],
    ids=repr,
)
def test_servers_are_asked_for_json_in_several_ways(fields: dict[str, object]) -> None:
    assert wants_json(fields)


@pytest.mark.parametrize(
    "fields",
    [{}, {"response_format": {"type": "text"}}, {"response_format": "json"}, {"text": {"format": {"type": []}}}],
)
def test_others_are_asked_for_text(fields: dict[str, object]) -> None:
    assert not wants_json(fields)


def test_settings_are_parameters_and_what_is_asked_is_not() -> None:
    fields = {
        "model": "m",
        "messages": [],
        "temperature": 0.2,
        "parameters": {"max_new_tokens": 3, "details": True},
        "tool_choice": "auto",
        "stop": ["a"],
        "logit_bias": {"5": 1},
        "note": "x" * 300,
        "api_key": "secret",
        "user": "u-1",
        "stream": True,
    }

    assert llm_params(fields) == {"temperature": 0.2, "max_new_tokens": 3, "details": True, "tool_choice": "auto"}
