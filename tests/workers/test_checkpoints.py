"""What a checkpoint holds of what is owed, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.deliver.alerting.owed import Owed, OwedState
from dashlight.judge.notices import MOST_MEMBERS, notice_id
from dashlight.records import Alert, Notice
from dashlight.store.frozen import Part, sealed, unsealed
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch
from dashlight.workers.checkpoints import Checkpoint, CheckpointLayout

ALERT = Alert(
    "k", "drift", "m", "1", "/predict", "age", "feature", "firing", "age \ud800 moved", 2000.0, 1900.0, 9, 0.5
)


def notice(number: int) -> Notice:
    key, at = f"incident/{number}", 2000.0 + number
    return Notice(notice_id(key, "firing", at), key, "firing", at, 1900.0, "/predict", "m", "1", "moved", (ALERT,), 3)


def owing(count: int) -> OwedState:
    owed = Owed(["a", "b"])
    for number in range(count):
        owed.owe(notice(number))
    return owed.state


def frozen(owed: OwedState | None) -> bytes:
    state = MachineWatch(Policy(), References(LearnedReferences(None)), at=0.0).state
    return b"".join(CheckpointLayout().freeze(Checkpoint(state, {"worker": 3}, owed)))


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 600])
def test_what_is_owed_is_read_as_it_was_written(count: int) -> None:
    owed = owing(count)

    read = CheckpointLayout().thaw(frozen(owed))

    assert read.lost == ()
    assert read.owed is not None
    assert (read.owed.routes, read.owed.in_force) == (owed.routes, owed.in_force)
    assert [each.id for each in read.owed.notices] == [each.id for each in owed.notices]
    heir = Owed(["a", "b"])
    heir.restore(read.owed)
    assert heir.counts() == {"a": count, "b": count}


def test_a_text_that_utf_8_does_not_have_is_written_with_a_replacement() -> None:
    read = CheckpointLayout().thaw(frozen(owing(1)))

    assert read.owed is not None
    assert read.owed.notices[0].alerts[0].summary == "age \N{REPLACEMENT CHARACTER} moved"


def spoilt(parts: list[Part], name: str, spoil: Callable[[Part], list[Part]]) -> bytes:
    return b"".join(sealed([made for part in parts for made in (spoil(part) if part.name == name else [part])]))


def test_without_its_index_nothing_is_owed_and_that_is_told() -> None:
    blob = spoilt(unsealed(frozen(owing(1))), "owed", lambda part: [replace(part, version=9)])

    read = CheckpointLayout().thaw(blob)

    assert read.owed is None
    assert [error.kind for error in read.lost] == ["other_version"]


def test_notices_that_cannot_be_read_are_lost_alone_and_that_is_told() -> None:
    parts = unsealed(frozen(owing(60)))
    (last,) = [part for part in parts if part.name == "notices"][1:]
    blob = spoilt(parts, "notices", lambda part: [replace(part, version=9)] if part is last else [part])

    read = CheckpointLayout().thaw(blob)

    assert read.owed is not None
    assert {route: len(ids) for route, ids in read.owed.routes.items()} == {"a": 50, "b": 50}
    assert [error.kind for error in read.lost] == ["other_version", "corrupt"]
    Owed(["a"]).restore(read.owed)


NAN = float("nan")


@pytest.mark.parametrize(
    "wrong",
    [
        replace(notice(1), at=NAN),
        replace(notice(1), since_at=1e30),
        replace(notice(1), alert_count=0),
        replace(notice(1), alerts=()),
        replace(notice(1), alerts=(ALERT,) * (MOST_MEMBERS + 1), alert_count=99),
        replace(notice(1), alerts=(replace(ALERT, since_at=NAN),)),
        replace(notice(1), alerts=(replace(ALERT, rows=-1),)),
    ],
    ids=["at", "since", "no count", "no alerts", "too many alerts", "an alert's beginning", "an alert's rows"],
)
def test_a_notice_that_cannot_be_delivered_is_refused(wrong: Notice) -> None:
    read = CheckpointLayout().thaw(frozen(OwedState((wrong,), {"a": (wrong.id,)})))

    assert read.owed is not None
    assert read.owed.notices == ()
    assert read.owed.routes == {"a": ()}
    assert [error.kind for error in read.lost] == ["corrupt", "corrupt"]


def test_more_notices_than_a_part_holds_are_refused() -> None:
    parts = unsealed(frozen(owing(50)))
    one = next(part for part in unsealed(frozen(owing(1))) if part.name == "notices")
    many = next(part for part in parts if part.name == "notices")
    # Arrays of fifty and of one item in MessagePack, one after the other, said to be one of fifty-one.
    head = b"\x81\xa7notices\xdc\x00"
    assert bytes(many.body).startswith(head + b"\x32")
    body = head + b"\x33" + bytes(many.body)[len(head) + 1 :] + bytes(one.body)[len(head) - 1 :]

    read = CheckpointLayout().thaw(spoilt(parts, "notices", lambda part: [replace(part, body=body)]))

    assert [error.kind for error in read.lost] == ["corrupt", "corrupt"]
    assert "notices in one part of 51" in str(read.lost[0])
