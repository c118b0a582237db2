import pytest

from dashlight.decode.rows.generation import last_user_text, text_of, usage_of


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
          {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}], "c"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}, "b"]}],
         "ab"),
        ([{"role": "tool", "content": "a"}], "a"),
        ([{"role": "user", "content": None}], ""),
        (["a", 3], ""),
        ([], ""),
        ("a", ""),
        (None, ""),
    ],
    ids=["the last of the user's", "parts", "nobody's", "null", "no messages", "none", "a text", "nothing"],
)  # fmt: skip
def test_the_last_text_of_the_user_is_what_was_asked(messages: object, text: str) -> None:
    assert last_user_text(messages) == text


@pytest.mark.parametrize(("content", "text"), [("a", "a"), (["a", {"text": 3}, 4], "a"), ({"text": "a"}, ""), (3, "")])
def test_a_content_is_a_text_or_parts(content: object, text: str) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}, {"input": 5, "output": 6, "total": 11}),
        ({"generated_tokens": 3}, {"output": 3}),
        ({"prompt_tokens": None}, {}),
        (None, {}),
    ],
    ids=str,
)
def test_tokens_are_counted_under_one_name(counts: object, usage: dict[str, int]) -> None:
    assert usage_of(counts) == usage
