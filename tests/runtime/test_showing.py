"""What is told as lost of late: what has risen since this process judges, for an hour."""

from __future__ import annotations

from dashlight.runtime.showing import LATE_SECONDS, LateLosses


def test_what_was_lost_before_this_process_judged_is_old() -> None:
    losses = LateLosses()

    assert losses.late({"events outbox_full": 7}, 0.0) == {}
    assert losses.late({"events outbox_full": 7}, 10.0) == {}


def test_what_rises_is_told_for_an_hour_after_the_last() -> None:
    losses = LateLosses()
    losses.late({"events outbox_full": 7}, 0.0)

    assert losses.late({"events outbox_full": 9}, 10.0) == {"events outbox_full": 2}
    assert losses.late({"events outbox_full": 10, "spans rejected": 1}, 20.0) == {
        "events outbox_full": 3,
        "spans rejected": 1,
    }
    assert losses.late({"events outbox_full": 10, "spans rejected": 1}, 20.0 + LATE_SECONDS - 1) == {
        "events outbox_full": 3,
        "spans rejected": 1,
    }
    assert losses.late({"events outbox_full": 10, "spans rejected": 1}, 20.0 + LATE_SECONDS) == {}
    assert losses.late({"events outbox_full": 11, "spans rejected": 1}, 30.0 + LATE_SECONDS) == {
        "events outbox_full": 1
    }


def test_counters_that_begin_anew_and_a_clock_that_is_set_back_are_no_loss() -> None:
    losses = LateLosses()
    losses.late({"events outbox_full": 7}, 1000.0)
    losses.late({"events outbox_full": 8}, 1010.0)

    assert losses.late({"events outbox_full": 0}, 500.0) == {}
    assert losses.late({"events outbox_full": 1}, 510.0) == {"events outbox_full": 1}
