"""What is too bad to be learned from."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dashlight.judge.traffic.floor import is_above_floor
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts


def block(exchanges: int, *, failed: int = 0, refused: int = 0, panes: int = 1) -> OutcomeCounts:
    empty = OutcomeCounter().close(0.0)
    return replace(
        empty,
        outcomes={"ok": exchanges - failed - refused, "error": failed, "refused": refused},
        failures={"http_500": failed, "client_disconnect": exchanges},
        refusals={"http_422": refused},
        panes=panes,
    )


GOOD = block(50, failed=2)


@pytest.mark.parametrize(
    ("blocks", "is_above"),
    [
        ([GOOD] * 40, False),
        ([block(50, failed=11)] * 40, True),
        ([block(50, failed=10)] * 40, False),
        ([block(50, refused=26)] * 40, True),
        ([block(50, refused=25)] * 40, False),
        ([*[GOOD] * 20, *[block(50, failed=15)] * 6, *[GOOD] * 20], True),
        ([*[GOOD] * 20, *[block(50, failed=15)] * 3, *[GOOD] * 20], False),
        ([*[GOOD] * 20, block(300, failed=90, panes=8), *[GOOD] * 20], True),
        ([*[block(2)] * 60, *[block(2, failed=1)] * 10], False),
        ([*[block(2)] * 60, *[block(2, failed=1)] * 50], True),
        ([block(9, failed=9)] * 7, False),
        ([], False),
    ],
    ids=[
        *("good", "failing", "just not failing", "refusing", "just not refusing", "an incident", "a short one"),
        *("in a long block", "seldom asked", "seldom asked for long", "hardly asked", "nothing"),
    ],
)
def test_the_default_limits_say_what_is_too_bad(blocks: Sequence[OutcomeCounts], *, is_above: bool) -> None:
    assert is_above_floor(blocks) is is_above
