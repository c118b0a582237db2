from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.causes import bin_label, event_words, explain, quantile
from dashlight.window.columns import ColumnReference, Profile
from dashlight.window.events import EVENT_BINS, EVENT_COUNT, FUNCTIONAL_NAMES
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS, TYPE_ERROR, UNSEEN
from dashlight.window.profile import PRECISIONS

MakeColumn = Callable[..., ColumnReference]
Counts = NDArray[np.int64]
FIRST = STRUCTURAL_BINS


def counted(counts: dict[int, int]) -> Counts:
    held = np.zeros(BINS, np.int64)
    held[list(counts)] = list(counts.values())
    return held


def event_of(first: int, stop: int) -> int:
    return EVENT_BINS.index((first, stop))


def functional(name: str) -> int:
    return EVENT_COUNT + FUNCTIONAL_NAMES.index(name)


def categorical(column: ColumnReference, categories: tuple[str, ...], known: frozenset[str]) -> ColumnReference:
    return replace(column, kind="categorical", categories=categories, known=known, edges=np.zeros(0))


def profile(
    *,
    precisions: tuple[float, ...],
    values: tuple[float, ...] = (),
    frequent: tuple[tuple[str, float], ...] = (),
) -> Profile:
    """Of a column of numbers, with what its words ask for."""
    precisions = (*precisions, *[1.0] * (len(PRECISIONS) - len(precisions)))
    nothing: dict[str, str] = {}
    shares = tuple(1 / len(values) for _ in values)
    return Profile(
        1000, (0.0, 1.0, 0.0, 0.0, 0.0), precisions, precisions, (), values, shares, frequent, 0.0, 1, nothing
    )


@pytest.fixture
def temp(column_with: MakeColumn) -> ColumnReference:
    """A thousand rows, a quarter in each bin: 10 to 30, 30 to 36, 36 to 42, 42 to 60."""
    return column_with(dict.fromkeys(range(FIRST, FIRST + 4), 250), [30.0, 36.0, 42.0], (10.0, 60.0), "temp")


@pytest.fixture
def dest(column_with: MakeColumn) -> ColumnReference:
    """Two frequent destinations and rare others."""
    column = column_with({FIRST: 600, FIRST + 1: 300, BINS - 1: 100}, [], (-np.inf, np.inf), "dest")
    return categorical(column, ("ATL", "ORD"), frozenset({"XNA", "TVC"}))


def test_a_rise_of_missing_values_is_told_as_a_share(temp: ColumnReference) -> None:
    summary, cause = explain(temp, NULL, counted({NULL: 9, FIRST: 91}))

    assert summary == "share of missing temp rose from 0 % to 9 %"
    assert (cause.reference, cause.current) == (0.0, 0.09)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ((TYPE_ERROR, TYPE_ERROR + 1), "temp of a wrong type"),
        ((BELOW, BELOW + 1), "temp below the reference's range (< 10)"),
        ((ABOVE, ABOVE + 1), "temp above the reference's range (> 60)"),
        ((FIRST, FIRST + 2), "temp from 10 to 36"),
        ((FIRST + 3, FIRST + 4), "temp from 42 to 60"),
        ((FIRST, FIRST + 16), "temp from 10 to 60"),
    ],
)
def test_events_of_numbers_are_told_by_their_ends(temp: ColumnReference, event: tuple[int, int], words: str) -> None:
    assert event_words(temp, event_of(*event)) == words


def test_a_value_with_a_bin_of_its_own_is_told_as_such(column_with: MakeColumn) -> None:
    counts = {FIRST: 5, FIRST + 1: 900, FIRST + 2: 95}
    precip = replace(
        column_with(counts, [-0.01, 0.004], (-0.5, 2.5), "precip"),
        profile=profile(precisions=(0.9, 0.9, 0.9, 0.9, 0.95, 1.0), frequent=(("0", 0.9), ("0.1", 0.01))),
    )

    assert event_words(precip, event_of(FIRST + 1, FIRST + 2)) == "precip = 0"
    assert event_words(precip, event_of(FIRST + 2, FIRST + 3)) == "precip over 0 to 2.5"
    assert [bin_label(precip, FIRST), bin_label(precip, FIRST + 1)] == ["-0.5 to -0.01", "0"]


