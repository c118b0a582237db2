import pytest

from dashlight.decode.llm.columns import answer_columns, estimated_tokens, prompt_columns, sheet
from dashlight.decode.llm.draft import Draft
from dashlight.decode.llm.prompt import Prompt
from dashlight.records import Cell


def said(text: str = "", *, refusal: str = "", finish: str = "", is_cut: bool = False) -> Draft:
    draft = Draft(is_cut=is_cut)
    draft.choice().add_text(text)
    draft.choice().add_refusal(refusal)
    draft.choice().end(finish)
    return draft


def columns(draft: Draft, *, tokens: int | None = None, wants_json: bool = False) -> dict[str, Cell]:
    return dict(answer_columns(draft, tokens=tokens, wants_json=wants_json))


def test_a_prompt_has_its_columns() -> None:
    prompt = Prompt("Да, ok", 60, 15, 3, tools=2, images=1)

    assert prompt_columns(prompt, tokens=12, is_streamed=True) == {
        "input_text": "Да, ok",
        "input_characters": 60,
        "input_tokens": 12,
        "tools": 2,
        "images": 1,
        "streamed": True,
        "input_latin_share": 0.5,
        "input_cyrillic_share": 0.5,
        "input_han_share": 0.0,
        "input_arabic_share": 0.0,
        "input_devanagari_share": 0.0,
        "input_other_share": 0.0,
        "messages": 3,
    }


def test_what_nobody_counted_is_estimated_and_what_is_not_there_has_no_column() -> None:
    found = prompt_columns(Prompt("Once", 4, 1), tokens=None, is_streamed=False)

    assert found["input_tokens"] == 1
    assert "messages" not in found


def test_an_answer_has_its_columns() -> None:
    draft = said("Blue.", finish="stop")
    draft.first.add_call("f", "{}", index=0, otherwise=0)

    assert columns(draft, tokens=4) == {
        "output_text": "Blue.",
        "output_characters": 5,
        "output_tokens": 4,
        "finish_reason": "stop",
        "tool_calls": 1,
        "refusal": False,
        "empty_answer": False,
        "output_latin_share": 1.0,
        "output_cyrillic_share": 0.0,
        "output_han_share": 0.0,
        "output_arabic_share": 0.0,
        "output_devanagari_share": 0.0,
        "output_other_share": 0.0,
    }


def test_tokens_are_estimated_over_all_choices_and_calls() -> None:
    draft = said("12345678", refusal="abcd")
    draft.choice(1).add_text("1234")
    draft.choice(1).add_call("f", '{"a":1}.', index=0, otherwise=0)

    assert estimated_tokens(draft) == 6
    assert columns(draft)["output_tokens"] == 6


def test_what_a_cut_answer_cannot_tell_is_null() -> None:
    found = columns(said('{"a": ', is_cut=True), tokens=4, wants_json=True)

    unknown = ["output_characters", "output_tokens", "finish_reason", "tool_calls", "valid_json"]
    assert [found[name] for name in unknown] == [None] * 5
    assert found["empty_answer"] is False
    assert columns(said(is_cut=True))["empty_answer"] is None


@pytest.mark.parametrize(
    ("draft", "is_refusal", "is_empty"),
    [
        (said(), False, True),
        (said(" \n"), False, True),
        (said(refusal="No."), True, False),
        (said("I'm sorry, but I can't help with that."), True, False),
        (said("4"), False, False),
    ],
    ids=["nothing", "blanks", "said to be one", "sounds like one", "an answer"],
)
def test_refusals_and_empty_answers_are_told(draft: Draft, *, is_refusal: bool, is_empty: bool) -> None:
    found = columns(draft)

    assert (found["refusal"], found["empty_answer"]) == (is_refusal, is_empty)


def test_an_answer_of_tool_calls_alone_is_not_empty() -> None:
    draft = said()
    draft.first.add_call("f", "{}", index=0, otherwise=0)

    assert columns(draft)["empty_answer"] is False


@pytest.mark.parametrize(
    ("text", "is_valid"), [('{"a": 1}', True), ("```json\n{}\n```", False), ('{"a": ', False), ("", None)]
)
def test_json_is_checked_where_it_was_asked(text: str, *, is_valid: bool | None) -> None:
    assert columns(said(text), wants_json=True)["valid_json"] is is_valid
    assert "valid_json" not in columns(said(text))


def test_columns_are_a_sheet_of_one_row() -> None:
    assert sheet({"a": 1, "b": None}).names == ("a", "b")
    assert list(sheet({"a": 1, "b": None}).values) == [(1, None)]
