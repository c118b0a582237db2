# ruff: noqa: RUF001 - letters that look alike, in scripts that differ, are what is told apart
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.llm.text import SCRIPTS, approximate_tokens, looks_like_refusal, script_shares


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("four", 1),
        ("Hello", 2),
        ("a" * 400, 100),
        ("你好", 2),
        ("Привет", 3),
        ("한국", 2),
        ("é你aaaa", 3),
    ],
)
def test_tokens_are_estimated_by_characters(text: str, tokens: int) -> None:
    assert approximate_tokens(text) == tokens


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello", "latin"),
        ("Ünïcödé ﬁ Ａ", "latin"),
        ("Привет, мир!", "cyrillic"),
        ("你好，世界。", "han"),
        ("مرحبا", "arabic"),
        ("नमस्ते।", "devanagari"),
        ("Ελλάδα", "other"),
        ("ひらがな", "other"),
        ("한국어", "other"),
        ("שלום", "other"),
        ("ไทย", "other"),
    ],
)
def test_letters_of_one_script_are_all_its_own(text: str, script: str) -> None:
    shares = script_shares(text)

    assert shares is not None
    assert dict(zip(SCRIPTS, shares, strict=True)) == {name: float(name == script) for name in SCRIPTS}


def test_scripts_share_a_text_by_letters() -> None:
    assert script_shares("ab да 1 你") == (0.4, 0.4, 0.2, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("text", ["", "123 - 4", "\N{GRINNING FACE}", "。！？", "½ × ÷"])
def test_a_text_without_letters_is_in_no_script(text: str) -> None:
    assert script_shares(text) is None


@given(st.text())
def test_shares_are_a_whole(text: str) -> None:
    shares = script_shares(text)

    assert shares is None or (min(shares) >= 0 and sum(shares) == pytest.approx(1))


@given(st.text(), st.text())
def test_more_text_is_not_fewer_tokens(first: str, second: str) -> None:
    assert approximate_tokens(first) <= approximate_tokens(first + second)
    assert (approximate_tokens(first) == 0) == (first == "")


def test_half_a_surrogate_pair_is_a_character_too() -> None:
    assert approximate_tokens("\ud800") == 1
    assert script_shares("a\ud800") == (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\N{RIGHT SINGLE QUOTATION MARK}m sorry, but I can\N{RIGHT SINGLE QUOTATION MARK}t assist with that request.",
        "Sorry, I cannot do that.",
        "I cannot help you with this.",
        "As an AI language model, I have no opinion.",
        "Unfortunately, I am unable to provide this.",
        "I must decline to answer.",
        "I apologize, but I cannot fulfill this request.",
        "I'm really sorry you feel this way, but I'm unable to provide the help that you need.",
        "Es tut mir leid, aber ich kann dabei nicht helfen.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Lo siento, pero no puedo ayudar con eso.",
        "Извините, но я не могу помочь с этим.",
        "很抱歉，我无法提供帮助。",
        "申し訳ありませんが、そのご要望にはお応えできません。",
    ],
)
def test_well_known_openings_of_refusals_are_told(text: str) -> None:
    assert looks_like_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I can't wait to help!",
        "Sorry for the late reply, here it is.",
        "I can help with that.",
        "I'm sorry to hear that. Try restarting.",
        "Désolé pour le retard",
        "The answer is 4. " * 20 + "I cannot help with more.",
    ],
)
def test_other_answers_are_no_refusals(text: str) -> None:
    assert not looks_like_refusal(text)
