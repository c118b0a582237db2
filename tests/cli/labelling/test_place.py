"""How far the sending of a file came."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashlight.cli.labelling.place import SentSoFar


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "labels.csv"
    found.write_text("id,label\n")
    return found


def test_a_place_is_found_again_by_the_same_command(path: Path) -> None:
    SentSoFar(path, "to a").keep(17, {"matched": 16})

    assert SentSoFar(path, "to a").read() == (17, {"matched": 16})


def test_another_command_or_another_file_begins_anew(path: Path) -> None:
    SentSoFar(path, "to a").keep(17, {})

    assert SentSoFar(path, "to b").read() == (0, {})
    path.write_text("id,label\na,1\n")
    assert SentSoFar(path, "to a").read() == (0, {})


def test_what_is_done_is_forgotten(path: Path) -> None:
    place = SentSoFar(path, "to a")
    place.keep(17, {})

    place.forget()

    assert place.read() == (0, {})
    assert [each.name for each in path.parent.iterdir()] == ["labels.csv"]


@pytest.mark.parametrize("content", [b"", b"{}", b"nonsense", b'{"what": "", "row": -1, "counts": {}}'])
def test_a_damaged_place_is_none(path: Path, content: bytes) -> None:
    path.with_name(".labels.csv.sent").write_bytes(content)

    assert SentSoFar(path, "to a").read() == (0, {})


def test_where_nothing_can_be_written_nothing_is_remembered(path: Path) -> None:
    place = SentSoFar(path, "to a")
    path.with_name(".labels.csv.sent").mkdir()

    place.keep(17, {})
    place.forget()

    assert place.read() == (0, {})


def test_standard_input_has_no_place() -> None:
    place = SentSoFar(None, "to a")
    place.keep(17, {})
    place.forget()

    assert place.read() == (0, {})
