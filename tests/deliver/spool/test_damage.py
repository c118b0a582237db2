"""Segments that are damaged: what stands before is kept, the rest is set aside and counted, and nobody has to do a thing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashlight.deliver.outbox import Counts
from dashlight.deliver.spool.records import HEADER_BYTES, MOST_RECORD_BYTES

LENGTH_AT = 3
"""Where a header says how long its record is."""


def three_records(process: Any, *, is_sealed: bool) -> Path:
    """A dead process's segment of three records of two words each."""
    one = process()
    for word in ("a", "b", "c"):
        one.write(word * 50, word * 60)
    if is_sealed:
        one.backlog.seal()
    one.die()
    root: Path = one.spool.root
    (path,) = root.rglob("events.*")
    return path


def second_at(blob: bytes | bytearray) -> int:
    return HEADER_BYTES + int.from_bytes(blob[LENGTH_AT : LENGTH_AT + 4], "little")


def flip(blob: bytearray) -> None:
    blob[second_at(blob) + HEADER_BYTES + 3] ^= 1


def zero_page(blob: bytearray) -> None:
    blob[second_at(blob) :] = bytes(len(blob) - second_at(blob))


def absurd_length(blob: bytearray) -> None:
    at = second_at(blob) + LENGTH_AT
    blob[at : at + 4] = (MOST_RECORD_BYTES + 1).to_bytes(4, "little")


def long_length(blob: bytearray) -> None:
    at = second_at(blob) + LENGTH_AT
    blob[at : at + 4] = (10_000_000).to_bytes(4, "little")


def other_version(blob: bytearray) -> None:
    blob[second_at(blob) + 2] = 9


def other_count(blob: bytearray) -> None:
    blob[second_at(blob) + 11] ^= 4


def no_entries(blob: bytearray) -> None:
    at = second_at(blob) + 11
    blob[at : at + 4] = bytes(4)


def torn_content(blob: bytearray) -> None:
    del blob[second_at(blob) + HEADER_BYTES + 5 :]


def torn_header(blob: bytearray) -> None:
    del blob[second_at(blob) + 5 :]


def cut(blob: bytearray) -> None:
    del blob[second_at(blob) :]


DAMAGES = [
    *(flip, zero_page, absurd_length, long_length, other_version, other_count, no_entries, torn_content, torn_header),
    cut,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_stands_before_the_damage_arrives_and_the_rest_is_set_aside_and_counted(
    process: Any, root: Path, damage: Callable[[bytearray], None]
) -> None:
    path = three_records(process, is_sealed=True)
    blob = bytearray(path.read_bytes())
    damage(blob)
    path.write_bytes(blob)

    two = process()
    left = two.drain()

    assert left == ["a" * 50, "a" * 60]
    assert two.outbox.counts() == Counts(recovered=6, delivered=2, dropped={"corrupt": 4})
    assert [each.name for each in (root / "quarantine").iterdir()] == [f"{path.parent.name}.{path.name}"]
    two.die()
    three = process()
    assert three.drain() == []
    assert three.outbox.counts() == Counts()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_segment_that_was_never_completed_may_be_damaged_too(
    process: Any, damage: Callable[[bytearray], None]
) -> None:
    path = three_records(process, is_sealed=False)
    blob = bytearray(path.read_bytes())
    damage(blob)
    path.write_bytes(blob)

    two = process()
    left = two.drain()

    assert left == ["a" * 50, "a" * 60]
    counts = two.outbox.counts()
    assert (counts.balance, counts.spooled, counts.delivered) == (0, 0, 2)
    # A cut leaves nothing to know of.
    assert (counts.dropped.get("corrupt", 0) > 0) == (damage is not cut)


def test_what_is_set_aside_gives_way_first(process: Any, root: Path) -> None:
    path = three_records(process, is_sealed=True)
    path.write_bytes(b"x" * 500_000)
    two = process(budget_bytes=600_000)
    two.drain()
    assert list((root / "quarantine").iterdir())
    two.write(*(os.urandom(500).hex() for _ in range(400)))

    assert list((root / "quarantine").iterdir()) == []
    assert len(two.drain()) == 400


@pytest.mark.parametrize("ack", [b"", b"\0" * 20, b"7 1", b"-1 -1", b"999999999999 2", b"a b c", b"x" * 500], ids=str)
def test_an_acknowledgement_that_makes_no_sense_sends_all_of_it_again(process: Any, ack: bytes) -> None:
    path = three_records(process, is_sealed=True)
    stem = path.name.removesuffix(".6.seg")
    path.with_name(f"{stem}.ack").write_bytes(ack)

    assert len(process().drain()) == 6


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bytes_whatever_stop_the_next_process(process: Any, root: Path, data: st.DataObject) -> None:
    for each in root.rglob("events.*"):
        each.unlink()
    path = three_records(process, is_sealed=data.draw(st.booleans()))
    blob = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(blob) - 1))
        blob[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    path.write_bytes(blob)

    two = process()
    two.drain()
    two.write("works")

    assert two.drain() == ["works"]
    assert (two.outbox.counts().balance, two.outbox.counts().spooled) == (0, 0)
    two.spool.close()
    assert list(root.glob("w-*")) == []


def test_a_power_cut_under_never_costs_what_had_not_reached_the_disk_and_no_more(process: Any) -> None:
    # The file system has grown the file and not filled it.
    path = three_records(process, is_sealed=False)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(second_at(path.read_bytes()))
        file.truncate(size)

    two = process()

    assert two.drain() == ["a" * 50, "a" * 60]
    two.write("works")
    assert two.drain() == ["works"]
