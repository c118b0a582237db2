import pytest

from dashlight.decode.llm.draft import Draft
from dashlight.decode.llm.responses import add_response
from dashlight.decode.rows.failures import Failure
from dashlight.decode.rows.generation import ToolCall

WHOLE: dict[str, object] = {
    "id": "resp_1",
    "object": "response",
    "model": "m",
    "status": "completed",
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "Hello!"}]},
        {"type": "function_call", "name": "f", "arguments": '{"a": 1}'},
    ],
    "usage": {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11},
}
PIECES: list[dict[str, object]] = [
    {"type": "response.created", "response": {"id": "resp_1", "model": "m"}},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message"}},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "lo!"},
    {"type": "response.output_item.added", "output_index": 1, "item": {"type": "function_call", "name": "f"}},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": '{"a"'},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": ": 1}"},
    {"type": "response.output_text.done", "text": "Hello!"},
]


def drafted(*events: dict[str, object]) -> Draft:
    draft = Draft()
    for event in events:
        assert add_response(draft, event)
    return draft


@pytest.mark.parametrize(
    ("events", "finish"),
    [
        ([WHOLE], "completed"),
        ([*PIECES, {"type": "response.completed", "response": WHOLE}], "completed"),
        (PIECES, ""),
    ],
    ids=["whole", "a stream", "a stream without its end"],
)
def test_text_and_calls_are_the_same_in_every_form(events: list[dict[str, object]], finish: str) -> None:
    draft = drafted(*events)

    assert (draft.id, draft.model, draft.first.text, draft.first.finish) == ("resp_1", "m", "Hello!", finish)
    assert [call.finished() for call in draft.first.calls.values()] == [ToolCall("f", {"a": 1})]


def test_an_incomplete_answer_says_why() -> None:
    draft = drafted({**WHOLE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}})

    assert draft.first.finish == "max_output_tokens"


def test_refusals_are_read() -> None:
    whole: dict[str, object] = {
        "object": "response",
        "output": [{"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}],
    }

    assert drafted(whole).first.refusals == ["No."]
    assert drafted({"type": "response.refusal.delta", "delta": "No"}).first.refusals == ["No"]


def test_a_failed_answer_is_a_failure_of_the_stream() -> None:
    response = {"status": "failed", "error": {"code": "server_error", "message": "it broke"}}
    draft = drafted({"type": "response.failed", "response": response})

    assert draft.failure == Failure("stream", "it broke")


@pytest.mark.parametrize("event", [{}, {"type": "message_start"}, {"type": []}, {"object": "list"}], ids=repr)
def test_other_objects_are_somebody_elses(event: dict[str, object]) -> None:
    assert not add_response(Draft(), event)


def test_events_of_an_unknown_layout_add_nothing() -> None:
    draft = drafted(
        {"type": "response.in_progress"},
        {"type": "response.completed", "response": {"output": [3, {"type": "message", "content": 4}]}},
    )

    assert draft.first.text == ""
