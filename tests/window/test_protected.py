"""A reference that holds hashes compares as the one in the clear does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.privacy.hashing import HashKey, is_hash
from dashlight.window.bins import Binner
from dashlight.window.columns import Reference, columns_of
from dashlight.window.disclosure import knows, protected, with_shown
from dashlight.window.facets.facets import expanded, faceted
from dashlight.window.performance_reference import PerformanceReference
from dashlight.window.recent.collector import RecentCollector
from dashlight.window.recent.texts import how_written
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump, load, with_version
from dashlight.window.tables import table_of_columns

KEY = HashKey(b"k" * 32)
CUSTOMERS = ["Maria", "Anna", "hash:0123456789abcdef", "07", "Zoë"]


def values(rng: np.random.Generator, rows: int, *, others: bool = False) -> dict[str, Any]:
    customers = [*CUSTOMERS, "Ewa", "maria", " Anna", "7", "hash:ffff", ""] if others else CUSTOMERS
    items = [[f"Song {number}" for number in rng.integers(0, 12 if others else 8, 3)] for _ in range(rows)]
    return {
        "customer": rng.choice(customers, rows).tolist(),
        "many": [f"user {number}" for number in rng.integers(0, 90 if others else 60, rows)],
        "age": rng.integers(18, 90, rows).astype(float),
        "recommended_items": items,
        "flag": (rng.random(rows) < 0.5).tolist(),
        "label": rng.choice(["approved", "declined"], rows).tolist(),
    }


@pytest.fixture(scope="module")
def plain() -> Reference:
    rng = np.random.default_rng(0)
    return build_reference_from_columns(values(rng, 3000), {"label": "output"}, rng=rng, created_at=1.0)


def test_no_value_is_left_in_the_clear(plain: Reference) -> None:
    file = dump(protected(plain, KEY)).decode()

    assert "Maria" in dump(plain).decode()
    assert not [word for word in ("Maria", "maria", "Anna", "Zoë", "user 7", "Song") if word in file]
    assert '"approved"' in file


@pytest.mark.parametrize("others", [False, True])
def test_every_row_falls_into_the_bin_of_the_reference_in_the_clear(plain: Reference, *, others: bool) -> None:
    hidden = protected(plain, KEY)
    table = table_of_columns(values(np.random.default_rng(1), 800, others=others))
    found: list[Any] = []
    for reference in (plain, hidden, hidden):
        columns = columns_of(reference, "feature")
        kinds, widths = faceted(columns)
        whole, _ = expanded(table, kinds, widths=widths)
        found.append(Binner(columns).codes(whole))

    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_the_same_binner_answers_alike_each_time_and_however_many_values_come(plain: Reference) -> None:
    columns = [column for column in columns_of(protected(plain, KEY), "feature") if column.name == "customer"]
    binner, clear = Binner(columns), Binner([each for each in plain.columns if each.name == "customer"])
    for first in range(0, 40_000, 4000):
        texts = [*CUSTOMERS, *(f"new {number}" for number in range(first, first + 4000))]
        table = table_of_columns({"customer": texts})

        np.testing.assert_array_equal(binner.codes(table), clear.codes(table))


def test_recent_rows_keep_no_text(plain: Reference) -> None:
    hidden = protected(plain, KEY)
    collector = RecentCollector([column for column in hidden.columns if not column.of and column.role == "feature"])
    rows: dict[str, list[Any]] = {
        "customer": ["Maria", "maria", " Anna", "Ewa", "unknown"],
        "age": ["31,5", "old", 4.0, 1.0, 2.0],
    }
    collector.add("feature", table_of_columns(rows))
    pane = collector.close()

    assert pane is not None
    by_name = dict(
        zip(
            [c.name for c in hidden.columns if not c.of and c.role == "feature"],
            pane.sides["feature"].sample.texts,
            strict=True,
        )
    )
    kept = by_name["customer"].tolist()
    assert [is_hash(text) for text in kept] == [True] * 4 + [False]
    assert kept[0] == KEY.hash("Maria")
    assert [how_written(text) for text in kept] == ["", "lower-cased", "padded with spaces", "", ""]
    assert kept[4] == "unknown"
    assert list(map(how_written, by_name["age"].tolist()[:2])) == ["99,9", "aaa"]


def test_a_shown_column_stays_in_the_clear_but_for_particulars(plain: Reference) -> None:
    customer = next(column for column in plain.columns if column.name == "customer")
    mailed = replace(customer, categories=("a@mail.example", *customer.categories[1:]))
    (found,) = protected(with_shown(replace(plain, columns=(mailed,)), ["customer"]), KEY).columns

    assert is_hash(found.categories[0])
    clear = [text for text in customer.categories[1:] if not is_hash(text)]
    assert [text for text in found.categories if not is_hash(text)] == clear


def test_protecting_twice_changes_nothing(plain: Reference) -> None:
    once = protected(plain, KEY)

    assert dump(protected(once, HashKey(b"o" * 32))) == dump(once)


def test_values_are_known_in_the_clear_and_by_their_hashes(plain: Reference) -> None:
    for reference in (plain, protected(plain, KEY)):
        column = next(column for column in reference.columns if column.name == "customer")
        assert knows(column, "Maria")
        assert not knows(column, "Ewa")
        assert not knows(column, KEY.hash("Maria"))
        assert not knows(column, 3)


def test_a_file_of_hashes_is_read_under_its_key_alone(plain: Reference) -> None:
    hidden = with_version(protected(plain, KEY))

    assert dump(load(dump(hidden), KEY)) == dump(hidden)
    assert load(dump(hidden), to_compare=False).version == hidden.version
    for wrong in (None, HashKey(b"o" * 32)):
        with pytest.raises(ReferenceDataError, match="DASHLIGHT_HASH_KEY"):
            load(dump(hidden), wrong)


def test_a_key_travels_where_that_is_asked_for_and_never_an_operators(plain: Reference) -> None:
    hidden = with_version(protected(plain, KEY))
    given = protected(plain, HashKey.of_setting("the operator's own secret"))

    assert load(dump(hidden, with_key=True)).columns[0].hash_key == KEY
    assert load(dump(hidden, with_key=True)).version == hidden.version
    assert b'"secret"' not in dump(given, with_key=True)


def test_hashes_of_payloads_tell_nothing_without_the_key(plain: Reference) -> None:
    hidden = protected(plain, KEY)
    assert plain.payloads is not None
    file = dump(hidden)

    assert f"{plain.payloads.key:016x}".encode() not in file
    found = load(file, KEY).payloads
    assert found is not None
    assert found.key == plain.payloads.key


@pytest.mark.parametrize(
    ("classes", "label", "is_hashed"),
    [
        (("approved", "declined"), "outcome", [False, False]),
        (("New York", "Maria Lopez"), "outcome", [False, False]),
        (("maria@b.example", "1"), "outcome", [True, False]),
        (("hash:00", "declined"), "outcome", [True, False]),
        (("approved", "declined"), "email", [True, True]),
    ],
)
def test_names_of_classes_stay_that_labels_are_compared_with(
    plain: Reference, classes: tuple[str, ...], label: str, is_hashed: list[bool]
) -> None:
    nothing = np.zeros(0)
    known = PerformanceReference("binary", classes, label, "", "", 0, nothing, nothing.astype(np.int32), nothing, ())

    hidden = protected(replace(plain, performance=known), KEY)

    assert hidden.performance is not None
    assert list(map(is_hash, hidden.performance.classes)) == is_hashed
    kept = [(text, now) for text, now in zip(classes, hidden.performance.classes, strict=True) if not is_hash(now)]
    assert all(text == now for text, now in kept)
    again = protected(hidden, KEY).performance
    assert again is not None
    assert again.classes == hidden.performance.classes
