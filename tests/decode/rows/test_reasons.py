from dashlight.decode.rows.reasons import undecodable


def test_an_error_carries_its_reason_and_says_more_to_people() -> None:
    error = undecodable("too_deep", "more than 32 levels")

    assert error.reason == "too_deep"
    assert str(error) == "too_deep: more than 32 levels"
