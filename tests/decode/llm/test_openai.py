import pytest

from dashlight.decode.llm.draft import Draft
from dashlight.decode.llm.openai import add_choices
from dashlight.decode.rows.generation import ToolCall


def drafted(*chunks: dict[str, object]) -> Draft:
    draft = Draft()
    for chunk in chunks:
        assert add_choices(draft, chunk)
    return draft


def test_a_whole_answer_is_read() -> None:
    draft = drafted(
        {
            "id": "c-1",
            "model": "m",
            "choices": [
                {"index": 1, "message": {"content": "second"}, "finish_reason": "length"},
                {"index": 0, "message": {"content": [{"type": "text", "text": "first"}]}, "finish_reason": "stop"},
            ],
            "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
        }
    )

    assert (draft.id, draft.model) == ("c-1", "m")
    assert [(index, draft.choices[index].text, draft.choices[index].finish) for index in (0, 1)] == [
        (0, "first", "stop"),
        (1, "second", "length"),
    ]
    assert draft.usage == {"input": 9, "output": 4, "total": 13}


def test_chunks_are_joined_and_the_last_brings_the_usage() -> None:
    draft = drafted(
        {"id": "c-1", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}], "usage": None},
        {"id": "c-1", "choices": [{"index": 0, "delta": {"content": "one"}}]},
        {"id": "c-1", "choices": [{"index": 0, "delta": {"content": " two"}, "message": None}]},
        {"id": "c-1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"id": "c-1", "choices": [], "usage": {"completion_tokens": 2}},
    )  # fmt: skip

    assert (draft.first.text, draft.first.finish, draft.usage) == ("one two", "stop", {"output": 2})


def test_fragments_of_tool_calls_are_joined_by_choice_and_index() -> None:
    def fragment(index: int, arguments: str, name: str | None = None) -> dict[str, object]:
        function = {"name": name, "arguments": arguments}
        return {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": index, "function": function}]}}]}

    draft = drafted(
        fragment(0, "", "f"), fragment(1, '{"y": ', "g"), fragment(0, '{"x": 1'), fragment(1, "2}"), fragment(0, "}")
    )

    assert [call.finished() for call in draft.first.calls.values()] == [
        ToolCall("f", {"x": 1}),
        ToolCall("g", {"y": 2}),
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
        {"tool_calls": [{"type": "custom", "custom": {"name": "f", "input": '{"a": 1}'}}]},
        {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
        {"function_call": {"name": "f", "arguments": '{"a": 1}'}},
    ],
    ids=["a function", "a tool of free text", "arguments that are no text", "the older only call"],
)
def test_calls_of_every_layout_are_read(message: dict[str, object]) -> None:
    (call,) = drafted({"choices": [{"message": {"content": None, **message}}]}).first.calls.values()

    assert call.finished() == ToolCall("f", {"a": 1})


def test_texts_of_completions_and_refusals_are_read() -> None:
    assert drafted({"choices": [{"text": " upon"}]}).first.text == " upon"
    assert drafted({"choices": [{"message": {"refusal": "No."}}]}).first.refusals == ["No."]


def test_what_has_no_choices_is_somebody_elses() -> None:
    assert not add_choices(Draft(), {"choices": None})
    assert drafted({"choices": [3, {"message": 4, "delta": []}]}).first.text == ""
