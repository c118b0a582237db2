import pytest

from dashlight.decode.llm.draft import Draft
from dashlight.decode.llm.generate import add_generated, add_piece


def drafted(*events: dict[str, object]) -> Draft:
    draft = Draft()
    for event in events:
        assert add_generated(draft, event)
    return draft


def test_tokens_are_joined_without_the_special_ones() -> None:
    draft = drafted(
        {"token": {"text": " upon", "special": False}, "generated_text": None, "details": None},
        {"token": {"text": "</s>", "special": True}},
    )

    assert draft.first.text == " upon"


def test_the_last_event_repeats_the_whole_text() -> None:
    details = {"finish_reason": "length", "generated_tokens": 2, "input_length": 7}
    draft = drafted(
        {"token": {"text": " up"}}, {"token": {"text": "on"}, "generated_text": " upon", "details": details}
    )

    assert (draft.first.text, draft.first.finish) == (" upon", "length")
    assert draft.usage == {"output": 2, "input": 7}


def test_the_tokens_of_the_question_are_counted_where_they_are_listed() -> None:
    assert drafted({"generated_text": "x", "details": {"prefill": [{}, {}, {}]}}).usage == {"input": 3}
    assert drafted({"generated_text": "x", "details": {"prefill": []}}).usage == {}


def test_triton_names_itself_and_goes_on_where_it_stopped() -> None:
    event: dict[str, object] = {"model_name": "llm", "model_version": "1", "id": 9}
    draft = drafted({**event, "text_output": "he"}, {**event, "text_output": "llo"}, {"text_output": None})

    assert (draft.model, draft.version, draft.id, draft.first.text) == ("llm", "1", "9", "hello")


def test_triton_lists_several_texts() -> None:
    assert [choice.text for choice in drafted({"text_output": ["a", "b"]}).choices.values()] == ["a", "b"]


@pytest.mark.parametrize("event", [{}, {"token": "x"}, {"token": {"id": 3}}, {"choices": []}], ids=repr)
def test_other_objects_are_somebody_elses(event: dict[str, object]) -> None:
    assert not add_generated(Draft(), event)


@pytest.mark.parametrize(
    "event",
    [
        {"token": "a"},
        {"content": "a"},
        {"delta": {"content": "a"}},
        {"delta": {"text": "a"}},
        {"n": 1, "response": "a"},
    ],
    ids=repr,
)
def test_a_text_is_found_in_events_of_no_protocol(event: dict[str, object]) -> None:
    draft = Draft(is_streamed=True)

    assert add_piece(draft, event)
    assert draft.first.text == "a"


def test_such_events_may_say_why_they_end() -> None:
    draft = Draft()
    add_piece(draft, {"message": {"content": "a"}, "done_reason": "stop"})

    assert draft.first.finish == "stop"


def test_events_without_text_hold_none() -> None:
    assert not add_piece(Draft(), {"progress": 0.5, "text": 3, "delta": [1]})


def test_a_token_is_a_word_of_a_stream_and_a_credential_elsewhere() -> None:
    streamed, whole = Draft(is_streamed=True), Draft()

    assert add_piece(streamed, {"token": "Oslo"})
    assert not add_piece(whole, {"token": "a2f9"})
