"""Rows that hang together by a key: as many as they are worth."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from dashlight.records import Table
from dashlight.window.columns import LargestCluster
from dashlight.window.payloads.clusters import MOST_KEYS, NO_KEY, STRETCH_ROWS, Clusters, effective, without_column
from dashlight.window.tables import table_of_columns

NOTHING = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))


def kish(keys: list[int]) -> float:
    counts = np.array(list(Counter(keys).values()))
    return float(counts.sum() ** 2 / (counts**2).sum())


def test_rows_of_keys_of_their_own_all_count() -> None:
    clusters = Clusters()

    assert clusters.chosen(range(1, 500)).all()
    assert clusters.chosen([NO_KEY] * 100).all()
    clusters.turn()
    assert clusters.chosen(range(1000, 1100)).all()


@pytest.mark.parametrize("length", [2, 5, 20])
def test_as_many_count_as_there_are_keys_where_all_are_as_long(length: int) -> None:
    rng = np.random.default_rng(length)
    keys = np.repeat(rng.integers(1, 2**64, 400, np.uint64), length)
    rng.shuffle(keys)

    chosen = Clusters().chosen(keys.tolist())

    assert 0.9 * 400 <= chosen.sum() <= 400
    assert len(set(keys[chosen].tolist())) == chosen.sum()


def test_a_key_with_most_of_the_rows_is_worth_little_and_keeps_its_share() -> None:
    rng, clusters = np.random.default_rng(4), Clusters()
    shares: list[float] = []
    counts: list[int] = []
    for _ in range(30):
        keys = np.where(rng.random(500) < 0.5, np.uint64(7), rng.integers(1, 2**64, 500, np.uint64))
        chosen = clusters.chosen(keys.tolist())
        clusters.turn()
        counts.append(int(chosen.sum()))
        shares.append(float((keys[chosen] == 7).mean()))

    assert counts[0] < 100
    assert sum(counts[1:]) <= 29 * 8
    assert np.average(shares[1:], weights=counts[1:]) == pytest.approx(0.5, abs=0.15)


def test_every_row_is_as_likely_to_count_as_any_other() -> None:
    rng = np.random.default_rng(5)
    lengths = rng.integers(1, 40, 3000)
    keys = np.repeat(rng.integers(1, 2**64, len(lengths), np.uint64), lengths)
    length_of = dict(zip(keys.tolist(), np.repeat(lengths, lengths).tolist(), strict=True))
    rng.shuffle(keys)
    clusters, chosen = Clusters(), list[int]()

    for start in range(0, len(keys), 1000):
        part = keys[start : start + 1000]
        chosen += part[clusters.chosen(part.tolist())].tolist()
        clusters.turn()

    expected = float(np.mean([length_of[key] for key in keys.tolist()]))
    assert np.mean([length_of[key] for key in chosen]) == pytest.approx(expected, rel=0.1)


def test_keys_beyond_the_bound_count_as_independent_and_the_memory_stays_bounded() -> None:
    clusters = Clusters()

    assert clusters.chosen(range(1, MOST_KEYS + 100)).all()
    assert clusters.chosen(range(MOST_KEYS + 1, MOST_KEYS + 50)).all()
    for _ in range(2):
        clusters.turn()
    assert not clusters._parts
    assert not clusters._before


def test_a_reference_is_of_the_rows_that_count_without_their_key() -> None:
    rng = np.random.default_rng(6)
    sessions = np.repeat(np.arange(500), 8)
    table = table_of_columns({"x": rng.normal(size=4000), "session": [f"s{each}" for each in sessions]})
    chunks = [{"feature": table, "output": NOTHING}, {"output": NOTHING}, {"feature": without_column(table, "session")}]
    kept: list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]] = []

    found = list(effective(chunks, "session", kept, Clusters()))  # type: ignore[arg-type]

    assert [mask.size for mask in kept] == [4000, 0, 4000]
    assert 500 <= int(kept[0].sum()) <= 650
    assert found[0]["feature"].rows == int(kept[0].sum())
    assert found[0]["feature"].number_names == ("x",)
    assert found[0]["feature"].cell_names == ()
    # Rows without the column are independent.
    assert found[2]["feature"].rows == 4000
    assert kish(sessions.tolist()) == 500
    assert STRETCH_ROWS == 1000


def test_a_key_louder_than_any_of_the_reference_counts_once_and_costs_the_others_nothing() -> None:
    rng, clusters = np.random.default_rng(8), Clusters(LargestCluster(0.02, 20))
    loud = 2**63
    counted: list[tuple[int, int]] = []
    for stretch in range(20):
        share = 0.0 if stretch < 2 else 0.5
        keys = np.where(rng.random(600) < share, np.uint64(loud), rng.integers(1, 2**64, 600, np.uint64))
        chosen = keys[clusters.chosen(keys.tolist())]
        clusters.turn()
        counted.append((int((chosen == loud).sum()), int((chosen != loud).sum())))

    assert sum(count for count, _ in counted) <= 2
    assert all(others > 150 for _, others in counted)


def test_what_one_key_has_at_most_is_known_of_a_reference() -> None:
    clusters = Clusters()
    for _ in range(3):
        clusters.chosen([5] * 30 + list(range(100, 170)))
        clusters.turn()

    assert clusters.largest == LargestCluster(0.3, 60)
    assert Clusters().largest == LargestCluster(1.0, 0)
