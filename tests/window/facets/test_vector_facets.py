"""Numbers that stand for vectors."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashlight.records import Cell
from dashlight.window.facets.vector_facets import VECTOR_FACETS, embedding_of, folded, vector_facets, width_of


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param([1, 2.5, -3, 0], [1, 2.5, -3, 0], id="numbers"),
        pytest.param((1, 2, 3, 4), [1, 2, 3, 4], id="tuple"),
        pytest.param(np.arange(4, dtype=np.int8), [0, 1, 2, 3], id="array"),
        pytest.param([float("inf"), float("-inf"), 10**400, 1], [1e15, -1e15, 1e15, 1], id="infinite"),
    ],
)
def test_lists_of_numbers_are_vectors(cell: Cell, expected: list[float]) -> None:
    embedding = embedding_of([cell], 4)

    assert embedding.rows.tolist() == [expected]
    assert embedding.wrong.tolist() == [False]


@pytest.mark.parametrize(
    "cell",
    [None, float("nan"), [1, None, 2, 3], [1, float("nan"), 2, 3]],
    ids=["none", "nan", "a null inside", "a nan inside"],
)
def test_null_counts_as_null(cell: Cell) -> None:
    embedding = embedding_of([cell], 4)

    assert np.isnan(embedding.rows).all()
    assert embedding.wrong.tolist() == [False]


@pytest.mark.parametrize(
    "cell",
    [
        [1, 2, 3], [1, 2, 3, 4, 5], [], 5, True, "text", {"a": 1}, ["1", "2", "3", "4"], [1, 2, 3, "4"], [True] * 4,
        [[1], [2], [3], [4]], [[1], [2, 3], 4, 5], [None, 1, 2, {}],
    ],
    ids=str,
)  # fmt: skip
def test_anything_else_is_of_the_wrong_type(cell: Cell) -> None:
    embedding = embedding_of([cell], 4)

    assert np.isnan(embedding.rows).all()
    assert embedding.wrong.tolist() == [True]


def test_an_array_of_vectors_is_read_at_once() -> None:
    given_rows = np.array([[1, 2], [np.nan, 3], [np.inf, 4]], np.float32)

    embedding = embedding_of(given_rows, 2)

    np.testing.assert_array_equal(embedding.rows, [[1, 2], [np.nan, np.nan], [1e15, 4]])
    assert not embedding.wrong.any()
    assert np.isposinf(given_rows[2, 0])


@pytest.mark.parametrize(
    "array", [np.zeros((3, 5)), np.zeros(3), np.zeros((3, 4), np.bool_)], ids=["width", "no vectors", "truths"]
)
def test_an_array_of_something_else_is_wrong_in_every_row(array: NDArray[Any]) -> None:
    assert embedding_of(array, 4).wrong.all()


@pytest.mark.parametrize(
    ("vectors", "width"),
    [
        pytest.param([[0.0] * 16, None, [0.0] * 20, [1.0] * 16], 16, id="the most frequent"),
        pytest.param([[0.0] * 20, [0.0] * 16], 20, id="the wider of two"),
        pytest.param([[0.0] * 15, [0.0] * 4097], None, id="too narrow, too wide"),
        pytest.param([1.0, "text"], None, id="no vectors"),
        pytest.param(np.zeros((2, 64)), 64, id="array"),
        pytest.param(np.zeros((2, 3)), None, id="narrow array"),
        pytest.param(np.zeros(64), None, id="array of numbers"),
    ],
)
def test_the_width_is_that_of_most(vectors: list[Cell], width: int | None) -> None:
    assert width_of(vectors) == width


def test_norm_and_mean_are_numpys() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 30))

    facets = dict(zip(VECTOR_FACETS, vector_facets(rows), strict=True))

    np.testing.assert_allclose(facets["norm"], np.linalg.norm(rows, axis=1), rtol=1e-5)
    np.testing.assert_allclose(facets["mean"], rows.mean(axis=1), atol=2e-5)


def test_vectors_of_length_one_have_no_other_length_however_they_were_rounded() -> None:
    rows = np.random.default_rng(7).normal(size=(200, 384))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    for written in (rows, rows.astype(np.float32).astype(np.float64), np.round(rows, 7)):
        assert set(vector_facets(written)[0].tolist()) == {1.0}


@pytest.mark.parametrize("width", [16, 384, 4096])
def test_projections_are_signed_sums_in_nearly_independent_directions(width: int) -> None:
    directions = vector_facets(np.eye(width))[2:]

    np.testing.assert_allclose(np.abs(directions), 1 / np.sqrt(width), atol=1e-5)
    likeness = directions @ directions.T - np.eye(8)
    # 28 pairs of random signs, of standard deviation 1/sqrt(width).
    assert np.abs(likeness).max() < 4 / np.sqrt(width)
    assert abs(directions.mean() * np.sqrt(width)) < 4 / np.sqrt(8 * width)


def test_a_null_row_has_no_facets() -> None:
    assert np.isnan(vector_facets(np.full((1, 16), np.nan))).all()


@pytest.mark.parametrize("width", [16, 256])
def test_vectors_that_are_narrow_enough_stay_as_they_are(width: int) -> None:
    rows = np.random.default_rng(1).normal(size=(3, width))

    np.testing.assert_array_equal(folded(rows), rows.astype(np.float32))


@pytest.mark.parametrize("width", [257, 300, 1536, 4096])
def test_wider_vectors_are_folded_evenly(width: int) -> None:
    fold = folded(np.eye(width))

    assert fold.shape == (width, 256)
    assert (np.abs(fold).sum(axis=1) == 1).all()
    per_dimension = np.abs(fold).sum(axis=0)
    assert per_dimension.max() - per_dimension.min() <= 1
    assert abs(fold.sum()) < 4 * np.sqrt(width)


def test_folding_keeps_distances_about_as_they_are() -> None:
    rows = np.random.default_rng(2).normal(size=(40, 1536))

    ratio = np.linalg.norm(folded(rows), axis=1) / np.linalg.norm(rows, axis=1)

    assert np.abs(ratio - 1).max() < 0.2
    assert ratio.mean() == pytest.approx(1, abs=0.03)


@given(st.lists(st.floats(width=64), min_size=300, max_size=300))
def test_whatever_the_numbers_facets_are_finite_or_null(numbers: list[float]) -> None:
    rows = embedding_of([numbers], 300).rows
    found = np.concatenate([vector_facets(rows).ravel(), folded(rows).ravel()])

    assert np.isfinite(found).all() or (np.isnan(found).all() and np.isnan(numbers).any())


def test_every_process_projects_alike() -> None:
    script = (
        "import numpy as np; from dashlight.window.facets.vector_facets import vector_facets as v, folded as f;"
        "e = np.eye(300); print((v(e).tobytes() + f(e).tobytes()).hex())"
    )

    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert found.stdout.strip() == (vector_facets(np.eye(300)).tobytes() + folded(np.eye(300)).tobytes()).hex()
