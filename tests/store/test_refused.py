"""What was refused is out of the way, and does not fill the disk."""

from __future__ import annotations

from pathlib import Path

from dashlight.store.refused import MOST_REFUSED, put_aside


def test_a_file_that_was_refused_is_there_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"half")

    assert put_aside(tmp_path / "checkpoint")

    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.refused"]
    assert (tmp_path / "checkpoint.refused").read_bytes() == b"half"


def test_the_newest_stay_and_other_files_are_let_alone(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    for number in range(MOST_REFUSED + 3):
        (tmp_path / f"{number}").touch()
        assert put_aside(tmp_path / f"{number}")

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "3.refused",
        "4.refused",
        "5.refused",
        "6.refused",
        "other",
    ]


def test_what_is_gone_already_cannot_be_put_aside(tmp_path: Path) -> None:
    assert not put_aside(tmp_path / "checkpoint")
