"""`dashlight spool`: what waits on disk, from outside."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashlight.cli.main import main
from dashlight.deliver.outbox import Outbox
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.inspection import damage as damage_of
from dashlight.deliver.spool.inspection import segments
from dashlight.deliver.spool.records import SpoolRecord
from dashlight.deliver.spool.spool import Spool
from dashlight.testing import FakeClock


def spooled(root: Path, *payloads: bytes, signal: str = "events") -> Spool:
    """A process that has written each of *payloads* as a record."""
    spool = Spool(root, clock=FakeClock(), free_share=lambda _path: 0.5)
    backlog = Backlog(spool, signal=signal, content_type="application/x-ndjson", account=Outbox())
    for payload in payloads:
        assert backlog.append(SpoolRecord("key", b"", [payload]), booked=lambda: None)
    return spool


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory in which a living server has two events, and a dead one has three."""
    root = tmp_path / "state" / "shop-1234" / "spool"
    root.parent.mkdir(parents=True, mode=0o700)
    spooled(root, b"a", b"b", b"c").forget()
    living = spooled(root, b"d", b"e")
    yield tmp_path / "state"
    living.forget()


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], Any]:
    """What a command printed, as JSON."""
    return lambda: json.loads(capsys.readouterr().out)


def test_what_waits_is_listed_with_who_owns_it(state: Path, said: Callable[[], Any]) -> None:
    assert main(["spool", "list", str(state), "--json"]) == 0

    rows = said()["waiting"]
    assert sorted((row["count"], row["owned"]) for row in rows) == [(2, True), (3, False)]
    assert {(row["application"], row["signal"], row["format"], row["encrypted"]) for row in rows} == {
        ("shop-1234", "events", "x-ndjson", False)
    }
    assert rows[0]["since"] == "2023-11-14T22:13:20+00:00"


def test_people_are_told_in_words(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spool", "list", str(state)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert any("3 events (x-ndjson) in 1 files" in line and line.endswith("that is gone") for line in lines)
    assert any("2 events" in line and line.endswith("in use by a server") for line in lines)


def test_the_directory_of_one_application_is_enough(state: Path, said: Callable[[], Any]) -> None:
    assert main(["spool", "list", str(state / "shop-1234"), "--json"]) == 0

    assert len(said()["waiting"]) == 2


def test_the_environment_names_the_directory(
    state: Path, monkeypatch: pytest.MonkeyPatch, said: Callable[[], Any]
) -> None:
    monkeypatch.setenv("DASHLIGHT_STATE_DIR", str(state))

    assert main(["spool", "list", "--json"]) == 0
    assert len(said()["waiting"]) == 2


@pytest.mark.parametrize("action", ["list", "verify", "send", "drop"])
def test_without_a_directory_it_says_what_it_expected(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DASHLIGHT_STATE_DIR", raising=False)

    assert [main(["spool", action]), main(["spool", action, str(tmp_path / "none")])] == [2, 2]
    assert capsys.readouterr().err.count("expected a state directory, as in DASHLIGHT_STATE_DIR") == 2


def test_an_empty_directory_holds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [main(["spool", action, str(tmp_path)]) for action in ("list", "verify")] == [0, 0]
    assert capsys.readouterr().out == "nothing waits\n0 files read, 0 damaged\n"


def test_what_is_whole_is_verified(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spool", "verify", str(state)]) == 0

    assert capsys.readouterr().out == "2 files read, 0 damaged\n"


def damage(state: Path) -> Path:
    """Flips a bit in what the dead server left."""
    path = max(state.rglob("*.open"), key=lambda each: each.stat().st_size)
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 1
    path.write_bytes(blob)
    return path


def test_what_is_damaged_is_named_and_left_alone(
    state: Path, said: Callable[[], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = damage(state)
    before = path.read_bytes()

    assert main(["spool", "verify", str(state), "--json"]) == 1
    assert said() == {"read": 2, "damaged": {str(path): "after 2 entries: the content is damaged"}}
    assert main(["spool", "verify", str(state)]) == 1
    assert f"{path}: damaged, after 2 entries" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_what_a_living_server_is_writing_just_now_is_no_damage(state: Path) -> None:
    path = min(state.rglob("*.open"), key=lambda each: each.stat().st_size)
    with path.open("ab") as file:
        file.write(b"DL half a header")

    assert main(["spool", "verify", str(state)]) == 0


def test_a_segment_with_less_than_its_name_tells_is_damaged(state: Path, said: Callable[[], Any]) -> None:
    path = max(state.rglob("*.open"), key=lambda each: each.stat().st_size)
    path.rename(path.with_name(path.name.replace(".open", ".9.seg")))

    assert main(["spool", "verify", str(state), "--json"]) == 1
    assert list(said()["damaged"].values()) == ["3 of 9 entries"]


def test_only_what_the_dead_left_is_dropped(state: Path, said: Callable[[], Any]) -> None:
    aside = state / "shop-1234" / "spool" / "quarantine"
    aside.mkdir(mode=0o700)
    (aside / "damaged").write_bytes(b"x")

    assert main(["spool", "drop", str(state), "--yes", "--json"]) == 0
    assert said() == {"dropped": 3, "set_aside": 1}
    assert main(["spool", "list", str(state), "--json"]) == 0
    assert [row["count"] for row in said()["waiting"]] == [2]
    assert list(aside.iterdir()) == []


def test_without_a_terminal_dropping_wants_a_word(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spool", "drop", str(state)]) == 2

    assert "--yes removes what waits without asking" in capsys.readouterr().err
    assert len(list(state.rglob("*.open"))) == 2


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        """So it is."""
        return True


@pytest.mark.parametrize(("answer", "status", "left"), [("y\n", 0, 1), ("\n", 1, 2), ("no\n", 1, 2)])
def test_on_a_terminal_dropping_asks(
    state: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, left: int
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))

    assert main(["spool", "drop", str(state)]) == status
    assert len(list(state.rglob("*.open"))) == left


def test_sending_needs_somewhere_to_send_to(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DASHLIGHT_COLLECTOR", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)

    assert main(["spool", "send", str(state)]) == 2
    assert "DASHLIGHT_COLLECTOR=''" in capsys.readouterr().err


def test_what_was_set_aside_is_told(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aside = state / "shop-1234" / "spool" / "quarantine"
    aside.mkdir(mode=0o700)
    (aside / "damaged").write_bytes(b"x")

    main(["spool", "list", str(state)])

    assert "shop-1234: 1 damaged files were set aside" in capsys.readouterr().out


def test_a_segment_that_cannot_be_read_is_damaged(state: Path, said: Callable[[], Any]) -> None:
    (path, _) = sorted(state.rglob("*.open"))
    path.unlink()
    path.symlink_to("/etc/hostname")

    assert main(["spool", "verify", str(state), "--json"]) == 1
    assert list(said()["damaged"]) == [str(path)]


def test_a_segment_that_was_sent_meanwhile_is_not_damaged(state: Path) -> None:
    reports = list(segments(state / "shop-1234" / "spool"))
    for report in reports:
        report.path.unlink()

    assert [damage_of(report) for report in reports] == ["", ""]


def test_dropping_tells_of_what_was_set_aside(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aside = state / "shop-1234" / "spool" / "quarantine"
    aside.mkdir(mode=0o700)
    (aside / "damaged").write_bytes(b"x")

    assert main(["spool", "drop", str(state), "--yes"]) == 0
    assert main(["spool", "drop", str(state), "--yes"]) == 0
    assert capsys.readouterr().out == "3 removed, and 1 damaged files\n0 removed\n"
