import pytest

from dashlight.decode.llm.timing import seconds_per_output_token


def test_the_time_between_tokens_leaves_out_the_wait_for_the_first() -> None:
    assert seconds_per_output_token(first_byte_seconds=0.5, duration_seconds=2.5, tokens=11) == pytest.approx(0.2)


@pytest.mark.parametrize(("first", "tokens"), [(None, 5), (0.1, None), (0.1, 1), (0.1, 0)])
def test_without_two_tokens_there_is_no_time_between_them(first: float | None, tokens: int | None) -> None:
    assert seconds_per_output_token(first_byte_seconds=first, duration_seconds=1.0, tokens=tokens) is None


def test_clocks_that_disagree_give_no_negative_time() -> None:
    assert seconds_per_output_token(first_byte_seconds=2.0, duration_seconds=1.0, tokens=3) == 0.0
