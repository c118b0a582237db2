"""What resident memory grows by under traffic that is shaped to fill it: within a quarter of what the settings allow."""

from __future__ import annotations

import pytest
from benchmarks.memory import growth

MB = 1_000_000


@pytest.mark.parametrize(
    ("shape", "role", "memory", "most_bytes"),
    [
        ("columns", "judge", "64MB", 64 * MB),
        ("columns", "worker", "64MB", 32 * MB),
        ("learned", "judge", "32MB", 32 * MB),
        ("clients", "judge", "32MB", 32 * MB),
    ],
)
def test_what_grows_stays_within_a_quarter_of_the_bound(shape: str, role: str, memory: str, most_bytes: int) -> None:
    found = growth(shape, memory=memory, role=role)

    assert max(found.flooded_bytes, found.again_bytes, found.settled_bytes) <= 1.25 * most_bytes
    assert found.settled_bytes <= found.again_bytes + 0.1 * most_bytes
    if shape != "clients" and role == "judge":
        assert any("DASHLIGHT_MEMORY" in told for told in found.told)
