"""Figures as the workers of a machine share them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.errors import StateError
from dashlight.metrics.figures import Figure, Figures, HistogramFigure
from dashlight.workers.layouts import FIGURES

REQUESTS = Figure("dashlight.requests", "counter", "{request}", "Requests", 7, {"http.route": "/p"})
DRIFT = Figure("dashlight.column.drift", "gauge", "", "Distance", 0.25, {"dashlight.column.name": 'evil\n"name'})
DURATION = HistogramFigure("dashlight.request.duration", "s", "Time", (0.5, 1.0), (3, 2, 1), 4.5, {"http.route": "/p"})
SHOWN = Figures(1_790_000_010.5, 1_790_000_000.0, (REQUESTS, DRIFT), (DURATION,))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
figures = st.builds(
    Figure, texts, st.sampled_from(["counter", "gauge", "updowncounter"]), texts, texts, numbers, st.dictionaries(texts, texts)
)  # fmt: skip


def read_again(shown: Figures) -> Figures:
    return FIGURES.thaw(b"".join(FIGURES.freeze(shown)))


def test_figures_come_back_from_bytes_as_they_were() -> None:
    assert read_again(SHOWN) == SHOWN


@given(st.lists(figures, max_size=5))
def test_any_figures_come_back_as_they_were(some: list[Figure]) -> None:
    shown = Figures(2.0, 1.0, tuple(some), ())

    assert read_again(shown) == shown


def test_whole_numbers_stay_whole() -> None:
    assert isinstance(read_again(SHOWN).figures[0].value, int)


def test_a_histogram_without_a_count_for_each_bin_is_refused() -> None:
    torn = HistogramFigure("a", "s", "", (0.5, 1.0), (3, 2), 4.5, {})

    with pytest.raises(StateError, match="a count for each bin"):
        read_again(Figures(2.0, 1.0, (), (torn,)))
