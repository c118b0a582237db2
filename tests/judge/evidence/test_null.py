from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.judge.evidence.null import null_of, shifted
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.layout import ABOVE, NULL, STRUCTURAL_BINS

MakeColumns = Callable[..., tuple[ColumnReference, ...]]


@given(st.floats(0, 1), st.floats(-1, 1))
def test_a_share_is_shifted_by_cohens_h(share: float, distance: float) -> None:
    moved = float(shifted(np.array(share), distance))

    if 0 < moved < 1:
        assert 2 * np.arcsin(np.sqrt(moved)) - 2 * np.arcsin(np.sqrt(share)) == pytest.approx(distance, abs=1e-9)
    else:
        assert moved in {0.0, 1.0}


def test_what_never_happened_may_happen(columns_of: MakeColumns) -> None:
    found = null_of(columns_of({"x": np.arange(5000.0)}, ordered=False))

    # One of 5,001 rows lies above the largest of 5,000, by exchangeability.
    assert found.shares[0, ABOVE] == pytest.approx(1 / 5001, rel=0.01)
    assert found.event_shares[0, ABOVE] == found.shares[0, ABOVE]


def test_what_is_tolerated_is_half_for_bad_values(columns_of: MakeColumns) -> None:
    found = null_of(columns_of({"x": np.arange(5000.0)}, ordered=False), tolerated=0.2)

    assert found.event_natural[0, NULL] == pytest.approx(0.1)
    assert found.event_natural[0, STRUCTURAL_BINS] == pytest.approx(0.2)
    assert (found.functional_natural == 0.2).all()


def test_a_season_of_the_reference_is_natural(columns_of: MakeColumns) -> None:
    plain = columns_of({"x": np.random.default_rng(123).standard_normal(20_000)})[0]
    growing = [1 + 0.01 * part.block_rows for part in plain.variation]
    slow = replace(
        plain,
        variation=tuple(
            replace(part, events=np.full(EVENT_COUNT, ratio), functionals=np.full(FUNCTIONAL_COUNT, ratio))
            for part, ratio in zip(plain.variation, growing, strict=True)
        ),
    )

    assert np.median(null_of([plain]).event_natural) == 0
    # Two and a half times a tau of 0.1.
    assert null_of([slow]).event_natural[0, -1] == pytest.approx(0.25, rel=0.4)
    assert null_of([slow]).functional_natural[0, 0] == pytest.approx(0.25, rel=0.5)


def test_functionals_are_measured_in_deviations_of_the_reference(columns_of: MakeColumns) -> None:
    found = null_of(columns_of({"x": np.random.default_rng(124).exponential(size=10_000)}))

    # Of the normal score of a rank, whatever the column's own shape.
    assert found.functional_means[0, 0] == pytest.approx(0, abs=0.01)
    assert found.functional_deviations[0, 0] == pytest.approx(1, abs=0.05)


def test_no_columns_have_no_bands() -> None:
    assert null_of([]).event_shares.shape == (0, EVENT_COUNT)
