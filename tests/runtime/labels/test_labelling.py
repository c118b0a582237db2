"""What is counted of labels: what is missing, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from dashlight.metrics.losses import SignalFate
from dashlight.runtime.labels.labelling import Labelling


def counts(*, store: Mapping[str, int], keeping: Mapping[str, int]) -> Mapping[SignalFate, int]:
    stored: Any = SimpleNamespace(troubles=lambda: store)
    kept: Any = SimpleNamespace(troubles=keeping)
    return Labelling(stored, kept).counts


@pytest.mark.parametrize("reason", ["write_failed", "contradicted", "late_positive", "joined_later_matched"])
def test_what_costs_no_label_is_no_loss(reason: str) -> None:
    found = counts(store={reason: 3}, keeping={})

    assert found == {SignalFate("labels", "delivered", reason): 3}
    assert not any(key.is_loss for key in found)


def test_a_prediction_whose_second_id_was_there_before_is_not_lost() -> None:
    assert counts(store={}, keeping={"doubled_id": 2}) == {SignalFate("labels", "delivered", "doubled_id"): 2}


def test_what_found_no_room_is_a_loss() -> None:
    found = counts(store={"not_kept": 1, "gave_way": 2}, keeping={"not_understood": 3})

    assert found == {
        SignalFate("labels", "dropped", "not_kept"): 1,
        SignalFate("labels", "dropped", "gave_way"): 2,
        SignalFate("predictions", "dropped", "not_understood"): 3,
    }
    assert all(key.is_loss for key in found)
