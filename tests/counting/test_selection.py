"""What is watched of a reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dashlight.counting.policy import Policy
from dashlight.counting.selection import LEAST_PAIR_ROWS, unknown_weights, unmatched_globs, watched_of
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column


def names(columns: object) -> set[str]:
    return {column.name for column in columns}  # type: ignore[attr-defined]


def test_without_a_word_about_it_every_column_is_watched(reference: Reference) -> None:
    watched = watched_of(reference, Policy())

    assert watched.columns == reference.columns
    assert (watched.hidden, watched.has_pairs) == (frozenset(), True)
    assert {each.name for each in watched.directions} == {"", "comment", "embedding"}


def test_what_is_ignored_is_hidden_with_all_that_is_measured_of_it(reference: Reference) -> None:
    watched = watched_of(reference, Policy(ignored=("emb*", "inc?me")))

    facets = {column.name for column in reference.columns if column.of == "embedding"}
    assert facets
    assert watched.hidden == {"embedding", "income"} | facets
    assert names(watched.columns) == names(reference.columns) - watched.hidden
    assert {each.name for each in watched.directions} == {"", "comment"}


def test_a_column_of_no_importance_is_not_watched_and_not_hidden(reference: Reference) -> None:
    watched = watched_of(reference, Policy(importance={"age": 0.0, "income": 2.0, "unheard of": 3.0}))

    assert names(reference.columns) - names(watched.columns) == {"age"}
    assert watched.hidden == frozenset()
    assert watched.importance == {"age": 0.0, "income": 2.0}


def test_a_facet_matters_as_much_as_its_column_unless_it_is_named(reference: Reference) -> None:
    facets = sorted(column.name for column in reference.columns if column.of == "embedding")

    watched = watched_of(reference, Policy(importance={"embedding": 0.0, facets[0]: 1.0}))

    assert names(reference.columns) - names(watched.columns) == {"embedding", *facets[1:]}


@pytest.mark.parametrize(("rows", "has_pairs"), [(LEAST_PAIR_ROWS - 1, False), (LEAST_PAIR_ROWS, True)])
def test_pairs_of_a_short_reference_are_not_watched(rows: int, *, has_pairs: bool) -> None:
    rng = np.random.default_rng(3)
    held = {"a": rng.random(rows), "b": rng.random(rows)}
    reference = build_reference_from_columns(held, {}, rng=rng, created_at=0.0)

    assert watched_of(reference, Policy()).has_pairs is has_pairs


def test_one_column_has_no_pairs_and_no_joint_rows(columns: Callable[..., dict[str, Column]]) -> None:
    rng = np.random.default_rng(2)
    alone = build_reference_from_columns({"age": columns(rng, 2500)["age"]}, {}, rng=rng, created_at=0.0)

    watched = watched_of(alone, Policy())

    assert (watched.has_pairs, watched.directions) == (False, ())


def test_the_values_of_facets_are_not_kept_as_they_came(reference: Reference) -> None:
    kept = names(watched_of(reference, Policy(ignored=("age",))).kept_as_they_came)

    assert {"income", "city", "score"} <= kept
    assert not any("·" in name for name in kept)
    assert "age" not in kept


def test_weights_of_columns_that_there_are_none_of_are_named(reference: Reference) -> None:
    assert unknown_weights(reference, Policy(importance={"age": 2.0, "agee": 2.0, "embedding": 0.5})) == ("agee",)


def test_globs_that_mean_no_column_are_named_by_their_role(reference: Reference) -> None:
    policy = Policy(features=("a*", "wage", "raw[0]"), prediction=("sc?re",))

    assert list(unmatched_globs(reference, policy, columns={"raw[0]": "age"})) == [("feature", ("wage",))]


def test_of_outputs_that_a_reference_does_not_hold_nothing_is_said(columns: Callable[..., dict[str, Column]]) -> None:
    rng = np.random.default_rng(1)
    features = {name: values for name, values in columns(rng, 300).items() if name != "score"}
    alone = build_reference_from_columns(features, {}, rng=rng, created_at=0.0)

    assert list(unmatched_globs(alone, Policy(prediction=("nothing",)), columns={})) == []
