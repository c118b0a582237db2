import pytest

from dashlight.decode.llm.anthropic import add_message
from dashlight.decode.llm.draft import Draft
from dashlight.decode.rows.generation import ToolCall


def drafted(*events: dict[str, object]) -> Draft:
    draft = Draft()
    for event in events:
        assert add_message(draft, event)
    return draft


def test_a_whole_message_is_read() -> None:
    draft = drafted(
        {
            "id": "msg_1",
            "type": "message",
            "model": "c",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "Checking."},
                {"type": "tool_use", "name": "get_weather", "input": {"city": "Oslo"}},
            ],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 8, "output_tokens": 5},
        }
    )

    assert (draft.id, draft.model, draft.first.text, draft.first.finish) == ("msg_1", "c", "Checking.", "tool_use")
    assert draft.usage == {"input": 8, "output": 5}
    assert [call.finished() for call in draft.first.calls.values()] == [ToolCall("get_weather", {"city": "Oslo"})]


def test_events_are_joined_and_usage_is_cumulative() -> None:
    draft = drafted(
        {"type": "message_start", "message": {"id": "m", "content": [], "usage": {"input_tokens": 4, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "H"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "i"}},
        {"type": "content_block_stop", "index": 1},
        {"type": "ping"},
        {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "name": "f", "input": {}}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a"'}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ": 1}"}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 30}},
        {"type": "message_stop"},
    )  # fmt: skip

    assert (draft.first.text, draft.first.finish) == ("Hi", "tool_use")
    assert draft.usage == {"input": 4, "output": 30}
    assert draft.first.calls[2].finished() == ToolCall("f", {"a": 1})


@pytest.mark.parametrize(("blocks", "said"), [([{"type": "text", "text": "No."}], ["No."]), ([], ["refusal"])])
def test_a_refusal_is_a_reason_to_stop(blocks: list[object], said: list[str]) -> None:
    assert drafted({"type": "message", "content": blocks, "stop_reason": "refusal"}).first.refusals == said


@pytest.mark.parametrize("event", [{}, {"type": "error"}, {"type": []}, {"choices": []}], ids=repr)
def test_other_objects_are_somebody_elses(event: dict[str, object]) -> None:
    assert not add_message(Draft(), event)


def test_events_of_an_unknown_layout_add_nothing() -> None:
    draft = drafted(
        {"type": "message_start", "message": []},
        {"type": "message", "content": [3, {"type": []}]},
        {"type": "content_block_delta", "delta": {"type": "signature_delta"}},
    )

    assert draft.first.text == ""
    assert not draft.first.calls
