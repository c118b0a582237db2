"""Under which policies statistics can go on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashlight.counting.policy import Policy
from dashlight.judge.traffic.rules import parse_rules
from dashlight.store.layout import Layout

POLICY = Policy(rules=parse_rules("error_rate>2% for 5m"), importance={"age": 3.0, "zip": 0.0}, ignored=("debug*",))


@pytest.mark.parametrize(
    "other",
    [
        replace(POLICY, features=("age",)),
        replace(POLICY, prediction=("score",)),
        replace(POLICY, model="risk", model_version="4"),
        replace(POLICY, window_seconds=60.0),
        replace(POLICY, importance={"zip": 0.0, "age": 3.0}),
    ],
    ids=["features", "outputs", "name", "window of scores", "order"],
)
def test_what_leaves_statistics_valid_makes_no_other_policy(other: Policy) -> None:
    assert other == POLICY


def test_it_can_be_kept_beside_the_statistics() -> None:
    layout: Layout[Policy] = Layout("policy", 1, Policy)

    assert layout.thaw(b"".join(layout.freeze(POLICY))) == POLICY
