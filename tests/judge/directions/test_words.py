import numpy as np
import pytest

from dashlight.judge.directions.words import direction_summary


def test_the_columns_that_carry_a_direction_are_named_with_their_share() -> None:
    shift = np.array([0.0, 0.3, -0.4, 0.01])

    said = direction_summary("", ["a", "b", "c", "d"], shift, 0.456)

    assert (
        said
        == "2 columns moved a little together: c down (64 %), b up (36 %); 0.46 standard deviations along one direction"
    )


def test_one_column_alone_is_said_to_be_one() -> None:
    said = direction_summary("", ["a", "b"], np.array([0.5, -0.05]), 1.0)

    assert said == "one column moved: a up (99 %); 1.00 standard deviations along one direction"


def test_of_many_columns_five_are_named() -> None:
    said = direction_summary("", [f"x{place}" for place in range(10)], np.linspace(0.15, 0.14, 10), 0.4)

    assert said.startswith("9 columns moved a little together: x0 up (11 %), x1 up (11 %), x2 up (10 %), x3 up")
    assert "x4 up (10 %) and 4 more; 0.40" in said
    assert "x5" not in said


@pytest.mark.parametrize(("name", "subject"), [("emb\nx", "emb?x"), ("", "the rows")], ids=["a vector", "no names"])
def test_a_vector_moves_as_a_whole(name: str, subject: str) -> None:
    said = direction_summary(name, (), np.ones(3), 0.8)

    assert said == f"{subject} moved as a whole: 0.80 standard deviations along one direction"


def test_a_direction_of_which_nothing_is_left_is_told_too() -> None:
    assert direction_summary("", ["a", "b"], np.zeros(2), 0.1).endswith("0.10 standard deviations along one direction")
