from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.records import Exchange

Make = Callable[..., Exchange]
PATH = "/v1/completions"


def column(decoded: Decoded, side: str, name: str) -> list[object]:
    sheet = decoded.features if side == "feature" else decoded.outputs
    assert sheet is not None
    return [row[sheet.names.index(name)] for row in sheet.values]


def test_one_text_is_one_row(exchange: Make) -> None:
    answer = {"id": "c", "model": "m", "choices": [{"text": " upon", "finish_reason": "length"}]}
    decoded = decode_exchange(exchange({"model": "m", "prompt": "Once"}, answer, path=PATH))

    assert (decoded.protocol, decoded.rows) == ("openai_completions", 1)
    assert column(decoded, "output", "output_text") == [" upon"]
    assert column(decoded, "output", "finish_reason") == ["length"]


def test_several_texts_are_rows_and_the_first_choice_of_each_its_answer(exchange: Make) -> None:
    choices = [
        {"index": 2, "text": "c"},
        {"index": 3, "text": "d"},
        {"index": 0, "text": "a"},
        {"index": 1, "text": "b"},
    ]
    decoded = decode_exchange(exchange({"model": "m", "prompt": ["A", "B"], "n": 2}, {"choices": choices}, path=PATH))

    assert decoded.rows == 2
    assert column(decoded, "feature", "input_text") == ["A", "B"]
    assert column(decoded, "output", "output_text") == ["a", "c"]


def test_several_texts_may_be_answered_in_a_stream_or_not_at_all(exchange: Make) -> None:
    body = b'data: {"choices": [{"index": 1, "text": "b"}]}\n\ndata: {"choices": [{"index": 0, "text": "a"}]}\n\n'
    asked = {"model": "m", "prompt": ["A", "B"]}
    headers = {"content-type": "text/event-stream"}
    streamed = decode_exchange(exchange(asked, body, path=PATH, answer_headers=headers))
    failed = decode_exchange(exchange(asked, b"broken", path=PATH, status=500))

    assert column(streamed, "output", "output_text") == ["a", "b"]
    assert column(streamed, "feature", "streamed") == [True, True]
    assert (failed.rows, failed.outputs) == (2, None)


def test_more_texts_than_are_answered_have_empty_answers(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"prompt": ["A", "B", "C"]}, {"choices": [{"text": "a"}]}, path=PATH))

    assert column(decoded, "output", "empty_answer") == [False, True, True]


@pytest.mark.parametrize(
    ("prompt", "tokens"),
    [([5, 6, 7], [3]), ([[5, 6], [7]], [2, 1]), ([[5, 6], "four"], [2, 1]), (["four", 3.5], [1, 0])],
    ids=["one", "several", "mixed", "nonsense"],
)
def test_of_tokens_only_their_number_is_known(exchange: Make, prompt: object, tokens: list[int]) -> None:
    decoded = decode_exchange(exchange({"prompt": prompt}, {"choices": []}, path=PATH))

    assert column(decoded, "feature", "input_tokens") == tokens


@pytest.mark.parametrize("asked", [{}, {"prompt": []}, {"prompt": 3}], ids=repr)
def test_without_a_prompt_the_layout_is_unknown(exchange: Make, asked: object) -> None:
    assert decode_exchange(exchange(asked, {}, path=PATH)).undecodable == "unknown_layout"
