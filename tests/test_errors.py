from dashlight.errors import traced


def fails() -> None:
    raise ValueError("could not convert string to float: 'Maria'")


def test_a_mistake_is_told_by_its_kind_and_place_without_its_message() -> None:
    try:
        fails()
    except ValueError as error:
        told = traced(error)

    assert told.startswith("ValueError < test_errors.py:")
    assert "fails < test_errors.py" in told
    assert "Maria" not in told


def test_an_error_that_was_never_raised_has_a_kind_alone() -> None:
    assert traced(ValueError("Maria")) == "ValueError"
