"""What people say of alerts, from the command line to the files that the judge reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dashlight.cli.main import main
from dashlight.records import Alert, Notice
from dashlight.workers.operator import Operator, marks_in, silences_in

AT = 1_790_000_000.0
IDS = ("0199a1b2-0000-7000-8000-00000000000a", "0199a1b2-0000-7000-8000-00000000000b")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with one application, of which two alerts were told."""
    directory = tmp_path / "shop-1"
    directory.mkdir(mode=0o700)
    (directory / "application").write_text("shop:app")
    alert = Alert("k", "drift", "fraud", "1", "/predict", "age", "feature", "firing", "", AT, AT, 1, 1.0)
    Operator(directory, 30 * 86400.0).remember(
        [
            Notice(each, f"i/{each}", "firing", AT, AT, "/predict", "fraud", "1", "age\x1b moved", (alert,), 1)
            for each in IDS
        ]
    )
    return tmp_path


def run(state: Path, *words: str) -> int:
    return main([*words, "--state-dir", str(state)])


def test_a_silence_is_made_listed_and_removed(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(state, "silence", "add", "--column", "age", "--for", "2h", "--why", "a migration") == 0
    [made] = silences_in(state / "shop-1").read()
    assert (made.column, made.why, round(made.until_at - made.made_at)) == ("age", "a migration", 7200)
    assert run(state, "silence", "list") == 0
    assert f"{made.id}: column age; until" in capsys.readouterr().out
    assert run(state, "silence", "remove", made.id) == 0
    assert silences_in(state / "shop-1").read() == ()
    assert run(state, "silence", "remove", made.id) == 2


def test_a_silence_may_last_until_a_moment(state: Path) -> None:
    assert run(state, "silence", "add", "--source", "drift", "--until", "2100-01-01", "--why", "x") == 2
    soon = "2099-01-01T00:00+01:00"
    assert run(state, "silence", "add", "--source", "drift", "--until", soon, "--why", "x") == 2
    assert silences_in(state / "shop-1").read() == ()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--column", "age", "--for", "soon", "--why", "x"], "--for 'soon': expected a duration such as 2h or 7d"),
        (["--column", "age", "--until", "soon", "--why", "x"], "--until 'soon': expected a time such as"),
        (["--column", "age", "--until", "2020-01-01", "--why", "x"], "--until: expected an end in the future"),
        (["--column", "age", "--for", "0s", "--why", "x"], "--for: expected an end in the future"),
        (["--column", "age", "--for", "400d", "--why", "x"], "expected more than none and a year at most"),
        (["--for", "2h", "--why", "x"], "expected --column, --endpoint or --source"),
        (["--column", "age", "--for", "2h", "--why", " "], "a silence without a reason"),
    ],
)
def test_what_is_no_silence_is_told_in_one_line(
    state: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(state, "silence", "add", *words) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("dashlight silence: ")
    assert sentence in line


def test_alerts_are_marked_and_the_budget_is_audited(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mark", "noise", "0a", "--state-dir", str(state)]) == 0
    assert marks_in(state / "shop-1").read() == {IDS[0]: "noise"}
    out = capsys.readouterr().out
    assert "00000000000a: 2026-09-21T14:13:20+00:00 fraud /predict: age? moved [noise]" in out

    assert run(state, "mark", "useful", IDS[0]) == 0
    assert run(state, "mark", "nothing", "0a") == 0
    assert marks_in(state / "shop-1").read() == {}


@pytest.mark.parametrize("identifier", ["ffff", "000"])
def test_a_mark_is_of_one_alert(state: Path, identifier: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(state, "mark", "noise", identifier) == 2
    assert "see `dashlight mark list`" in capsys.readouterr().err


def test_the_audit_is_of_the_time_of_the_budget(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from argparse import Namespace

    from dashlight.cli.mark import run as listed

    assert listed(Namespace(action="list", state_dir=state, app=""), now=AT + 86400) == 0
    assert (
        "fraud /predict: at most 1 false alarm in 30 d is promised; of 2 in that time you marked 0 as noise"
        in capsys.readouterr().out
    )


def test_which_application_is_meant_must_be_clear(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DASHLIGHT_STATE_DIR", raising=False)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "application").write_text("other:app")

    assert run(state, "silence", "list") == 2
    said = capsys.readouterr().err
    assert "holds several applications: say which with --app, by a part of its name: other:app, shop:app" in said
    assert run(state, "silence", "list", "--app", "shop") == 0
    assert main(["silence", "list"]) == 2
    assert main(["silence", "list", "--state-dir", str(tmp_path / "nowhere")]) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_who_is_not_the_user_of_the_app_is_told_so(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.chown(state / "shop-1", 65534, 65534)

    assert run(state, "silence", "list") == 2
    assert "run this as that user" in capsys.readouterr().err
