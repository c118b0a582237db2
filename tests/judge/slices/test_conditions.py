from collections.abc import Callable

import numpy as np
import pytest

from dashlight.judge.slices.conditions import NO_ATOM, SECOND_END_COST, atoms_of, finest_choices, widened
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS, TYPE_ERROR

Make = Callable[..., ColumnReference]
FIRST, LAST = STRUCTURAL_BINS, BINS - 1


def shares(**bins: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = np.zeros(BINS)
    for name, share in bins.items():
        found[int(name.removeprefix("bin_"))] = share
    return found


def test_numbers_are_merged_into_groups_of_about_equal_mass(numeric: Make) -> None:
    atoms = atoms_of(numeric("age"), np.where(np.arange(BINS) >= FIRST, 1 / 32, 0.0))

    assert (atoms.count, atoms.ordered) == (8, 8)
    assert np.bincount(atoms.of_bin[FIRST:BINS]).tolist() == [4] * 8
    assert atoms.choices.bins(0) == (BELOW, 4, 5, 6, 7)


def test_what_is_out_of_range_or_missing_is_a_part_by_itself_where_it_is_frequent(numeric: Make) -> None:
    frequent = atoms_of(numeric("age"), shares(bin_0=0.1, bin_2=0.1, bin_3=0.1, bin_4=0.3, bin_5=0.4))
    rare = atoms_of(numeric("age"), shares(bin_0=0.001, bin_2=0.001, bin_3=0.001, bin_4=0.4, bin_5=0.597))

    assert [int(frequent.of_bin[bin_]) for bin_ in (BELOW, 4, 5, ABOVE, NULL)] == [0, 1, 2, 3, 4]
    assert frequent.ordered == 4
    assert [int(rare.of_bin[bin_]) for bin_ in (BELOW, 4, 5, ABOVE, NULL)] == [0, 0, 1, 1, NO_ATOM]


def test_rare_categories_are_one_part_and_a_row_that_is_in_no_bin_is_in_none(categorical: Make) -> None:
    atoms = atoms_of(categorical("carrier"), shares(bin_4=0.6, bin_5=0.39, bin_6=0.005, bin_7=0.005))

    assert [int(atoms.of_bin[bin_]) for bin_ in (4, 5, 6, 7, TYPE_ERROR, 255)] == [0, 1, 2, 2, NO_ATOM, NO_ATOM]
    assert [atoms.choices.bins(place) for place in range(len(atoms.choices.sets))] == [
        (4,), (5,), (6, 7), (5, 6, 7), (4, 6, 7), (4, 5),
    ]  # fmt: skip


def test_of_two_values_each_is_all_others_than_the_other(categorical: Make) -> None:
    atoms = atoms_of(categorical("flag", ("true", "false")), shares(bin_4=0.6, bin_5=0.4))

    assert [atoms.choices.bins(place) for place in range(len(atoms.choices.sets))] == [(4,), (5,)]


def test_a_constant_column_has_no_condition(numeric: Make, categorical: Make) -> None:
    for column in (numeric("age"), categorical("carrier")):
        assert len(atoms_of(column, shares(bin_4=1.0)).choices.sets) == 0
        assert len(finest_choices(column, shares(bin_4=1.0) > 0).sets) == 0


def test_a_second_border_costs(numeric: Make) -> None:
    choices = finest_choices(numeric("age"), shares(bin_4=0.3, bin_5=0.3, bin_6=0.4) > 0)

    costs = {choices.bins(place): float(choices.costs[place]) for place in range(len(choices.sets))}
    assert costs == {(4,): 0.0, (4, 5): 0.0, (5,): SECOND_END_COST, (5, 6): 0.0, (6,): 0.0}


@pytest.mark.parametrize(
    ("bins", "wider"),
    [
        ((10, 12), tuple(range(10, 13))),
        ((4, 5), (BELOW, 4, 5)),
        ((20, LAST), (ABOVE, *range(20, BINS))),
        ((NULL,), (NULL,)),
    ],
    ids=["between", "no lower end", "no upper end", "missing"],
)
def test_bins_without_rows_belong_to_the_range(numeric: Make, bins: tuple[int, ...], wider: tuple[int, ...]) -> None:
    held = np.zeros(BINS, np.bool_)
    held[[NULL, 4, 5, 10, 12, 20, LAST]] = True

    assert widened(numeric("age"), bins, held) == wider


def test_all_others_than_a_category_are_also_those_that_are_not_there(categorical: Make) -> None:
    held = shares(bin_4=1.0, bin_5=1.0, bin_6=1.0) > 0

    assert widened(categorical("carrier"), (5, 6), held) == tuple(bin_ for bin_ in range(BINS) if bin_ != 4)
    assert widened(categorical("carrier"), (5,), held) == (5,)
