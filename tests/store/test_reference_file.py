"""The file that the operator named, and the one that takes its place."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.store.reference_file import ReferenceFile
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump


def written(path: Path, middle: float = 40.0) -> Path:
    rng = np.random.default_rng(7)
    reference = build_reference_from_columns({"age": rng.normal(middle, 10, 300)}, {}, rng=rng, created_at=0.0)
    beside = path.with_suffix(".new")
    beside.write_bytes(dump(reference))
    return beside.replace(path)


def test_a_file_is_read_and_not_again_while_it_is_the_same(tmp_path: Path) -> None:
    file = ReferenceFile(written(tmp_path / "reference.json"))

    assert file.read().rows == 300
    assert file.replaced() is None


def test_a_file_that_takes_its_place_is_read_once(tmp_path: Path) -> None:
    file = ReferenceFile(written(tmp_path / "reference.json"))
    before = file.read()
    written(tmp_path / "reference.json", middle=50.0)

    after = file.replaced()

    assert after is not None
    assert after.version != before.version
    assert file.replaced() is None


def test_a_file_that_is_gone_for_a_moment_stays_in_force(tmp_path: Path) -> None:
    path = written(tmp_path / "reference.json")
    file = ReferenceFile(path)
    file.read()
    path.unlink()

    assert file.replaced() is None


def test_a_replacement_that_is_none_is_said_once_and_the_old_one_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "reference.json")
    file = ReferenceFile(path)
    file.read()
    path.write_text("{}")

    assert [file.replaced(), file.replaced()] == [None, None]

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "the one before stays" in record.getMessage()


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), ("[]", "is not a Dashlight reference")])
def test_a_file_that_cannot_be_used_names_the_variable(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "reference.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ReferenceDataError, match=f"DASHLIGHT_REFERENCE='.*reference.json'.*{says}"):
        ReferenceFile(path).read()


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero") if kind == "device" else tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)

    with pytest.raises(ReferenceDataError, match=r"DASHLIGHT_REFERENCE=.* is not a file"):
        ReferenceFile(path).read()
