from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from dashlight.errors import StateError
from dashlight.labels.rows import ScoredRows
from dashlight.store.labels.writing import WriteQueue
from dashlight.testing import FakeClock

Make = Callable[..., ScoredRows]


class Shelf:
    """Where rows are written to in these tests; it can be told to refuse."""

    def __init__(self) -> None:
        self.sets: list[int] = []
        self.tries = self.tended = 0
        self.refuses: Exception | None = None
        self.threads: set[str] = set()

    def write(self, sets: Sequence[ScoredRows]) -> None:
        self.tries += 1
        self.threads.add(threading.current_thread().name)
        if self.refuses is not None:
            raise self.refuses
        self.sets += [rows.row_count for rows in sets]

    def tend(self) -> None:
        self.tended += 1
        if self.refuses is not None and self.tries == 0:
            raise self.refuses


def queue_of(
    shelf: Shelf, *, seconds: float = 60.0, most_bytes: int = 1 << 20, begun: list[str] | None = None
) -> WriteQueue:
    def note() -> None:
        (begun if begun is not None else []).append(threading.current_thread().name)

    return WriteQueue(
        "the shelf",
        shelf.write,
        shelf.tend,
        clock=FakeClock(),
        on_thread=note,
        write_seconds=seconds,
        most_bytes=most_bytes,
    )


def test_rows_are_written_together_on_a_thread_of_its_own(rows: Make) -> None:
    shelf, begun = Shelf(), list[str]()
    queue = queue_of(shelf, begun=begun)
    for count in (1, 2, 3):
        queue.put(rows([f"{n}" for n in range(count)]))

    queue.flush(10.0)

    assert shelf.sets == [1, 2, 3]
    assert shelf.tries <= 2
    assert shelf.threads == {"dashlight-store"} == set(begun)
    queue.close(10.0)


def test_many_rows_do_not_wait_for_others(rows: Make) -> None:
    shelf = Shelf()
    queue = queue_of(shelf)
    for _ in range(5):
        queue.put(rows([f"{n}" for n in range(1000)]))

    with queue._changed:
        assert queue._changed.wait_for(lambda: bool(shelf.sets), 10.0)
    queue.close(10.0)
    assert sum(shelf.sets) == 5000


def test_what_waits_is_written_at_the_end(rows: Make) -> None:
    shelf = Shelf()
    queue = queue_of(shelf)
    queue.put(rows(["a"]))

    queue.close(10.0)
    queue.put(rows(["b", "c"]))

    assert shelf.sets == [1]
    assert queue.troubles == {"not_kept": 2}


def test_what_cannot_be_written_by_the_end_is_counted(rows: Make) -> None:
    shelf = Shelf()
    shelf.refuses = StateError("unusable", "no room")
    queue = queue_of(shelf)
    queue.put(rows(["a", "b"]))

    queue.close(10.0)

    assert queue.troubles["not_kept"] == 2
    assert shelf.tries >= 1


def test_flushing_returns_once_it_failed_and_tries_anew_the_next_time(
    rows: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    shelf = Shelf()
    shelf.refuses = StateError("unusable", "no room")
    queue = queue_of(shelf)
    queue.put(rows(["a"]))

    queue.flush(30.0)
    queue.flush(30.0)
    shelf.refuses = None
    queue.flush(30.0)

    assert shelf.sets == [1]
    queue.close(10.0)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "the shelf takes no predictions for the moment, they wait: no room",
        "the shelf takes predictions again",
    ]


def test_tending_that_fails_loses_nothing(rows: Make) -> None:
    class Untended(Shelf):
        def tend(self) -> None:
            raise ZeroDivisionError

    shelf = Untended()
    queue = queue_of(shelf)
    queue.put(rows(["a"]))
    queue.flush(10.0)
    queue.put(rows(["b"]))
    queue.close(10.0)

    assert shelf.sets == [1, 1]
    assert queue.troubles["stumbled"] >= 1
    assert queue.troubles["not_kept"] == 0


def test_what_was_never_used_ends_at_once() -> None:
    shelf = Shelf()
    queue = queue_of(shelf)

    queue.flush(10.0)
    queue.close(10.0)

    assert (shelf.tries, shelf.tended) == (0, 0)