@pytest.mark.parametrize(
    ("values", "edges", "labels"),
    [
        ((0.0, 18.0, 25.0, 34.0, 40.0, 41.0), [9.0, 37.0], ["0", "18 to 34", "40 to 41"]),
        ((), [8.5, 36.5], ["0 to 8", "9 to 36", "37 to 41"]),
        ((), [9.0, 37.0], ["0 to 8", "9 to 36", "37 to 41"]),
    ],
    ids=["all known", "too many to be known", "edges on whole numbers"],
)
def test_bins_of_whole_numbers_are_told_by_the_numbers_that_they_hold(
    column_with: MakeColumn, values: tuple[float, ...], edges: list[float], labels: list[str]
) -> None:
    counts = {FIRST: 30, FIRST + 1: 40, FIRST + 2: 30}
    age = replace(
        column_with(counts, edges, (0.0, 41.0), "age"),
        profile=profile(precisions=(0.0, 0.0, 0.2, 1.0, 1.0, 1.0), values=values),
    )

    assert [bin_label(age, FIRST + place) for place in range(3)] == labels
    assert event_words(age, event_of(FIRST, FIRST + 2)) == f"age from 0 to {labels[1].split()[-1]}"
    assert quantile(age, age.counts, 0.5) % 1 == 0


def test_levels_are_told_by_themselves(column_with: MakeColumn) -> None:
    rate = replace(
        column_with({FIRST: 50, FIRST + 1: 50}, [0.3], (0.1, 0.4), "rate"),
        profile=profile(precisions=(0.0, 0.0, 0.0, 0.0, 1.0), values=(0.1, 0.2, 0.4)),
    )

    assert [bin_label(rate, FIRST), bin_label(rate, FIRST + 1)] == ["0.1 to 0.2", "0.4"]
    assert event_words(rate, event_of(FIRST + 1, FIRST + 2)) == "rate = 0.4"


def test_ends_that_lie_close_have_as_many_digits_as_tell_them_apart(column_with: MakeColumn) -> None:
    close = column_with({FIRST: 50, FIRST + 1: 50}, [7.0000003], (7.0000001, 7.0000005), "x")

    assert event_words(close, event_of(FIRST, FIRST + 1)) == "x from 7.0000001 to 7.0000003"


def test_a_column_without_a_name_is_told_in_quotes(temp: ColumnReference) -> None:
    assert event_words(replace(temp, name=""), NULL) == 'missing ""'


def test_whole_numbers_are_told_as_themselves(column_with: MakeColumn) -> None:
    hour = column_with({FIRST: 10, FIRST + 1: 10, FIRST + 2: 10, FIRST + 3: 10}, [5.5, 6.5, 7.5], (5.0, 8.0), "hour")

    assert event_words(hour, event_of(FIRST + 1, FIRST + 2)) == "hour = 6"
    assert event_words(hour, event_of(FIRST, FIRST + 2)) == "hour from 5 to 6"
    assert quantile(hour, hour.counts, 0.5) == 6


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ((UNSEEN, UNSEEN + 1), "a value of dest never seen in the reference"),
        ((FIRST, FIRST + 1), "dest = ATL"),
        ((FIRST, FIRST + 2), "dest in (ATL, ORD)"),
        ((BINS - 1, BINS), "dest = other categories"),
    ],
)
def test_events_of_categories_that_are_shown_are_told_by_name(
    dest: ColumnReference, event: tuple[int, int], words: str
) -> None:
    assert event_words(replace(dest, shown=True), event_of(*event)) == words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ((UNSEEN, UNSEEN + 1), "a value of dest never seen in the reference"),
        ((FIRST, FIRST + 1), "dest = value #1 (of 4 known)"),
        ((FIRST, FIRST + 2), "dest in (value #1 (of 4 known), value #2 (of 4 known))"),
        ((BINS - 1, BINS), "dest = other categories"),
    ],
)
def test_events_of_other_categories_are_told_by_number(
    dest: ColumnReference, event: tuple[int, int], words: str
) -> None:
    assert event_words(dest, event_of(*event)) == words


