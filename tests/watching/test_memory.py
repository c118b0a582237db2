from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashlight.counting.memory import Room, counter_bytes, most_endpoints, reference_bytes
from dashlight.counting.policy import Policy
from dashlight.counting.rows import RowCounter
from dashlight.records import Prediction, Table
from dashlight.watching.memory import (
    MEMORY_PANES,
    MOST_REFUSED,
    NoRoomError,
    WatchRoom,
    comparison_bytes,
)
from dashlight.watching.rows import Comparison
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump, load
from dashlight.window.tables import Column, table_of_columns

Make = Callable[[np.random.Generator, int], dict[str, Column]]
WORDS = ["rain", "sun", "wind", "cloud", "storm", "warm", "cold", "front"]
NOTHING = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))


def numbers(rng: np.random.Generator, rows: int) -> dict[str, Column]:
    return {f"c{number}": rng.normal(size=rows) for number in range(60)}


def words(rng: np.random.Generator, rows: int) -> dict[str, Column]:
    return {f"c{number}": [f"kind {each}" for each in rng.integers(0, 8, rows)] for number in range(40)}


def texts(rng: np.random.Generator, rows: int) -> dict[str, Column]:
    return {f"c{number}": [" ".join(rng.choice(WORDS, 8)) for _ in range(rows)] for number in range(3)}


def vectors(rng: np.random.Generator, rows: int) -> dict[str, Column]:
    return {f"c{number}": rng.normal(size=(rows, 256)).tolist() for number in range(3)}


SHAPES = pytest.mark.parametrize("make", [numbers, words, texts, vectors])


def made(make: Make, rows: int = 1500) -> Reference:
    rng = np.random.default_rng(1)
    return build_reference_from_columns(make(rng, rows), {}, rng=rng, created_at=0.0)


def add(counter: RowCounter, make: Make, pane: int) -> None:
    table = table_of_columns(make(np.random.default_rng(pane), 40))
    traces = np.frombuffer(b"".join((40 * pane + row + 1).to_bytes(16, "big") for row in range(40)), "V16")
    counter.add(Prediction("/", "m", "1", "plain", replace(table, exchange=np.arange(40)), NOTHING), traces)


def held_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@SHAPES
def test_what_is_told_by_shape_is_what_judging_and_counting_take(make: Make) -> None:
    reference = made(make)
    tracemalloc.start()
    try:
        began = held_bytes()
        counter = RowCounter(reference, Policy())
        for pane in range(4):
            add(counter, make, pane)
            counter.close()
        counted = held_bytes() - began
        comparison = Comparison(reference, Policy())
        # Enough for recent rows to be as many as are kept.
        for pane in range(14):
            add(counter, make, pane)
            comparison.close_pane(counter.close(), float(pane))
        judged = held_bytes() - began - counted
    finally:
        tracemalloc.stop()

    assert 0.5 * comparison_bytes(reference) < judged < 1.1 * comparison_bytes(reference)
    assert counted < counter_bytes(reference)


@SHAPES
def test_what_a_reference_takes_is_counted_by_walking_through_it(make: Make) -> None:
    kept = dump(made(make))
    tracemalloc.start()
    try:
        began = held_bytes()
        reference = load(kept)
        taken = held_bytes() - began
    finally:
        tracemalloc.stop()

    assert 0.8 * taken < reference_bytes(reference) < 1.6 * taken


def test_room_is_taken_in_place_of_what_one_has_and_given_back() -> None:
    room: Room[str] = Room(100)

    taken = [room.take("a", 60), room.take("b", 60), room.take("a", 90), room.take("b", 10), room.take("c", 1)]

    assert taken == [True, False, True, True, False]
    assert (room.held("a"), room.held("c"), room.left_bytes, list(room.names)) == (90, 0, 0, ["a", "b"])
    room.give_back("a")
    room.give_back("c")
    assert room.left_bytes == 90


def test_what_there_is_no_memory_to_count_is_not_judged_either() -> None:
    reference = made(numbers, 400)
    room = WatchRoom(judging_bytes=1 << 40, counting_bytes=counter_bytes(reference) - 1, learning_bytes=1)

    with pytest.raises(NoRoomError):
        room.take(("/", "m", "1"), reference, is_own=False)

    assert room.is_refused(("/", "m", "1"))


def test_room_that_was_given_back_goes_to_the_model_asked_most_and_not_to_one_that_comes_meanwhile() -> None:
    reference = made(numbers, 400)
    size = comparison_bytes(reference)
    room = WatchRoom(judging_bytes=size, counting_bytes=1 << 40, learning_bytes=1)
    first, second, third = (("/", name, "1") for name in ("first", "second", "third"))
    room.take(first, reference, is_own=False)
    for each in (second, third):
        with pytest.raises(NoRoomError):
            room.take(each, reference, is_own=False)
    room.asked(second, 5)
    room.asked(third, 9)

    room.give_back(first)

    assert room.close() == ()
    assert list(room.refused) == [second]
    with pytest.raises(NoRoomError):
        room.take(first, reference, is_own=False)
    room.take(third, reference, is_own=False)
    assert sorted(room.refused) == [first, second]


def test_room_that_nobody_takes_goes_to_the_next() -> None:
    reference = made(numbers, 400)
    room = WatchRoom(judging_bytes=comparison_bytes(reference), counting_bytes=1 << 40, learning_bytes=1)
    first, second = ("/", "first", "1"), ("/", "second", "1")
    for each in (first, second):
        room.refuse(each)
    room.asked(first, 9)

    for _ in range(MEMORY_PANES):
        room.close()

    room.take(second, reference, is_own=False)
    assert not room.refused


def test_models_without_room_are_remembered_up_to_a_number() -> None:
    room = WatchRoom(judging_bytes=0, counting_bytes=0, learning_bytes=1)

    for number in range(2 * MOST_REFUSED):
        room.refuse(("/", f"m{number}", "1"))
        room.asked(("/", f"m{number}", "1"), number)
    room.close()

    assert len(room.refused) <= MOST_REFUSED
    assert ("/", f"m{2 * MOST_REFUSED - 2}", "1") in room.refused


@pytest.mark.parametrize(("judging", "endpoints"), [(128_000_000, 32), (1 << 40, 32), (16_000_000, 4), (1, 1)])
def test_so_many_endpoints_are_judged_as_there_is_memory_for(judging: int, endpoints: int) -> None:
    assert most_endpoints(Policy(judging_bytes=judging)) == endpoints


def test_segments_give_way_to_a_model_that_needs_the_room() -> None:
    reference = made(numbers)
    size = comparison_bytes(reference)
    room = WatchRoom(judging_bytes=2 * size, counting_bytes=1 << 40, learning_bytes=1 << 40)
    room.take(("/a", "m", ""), reference, is_own=False)

    had = room.take_segments(("/a", "m", ""), size)
    room.take(("/b", "m", ""), reference, is_own=False)

    assert had
    assert not room.has_segments(("/a", "m", ""))
    assert not room.take_segments(("/a", "m", ""), 1)


def test_segments_have_what_models_leave_and_go_with_their_model() -> None:
    reference = made(numbers)
    size = comparison_bytes(reference)
    room = WatchRoom(judging_bytes=3 * size, counting_bytes=1 << 40, learning_bytes=1 << 40)
    room.take(("/a", "m", ""), reference, is_own=False)
    before = room.segments_bytes
    room.take_segments(("/a", "m", ""), size)

    room.give_back(("/a", "m", ""))

    assert 0 < before < 2 * size
    assert not room.has_segments(("/a", "m", ""))
    assert room.segments_bytes > before - size
