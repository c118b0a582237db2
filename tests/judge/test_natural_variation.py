from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from dashlight.judge.natural_variation import Movements, natural_variation
from dashlight.window.columns import ColumnReference, Variation
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.layout import ABOVE, BELOW, BLOCK_ROWS, NULL, TYPE_ERROR

MakeColumn = Callable[..., ColumnReference]
Ratios = Sequence[float]

RARE = 10
"""An event that could not be measured."""
MEASURED = 50


@pytest.fixture
def column_of(column_with: MakeColumn) -> Callable[..., ColumnReference]:
    """A column whose blocks of 100, 400 and 1,600 rows varied so many times as much as independent rows do."""

    def column(ratios: Ratios, rows: int, functional_ratios: Ratios | None = None) -> ColumnReference:
        parts: list[Variation] = []
        for length, ratio, other in zip(BLOCK_ROWS, ratios, functional_ratios or ratios, strict=True):
            events = np.full(EVENT_COUNT, ratio)
            events[[NULL, TYPE_ERROR, BELOW, ABOVE, RARE]] = np.nan
            parts.append(Variation(length, rows // length, events, np.full(FUNCTIONAL_COUNT, other)))
        spread = {4 + place: rows // 8 for place in range(8)}
        return replace(column_with(spread, [], (0.0, 1.0)), variation=tuple(parts))

    return column


def test_rows_in_no_known_order_have_no_memory(column_with: MakeColumn) -> None:
    found = natural_variation([column_with({4: 1000}, [], (0.0, 1.0))])

    assert (found.phi == 1).all()
    assert (found.functional_phi == 1).all()
    assert (found.tau == 0).all()
    assert not found.too_short.any()


def test_independent_rows_have_no_memory(column_of: MakeColumn) -> None:
    found = natural_variation([column_of([1.0, 1.1, 0.8], 20_000)])

    assert (found.phi == 1).all()
    assert (found.tau == 0).all()


def test_a_memory_that_levels_off_is_short(column_of: MakeColumn) -> None:
    found = natural_variation([column_of([17.0, 18.5, 19.0], 40_000)])

    # 25 blocks of 1,600 rows: one standard error of sqrt(2 / 24) on top, two for functionals.
    assert found.phi[0, MEASURED] == pytest.approx(19.0 * (1 + (2 / 24) ** 0.5))
    assert found.functional_phi[0, 0] == pytest.approx(19.0 * (1 + 2 * (2 / 24) ** 0.5))
    assert found.likely_phi[0, MEASURED] == pytest.approx(19.0)
    assert found.tau[0, MEASURED] == 0
    assert not found.too_short[0]


def test_growth_with_the_length_of_the_blocks_is_a_season(column_of: MakeColumn) -> None:
    # 1 + tau**2 n with tau = 0.1.
    found = natural_variation([column_of([2.0, 5.0, 17.0], 160_000)])

    assert found.tau[0, MEASURED] == pytest.approx(0.1, rel=0.2)
    assert found.functional_tau[0, 0] == pytest.approx(0.1, rel=0.2)
    assert found.phi[0, MEASURED] < 2


def test_one_event_that_grows_is_no_season_where_the_column_levels_off(column_of: MakeColumn) -> None:
    column = column_of([17.0, 18.5, 19.0], 40_000)
    for part, ratio in zip(column.variation, (12.0, 34.0, 110.0), strict=True):
        part.events[MEASURED] = ratio

    found = natural_variation([column])

    assert found.tau[0, MEASURED] == 0
    assert found.phi[0, MEASURED] > 110


def test_one_event_that_stands_out_has_a_memory_of_its_own(column_of: MakeColumn) -> None:
    column = column_of([1.0, 1.0, 1.0], 40_000)
    for part in column.variation:
        part.events[MEASURED] = 5.0

    found = natural_variation([column])

    assert found.phi[0, MEASURED] > 5
    assert found.phi[0, MEASURED + 1] == 1


@pytest.mark.parametrize(("rows", "is_too_short"), [(400, True), (1600, True), (5000, False), (12_000, False)])
def test_a_reference_too_short_for_its_memory_takes_an_upper_bound_and_says_so(
    *, column_of: MakeColumn, rows: int, is_too_short: bool
) -> None:
    # From 17 over 18.5 to 19: with two lengths one sees that it levels off.
    found = natural_variation([column_of([17.0, 18.5, 19.0], rows)])

    assert found.too_short[0] == is_too_short
    assert found.phi[0, MEASURED] > 19
    assert found.functional_phi[0, 0] > 19


def test_a_memory_that_grows_on_beyond_the_longest_blocks_is_too_short(column_of: MakeColumn) -> None:
    assert natural_variation([column_of([10.0, 20.0, 40.0], 12_000)]).too_short[0]


def test_a_burst_out_of_range_lasts_as_long_as_the_functionals_remember_within_the_shortest_blocks(
    column_of: MakeColumn,
) -> None:
    found = natural_variation([column_of([5.0, 5.0, 5.0], 40_000, functional_ratios=[30.0, 60.0, 80.0])])

    assert (found.phi[0, [BELOW, ABOVE]] > 30).all()
    assert (found.phi[0, [BELOW, ABOVE]] < 60).all()
    assert found.phi[0, RARE] < 10


@pytest.mark.parametrize(("rows", "is_too_short"), [(20_000, True), (160_000, False)])
def test_a_memory_that_grows_on_in_few_of_the_longest_blocks_is_too_short_too(
    *, column_of: MakeColumn, rows: int, is_too_short: bool
) -> None:
    # AR(1) 0.999 over 100, 400 and 1,600 rows; of a hundred blocks it is taken for a season.
    found = natural_variation([column_of([97.0, 350.0, 1000.0], rows)])

    assert found.too_short[0] == is_too_short
    assert (found.phi[0, MEASURED] > 2000) == is_too_short


def test_the_upper_bound_goes_on_as_the_memory_grew(column_of: MakeColumn) -> None:
    # Only 50 blocks of 100 rows and 12 of 400: from 10 to 20 over a factor of four, so to 40 over another.
    found = natural_variation([column_of([10.0, 20.0, np.nan], 5000)])

    assert found.likely_phi[0, MEASURED] == pytest.approx(40.0)
    assert found.phi[0, MEASURED] > 40 * (1 + (2 / 11) ** 0.5)


def test_with_one_length_alone_the_memory_grows_as_from_single_rows(column_of: MakeColumn) -> None:
    # From 1 to 10 over a factor of 100, so to 40 over a further factor of 16.
    found = natural_variation([column_of([10.0, np.nan, np.nan], 2000)])

    assert found.likely_phi[0, MEASURED] == pytest.approx(40.0)


def test_no_memory_grows_faster_than_its_blocks(column_of: MakeColumn) -> None:
    found = natural_variation([column_of([10.0, 80.0, np.nan], 5000)])

    assert found.likely_phi[0, MEASURED] == pytest.approx(320.0)


def test_independent_rows_are_never_too_short(column_of: MakeColumn) -> None:
    found = natural_variation([column_of([1.0, 1.1, 0.9], rows) for rows in (400, 1000, 5000, 20_000)])

    assert not found.too_short.any()
    assert (found.phi == 1).all()


def test_a_single_event_cannot_be_trusted_to_be_calm_where_blocks_are_few(column_of: MakeColumn) -> None:
    column = column_of([20.0, np.nan, np.nan], 500)
    column.variation[0].events[MEASURED] = 0.1

    found = natural_variation([column])

    assert found.phi[0, MEASURED] == pytest.approx(found.phi[0, MEASURED + 1])


def test_a_single_event_is_not_taken_to_be_calmer_than_its_column(column_of: MakeColumn) -> None:
    column = column_of([20.0, 20.0, 20.0], 40_000)
    for part in column.variation:
        part.events[MEASURED] = 2.0
        part.events[NULL] = 2.0

    found = natural_variation([column])

    assert found.phi[0, MEASURED] > 20
    # How often values are missing is a matter of its own.
    assert found.phi[0, NULL] < 3


def test_bursts_of_rare_values_that_look_as_if_they_grew_are_no_season(column_of: MakeColumn) -> None:
    # Shares of rare events, transformed, grow with the block; the functionals level off.
    found = natural_variation([column_of([7.0, 22.0, 67.0], 40_000, functional_ratios=[80.0, 80.0, 80.0])])

    assert (found.tau == 0).all()
    assert found.phi[0, MEASURED] > 67


def test_values_beyond_the_range_come_in_bursts_in_a_season_too(column_of: MakeColumn) -> None:
    found = natural_variation([column_of([6.0, 21.0, 81.0], 160_000)])

    assert found.tau[0, MEASURED] > 0
    assert found.phi[0, ABOVE] > 6


def test_extremes_have_the_longest_memory_where_only_the_shortest_blocks_are_known(column_of: MakeColumn) -> None:
    column = column_of([10.0, np.nan, np.nan], 2000)
    column.variation[0].events[MEASURED] = 30.0

    found = natural_variation([column])

    assert found.phi[0, ABOVE] == pytest.approx(found.phi[0, MEASURED])


def test_a_column_of_rare_events_alone_has_the_memory_of_its_functionals(column_of: MakeColumn) -> None:
    found = natural_variation(
        [column_of([np.nan] * 3, 40_000, functional_ratios=[20.0] * 3), column_of([1.0] * 3, 40_000)]
    )

    assert found.phi[0, MEASURED] > 20
    assert found.phi[0, NULL] == 1


def test_a_column_of_which_nothing_is_known_has_the_least_memory_of_the_others(column_of: MakeColumn) -> None:
    constant = column_of([0.0] * 3, 40_000)

    found = natural_variation([constant, column_of([20.0] * 3, 40_000), column_of([5.0] * 3, 40_000)])

    assert (found.phi[0] > 5).all()
    assert (found.phi[0] < 10).all()


def test_missing_values_of_categories_follow_their_most_frequent_events(column_of: MakeColumn) -> None:
    column = column_of([20.0] * 3, 40_000, functional_ratios=[np.nan] * 3)
    for part in column.variation:
        part.events[MEASURED] = 60.0

    found = natural_variation([column])

    assert found.phi[0, NULL] == found.phi[0, MEASURED]
    assert found.phi[0, NULL] > 60


def test_order_that_only_functionals_see_counts_for_events_too(column_of: MakeColumn) -> None:
    found = natural_variation([column_of([1.5, np.nan, np.nan], 500, functional_ratios=[17.0, np.nan, np.nan])])

    assert found.phi[0, MEASURED] > 1.5


def test_rare_values_have_the_memory_that_is_typical_of_their_column(column_of: MakeColumn) -> None:
    found = natural_variation([column_of([20.0, 20.0, 20.0], 40_000), column_of([1.0, 1.0, 1.0], 40_000)])

    # Better known than that of a single event: an error smaller by the root of six.
    typical = 20 * (1 + (2 / 24 / 6) ** 0.5)
    assert found.phi[0, [BELOW, ABOVE, RARE]] == pytest.approx(typical)
    assert (found.phi[1, [BELOW, ABOVE, RARE]] == 1).all()


def test_missing_values_have_the_least_memory_of_any_column(column_of: MakeColumn, column_with: MakeColumn) -> None:
    weather, entity = column_of([20.0] * 3, 40_000), column_of([5.0] * 3, 40_000)

    alone = natural_variation([weather]).phi[0, [NULL, TYPE_ERROR]]
    together = natural_variation([weather, entity, column_with({4: 100}, [], (0.0, 1.0))]).phi[:, [NULL, TYPE_ERROR]]

    assert (alone > 20).all()
    # 5 and what is unsure of it: two standard errors, smaller by the root of six.
    assert together[:2] == pytest.approx(5 * (1 + 2 * (2 / 24 / 6) ** 0.5))
    assert (together[2] == 1).all()


def test_a_column_that_could_not_be_measured_at_all_has_no_memory(column_of: MakeColumn) -> None:
    found = natural_variation([column_of([np.nan] * 3, 40_000)])

    assert (found.phi == 1).all()
    assert (found.functional_phi == 1).all()
    assert not found.too_short[0]


def test_no_columns_have_no_variation() -> None:
    found = natural_variation([])

    assert found.phi.shape == (0, EVENT_COUNT)
    assert found.functional_tau.shape == (0, FUNCTIONAL_COUNT)


def test_of_too_few_rows_in_order_some_memory_is_assumed_and_that_is_said(
    columns_of: Callable[..., tuple[ColumnReference, ...]],
) -> None:
    rng = np.random.default_rng(88)
    few, enough = ({"x": rng.standard_normal(rows)} for rows in (399, 400))

    short, known = (natural_variation(columns_of(values)) for values in (few, enough))
    unordered = natural_variation(columns_of(few, ordered=False))

    assert (short.phi.min(), short.functional_phi.min(), short.too_short.tolist()) == (5.0, 5.0, [True])
    assert (known.phi.min(), unordered.phi.max()) == (1.0, 1.0)


def test_movements_that_were_measured_once_serve_whatever_columns_are_asked_for(column_of: MakeColumn) -> None:
    columns = [column_of([float(ratio), ratio + 1.0, ratio + 2.0], 40_000) for ratio in range(1, 5)]
    movements = Movements()

    for asked in (columns, columns[1:3], [*reversed(columns)]):
        found, expected = natural_variation(asked, movements), natural_variation(asked)
        for part in ("phi", "likely_phi", "tau", "functional_phi", "functional_tau", "too_short"):
            np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))
    assert movements.of(columns[0]) is movements.of(columns[0])
