"""One line for all that was lost."""

from __future__ import annotations

import pytest

from dashlight.metrics.losses import INBOX_FULL, SignalFate
from dashlight.runtime.loss_log import LossLog, tell_owed


def test_losses_are_told_when_there_are_more_and_not_again(caplog: pytest.LogCaptureFixture) -> None:
    log = LossLog()
    log.tell({INBOX_FULL: 0})
    log.tell({INBOX_FULL: 2})
    log.tell({INBOX_FULL: 2})

    log.tell(
        {INBOX_FULL: 3, SignalFate("files", "dropped", "corrupt", "mailbox"): 1, SignalFate("events", "rejected"): 4}
    )

    assert caplog.messages == [
        "lost so far: exchanges inbox_full x 2",
        "lost so far: exchanges inbox_full x 3, files mailbox corrupt x 1, events rejected x 4",
    ]


def test_what_was_delivered_or_replaced_is_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    LossLog().tell({SignalFate("events", "delivered"): 5, SignalFate("metrics", "replaced"): 2})

    assert caplog.messages == []


def test_mistakes_of_ours_are_losses(caplog: pytest.LogCaptureFixture) -> None:
    LossLog().tell({SignalFate("exchanges", "mistake", "KeyError"): 5})

    assert caplog.messages == ["lost so far: exchanges mistake KeyError x 5"]


@pytest.mark.parametrize(
    ("is_kept", "line"),
    [
        (True, "alerts still owed at the end: 2 to a, 1 to c; whoever judges next delivers them"),
        (False, "alerts lost at the end: 2 to a, 1 to c; with DASHLIGHT_STATE_DIR they would be kept"),
    ],
)
def test_what_is_still_owed_at_the_end_is_one_line(
    caplog: pytest.LogCaptureFixture, *, is_kept: bool, line: str
) -> None:
    tell_owed({"a": 0}, is_kept=is_kept)
    tell_owed({"a": 2, "b": 0, "c": 1}, is_kept=is_kept)

    assert caplog.messages == [line]
