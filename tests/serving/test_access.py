"""Who may ask, and where the token comes from."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashlight.serving.access import Access, token_of

TOKEN = "a-token-of-some-length"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Bearer a-token-of-some-length")],
        [(b"authorization", b"bearer   a-token-of-some-length ")],
        [(b"x-dashlight-token", b"a-token-of-some-length")],
        [(b"cookie", b"theme=dark; dashlight_token=a-token-of-some-length")],
        [(b"cookie", b"theme=dark"), (b"cookie", b'dashlight_token="a-token-of-some-length"')],
        [(b"authorization", b"Basic Zm9v"), (b"x-dashlight-token", b"a-token-of-some-length")],
    ],
    ids=["bearer", "bearer in small letters", "header", "cookie", "second cookie", "beside another scheme"],
)
def test_who_shows_the_token_is_let_in(headers: Sequence[tuple[bytes, bytes]]) -> None:
    assert Access(TOKEN).allows(headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"Bearer ")],
        [(b"authorization", b"a-token-of-some-length")],
        [(b"authorization", b"Basic a-token-of-some-length")],
        [(b"authorization", b"Bearer a-token-of-some-lengt")],
        [(b"x-dashlight-token", b"")],
        [(b"x-dashlight-token", b"A-TOKEN-OF-SOME-LENGTH")],
        [(b"x-dashlight-token", "ä".encode())],
        [(b"cookie", b"dashlight_token")],
        [(b"cookie", b"xdashlight_token=a-token-of-some-length")],
        [(b"referer", b"https://host/?token=a-token-of-some-length")],
    ],
    ids=[
        "nothing", "empty bearer", "no scheme", "other scheme", "too short", "empty header", "other case",
        "foreign letters", "cookie without value", "other cookie", "in a query",
    ],
)  # fmt: skip
def test_nobody_else_is_let_in(headers: Sequence[tuple[bytes, bytes]]) -> None:
    assert not Access(TOKEN).allows(headers)


def test_an_empty_token_lets_nobody_in() -> None:
    with pytest.raises(ValueError, match="lets everybody in"):
        Access("")


def test_a_token_with_foreign_letters_can_be_shown() -> None:
    assert Access("geheim-ä").allows([(b"x-dashlight-token", "geheim-ä".encode())])


def test_the_token_is_never_shown_by_its_guard() -> None:
    assert TOKEN not in repr(Access(TOKEN))


def test_the_token_of_the_settings_comes_first(tmp_path: Path) -> None:
    assert token_of(TOKEN, tmp_path / "token") == TOKEN
    assert list(tmp_path.iterdir()) == []


def test_a_token_is_made_once_for_all_workers(tmp_path: Path) -> None:
    first = token_of("", tmp_path / "token")

    assert token_of("", tmp_path / "token") == first
    assert len(first) >= 32
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_the_file_of_the_token_is_for_its_owner_alone(tmp_path: Path) -> None:
    token_of("", tmp_path / "token")

    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_the_log_tells_the_file_once_and_never_the_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    token = token_of("", tmp_path / "token")
    token_of("", tmp_path / "token")

    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert str(tmp_path / "token") in caplog.text
    assert token not in caplog.text


def test_workers_that_start_together_end_with_one_token(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from dashlight.serving.access import token_of; sys.stdin.readline();"
        "print(token_of('', Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "token")]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(6)]

    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"go\n")
        worker.stdin.flush()
    tokens = {worker.communicate(timeout=30)[0].strip() for worker in workers}

    assert [worker.returncode for worker in workers] == [0] * 6
    assert tokens == {(tmp_path / "token").read_bytes().strip()}
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_who_comes_second_reads_what_the_first_has_written(tmp_path: Path) -> None:
    path, together = tmp_path / "token", threading.Barrier(8)

    def start() -> str:
        together.wait(30)
        return token_of("", path)

    for _ in range(20):
        path.unlink(missing_ok=True)
        with ThreadPoolExecutor(8) as threads:
            tokens = {future.result() for future in [threads.submit(start) for _ in range(8)]}

        assert tokens == {path.read_text().strip()}
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


def test_a_file_that_others_can_read_keeps_everybody_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(0o644)

    assert token_of("", path) != TOKEN
    assert "nobody else can read" in caplog.text


def test_a_link_is_not_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "elsewhere").write_text(TOKEN)
    (tmp_path / "elsewhere").chmod(0o600)
    (tmp_path / "token").symlink_to("elsewhere")

    assert token_of("", tmp_path / "token") != TOKEN
    assert "nobody can be let in" in caplog.text


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"short", b"x" * 5000, b"\xff" * 20, b"two lines of\nsomething"],
    ids=["empty", "blank", "short", "long", "no text", "two lines"],
)
def test_a_file_without_a_token_keeps_everybody_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)

    assert len(token_of("", path)) >= 32
    assert "expected a token" in caplog.text
    assert path.read_bytes() == content


def test_a_pipe_in_the_place_of_the_file_does_not_hang(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(tmp_path / "token", 0o600)

    assert len(token_of("", tmp_path / "token")) >= 32
    assert "nobody can be let in" in caplog.text


def test_a_directory_that_is_gone_keeps_everybody_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = (token_of("", tmp_path / "gone" / "token") for _ in range(2))

    assert first != second
    assert "No such file or directory" in caplog.text


def test_without_settings_and_directory_nobody_is_let_in(caplog: pytest.LogCaptureFixture) -> None:
    assert token_of("", None) != token_of("", None)
    assert "DASHLIGHT_TOKEN is not set" in caplog.text
