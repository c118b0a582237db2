import pytest

from dashlight.decode.llm.repeats import MOST_ENDPOINTS, REMEMBERED, RecentAnswers
from dashlight.decode.rows.columns import Sheet


def answer(text: object) -> Sheet:
    return Sheet(("finish_reason", "output_text"), [["stop", text]])


def repeated(recent: RecentAnswers, text: object, endpoint: str = "/chat") -> object:
    marked = recent.marked(endpoint, answer(text))
    assert marked.names == ("finish_reason", "output_text", "repeated_answer")
    return marked.values[0][-1]


def test_an_answer_that_was_given_before_is_repeated() -> None:
    recent = RecentAnswers()

    said = ["I am sorry, I cannot do that.", "The capital of Norway is Oslo.", "I am sorry, I cannot do that."]

    assert [repeated(recent, text) for text in said] == [False, False, True]


def test_endpoints_do_not_repeat_one_another() -> None:
    recent = RecentAnswers()
    repeated(recent, "The capital of Norway is Oslo.")

    assert repeated(recent, "The capital of Norway is Oslo.", "/other") is False


@pytest.mark.parametrize("text", ["yes", "", None, 5])
def test_of_short_answers_nothing_is_said(text: object) -> None:
    recent = RecentAnswers()

    assert [repeated(recent, text) for _ in range(2)] == [None, None]


def test_what_was_said_long_ago_is_forgotten() -> None:
    recent = RecentAnswers()
    for number in range(REMEMBERED + 1):
        repeated(recent, f"This is answer number {number}.")

    assert repeated(recent, "This is answer number 0.") is False
    assert repeated(recent, f"This is answer number {REMEMBERED}.") is True


def test_only_so_many_endpoints_are_remembered() -> None:
    recent = RecentAnswers()
    for number in range(MOST_ENDPOINTS + 1):
        repeated(recent, "The capital of Norway is Oslo.", f"/{number}")

    assert repeated(recent, "The capital of Norway is Oslo.", "/0") is False
    assert repeated(recent, "The capital of Norway is Oslo.", f"/{MOST_ENDPOINTS}") is True


def test_outputs_without_text_stay_as_they_are() -> None:
    outputs = Sheet(("score",), [[0.5]])

    assert RecentAnswers().marked("/predict", outputs) is outputs
