"""How often the rows of a reference repeat."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from dashlight.records import Role
from dashlight.window.payload_reference import PayloadReference
from dashlight.window.payloads.hashing import PayloadHasher
from dashlight.window.payloads.payload_meter import MOST_FREQUENT
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns


def payloads_of(columns: dict[str, Column], roles: dict[str, Role] | None = None) -> PayloadReference:
    reference = build_reference_from_columns(columns, roles or {}, rng=np.random.default_rng(0), created_at=1.0)
    assert reference.payloads is not None
    return reference.payloads


def test_rows_of_numbers_are_alone() -> None:
    found = payloads_of({"a": np.random.default_rng(1).normal(size=1000), "b": np.arange(1000.0)})

    assert (found.rows, found.alone_share, found.unlisted_count, found.block_share) == (1000, 1.0, 1, 0.01)
    assert len(found.hashes) == 0


def test_few_distinct_rows_are_all_listed_with_their_counts() -> None:
    rng = np.random.default_rng(2)
    flag, city = rng.random(3000) < 0.1, rng.choice(list("abcd"), 3000).tolist()

    found = payloads_of({"flag": flag.tolist(), "city": city})

    assert found.alone_share == 0.0
    assert sorted(found.counts.tolist()) == sorted(Counter(zip(flag.tolist(), city, strict=True)).values())
    assert found.counts.tolist() == sorted(found.counts.tolist(), reverse=True)


def test_traffic_finds_the_frequency_of_its_payload() -> None:
    values = np.random.default_rng(3).normal(size=1000)
    values[100:160] = values[100]
    found = payloads_of({"a": values, "b": np.where(np.arange(1000) // 60 == 3, 0.0, 1.0)})

    hasher = PayloadHasher(["a", "b"], found.key)
    row = hasher.hashes(table_of_columns({"b": [1.0], "a": [values[100]]}))
    assert found.counts[found.hashes == row].tolist() == [60]
    assert found.block_share == 0.6
    assert found.alone_share == pytest.approx(0.94)


def test_without_features_the_outputs_are_the_payload() -> None:
    found = payloads_of({"score": np.arange(500.0)}, {"score": "output"})

    assert (found.role, found.alone_share) == ("output", 1.0)


@pytest.mark.parametrize("distinct", [20_000, 100_000])
def test_long_references_are_measured_in_bounded_room(distinct: int) -> None:
    rng = np.random.default_rng(4)
    rows = rng.integers(0, distinct, 60_000).astype(np.float64)
    rows[::20] = -1.0
    alone = sum(count == 1 for count in Counter(rows.tolist()).values()) / len(rows)

    found = payloads_of({"a": rows})

    assert found.alone_share == pytest.approx(alone, abs=0.04)
    assert len(found.hashes) <= MOST_FREQUENT
    assert 3000 <= found.counts[0] <= 3010


def test_the_key_follows_from_what_the_reference_is_of() -> None:
    one, same, other = (
        payloads_of({"a": values}).key for values in (np.arange(300.0), np.arange(300.0), np.arange(301.0))
    )

    assert one == same != other
