"""What was learned outlives the process, or is learned anew."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest

from dashlight.store.learned import MOST_BYTES, LearnedReferences
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

KEY = ("/predict", "fraud", "1.2")


def a_reference(middle: float = 40.0) -> Reference:
    rng = np.random.default_rng(7)
    return build_reference_from_columns({"age": rng.normal(middle, 10, 300)}, {}, rng=rng, created_at=1_700_000_000.0)


def only_file(directory: Path) -> Path:
    (path,) = directory.iterdir()
    return path


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    reference = a_reference()
    LearnedReferences(tmp_path).save(reference, "/predict", "fraud", "1.2")

    found = LearnedReferences(tmp_path).load("/predict", "fraud", "1.2")

    assert found is not None
    assert dump(found) == dump(reference)


def test_without_a_directory_it_is_kept_as_long_as_the_process_runs() -> None:
    learned, first, second = LearnedReferences(None), a_reference(40), a_reference(50)

    assert learned.keep(first, "/predict", "fraud", "1") is first
    assert learned.load("/predict", "fraud", "1") is first
    assert learned.keep(second, "/predict", "fraud", "1") is second
    assert learned.load("/predict", "fraud", "1") is second
    assert learned.load("/predict", "fraud", "2") is None
    assert LearnedReferences(None).load("/predict", "fraud", "1") is None


def test_without_a_directory_nobody_else_replaces_it() -> None:
    learned = LearnedReferences(None)
    learned.save(a_reference(40), "/predict", "", "")
    learned.save(a_reference(50), "/predict", "", "")

    assert not learned.is_other("/predict", "", "")


def test_what_was_never_learned_is_not_there_and_not_worth_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert LearnedReferences(tmp_path / "not made yet").load("/predict", "", "") is None
    assert caplog.records == []


@pytest.mark.parametrize(
    "other",
    [("/predict", "fraud", "2"), ("/predict", "fraud 1", ""), ("/predict/fraud", "1"), ("/Predict", "fraud", "1")],
    ids=["another version", "another model", "parted elsewhere", "another case"],
)
def test_every_endpoint_model_and_version_has_its_own(tmp_path: Path, other: tuple[str, ...]) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(40), "/predict", "fraud", "1")

    assert learned.load(*other) is None


def test_the_name_of_a_file_tells_a_person_what_it_is_for(tmp_path: Path) -> None:
    LearnedReferences(tmp_path).save(a_reference(), "/models/{name}/predict", "fraud", "1.2")

    assert only_file(tmp_path).name.startswith("reference-models-name-predict-fraud-1-2-")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 5000, "größe", "\ud800", "a\0b"])
def test_a_name_from_outside_stays_in_the_directory(tmp_path: Path, name: str) -> None:
    learned = LearnedReferences(tmp_path / "state")
    learned.save(a_reference(), "/predict", name, "")

    assert learned.load("/predict", name, "") is not None
    assert only_file(tmp_path / "state").parent == tmp_path / "state"


def test_a_later_reference_replaces_the_earlier_one(tmp_path: Path) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(40), "/predict", "", "")
    learned.save(a_reference(50), "/predict", "", "")

    found = learned.load("/predict", "", "")

    assert found is not None
    assert found.version == a_reference(50).version
    only_file(tmp_path)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    LearnedReferences(tmp_path / "state").save(a_reference(), "/predict", "", "")

    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert only_file(tmp_path / "state").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": "something else"}',
        b"\xff\xfe",
        b'{"format": "dashlight.reference", "version": 1}',
    ],
    ids=["empty", "cut short", "another shape", "another format", "no text", "no checksum"],
)
def test_a_damaged_reference_is_learned_anew_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(), "/predict", "", "")
    only_file(tmp_path).write_bytes(content)

    assert learned.load("/predict", "", "") is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("the learned reference reference-predict-")
    assert " is not usable and is learned anew: " in record.getMessage()


def test_an_edited_number_is_damage_too(tmp_path: Path) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(), "/predict", "", "")
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"rows": 300', b'"rows": 301'))

    assert learned.load("/predict", "", "") is None


def test_a_file_that_cannot_be_read_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(), "/predict", "", "")
    path = only_file(tmp_path)
    path.unlink()
    path.mkdir()

    assert learned.load("/predict", "", "") is None
    assert "learned anew" in caplog.text


def test_a_directory_that_cannot_be_looked_into_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    beyond_any_file_system = Path("/" + "/".join(["d" * 200] * 40))

    assert LearnedReferences(beyond_any_file_system).load("/predict", "", "") is None
    assert "learned anew" in caplog.text


def test_a_directory_that_cannot_be_made_costs_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("a file stands here")

    LearnedReferences(tmp_path / "state").save(a_reference(), "/predict", "", "")

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("the learned reference could not be kept in DASHLIGHT_STATE_DIR: ")


def test_a_link_laid_in_the_way_is_not_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    learned, victim = LearnedReferences(tmp_path / "state"), tmp_path / "victim"
    learned.save(a_reference(40), "/predict", "", "")
    victim.write_text("precious")
    only_file(tmp_path / "state").with_suffix(f".{os.getpid()}.new").symlink_to(victim)

    learned.save(a_reference(50), "/predict", "", "")

    found = learned.load("/predict", "", "")
    assert victim.read_text() == "precious"
    assert found is not None
    assert found.version == a_reference(50).version
    stands = LearnedReferences(tmp_path / "state").load("/predict", "", "")
    assert stands is not None
    assert stands.version == a_reference(40).version
    assert "could not be kept" in caplog.text


def test_a_file_that_another_process_wrote_is_another_one_and_said_once(tmp_path: Path) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(), "/predict", "fraud", "1.2")
    assert not learned.is_other("/predict", "fraud", "1.2")

    LearnedReferences(tmp_path).save(a_reference(50.0), "/predict", "fraud", "1.2")

    assert [learned.is_other("/predict", "fraud", "1.2") for _ in range(2)] == [True, False]


def test_a_file_that_was_removed_is_another_one(tmp_path: Path) -> None:
    LearnedReferences(tmp_path).save(a_reference(), "/predict", "fraud", "1.2")
    learned = LearnedReferences(tmp_path)
    learned.load("/predict", "fraud", "1.2")

    only_file(tmp_path).unlink()

    assert learned.is_other("/predict", "fraud", "1.2")


def test_what_was_never_loaded_was_not_replaced(tmp_path: Path) -> None:
    LearnedReferences(tmp_path).save(a_reference(), "/predict", "fraud", "1.2")

    assert not LearnedReferences(tmp_path).is_other("/predict", "fraud", "1.2")
    assert not LearnedReferences(None).is_other("/predict", "fraud", "1.2")


def test_a_directory_that_cannot_be_seen_for_a_moment_changes_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    learned = LearnedReferences(directory)
    learned.save(a_reference(), "/predict", "fraud", "1.2")
    directory.rename(tmp_path / "moved")
    directory.write_text("a file where the directory was")

    assert not learned.is_other("/predict", "fraud", "1.2")


def test_what_another_process_kept_meanwhile_is_what_is_kept(tmp_path: Path) -> None:
    learned = LearnedReferences(tmp_path)
    assert learned.load("/predict", "fraud", "1") is None
    LearnedReferences(tmp_path).save(a_reference(50), "/predict", "fraud", "1")

    kept = learned.keep(a_reference(40), "/predict", "fraud", "1")

    assert kept.version == a_reference(50).version


def test_what_this_process_kept_itself_is_replaced(tmp_path: Path) -> None:
    learned, later = LearnedReferences(tmp_path), a_reference(50)
    assert learned.keep(a_reference(40), "/predict", "fraud", "1").version == a_reference(40).version

    assert learned.keep(later, "/predict", "fraud", "1") is later


@pytest.fixture
def full(tmp_path: Path) -> LearnedReferences:
    """Where nothing can be written: a directory stands in the place of the file."""
    LearnedReferences(tmp_path).save(a_reference(), *KEY)
    in_the_way(tmp_path)
    return LearnedReferences(tmp_path)


def in_the_way(directory: Path) -> Path:
    path = only_file(directory)
    path.unlink()
    path.mkdir()
    return path


def test_what_cannot_be_written_is_known_to_this_process(full: LearnedReferences, tmp_path: Path) -> None:
    reference = a_reference(50)

    assert full.keep(reference, *KEY) is reference

    assert full.load(*KEY) is reference
    assert full.load("/predict", "fraud", "2") is None
    assert not full.is_other(*KEY)
    assert LearnedReferences(tmp_path).load(*KEY) is None


def test_it_is_known_also_where_the_directory_is_gone(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file stands here")
    learned, reference = LearnedReferences(tmp_path / "state"), a_reference()

    learned.save(reference, *KEY)

    assert learned.load(*KEY) is reference
    assert not learned.is_other(*KEY)


def test_what_another_process_could_write_since_is_another_one(full: LearnedReferences, tmp_path: Path) -> None:
    full.save(a_reference(50), *KEY)
    (path,) = (path for path in tmp_path.iterdir() if path.is_dir())
    path.rmdir()
    LearnedReferences(tmp_path).save(a_reference(60), *KEY)

    loaded = full.load(*KEY)

    assert loaded is not None
    assert loaded.version == a_reference(60).version
    assert [full.is_other(*KEY) for _ in range(2)] == [True, False]
    again = full.load(*KEY)
    assert again is not None
    assert again.version == a_reference(60).version


def test_the_place_that_became_free_is_no_other_reference(full: LearnedReferences, tmp_path: Path) -> None:
    reference = a_reference(50)
    full.save(reference, *KEY)
    (path,) = (path for path in tmp_path.iterdir() if path.is_dir())
    path.rmdir()

    assert full.load(*KEY) is reference
    assert not full.is_other(*KEY)


def test_what_could_be_written_later_is_kept_in_the_file_alone(full: LearnedReferences, tmp_path: Path) -> None:
    full.save(a_reference(50), *KEY)
    (path,) = (path for path in tmp_path.iterdir() if path.is_dir())
    path.rmdir()

    full.save(a_reference(60), *KEY)

    found = LearnedReferences(tmp_path).load(*KEY)
    assert found is not None
    assert found.version == a_reference(60).version
    path.unlink()
    assert full.load(*KEY) is None


def test_what_is_damaged_is_put_aside_by_whoever_judges_and_not_met_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(), "/predict", "", "")
    path = only_file(tmp_path)
    path.write_bytes(b"damaged")
    assert learned.load("/predict", "", "") is None
    assert path.exists()

    learned.put_aside_refused()
    learned.put_aside_refused()

    assert only_file(tmp_path).name == f"{path.name}.refused"
    assert not learned.is_other("/predict", "", "")
    caplog.clear()
    assert LearnedReferences(tmp_path).load("/predict", "", "") is None
    assert caplog.records == []


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "removed"])
def test_what_was_damaged_and_is_another_by_now_is_not_put_aside(tmp_path: Path, *, replaced: bool) -> None:
    learned, other = LearnedReferences(tmp_path), LearnedReferences(tmp_path)
    learned.save(a_reference(), "/predict", "", "")
    path = only_file(tmp_path)
    path.write_bytes(b"damaged")
    learned.load("/predict", "", "")
    path.unlink()
    if replaced:
        other.save(a_reference(), "/predict", "", "")

    learned.put_aside_refused()

    assert path.exists() is replaced


def test_what_a_newer_dashlight_learned_is_neither_moved_nor_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(), "/predict", "", "")
    path = only_file(tmp_path)
    content = path.read_bytes().replace(b'"version": 1', b'"version": 2', 1)
    path.write_bytes(content)
    learned = LearnedReferences(tmp_path)
    assert learned.load("/predict", "", "") is None

    learned.put_aside_refused()
    kept = learned.keep(a_reference(), "/predict", "", "")

    assert only_file(tmp_path).read_bytes() == content
    assert learned.load("/predict", "", "") is kept
    assert "is left to the newer Dashlight that made it" in caplog.text
    other = LearnedReferences(tmp_path)
    path.unlink()
    other.save(kept, "/predict", "", "")
    assert learned.is_other("/predict", "", "")


def test_a_file_of_absurd_size_is_not_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(), "/predict", "", "")
    os.truncate(only_file(tmp_path), MOST_BYTES + 1)

    assert learned.load("/predict", "", "") is None
    assert f"expected at most {MOST_BYTES}" in caplog.text


def test_a_pipe_in_the_way_does_not_hold_anybody_up(tmp_path: Path) -> None:
    learned = LearnedReferences(tmp_path)
    learned.save(a_reference(), "/predict", "", "")
    path = only_file(tmp_path)
    path.unlink()
    os.mkfifo(path)

    assert learned.load("/predict", "", "") is None
