from __future__ import annotations

import threading
from itertools import count
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dashlight.deliver.outbox import Batch, Counts, Outbox
from dashlight.deliver.spool.backlog import TakenRecord
from dashlight.deliver.spool.records import Frame, SpoolRecord
from dashlight.deliver.spool.segments import Kind, Segment, SegmentName


def filled(outbox: Outbox, *payloads: bytes, at: float = 0.0) -> Outbox:
    outbox.put(payloads, at=at)
    return outbox


def taken(outbox: Outbox, most_entries: int = 512, most_bytes: int = 2**20) -> Batch:
    batch = outbox.take(most_entries=most_entries, most_bytes=most_bytes, key="k")
    assert batch is not None
    return batch


def payloads(batch: Batch) -> list[bytes]:
    return [payload for payload, _ in batch.entries]


def test_entries_leave_in_the_order_in_which_they_came() -> None:
    outbox = filled(filled(Outbox(), b"a", b"b"), b"c")

    assert payloads(taken(outbox)) == [b"a", b"b", b"c"]


def test_an_empty_outbox_has_no_batch() -> None:
    assert Outbox().take(most_entries=1, most_bytes=1, key="k") is None


def test_a_batch_is_bounded_in_entries_and_in_bytes() -> None:
    outbox = filled(Outbox(), b"aaa", b"bbb", b"ccc", b"ddd")

    assert len(taken(outbox, most_entries=1)) == 1
    assert len(taken(outbox, most_bytes=6)) == 2


def test_an_entry_larger_than_a_batch_travels_alone() -> None:
    outbox = filled(Outbox(), b"x" * 100, b"y")

    assert payloads(taken(outbox, most_bytes=10)) == [b"x" * 100]


def test_a_full_lane_turns_away_what_is_new() -> None:
    outbox = Outbox(most_entries=2)

    assert outbox.put([b"a", b"b", b"c"], at=0.0) == 2
    assert outbox.put([b"d"], at=0.0) == 0
    assert payloads(taken(outbox)) == [b"a", b"b"]
    assert outbox.counts().dropped == {"outbox_full": 2}


def test_a_lane_is_full_by_bytes_too() -> None:
    outbox = Outbox(most_bytes=5)

    assert outbox.put([b"aa", b"bb", b"cc"], at=0.0) == 2
    assert outbox.put([b"d"], at=0.0) == 1


def test_what_is_in_flight_takes_room_until_it_is_settled() -> None:
    outbox = filled(Outbox(most_entries=1), b"a")
    batch = taken(outbox)

    assert outbox.put([b"b"], at=0.0) == 0
    outbox.deliver(batch)
    assert outbox.put([b"b"], at=0.0) == 1


def test_a_delivered_batch_may_be_rejected_in_part() -> None:
    outbox = filled(Outbox(), b"a", b"b", b"c")

    outbox.deliver(taken(outbox), rejected_count=2)

    assert outbox.counts() == Counts(offered=3, delivered=1, rejected=2)


def test_no_more_is_rejected_than_was_sent() -> None:
    outbox = filled(Outbox(), b"a")

    outbox.deliver(taken(outbox), rejected_count=99)

    assert outbox.counts() == Counts(offered=1, rejected=1)


def test_a_rejected_batch_and_a_dropped_one_are_told_apart() -> None:
    outbox = filled(Outbox(), b"a", b"b")

    outbox.reject(taken(outbox, most_entries=1))
    outbox.drop(taken(outbox), "too_large")

    assert outbox.counts() == Counts(offered=2, rejected=1, dropped={"too_large": 1})


def test_only_what_is_too_old_and_still_queued_expires() -> None:
    outbox = filled(filled(Outbox(), b"old", at=1.0), b"young", at=2.0)

    assert outbox.expire(at=301.0, most_seconds=300.0) == 1
    assert outbox.expire(at=301.9, most_seconds=300.0) == 0
    assert payloads(taken(outbox)) == [b"young"]
    assert outbox.counts().dropped == {"expired": 1}


