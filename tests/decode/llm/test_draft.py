import pytest

from dashlight.decode.llm.draft import MAX_CHOICES, Choice, Draft, DraftCall
from dashlight.decode.rows.generation import ToolCall


def test_pieces_belong_together_by_index() -> None:
    draft = Draft()
    for index, text in [(1, "x"), (0, "a"), (1, "y"), (0, "b")]:
        draft.choice(index).add_text(text)

    assert {index: choice.text for index, choice in draft.choices.items()} == {1: "xy", 0: "ab"}
    assert draft.first.text == "ab"


def test_what_has_no_index_goes_by_its_place() -> None:
    draft = Draft()

    assert draft.choice("1", otherwise=3) is draft.choice(3)
    assert draft.choice(True, otherwise=3) is draft.choice(3)


def test_a_draft_of_nothing_has_an_empty_first_choice() -> None:
    assert Draft().first == Choice()


def test_one_choice_too_many_is_kept_nowhere() -> None:
    draft = Draft()
    for index in range(MAX_CHOICES + 5):
        draft.choice(index).add_text("x")

    assert len(draft.choices) == MAX_CHOICES


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (DraftCall("f", ['{"city": ', '"Oslo"}']), {"city": "Oslo"}),
        (DraftCall("f", ['{"city": "Os']), '{"city": "Os'),
        (DraftCall("f", ["[" * 1000 + "]" * 1000]), "[" * 1000 + "]" * 1000),
        (DraftCall("f", [""], {"a": 1}), {"a": 1}),
        (DraftCall("f"), None),
        (DraftCall("f", ['{"password": "x", "a": 1}']), {"password": "[redacted]", "a": 1}),
        (DraftCall("f", [], {"api_key": "x"}), {"api_key": "[redacted]"}),
    ],
    ids=["whole", "cut", "a bomb", "a value", "none", "a credential", "a credential in a value"],
)
def test_arguments_are_a_value_where_they_can_be_read(call: DraftCall, arguments: object) -> None:
    assert call.finished() == ToolCall("f", arguments)


def test_a_call_takes_what_says_something() -> None:
    choice = Choice()
    choice.add_call("f", None, index=0, otherwise=0)
    choice.add_call(None, "{}", index=0, otherwise=0)
    choice.add_call("", {"a": 1}, index=10**9, otherwise=0)

    assert choice.calls == {0: DraftCall("f", ["{}"]), 10**9: DraftCall("", [], {"a": 1})}


def test_what_is_no_text_adds_nothing() -> None:
    choice = Choice()
    nothings: tuple[object, ...] = (None, "", 3, [])
    for nothing in nothings:
        choice.add_text(nothing)
        choice.add_refusal(nothing)
        choice.end(nothing)

    assert choice == Choice()


def test_usage_is_cumulative() -> None:
    draft = Draft()
    draft.add_usage({"input_tokens": 3, "output_tokens": 1})
    draft.add_usage({"output_tokens": 9})
    draft.add_usage({"output_tokens": -1, "total_tokens": 10**30, "prompt_tokens": "4"})
    draft.add_usage(None)

    assert draft.usage == {"input": 3, "output": 9}


def test_names_that_say_nothing_are_passed_over() -> None:
    draft = Draft()
    draft.add_names({"model": "m", "id": "1"})
    draft.add_names({"model": None, "id": 5})
    draft.add_names({"model": "", "id": ""})

    assert (draft.model, draft.id) == ("m", "1")
