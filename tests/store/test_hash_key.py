import logging
import stat
from pathlib import Path

import pytest

from dashlight.errors import SettingsError
from dashlight.store.hash_key import FILE, given_hash_key, hash_key_of, kept_hash_key


def test_a_key_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    made = hash_key_of("", tmp_path)

    assert hash_key_of("", tmp_path) == made == kept_hash_key(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_two_directories_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    assert hash_key_of("", tmp_path) != hash_key_of("", tmp_path / "other")


def test_the_operators_key_is_kept_in_no_file(tmp_path: Path) -> None:
    key = hash_key_of("the operator's own secret", tmp_path)

    assert key.is_given
    assert key == hash_key_of("the operator's own secret", None)
    assert list(tmp_path.iterdir()) == []


def test_without_a_directory_a_key_goes_with_the_process() -> None:
    assert hash_key_of("", None) != hash_key_of("", None)


@pytest.mark.parametrize("fault", ["open to others", "no key", "a link", "a directory"])
def test_a_file_that_cannot_be_used_is_said_and_another_key_taken(
    fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="dashlight.store.hash_key")
    made = hash_key_of("", tmp_path)
    path = tmp_path / FILE
    if fault == "open to others":
        path.chmod(0o644)
    elif fault == "no key":
        path.write_text("secret\n")
    else:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere") if fault == "a link" else path.mkdir()

    assert hash_key_of("", tmp_path) != made
    assert "goes with this process" in caplog.text
    assert kept_hash_key(tmp_path) is None


def test_the_operators_key_is_read_from_the_environment_where_it_is_a_secret() -> None:
    assert given_hash_key({}) is None
    assert given_hash_key({"DASHLIGHT_HASH_KEY": "  the operator's own secret "}) == hash_key_of(
        "the operator's own secret", None
    )
    with pytest.raises(SettingsError, match="at least 16 characters") as caught:
        given_hash_key({"DASHLIGHT_HASH_KEY": "too short"})
    assert "too short" not in str(caught.value)
