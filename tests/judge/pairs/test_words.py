import pytest

from dashlight.judge.pairs.words import MovedPair, joint_causes, joint_summary


@pytest.mark.parametrize(
    ("reference", "current", "words"),
    [
        (0.5, 0.74, "now rise together"),
        (0.5, 0.2, "now move against each other"),
        (0.9, 0.5, "rise together less than before"),
        (0.7, 0.9, "rise together more than before"),
        (0.9, 0.1, "now move against each other"),
        (0.2, 0.45, "move against each other less than before"),
        (0.3, 0.1, "move against each other more than before"),
        (0.2, 0.8, "now rise together"),
        (0.45, 0.58, "rise together more often"),
        (0.55, 0.42, "rise together less often"),
    ],
)
def test_a_pair_is_told_by_how_it_moves_now(reference: float, current: float, words: str) -> None:
    assert words in joint_summary([MovedPair("age", "income", reference, current)])


def test_one_pair_is_told_in_full() -> None:
    summary = joint_summary([MovedPair("age", "income", 0.5, 0.742)])

    assert summary == (
        "age and income now rise together: they agree in 74 % of the rows in which both are low or high, "
        "50 % in the reference"
    )


def test_several_pairs_name_their_columns_and_the_one_in_most_of_them() -> None:
    moved = [MovedPair("a", name, 0.5, 0.8) for name in ("b", "c", "d", "e", "f")]

    summary = joint_summary(moved)

    assert summary.startswith(
        "a, b, c, d and 2 more no longer depend on one another as in the reference; a is in 5 of the 5 pairs that moved: "
        "a and b now rise together"
    )
    assert [cause.event.split(" now")[0] for cause in joint_causes(moved)] == [f"a and {name}" for name in "bcdef"]


def test_pairs_without_a_column_in_common_have_no_centre() -> None:
    summary = joint_summary([MovedPair("a", "b", 0.5, 0.8), MovedPair("c", "d", 0.5, 0.7)])

    assert summary.startswith("a, b, c and d no longer depend on one another as in the reference: a and b now")


def test_at_most_five_causes_carry_their_shares() -> None:
    causes = joint_causes([MovedPair("a", f"b{place}", 0.5, 0.8) for place in range(9)])

    assert [(cause.reference, cause.current) for cause in causes] == [(0.5, 0.8)] * 5


def test_names_from_outside_stay_on_one_line() -> None:
    assert "\n" not in joint_summary([MovedPair("a\nb", "c", 0.5, 0.8)])
