"""Business numbers wait in bounded memory, and what cannot wait is counted."""

import threading

import pytest

from dashlight.capture.signals import MOST_CHARACTERS, MOST_NAMES, MOST_WAITING, Signals, SignalValue


def test_values_are_taken_once_by_name_in_their_order() -> None:
    signals = Signals()
    for value in (1.5, 2, True):
        signals.add("revenue", value)
    signals.add("plan", "gold")

    assert signals.take() == {"revenue": [1.5, 2, True], "plan": ["gold"]}
    assert signals.take() == {}


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), "", "x" * (MOST_CHARACTERS + 1), "two\nlines"],
    ids=["nan", "infinity", "no text", "long text", "lines"],
)
def test_what_says_nothing_is_counted(value: SignalValue) -> None:
    signals = Signals()

    assert not signals.add("revenue", value)
    assert (signals.take(), signals.lost) == ({}, {"unreadable": 1})


def test_names_and_what_waits_are_bounded() -> None:
    signals = Signals()
    for number in range(MOST_NAMES + 3):
        signals.add(f"signal {number}", 1.0)
    for _ in range(MOST_WAITING):
        signals.add("signal 0", 1.0)

    assert signals.lost == {"too_many_names": 3, "queue_full": MOST_NAMES}
    assert sum(map(len, signals.take().values())) == MOST_WAITING
    assert signals.add("signal 1", 1.0)
    assert not signals.add("one more", 1.0)


def test_threads_lose_nothing_of_each_other() -> None:
    signals = Signals()
    threads = [threading.Thread(target=lambda: [signals.add("n", 1.0) for _ in range(1000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(signals.take()["n"]) == 8000