def test_many_categories_are_counted_after_the_first_five(dest: ColumnReference) -> None:
    many = replace(dest, shown=True, categories=tuple(f"c{place}" for place in range(31)), known=frozenset())

    assert event_words(many, event_of(FIRST, FIRST + 8)) == "dest in (c0, c1, c2, c3, c4 and 3 more)"


def test_a_shift_is_told_by_the_median_and_the_event_that_moved_furthest(temp: ColumnReference) -> None:
    current = counted({FIRST + 2: 10, FIRST + 3: 90})

    summary, cause = explain(temp, functional("higher"), current)

    # The median lies 40 of 90 rows into the last bin, 42 to 60.
    assert summary == ("mean rank of temp rose: median 36 -> 50; share of temp from 10 to 36 fell from 50 % to 0 %")
    assert cause.event == "temp from 10 to 36"


@pytest.mark.parametrize(
    ("name", "current", "words"),
    [
        ("lower", {FIRST: 100}, "mean rank of temp fell: median 36 -> 20;"),
        ("wider", {FIRST: 50, FIRST + 3: 50}, "temp spread: its middle 80 % was 18 to 52.8, is 14 to 56.4;"),
        ("narrower", {FIRST + 1: 100}, "temp drew together: its middle 80 % was 18 to 52.8, is 30.6 to 35.4;"),
        ("legendre_4", {FIRST + 2: 100}, "shape of temp changed: quartiles 30, 36, 42 -> 37.5, 39, 40.5;"),
        ("higher", {ABOVE: 100}, "mean rank of temp rose: median 36 -> above 60;"),
        ("lower", {BELOW: 100}, "mean rank of temp fell: median 36 -> below 10;"),
        ("lower", {NULL: 100}, "mean rank of temp fell: median 36 -> nan;"),
    ],
)
def test_a_change_of_order_is_told_by_quantiles(
    temp: ColumnReference, name: str, current: dict[int, int], words: str
) -> None:
    summary, _ = explain(temp, functional(name), counted(current))

    assert summary.startswith(words)


def test_a_fall_is_called_a_fall(temp: ColumnReference) -> None:
    summary, _ = explain(temp, event_of(FIRST, FIRST + 1), counted({FIRST: 1, FIRST + 1: 999}))

    assert summary == "share of temp from 10 to 30 fell from 25 % to 0.1 %"


def test_every_bin_in_use_comes_with_its_share_before_and_after(dest: ColumnReference) -> None:
    _, cause = explain(replace(dest, shown=True), UNSEEN, counted({NULL: 10, UNSEEN: 50, FIRST: 40}))

    assert [(part.label, part.reference, part.current) for part in cause.bins] == [
        ("missing", 0.0, 0.1),
        ("never seen", 0.0, 0.5),
        ("ATL", 0.6, 0.4),
        ("ORD", 0.3, 0.0),
        ("other categories", 0.1, 0.0),
    ]


def test_bins_of_numbers_and_texts_have_labels(temp: ColumnReference) -> None:
    remarks = replace(temp, kind="text")

    labels = [bin_label(temp, bin_) for bin_ in (NULL, TYPE_ERROR, BELOW, ABOVE, FIRST)]

    assert labels == ["missing", "wrong type", "< 10", "> 60", "10 to 30"]
    assert bin_label(remarks, FIRST) == "any text"


def test_unseen_categories_count_as_other_where_new_ones_are_expected(dest: ColumnReference) -> None:
    _, cause = explain(dest, event_of(BINS - 1, BINS), counted({UNSEEN: 20, FIRST: 80}))

    assert cause.current == 0.2


def test_a_name_from_outside_cannot_break_the_line(temp: ColumnReference) -> None:
    summary, _ = explain(replace(temp, name="a\nb"), NULL, counted({NULL: 1}))

    assert summary == "share of missing a?b rose from 0 % to 100 %"
