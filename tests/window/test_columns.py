from collections.abc import Callable

import numpy as np
import pytest

from dashlight.window.bins import reference_shares
from dashlight.window.columns import (
    ColumnReference,
    Reference,
    columns_of,
    is_numeric,
    stacked_counts,
    unseen_is_other,
)
from dashlight.window.layout import BINS

Columns = Callable[..., ColumnReference]


def test_the_rows_of_a_reference_are_those_of_its_longest_column(column: Columns) -> None:
    reference = Reference((column("a", counts={4: 5}), column("b", counts={4: 7})), "file", False, "", 0.0)

    assert reference.rows == 7
    assert Reference((), "file", False, "", 0.0).rows == 0


def test_features_and_outputs_of_one_name_are_told_apart(column: Columns) -> None:
    feature, output = column("price"), column("price", role="output")
    reference = Reference((feature, output), "file", False, "", 0.0)

    assert columns_of(reference, "feature") == (feature,)
    assert columns_of(reference, "output") == (output,)


def test_stacked_counts_have_a_row_for_every_column(column: Columns) -> None:
    assert stacked_counts([column(counts={4: 5}), column(counts={0: 2})])[:, [0, 4]].tolist() == [[0, 5], [2, 0]]
    assert stacked_counts([]).shape == (0, BINS)


def test_only_numeric_columns_have_an_order_and_only_known_ones_hold_the_unseen(column: Columns) -> None:
    columns = [column(), column(kind="categorical", categories=["a"]), column(kind="categorical", known=["b"])]

    assert is_numeric(columns).tolist() == [True, False, False]
    assert unseen_is_other(columns).tolist() == [False, False, True]


def test_a_numeric_column_expects_what_chance_leaves_beyond_its_extremes(column: Columns) -> None:
    shares = reference_shares([column(counts={4: 60, 5: 39})])[0]

    # 0.5 null, 0.5 type error, 99/100 on either side, 60 and 39 in the value bins
    total = 0.5 + 0.5 + 0.99 + 0.99 + 99
    expected = {0: 0.5, 1: 0.5, 2: 0.99, 3: 0.99, 4: 60, 5: 39}
    assert {bin_: share * total for bin_, share in enumerate(shares) if share} == pytest.approx(expected)


def test_what_the_reference_did_see_out_of_range_stays(column: Columns) -> None:
    shares = reference_shares([column(counts={3: 30, 4: 70})])[0]

    assert shares[3] * 70 == pytest.approx(shares[4] * 30)


def test_unseen_categories_are_expected_as_often_as_new_ones_came_and_taken_off_other(column: Columns) -> None:
    counts = {4: 900, 35: 99}
    flights = column(kind="categorical", counts=counts, categories=["a"], known=["b"], single_block_rows=49)

    shares = reference_shares([flights])[0]

    unseen = 999 * 49.5 / 1000
    assert shares[3] / shares[4] == pytest.approx(unseen / 900)
    assert shares[35] / shares[4] == pytest.approx((99 - unseen) / 900)


def test_other_never_falls_below_half_a_row(column: Columns) -> None:
    rare = column(kind="categorical", counts={4: 90, 35: 9}, categories=["a"], known=["b"], single_block_rows=9)

    shares = reference_shares([rare])[0]

    assert shares[35] / shares[4] == pytest.approx(0.5 / 90)


def test_rows_already_counted_as_unseen_are_not_taken_off_other_again(column: Columns) -> None:
    counts = {3: 200, 4: 700, 35: 100}
    vast = column(kind="categorical", counts=counts, categories=["a"], known=["b"], single_block_rows=200)

    shares = reference_shares([vast])[0]

    assert shares[3] / shares[4] == pytest.approx(200 / 700, rel=0.01)
    assert shares[35] / shares[4] == pytest.approx(100 / 700, rel=0.01)


def test_without_other_unseen_categories_are_taken_off_nothing(column: Columns) -> None:
    few = column(kind="boolean", counts={4: 999}, categories=["true"])

    shares = reference_shares([few])[0]

    assert shares[3] / shares[4] == pytest.approx(0.5 / 1000)


def test_free_text_has_neither_range_nor_categories(column: Columns) -> None:
    shares = reference_shares([column(kind="text", counts={0: 10, 4: 90})])[0]

    assert np.flatnonzero(shares).tolist() == [0, 1, 4]
    assert shares.sum() == pytest.approx(1)