def test_what_waits_is_told() -> None:
    outbox = filled(filled(Outbox(), b"aaa", at=3.0), b"bb", at=5.0)

    waiting = outbox.waiting()

    assert (waiting.count, waiting.size_bytes, waiting.oldest_at) == (2, 5, 3.0)


def test_nothing_waits_for_ever_where_nothing_waits() -> None:
    assert Outbox().waiting().oldest_at == float("inf")


def test_a_closed_outbox_counts_what_comes_as_lost_by_the_shutdown() -> None:
    outbox = filled(Outbox(), b"a")
    outbox.close()

    assert outbox.put([b"b", b"c"], at=0.0) == 0
    assert outbox.counts() == Counts(offered=3, dropped={"shutdown": 2}, queued=1)


def test_what_is_left_at_the_end_is_counted_once_whatever_becomes_of_it() -> None:
    outbox = filled(Outbox(), b"!", b"a", b"b")
    first, flying = taken(outbox, most_entries=1), taken(outbox, most_entries=1)

    outbox.abandon()
    outbox.deliver(first)
    outbox.drop(flying, "expired")

    assert outbox.counts() == Counts(offered=3, dropped={"shutdown": 3})


def test_an_empty_outbox_ends_without_loss() -> None:
    outbox = Outbox()
    outbox.abandon()

    assert outbox.counts() == Counts()


def test_what_cannot_come_in_is_counted() -> None:
    outbox = Outbox()

    outbox.turn_away("unencodable")
    outbox.turn_away("disabled", count=3)

    assert outbox.counts() == Counts(offered=4, dropped={"unencodable": 1, "disabled": 3})


def test_pending_is_what_is_neither_delivered_nor_lost() -> None:
    outbox = filled(Outbox(), b"a", b"b")
    taken(outbox, most_entries=1)

    assert (outbox.counts().queued, outbox.counts().in_flight, outbox.counts().pending) == (1, 1, 2)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("put", "take", "deliver", "reject", "drop", "expire", "turn away", "close", "abandon"),
                *("spool", "take back", "recover", "evict"),
            ]
        ),
        st.integers(0, 9),
    )
)


def record(count: int) -> TakenRecord:
    segment = Segment(Path("/nowhere"), SegmentName(Kind("events", "plain"), 1, 1, count), step=lambda _name: None)
    return TakenRecord(SpoolRecord("k", b"", [b"x"] * count), segment, Frame(0, 1, 0, count), count)


@given(STEPS)
def test_every_entry_is_in_exactly_one_place_after_every_step(steps: list[tuple[str, int]]) -> None:
    outbox = Outbox(most_entries=12, most_bytes=40)
    flying: list[Batch] = []
    offered_count = recovered_count = 0

    for at, (step, number) in enumerate(steps):
        batch = flying.pop() if flying and step in {"deliver", "reject", "drop", "spool"} else None
        on_disk_count = min(number, outbox.counts().spooled)
        if step == "put":
            offered_count += number
            outbox.put([b"x" * number] * number, at=float(at))
        elif step == "turn away":
            offered_count += number
            outbox.turn_away("unencodable", count=number)
        elif step == "take":
            found = outbox.take(most_entries=number + 1, most_bytes=20, key="k")
            flying += [found] if found is not None else []
        elif step == "expire":
            outbox.expire(at=float(at), most_seconds=float(number))
        elif step in {"close", "abandon"}:
            outbox.close() if step == "close" else outbox.abandon()
        elif step == "recover":
            recovered_count += number
            outbox.recover(number)
        elif step == "evict":
            outbox.lose_spooled(on_disk_count, "spool_full" if number % 2 else "corrupt")
        elif step == "take back" and on_disk_count:
            flying.append(outbox.take_back(record(on_disk_count)))
        elif batch is not None and step == "deliver":
            outbox.deliver(batch, rejected_count=number)
        elif batch is not None and step == "spool":
            outbox.spool(batch)
        elif batch is not None:
            outbox.reject(batch) if step == "reject" else outbox.drop(batch, "too_large")

        found_counts = outbox.counts()
        assert found_counts.balance == 0
        assert (found_counts.offered, found_counts.recovered) == (offered_count, recovered_count)
        assert min(found_counts.queued, found_counts.in_flight, found_counts.spooled) >= 0


