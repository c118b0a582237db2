"""Since when more exchanges fail, by the rows themselves."""

import numpy as np

from dashlight.watching.slices.onset import began_at
from dashlight.window.parts.sampled_rows import FAILED, TRACE_ID, SampledRows


def rows_of(at: list[float], failed: list[bool]) -> SampledRows:
    count = len(at)
    return SampledRows(
        reference="r",
        codes=np.zeros((1, count), np.uint8),
        outcomes=np.where(failed, FAILED, 0).astype(np.uint8),
        at=np.array(at),
        draws=np.zeros(count),
        bound=1.0,
        trace_ids=np.zeros(count, TRACE_ID),
    )


def test_failures_before_the_rule_saw_them_belong_to_what_it_is_about() -> None:
    before = rows_of([float(at) for at in range(100)], [at >= 90 and at % 2 == 0 for at in range(100)])
    now = rows_of([100.0 + at for at in range(20)], [at % 2 == 0 for at in range(20)])

    assert began_at(before, now, FAILED, 100.0) == 90.0


def test_without_failures_before_it_began_when_the_rule_says() -> None:
    before = rows_of([float(at) for at in range(100)], [False] * 100)
    now = rows_of([100.0 + at for at in range(20)], [True] * 20)

    assert began_at(before, now, FAILED, 100.0) == 100.0
    assert began_at(None, now, FAILED, 100.0) == 100.0


def test_a_failure_long_ago_is_what_is_usual() -> None:
    before = rows_of([float(at) for at in range(100)], [at == 10 for at in range(100)])
    now = rows_of([100.0 + at for at in range(20)], [True] * 20)

    assert began_at(before, now, FAILED, 100.0) == 100.0


def test_rows_in_any_order_say_the_same() -> None:
    before = rows_of([9.0, 1.0, 8.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [True, False, True, *[False] * 6])
    now = rows_of([10.0, 11.0], [True, True])

    assert began_at(before, now, FAILED, 10.0) == 8.0
