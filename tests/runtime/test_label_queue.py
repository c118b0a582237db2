"""Labels that wait for the store: none is lost without a count, and nobody waits for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from dashlight.labels.label import Fate, Label
from dashlight.runtime.label_queue import LABELS_OFF, MOST_WAITING, NOT_STORED, QUEUE_FULL, LabelQueue

PATIENCE_SECONDS = 20.0


class Store:
    """Takes labels, as long as it may."""

    def __init__(self) -> None:
        self.taken: list[Label] = []
        self.threads: set[str] = set()
        self.failures_left = 0
        self.mistakes_over: set[str] = set()
        """Ids of labels over which it stumbles each time."""
        self.go = threading.Event()
        self.go.set()

    def take(self, labels: Sequence[Label], at: float) -> Sequence[Fate]:
        self.threads.add(threading.current_thread().name)
        self.go.wait(PATIENCE_SECONDS)
        if self.failures_left:
            self.failures_left -= 1
            raise OSError("of a value that nobody shall see")
        if any(label.id in self.mistakes_over for label in labels):
            raise TypeError("of a value that nobody shall see")
        self.taken += labels
        fates: list[Fate] = ["matched" for _ in labels]
        return fates


@pytest.fixture
def queues() -> Iterator[Callable[..., LabelQueue]]:
    """Makes queues, and closes them."""
    made: list[LabelQueue] = []

    def make(*, is_on: bool = True) -> LabelQueue:
        made.append(LabelQueue(is_on=is_on, now=lambda: 5.0))
        return made[-1]

    yield make
    for queue in made:
        queue.close(0.0)


def labels_to(count: int) -> list[Label]:
    return [Label(str(number), 1) for number in range(count)]


def test_labels_reach_the_store_in_order_on_a_thread(queues: Callable[..., LabelQueue]) -> None:
    queue, store = queues(), Store()
    for label in labels_to(10):
        assert queue.put(label)

    queue.open(store.take)
    for label in labels_to(2500):
        assert queue.put(label)

    assert queue.flush(PATIENCE_SECONDS) == 0
    assert store.taken == labels_to(10) + labels_to(2500)
    assert store.threads == {"dashlight-labels"}
    assert queue.fates == {"matched": 2510}
    assert queue.losses() == {}


def test_where_labels_are_off_one_line_says_what_to_set(
    queues: Callable[..., LabelQueue], caplog: pytest.LogCaptureFixture
) -> None:
    queue = queues(is_on=False)

    assert [queue.put(label) for label in labels_to(3)] == [False] * 3
    assert queue.losses() == {LABELS_OFF: 3}
    assert caplog.messages == ["labels given by dashlight.label are lost: set DASHLIGHT_LABELS=true"]


def test_what_finds_no_room_is_counted_and_told_once(
    queues: Callable[..., LabelQueue], caplog: pytest.LogCaptureFixture
) -> None:
    queue = queues()

    taken = [queue.put(label) for label in labels_to(MOST_WAITING + 3)]

    assert taken.count(True) == MOST_WAITING
    assert queue.losses() == {QUEUE_FULL: 3}
    assert len(caplog.messages) == 1


def test_labels_that_cannot_be_stored_are_offered_again_and_it_is_told_once(
    queues: Callable[..., LabelQueue], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    queue, store = queues(), Store()
    store.failures_left = 2
    for label in labels_to(5):
        queue.put(label)

    queue.open(store.take)

    assert queue.flush(PATIENCE_SECONDS) == 0
    assert store.taken == labels_to(5)
    assert caplog.text.count("labels wait, for they cannot be stored: OSError") == 1
    assert "nobody shall see" not in caplog.text


def test_labels_over_which_we_stumble_are_lost_and_counted_and_hold_up_no_others(
    queues: Callable[..., LabelQueue], caplog: pytest.LogCaptureFixture
) -> None:
    queue, store = queues(), Store()
    store.mistakes_over = {"7"}
    for label in labels_to(1000):
        queue.put(label)
    queue.open(store.take)
    assert queue.put(Label("after", 1))

    assert queue.flush(PATIENCE_SECONDS) == 0
    assert store.taken[-1] == Label("after", 1)
    assert queue.losses()[NOT_STORED] >= 1
    assert len(store.taken) + queue.losses()[NOT_STORED] == 1001
    assert caplog.text.count("labels wait, for they cannot be stored: TypeError") == 1
    assert "nobody shall see" not in caplog.text


def test_a_store_that_hangs_keeps_nobody_waiting_and_what_is_left_at_the_end_is_counted(
    queues: Callable[..., LabelQueue], caplog: pytest.LogCaptureFixture
) -> None:
    queue, store = queues(), Store()
    store.go.clear()
    queue.open(store.take)
    for label in labels_to(5):
        assert queue.put(label)

    left_count = queue.flush(0.05)
    queue.close(0.05)
    store.go.set()

    assert left_count == 5
    assert queue.losses()[NOT_STORED] == 5
    assert "labels lost at the end, which could not be stored: 5" in caplog.messages
    assert not queue.put(Label("late", 1))


def test_a_queue_that_was_never_opened_ends_at_once(queues: Callable[..., LabelQueue]) -> None:
    queue = queues()
    queue.put(Label("a", 1))

    queue.close(PATIENCE_SECONDS)

    assert queue.losses() == {NOT_STORED: 1}


def test_a_forked_child_has_nothing_of_its_parent(queues: Callable[..., LabelQueue]) -> None:
    queue = queues()
    queue.put(Label("a", 1))

    queue.forget()

    assert queue.waiting_count == 0