def test_what_is_on_disk_is_not_lost_with_the_process() -> None:
    outbox = filled(Outbox(), b"a", b"b")
    outbox.spool(taken(outbox))
    outbox.recover(3)
    outbox.take_back(record(3))

    assert outbox.counts() == Counts(offered=2, recovered=3, in_flight=3, spooled=2)
    outbox.abandon()
    assert outbox.counts() == Counts(offered=2, recovered=3, spooled=5)


def test_what_comes_from_the_disk_takes_no_room_from_what_is_new() -> None:
    outbox = Outbox(most_entries=1)
    outbox.recover(5)
    batch = outbox.take_back(record(5))

    assert outbox.put([b"new"], at=0.0) == 1
    outbox.deliver(batch)
    assert outbox.put([b"newer"], at=0.0) == 0
    assert outbox.counts() == Counts(offered=2, recovered=5, delivered=5, dropped={"outbox_full": 1}, queued=1)


def test_threads_do_not_lose_count() -> None:
    outbox = Outbox(most_entries=100_000)
    keys = count()

    def put() -> None:
        for _ in range(500):
            outbox.put([b"a", b"b"], at=0.0)

    def send() -> None:
        for _ in range(500):
            batch = outbox.take(most_entries=3, most_bytes=100, key=str(next(keys)))
            if batch is not None:
                outbox.deliver(batch, rejected_count=1)

    threads = [threading.Thread(target=work) for work in (put, put, send, send)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = outbox.counts()
    assert found.offered == 2000
    assert found.delivered + found.rejected + found.queued == 2000
    assert found.in_flight == 0


def test_what_is_newer_takes_the_place_of_what_is_queued() -> None:
    outbox = filled(Outbox(), b"old", b"older")

    assert outbox.replace(b"new", at=1.0)

    assert outbox.counts() == Counts(3, dropped={"replaced": 2}, queued=1)
    assert payloads(taken(outbox)) == [b"new"]


def test_what_is_in_flight_is_not_replaced() -> None:
    outbox = filled(Outbox(), b"old")
    under_way = taken(outbox)

    outbox.replace(b"new", at=1.0)

    assert outbox.counts() == Counts(2, queued=1, in_flight=1)
    outbox.deliver(under_way)
    assert outbox.counts() == Counts(2, delivered=1, queued=1)


def test_replacing_gives_the_room_back() -> None:
    outbox = Outbox(most_entries=1, most_bytes=3)

    taken_in = [outbox.replace(payload, at=1.0) for payload in (b"abc", b"def", b"ghi")]

    assert taken_in == [True, True, True]
    assert payloads(taken(outbox)) == [b"ghi"]


def test_a_closed_outbox_keeps_what_it_has() -> None:
    outbox = filled(Outbox(), b"last")
    outbox.close()

    assert not outbox.replace(b"new", at=1.0)

    assert outbox.counts() == Counts(2, dropped={"shutdown": 1}, queued=1)
    assert payloads(taken(outbox)) == [b"last"]


def test_after_the_end_what_comes_from_or_goes_to_the_disk_changes_nothing() -> None:
    outbox = filled(Outbox(), b"a")
    outbox.recover(2)
    batch = taken(outbox)
    outbox.abandon()
    outbox.spool(batch)
    outbox.deliver(outbox.take_back(record(2)))

    assert outbox.counts() == Counts(offered=1, recovered=2, dropped={"shutdown": 1}, spooled=2)
