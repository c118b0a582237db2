from __future__ import annotations

from dashlight.watching.learning_room import IDLE_PANES, LearningPlaces


class Learner:
    """Keeps so many bytes."""

    def __init__(self, places: LearningPlaces) -> None:
        self.places, self.size_bytes, self.forgotten = places, 0, 0
        places.enter(self)

    def forget(self) -> None:
        self.size_bytes, self.forgotten = 0, self.forgotten + 1

    def take(self, size_bytes: int) -> bool:
        taken = self.places.take(self, size_bytes=size_bytes, rows=3)
        self.size_bytes += size_bytes if taken else 0
        return taken


def test_one_may_keep_a_third_so_that_few_wide_rows_may_be_twice_as_much() -> None:
    assert LearningPlaces(90).most_of_one_bytes == 30


def test_for_the_first_the_later_ones_begin_anew_the_last_of_them_first() -> None:
    places = LearningPlaces(100)
    first, second, third = (Learner(places) for _ in range(3))

    taken = [first.take(40), second.take(30), third.take(30), first.take(20), first.take(20)]

    assert all(taken)
    assert (first.size_bytes, second.size_bytes, third.size_bytes) == (80, 0, 0)
    assert (first.forgotten, second.forgotten, third.forgotten) == (0, 1, 1)


def test_what_a_later_one_finds_no_room_for_is_counted() -> None:
    places = LearningPlaces(100)
    first, second = Learner(places), Learner(places)

    assert [first.take(80), second.take(30), second.take(20)] == [True, False, True]
    assert (places.close(), places.close()) == (3, 0)
    assert first.forgotten == 0


def test_whoever_is_asked_no_more_makes_room() -> None:
    places = LearningPlaces(100)
    idle, other = Learner(places), Learner(places)
    idle.take(90)
    for _ in range(IDLE_PANES - 1):
        places.close()
    before = other.take(50)
    places.close()

    assert (before, other.take(50)) == (False, True)
    assert idle.forgotten == 1


def test_whoever_is_done_has_no_place() -> None:
    places = LearningPlaces(100)
    done, other = Learner(places), Learner(places)
    done.take(90)

    del done

    assert other.take(90)
