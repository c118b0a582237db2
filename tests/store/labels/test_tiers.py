from __future__ import annotations

from dashlight.store.labels.tiers import MOST_ROWS, StoredBatch, mergeable


def batches(*rows: int, seconds: float = 0.0, layout: int = 1) -> list[StoredBatch]:
    return [StoredBatch(n, layout, count, n * seconds, n * seconds) for n, count in enumerate(rows, 1)]


def test_eight_of_one_size_become_one() -> None:
    assert mergeable(batches(*[10] * 7), most_seconds=1e9) == []
    assert mergeable(batches(*[10] * 8), most_seconds=1e9) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_those_of_other_sizes_and_layouts_are_left() -> None:
    mixed = batches(*[10] * 4, *[1000] * 4)
    apart = [*batches(*[10] * 4), *batches(*[10] * 4, layout=2)]

    assert mergeable(mixed, most_seconds=1e9) == []
    assert mergeable(apart, most_seconds=1e9) == []


def test_none_becomes_too_large() -> None:
    chosen = mergeable(batches(*[9000] * 8), most_seconds=1e9)

    assert chosen == [1, 2, 3]
    assert 9000 * len(chosen) <= MOST_ROWS
    assert mergeable(batches(*[MOST_ROWS // 2] * 9), most_seconds=1e9) == []


def test_those_of_times_far_apart_are_left_apart() -> None:
    assert mergeable(batches(*[10] * 9, seconds=100.0), most_seconds=50.0) == []
    far_first = [StoredBatch(1, 1, 10, -1e6, -1e6), *batches(*[10] * 9, seconds=1.0)[1:]]

    assert mergeable(far_first, most_seconds=50.0) == [2, 3, 4, 5, 6, 7, 8, 9]


def test_merging_again_and_again_leaves_few() -> None:
    stored, number = list[StoredBatch](), 0
    for _ in range(3000):
        number += 1
        stored.append(StoredBatch(number, 1, 20, number, number))
        while chosen := mergeable(stored, most_seconds=1e9):
            number += 1
            taken = [each for each in stored if each.id in chosen]
            one = StoredBatch(number, 1, sum(each.rows for each in taken), taken[0].first_at, taken[-1].last_at)
            stored = [*(each for each in stored if each.id not in chosen), one]

    assert sum(each.rows for each in stored) == 60_000
    assert len(stored) < 40
