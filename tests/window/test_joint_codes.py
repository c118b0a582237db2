import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role
from dashlight.window.joint_codes import joint_codes
from dashlight.window.layout import NULL


def codes(*columns: list[int]) -> NDArray[np.uint8]:
    return np.array(columns, np.uint8)


SIZES: dict[Role, int] = {"feature": 2, "output": 1}


def test_rows_of_one_length_stand_side_by_side_features_first() -> None:
    joined = joint_codes({"output": codes([9, 8]), "feature": codes([4, 5], [6, 7])}, SIZES)

    assert joined.tolist() == [[4, 5], [6, 7], [9, 8]]


def test_where_the_lengths_differ_the_rows_are_those_of_the_features() -> None:
    joined = joint_codes({"feature": codes([4, 5, 6], [6, 7, 8]), "output": codes([9])}, SIZES)

    assert joined.tolist() == [[4, 5, 6], [6, 7, 8], [NULL] * 3]


def test_a_role_that_is_not_there_is_null() -> None:
    assert joint_codes({"output": codes([9, 8])}, SIZES).tolist() == [[NULL] * 2, [NULL] * 2, [9, 8]]
    assert joint_codes({"feature": codes([4], [5])}, SIZES).tolist() == [[4], [5], [NULL]]


def test_without_rows_there_are_none() -> None:
    assert joint_codes({}, SIZES).shape == (3, 0)
