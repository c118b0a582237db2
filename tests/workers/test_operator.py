from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from dashlight.judge.silences import Silence
from dashlight.records import Alert, Notice
from dashlight.workers.operator import Operator, marks_in, silences_in, told_in

AT = 1_790_000_000.0


def silence(number: int) -> Silence:
    return Silence(str(number), AT, AT + 60, "why", column="age")


def notice(number: int, transition: Any = "firing") -> Notice:
    alert = Alert("k", "drift", "m", "1", "/predict", "age", "feature", "firing", "", AT, AT, 1, 1.0)
    return Notice(str(number), f"i/{number}", transition, AT, AT, "/predict", "m", "1", "moved", (alert,), 1)


def test_the_judge_sees_what_people_say_as_soon_as_they_have_said_it(tmp_path: Path) -> None:
    operator = Operator(tmp_path, 3600.0)
    assert operator.silences() == ()

    silences_in(tmp_path).change(lambda every: (*every, silence(1)))
    assert operator.silences() == (silence(1),)
    silences_in(tmp_path).change(lambda every: (*every, silence(2)))
    assert operator.silences() == (silence(1), silence(2))
    (tmp_path / "silences.json").unlink()
    assert operator.silences() == ()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"{}", b"[1]", b'[{"id": "a"}]', b"[" * 100_000, b"\xff\xfe", b"x" * (5 << 20)],
    ids=lambda content: repr(content[:8]),
)
def test_a_file_of_nonsense_silences_nobody_and_is_said_once(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "silences.json").write_bytes(content)
    operator = Operator(tmp_path, 3600.0)

    with caplog.at_level(logging.WARNING):
        assert [operator.silences(), operator.silences()] == [(), ()]

    assert len(caplog.records) == 1


def test_what_people_may_not_say_is_refused_and_what_was_there_stays(tmp_path: Path) -> None:
    silences_in(tmp_path).change(lambda _: (silence(1),))

    with pytest.raises(ValueError, match="one id"):
        silences_in(tmp_path).change(lambda every: (*every, silence(1)))

    assert silences_in(tmp_path).read() == (silence(1),)


def test_of_two_who_speak_at_once_both_are_heard(tmp_path: Path) -> None:
    speakers = [
        threading.Thread(target=lambda n=number: silences_in(tmp_path).change(lambda every: (*every, silence(n))))
        for number in range(8)
    ]
    for each in speakers:
        each.start()
    for each in speakers:
        each.join()

    assert {each.id for each in silences_in(tmp_path).read()} == {str(number) for number in range(8)}


def test_what_begins_is_kept_to_be_marked_also_by_the_next_judge(tmp_path: Path) -> None:
    Operator(tmp_path, 3600.0).remember([notice(1)])
    Operator(tmp_path, 7200.0).remember([notice(1), notice(2), notice(1, "resolved")])

    told = told_in(tmp_path).read()
    assert ([each.id for each in told.alerts], told.seconds_between) == (["1", "2"], 7200.0)


def test_a_disk_that_takes_nothing_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    operator = Operator(tmp_path / "gone", 3600.0)

    with caplog.at_level(logging.WARNING):
        operator.remember([notice(1)])
        operator.remember([notice(2)])

    assert len(caplog.records) == 1


def test_who_is_alone_is_silenced_by_nobody_and_keeps_nothing() -> None:
    operator = Operator(None, 3600.0)

    operator.remember([notice(1)])
    assert operator.silences() == ()


def test_marks_are_of_two_kinds(tmp_path: Path) -> None:
    marks_in(tmp_path).change(lambda _: {"a": "noise", "b": "useful"})
    assert marks_in(tmp_path).read() == {"a": "noise", "b": "useful"}

    (tmp_path / "marks.json").write_text('{"a": "loud"}')
    assert marks_in(tmp_path).read() == {}
