from dataclasses import replace

import numpy as np
import pytest

from dashlight.privacy.hashing import HashKey
from dashlight.records import Kind, Role
from dashlight.window.columns import ColumnReference, Reference
from dashlight.window.disclosure import category_words, number_words, told_number, value_words, with_shown
from dashlight.window.layout import BINS, STRUCTURAL_BINS


def column_of(
    *categories: str, role: Role = "feature", kind: Kind = "categorical", rows: int = 1000
) -> ColumnReference:
    counts = np.zeros(BINS, np.int64)
    counts[STRUCTURAL_BINS : STRUCTURAL_BINS + len(categories)] = rows // len(categories)
    return ColumnReference(
        name="customer",
        role=role,
        kind=kind,
        rows=rows,
        counts=counts,
        edges=np.zeros(0),
        low=float("-inf"),
        high=float("inf"),
        categories=categories,
        known=frozenset({"rare"}),
        single_block_rows=0,
    )


def test_a_category_is_told_by_its_number() -> None:
    column = column_of("Maria", "Anna")

    assert category_words(column, 1) == "value #2 (of 3 known)"


def test_a_shown_column_tells_its_categories() -> None:
    assert category_words(replace(column_of("Rome"), shown=True), 0) == "Rome"


@pytest.mark.parametrize("text", ["maria@example.com", "4111111111111111", "AKIAIOSFODNN7EXAMPLE"])
def test_what_looks_like_a_particular_is_not_told_even_where_its_column_is_shown(text: str) -> None:
    column = replace(column_of(text, role="output"), shown=True)

    assert category_words(column, 0) == "value #1 (of 2 known)"
    assert text not in value_words(column, text)


def test_a_common_label_of_a_class_is_told_and_a_rare_one_is_not() -> None:
    column = column_of("approved", "declined", role="output")
    column.counts[STRUCTURAL_BINS + 1] = 9

    assert category_words(column, 0) == "approved"
    assert category_words(column, 1) == "value #2 (of 3 known)"


def test_an_output_with_a_personal_name_is_no_label_of_a_class() -> None:
    column = replace(column_of("Maria", role="output"), name="customer_surname")

    assert category_words(column, 0) == "value #1 (of 2 known)"


def test_truths_are_told() -> None:
    assert category_words(column_of("true", "false", kind="boolean"), 0) == "true"


def test_under_the_operators_key_a_value_can_be_followed() -> None:
    key = HashKey.of_setting("the operator's own secret")
    column = replace(column_of("Maria"), hash_key=key)

    assert category_words(column, 0) == f"value #1 (of 2 known, {key.hash('Maria')})"
    assert "hash:" not in category_words(replace(column, hash_key=HashKey(b"x" * 32)), 0)


def test_values_are_told_by_what_the_reference_knows_of_them() -> None:
    column = column_of("Maria")

    assert value_words(column, "Maria") == "value #1 (of 2 known)"
    assert value_words(column, "rare") == "a rare value"
    assert value_words(column, "Kowalska") == "a value never seen in the reference"


def test_numbers_of_many_digits_are_rounded() -> None:
    assert told_number(19800131.0) == 19800000.0
    assert told_number(999_999.0) == 999_999.0
    assert told_number(float("inf")) == float("inf")
    assert number_words("19800131") == "about 19,800,000"
    assert number_words("37.25") == "37.25"


def test_globs_show_columns() -> None:
    reference = Reference((column_of("Rome"),), "file", ordered=True, version="v", created_at=0.0)

    assert with_shown(reference, ["cust*"]).columns[0].shown
    assert not with_shown(reference, ["city"]).columns[0].shown
    assert with_shown(reference, []) is reference
