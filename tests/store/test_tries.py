from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from dashlight.store.tries import MOST_REMEMBERED, CommandTries


def test_a_try_is_remembered_before_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "tries"

    assert [CommandTries(path).begin("a") for _ in range(3)] == [1, 2, 3]


def test_what_went_well_is_not_tried_again(tmp_path: Path) -> None:
    tries = CommandTries(tmp_path / "tries")
    tries.begin("a")

    tries.finish("a")

    assert [tries.begin("a"), CommandTries(tmp_path / "tries").begin("a")] == [0, 0]
    assert tries.begin("b") == 1


def test_another_process_may_go_on_and_hand_it_back(tmp_path: Path) -> None:
    one, other = CommandTries(tmp_path / "tries"), CommandTries(tmp_path / "tries")

    assert [one.begin("a"), other.begin("a"), one.begin("a")] == [1, 2, 3]


def test_without_a_file_the_process_remembers() -> None:
    tries = CommandTries(None)

    assert [tries.begin("a"), tries.begin("a")] == [1, 2]
    tries.finish("a")
    assert tries.begin("a") == 0


def test_the_oldest_are_forgotten(tmp_path: Path) -> None:
    tries = CommandTries(tmp_path / "tries")
    (tmp_path / "tries").write_text(json.dumps({str(number): 3 for number in range(MOST_REMEMBERED)}))
    (tmp_path / "tries").chmod(0o600)

    tries.begin("new")

    kept = json.loads((tmp_path / "tries").read_text())
    assert len(kept) == MOST_REMEMBERED
    assert next(iter(kept)) == "1"
    assert list(kept)[-1] == "new"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"a": "x"}', b'{"a": -5}', b"\xff" * 10, b"x" * 2_000_000],
    ids=lambda c: repr(c[:8]),
)
def test_a_file_of_nonsense_counts_as_none_and_is_said_once(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tries"
    path.write_bytes(content)

    with caplog.at_level(logging.WARNING):
        tries = CommandTries(path)
        found = [tries.begin("a"), tries.begin("a")]

    assert found == [1, 2]
    assert len(caplog.records) <= 1


def test_a_disk_that_takes_nothing_leaves_the_memory(tmp_path: Path) -> None:
    tries = CommandTries(tmp_path / "gone" / "tries")

    assert [tries.begin("a"), tries.begin("a")] == [1, 2]
