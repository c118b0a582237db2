from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dashlight.records import Cell, Kind
from dashlight.window.facets.list_kinds import bounded_list, kind_of_lists
from dashlight.window.values import WRONG

PAIRS = [["2026-03-01", 1.0], ["2026-03-02", 2.0]]


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        pytest.param("data", [["a", "b"], ["c"]], "ranking", id="texts"),
        pytest.param("data", [[{"id": 5, "score": 0.5}]], "ranking", id="objects with ids"),
        pytest.param("data", [[["a", 0.5], ["b", 0.4]]], "ranking", id="pairs of texts and scores"),
        pytest.param("items", [[[5, 0.5], [7, 0.4]]], "ranking", id="pairs of ids and scores by name"),
        pytest.param("recommendations", [[5, 7, 9]] * 3, "ranking", id="whole numbers by name"),
        pytest.param("recommendations", [[0.5, 7, 9]] * 3, "forecast", id="other numbers under that name"),
        pytest.param("items", [np.array([5, 7])], "ranking", id="arrays of whole numbers by name"),
        pytest.param("x", [[1.0] * 16] * 3, "vector", id="numbers of one width"),
        pytest.param("x", np.zeros((5, 20)), "vector", id="array of vectors"),
        pytest.param("x", np.zeros((0, 20)), None, id="array without rows"),
        pytest.param("x", [[1.0] * 15] * 3, "forecast", id="narrow lists"),
        pytest.param("x", [[1.0] * width for width in range(16, 40)], "forecast", id="numbers of several lengths"),
        pytest.param("x", [[1.0] * width for width in range(300, 340)], None, id="long lists of several lengths"),
        pytest.param("yhat", [[1.0] * 48] * 3, "forecast", id="numbers of one width by name"),
        pytest.param("yhat", [[1.0] * 300] * 3, "vector", id="too many steps"),
        pytest.param("ds", [[60 * step for step in range(48)]] * 3, "forecast", id="moments by name"),
        pytest.param("x", [PAIRS], "forecast", id="pairs of moments and values"),
        pytest.param("x", [["2026-03-01", "2026-03-02"]], "forecast", id="moments"),
        pytest.param("x", [[{"ds": "2026-03-01", "yhat": 1.0}]], "forecast", id="objects of moments and values"),
        pytest.param("embedding", [[1.0] * 64] * 3, "vector", id="embeddings"),
        pytest.param("embedding", [[1.0] * 8] * 3, None, id="too short an embedding"),
        pytest.param("x", [{"format": "png", "bytes": 5}], "image", id="images"),
        pytest.param("x", [{"a": 5}], None, id="objects"),
        pytest.param("x", [[[1.0], [2.0]]], None, id="nested"),
        pytest.param("x", [[]], None, id="empty"),
        pytest.param("x", [np.zeros((2, 2)), np.array(["a"]), np.zeros(0)], None, id="other arrays"),
        pytest.param("x", [1.0, None, "a"], None, id="no lists"),
        pytest.param("x", [["a"], ["b"], [[1.0]], [1.0]], "ranking", id="what most are"),
    ],
)
def test_lists_are_told_by_what_they_hold_and_by_their_name(name: str, cells: Any, kind: Kind | None) -> None:
    assert kind_of_lists(name, cells) == kind


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ([{"id": 5, "text": "x" * 9}], ["5"]),
        (["a", 5], ["a", "5"]),
        (["a", None], None),
        ([{"ds": 0, "yhat": 1.0, "more": "x"}], [(0.0, 1.0)]),
        (["2026-03-01", "2026-03-02"], ["2026-03-01", "2026-03-02"]),
        ([{"ds": 0, "yhat": None}], None),
        ([[1, 2], [3]], WRONG),
        ([0.5, True], WRONG),
    ],
)
def test_of_a_list_only_what_is_looked_at_is_kept(cell: Sequence[Cell], kept: object) -> None:
    assert bounded_list(cell) == kept


def test_numbers_with_nulls_among_them_are_kept_as_numbers() -> None:
    np.testing.assert_array_equal(np.asarray(bounded_list([0.5, None])), [0.5, np.nan])
    assert bounded_list([0.5] * 40 + ["a"]) is WRONG
