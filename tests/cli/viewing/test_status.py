"""`dashlight status`, by directory and by URL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashlight.cli.main import main, parser
from dashlight.page.view import View
from dashlight.records import Alert

NOW = 1_790_000_000.0
TOKEN = "a-token-of-some-length"


def status(*words: str) -> int:
    """The exit status of the command at the moment NOW."""
    arguments = parser(["status"]).parse_args(["status", *words])
    from dashlight.cli.status import run

    return run(arguments, NOW)


def test_what_is_wrong_comes_first_since_when_for_whom_and_with_an_example(
    view: Callable[..., View],
    an_alert: Callable[..., Alert],
    state_dir: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = status("--state-dir", str(state_dir(view(an_alert()))))

    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[:6] == [
        "RED  1 firing, 0 pending; as of 2026-09-21 14:13:16 UTC, 4 s ago; 2 workers, 50 % of exchanges analysed",
        "",
        "firing  /predict risk 3 carrier=UA, since 2026-09-21 14:06:20 UTC (7 min)",
        "    age ?[31m<b>größe?? rose from 40 to 60",
        "    most of it where hour is 19 to 23",
        "    traces: 0af7651916cd43dd8448eb211c80319c",
    ]


def test_where_it_hurts_is_said_once(
    view: Callable[..., View],
    an_alert: Callable[..., Alert],
    state_dir: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    alert = an_alert()
    assert alert.slice is not None
    said = replace(alert, summary=f"age rose{(where := '; it is everywhere: 89 % of the rows')}")

    status("--state-dir", str(state_dir(view(replace(said, slice=replace(alert.slice, summary=where))))))

    assert capsys.readouterr().out.count("it is everywhere") == 1


def test_everything_else_stands_in_tables(
    view: Callable[..., View],
    an_alert: Callable[..., Alert],
    state_dir: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    status("--state-dir", str(state_dir(view(an_alert()))))

    text = capsys.readouterr().out
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "/predict 1,200 12.5 2 % 0 % 5 ms 50 ms" in rows
    assert "/predict risk 3 watching 1,200 red green green green" in rows
    assert "/new young learning 1,200 grey grey grey grey" in rows
    assert "risk accuracy 0.9 (0.88 to 0.92) 0.93 0.91 (0.9 to 0.92) 1,200" in rows
    assert "risk age 0.5 (0.4 to 0.6)" in rows
    assert rows[rows.index("SEGMENTS") + 2 :][:2] == [
        "risk carrier=UA alert 200 17 % 30 %",
        "risk carrier=AA 900 75 % 1 %",
    ]
    assert "young inputs grey its reference is being learned: 40 % of the rows are there" in rows
    assert all(each.isprintable() for each in text.replace("\n", ""))


def test_of_many_segments_those_that_hurt_are_listed_and_the_others_counted(
    view: Callable[..., View], state_dir: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    many = [("rows", 100.0, 0.0, 1.0, f"carrier={place}") for place in range(12)]
    labelled = [
        ("accuracy", 0.8, 0.7, 0.9, "carrier=3"),
        ("estimated_accuracy", 0.7, 0.6, 0.8, "carrier=4"),
        ("failure_rate", 0.5, 0.4, 0.6, "carrier=11"),
    ]

    status("--state-dir", str(state_dir(view(segments=[*many, *labelled]))))

    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    start = rows.index("SEGMENTS")
    assert rows[start + 2 :][:2] == [
        "risk carrier=11 fails more 100 8.3 % 50 %",
        "risk carrier=UA fails more 200 17 % 30 %",
    ]
    assert "risk carrier=3 100 8.3 % accuracy 0.8 (0.7 to 0.9)" in rows
    assert "risk carrier=4 100 8.3 % accuracy 0.7 (0.6 to 0.8), estimated" in rows
    assert rows[start + 12] == "and 4 segments more, in --json"


def test_a_slice_that_is_in_the_sentence_already_is_told_once(
    view: Callable[..., View],
    an_alert: Callable[..., Alert],
    state_dir: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    alert = an_alert()
    said = replace(alert, summary=f"{alert.summary}; most of it where hour is 19 to 23")

    status("--state-dir", str(state_dir(view(said))))

    assert capsys.readouterr().out.count("most of it where hour is 19 to 23") == 1


@pytest.mark.parametrize(("state", "code"), [("firing", 1), ("pending", 0)])
def test_it_fails_where_an_alert_fires(
    state: str,
    code: int,
    view: Callable[..., View],
    an_alert: Callable[..., Alert],
    state_dir: Callable[..., Path],
) -> None:
    assert status("--state-dir", str(state_dir(view(an_alert(state))))) == code


def test_what_an_app_that_ended_judged_last_is_shown_with_its_age_and_is_not_called_fine(
    view: Callable[..., View], state_dir: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code = status("--state-dir", str(state_dir(view(at=NOW - 7200))))

    told = capsys.readouterr()
    assert code == 2
    assert told.out.startswith(
        "GREEN  no alert is in force; as of 2026-09-21 12:13:20 UTC: nothing has been judged for 2 h"
    )
    assert told.err == "dashlight status: nothing has been judged for 7200 s\n"


def test_by_url_and_by_directory_it_is_the_same(
    app: Any, view: Callable[..., View], state_dir: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [
        status("--json", "--state-dir", str(state_dir(view()))),
        status("--json", "--url", app.url, "--token", TOKEN),
    ]

    by_directory, by_url = capsys.readouterr().out.splitlines()
    assert (codes, by_directory) == ([0, 0], by_url)
    assert app.asked == ["/dashlight/api/v1/status"]


@pytest.mark.parametrize("end", ["", "/", "/dashlight", "/dashlight/"])
def test_the_url_may_be_of_the_app_or_of_its_path(end: str, app: Any) -> None:
    assert status("--url", f"{app.url}{end}", "--token", TOKEN) == 0
    assert app.asked == ["/dashlight/api/v1/status", "/dashlight/api/v1/versions"]


def test_settings_of_the_app_are_the_defaults(
    app: Any, view: Callable[..., View], state_dir: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHLIGHT_STATE_DIR", str(state_dir(view())))
    assert status() == 0
    # The token that the app keeps there is found, and tried.
    assert status("--url", app.url) == 0
    monkeypatch.setenv("DASHLIGHT_TOKEN", "another-token-of-some-length")
    assert status("--url", app.url) == 2
    monkeypatch.setenv("DASHLIGHT_TOKEN", TOKEN)
    monkeypatch.setenv("DASHLIGHT_PATH", "/elsewhere")
    assert status("--url", app.url) == 0
    assert app.asked[-1] == "/elsewhere/api/v1/versions"


def test_a_token_may_stand_in_a_file(app: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    assert status("--url", app.url, "--token-file", str(tmp_path / "token")) == 0


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (401, "the token is another one"),
        (404, "the app needs DASHLIGHT_METRICS=true"),
        (503, "nothing has been judged yet"),
        (302, "status 302"),
        (500, "status 500"),
    ],
)
def test_what_is_refused_is_told_and_nothing_is_followed(
    answered: int, words: str, app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    app.status = answered

    code = status("--url", app.url, "--token", TOKEN)

    told = capsys.readouterr().err
    assert (code, len(app.asked)) == (2, 1)
    assert words in told
    assert told.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"version":2}', b"\xff", b'{"version":1,"at":"now"}', b"[" * 100_000]
)
def test_what_is_no_answer_of_ours_is_told(body: bytes, app: Any, capsys: pytest.CaptureFixture[str]) -> None:
    app.shown = View(NOW, body, body)

    assert status("--url", app.url, "--token", TOKEN) == 2
    assert "that is no answer of Dashlight's" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "expected --state-dir, or the variable DASHLIGHT_STATE_DIR"),
        (("--state-dir", "/nowhere"), "/nowhere holds no application"),
        (("--url", "ftp://a"), "--url"),
        (("--url", "http://192.0.2.1"), "no token is known"),
        (("--url", "http://127.0.0.1:1", "--token", TOKEN), "unreachable"),
        (("--url", "http://127.0.0.1:1", "--token-file", "/nowhere"), "/nowhere: No such file"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(*words) == 2

    said = capsys.readouterr().err
    assert said.startswith("dashlight status: ")
    assert told in said
    assert said.count("\n") == 1


def test_before_anything_is_judged_and_where_the_file_is_damaged_that_is_told(
    view: Callable[..., View], state_dir: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    directory = state_dir(None)
    assert status("--state-dir", str(directory)) == 2
    assert "nothing has been judged yet" in capsys.readouterr().err

    (path,) = state_dir(view()).glob("*/view")
    path.write_bytes(path.read_bytes()[:-3])
    assert status("--state-dir", str(directory)) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_the_gate_runs_as_a_command(
    app: Any, view: Callable[..., View], state_dir: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["gate", "--model", "risk", "--candidate", "v2", "--max-loss", "1%"]

    assert main([*asked, "--url", "http://127.0.0.1:1", "--token", TOKEN]) == 2
    assert "cannot ask: http://127.0.0.1:1: unreachable" in capsys.readouterr().out
    assert main([*asked, "--state-dir", "/nowhere"]) == 2
    for option, value in (("--level", "5"), ("--level", "0"), ("--max-loss", "nan"), ("--wait", "soon")):
        assert main([*asked, "--url", app.url, "--token", TOKEN, option, value]) == 2
        assert f"{option} {value}: expected" in capsys.readouterr().err
    with pytest.raises(SystemExit) as misused:
        main(["gate", "--model", "risk"])
    assert misused.value.code == 2


def test_versions_that_are_not_compared_are_told(app: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", "--url", app.url, "--token", TOKEN]) == 1
    assert capsys.readouterr().out == "no two versions are compared, or none of what was asked for\n"
