"""One checkpoint file for each generation of its layout: who finds which, and which go."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.store.frozen import sealed, unsealed
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch
from dashlight.workers.checkpoints import GENERATION, LAYOUTS, Checkpoint
from dashlight.workers.generations import MOST_OLDER, OLDER_SECONDS, CheckpointFiles

EARLIER, LATER = GENERATION - 1, GENERATION + 1
NOW = time.time()


def written(directory: Path, generation: int, *, counted: int, at: float = NOW) -> Path:
    """A checkpoint as a release of that *generation* left it *at* that moment."""
    files = CheckpointFiles(directory, generation=generation)
    state = MachineWatch(Policy(), References(LearnedReferences(None)), at=0.0).state
    assert files.write(Checkpoint(state, {"worker": counted}))
    os.utime(files.path, (at, at))
    return files.path


def make_later(path: Path, part: str) -> None:
    """Makes one kind of *part* one that only a later release can read."""
    at, version = path.stat().st_mtime, LAYOUTS[part].version + 1
    parts = [replace(each, version=version) if each.name == part else each for each in unsealed(path.read_bytes())]
    path.write_bytes(b"".join(sealed(parts)))
    os.utime(path, (at, at))


def counted_in(checkpoint: Checkpoint | None) -> int | None:
    return None if checkpoint is None else checkpoint.counted["worker"]


@pytest.mark.parametrize("newest", [EARLIER, GENERATION, LATER], ids=["earlier", "own", "later"])
def test_the_one_written_last_is_gone_on_from(tmp_path: Path, newest: int) -> None:
    for number, generation in enumerate(sorted({EARLIER, GENERATION, LATER} - {newest})):
        written(tmp_path, generation, counted=number, at=NOW - 60 + number)
    written(tmp_path, newest, counted=9)

    assert counted_in(CheckpointFiles(tmp_path).inherited()) == 9


def test_what_only_a_later_release_can_read_is_passed_over_and_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    later = written(tmp_path, LATER, counted=3)
    make_later(later, "machine")
    before = later.read_bytes()
    written(tmp_path, GENERATION, counted=2, at=NOW - 60)
    files = CheckpointFiles(tmp_path)

    with caplog.at_level(logging.WARNING):
        assert counted_in(files.inherited()) == 2
    assert files.write(Checkpoint(MachineWatch(Policy(), References(LearnedReferences(None)), at=0.0).state, {}))

    assert (later.read_bytes(), files.troubles) == (before, {})


def test_a_rollback_finds_its_own_file_again(tmp_path: Path) -> None:
    written(tmp_path, EARLIER, counted=1, at=NOW - 60)
    assert counted_in(CheckpointFiles(tmp_path).inherited()) == 1
    make_later(written(tmp_path, GENERATION, counted=2), "machine")

    assert counted_in(CheckpointFiles(tmp_path, generation=EARLIER).inherited()) == 1


def test_a_part_of_another_version_is_lost_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_later(written(tmp_path, GENERATION, counted=2), "totals")
    files = CheckpointFiles(tmp_path)

    with caplog.at_level(logging.WARNING):
        checkpoint = files.inherited()

    assert (counted_in(checkpoint), files.troubles) == (2, {"other_version": 1})
    assert checkpoint is not None
    assert checkpoint.state.totals is None
    (said,) = caplog.messages
    assert "a part of the checkpoint is not used" in said


def test_a_damaged_one_is_put_aside_and_an_earlier_one_is_used(tmp_path: Path) -> None:
    written(tmp_path, EARLIER, counted=1, at=NOW - 60)
    damaged = written(tmp_path, GENERATION, counted=2)
    damaged.write_bytes(damaged.read_bytes()[:-5])
    files = CheckpointFiles(tmp_path)

    assert counted_in(files.inherited()) == 1
    assert files.troubles == {"corrupt": 1}
    assert not damaged.exists()
    assert damaged.with_name(f"{damaged.name}.refused").exists()


def test_a_damaged_one_of_a_later_release_stays(tmp_path: Path) -> None:
    damaged = written(tmp_path, LATER, counted=3)
    damaged.write_bytes(b"DLst")

    assert CheckpointFiles(tmp_path).inherited() is None
    assert damaged.exists()


def test_of_earlier_generations_the_last_few_stay_for_a_week(tmp_path: Path) -> None:
    generations = range(GENERATION - MOST_OLDER - 2, GENERATION)
    paths = [written(tmp_path, each, counted=each, at=NOW - 10 * (GENERATION - each)) for each in generations]
    os.utime(paths[-2], (NOW - OLDER_SECONDS - 60, NOW - OLDER_SECONDS - 60))

    CheckpointFiles(tmp_path).inherited()

    assert [path for path in paths if path.exists()] == [*paths[-MOST_OLDER - 1 : -2], paths[-1]]


@pytest.mark.parametrize(
    "name", ["checkpoint-", "checkpoint-x", "checkpoint-9.draft", "checkpoint-²", "checkpoint-1" + "0" * 30]
)
def test_other_names_are_no_checkpoints(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")

    assert CheckpointFiles(tmp_path).inherited() is None
    assert (tmp_path / name).exists()


def test_the_file_of_the_first_releases_is_told_in_one_line_and_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = tmp_path / "checkpoint"
    first.write_bytes(b"DLst\x02\x00")
    files = CheckpointFiles(tmp_path)

    with caplog.at_level(logging.WARNING):
        assert files.inherited() is None

    (said,) = caplog.messages
    assert "learned references are kept" in said
    assert (first.read_bytes(), files.troubles) == (b"DLst\x02\x00", {})
