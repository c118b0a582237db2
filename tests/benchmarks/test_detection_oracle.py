import numpy as np
import pytest
from benchmarks.detection_oracle import LAWS, NATS, at_the_edge, oracle_rows
from benchmarks.detection_streams import DRIFTS


def test_the_oracle_knows_streams_that_there_are_and_laws_that_are_laws() -> None:
    assert LAWS.keys() <= DRIFTS.keys()
    for before, after in LAWS.values():
        assert (before.sum(), after.sum()) == (pytest.approx(1.0), pytest.approx(1.0))


def test_a_shift_of_one_deviation_takes_the_threshold_by_half_a_nat_a_row() -> None:
    # KL of two normal laws one deviation apart is 1/2; the edge lies NATS / 10,000 off at most.
    assert oracle_rows("mean +1 sd", pane_rows=1) == pytest.approx(NATS / 0.5, rel=0.06)
    assert oracle_rows("mean +1 sd", pane_rows=100) == 100
    assert oracle_rows("gradual to +0.5 sd over 10,000", pane_rows=100) is None


def test_the_edge_lies_between_both_laws() -> None:
    before, after = np.array([0.01, 0.99]), np.array([0.03, 0.97])

    edge = at_the_edge(before, after)

    assert 0.01 < edge[0] < 0.015
    assert edge.sum() == pytest.approx(1.0)
