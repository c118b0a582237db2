"""`dashlight versions` and `dashlight gate`, of an app that compares two versions."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import pytest

from dashlight.cli.main import main
from dashlight.judge.versions.evidence import SequentialEvidence
from dashlight.judge.versions.report import VersionReport
from dashlight.page.view import View

WORSE = SequentialEvidence((0.0, 0.01, 0.02), (9.0, log(20) + 0.01, 0.0), (0.0, 0.0, 0.0))
NO_WORSE = SequentialEvidence((0.0, 0.01, 0.02), (0.0, 0.0, 0.0), (0.0, log(20) + 0.01, 9.0))
TOKEN = "a-token-of-some-length"
Views = Callable[..., View]
Report = Callable[..., VersionReport]


@pytest.fixture
def at(app: Any) -> list[str]:
    """Where to ask."""
    return ["--url", app.url, "--token", TOKEN]


def test_both_versions_are_told_side_by_side(
    app: Any, at: list[str], view: Views, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    app.shown = view(reports=[report(WORSE), report(endpoint="/old", is_simultaneous=False)])

    assert main(["versions", *at]) == 0

    text = capsys.readouterr().out
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert rows[:8] == [
        "risk at /predict: v1 (stable) and v2 (candidate), side by side",
        "traffic: v1 90 % (900), v2 10 % (100)",
        "undecided by failure_rate: too few exchanges",
        "figure stable candidate difference at 95 %, at any look rows of each",
        "failure_rate 2 % 3 % 1 % anything to 5 % 900 and 100 decides, undecided",
        "latency_p99 100 ms 50 ms -50 ms -60 ms to anything 900 and 100 undecided",
        "mae 2 2.5 0.5 0.1 to 0.9 900 and 100 for many rows only, undecided",
        "accuracy 900 and 100 no labels ?[31m<b>größe??",
    ]
    assert rows[9] == "risk at /old: v1 (stable) and v2 (candidate), before and after: the traffic may differ"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("--model", "risk"), 2),
        (("--model", "other"), 0),
        (("--endpoint", "/old"), 1),
        (("--figure", "mae"), 2),
        (("--figure", "other"), 0),
    ],
)
def test_what_is_asked_for_alone_is_shown(
    asked: tuple[str, ...],
    found: int,
    *,
    app: Any,
    at: list[str],
    view: Views,
    report: Report,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app.shown = view(reports=[report(), report(endpoint="/old")])

    assert main(["versions", *asked, *at]) == (0 if found else 1)

    text = capsys.readouterr().out
    assert text.count("(candidate)") == found
    assert ("latency_p99" in text) == (bool(found) and asked[0] != "--figure")


def test_as_json_it_is_what_the_app_tells(
    app: Any, at: list[str], view: Views, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    app.shown = view(reports=[report()])

    assert main(["versions", "--json", *at]) == 0

    assert capsys.readouterr().out.encode() == app.shown.versions + b"\n"
    app.status = 503
    assert main(["versions", *at]) == 2


def test_status_names_the_versions(
    view: Views, report: Report, state_dir: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["status", "--state-dir", str(state_dir(view(reports=[report()])))])

    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "risk /predict v1 v2 10 % failure_rate undecided" in rows


@pytest.mark.parametrize(
    ("evidence", "code", "verdict"),
    [
        (NO_WORSE, 0, "no worse: v2 is no worse than v1"),
        (WORSE, 1, "worse: v2 is worse than v1"),
        (None, 3, "undecided: too little is known to say whether v2 is worse than v1"),
    ],
)
def test_the_exit_status_of_a_gate_is_the_verdict(
    evidence: SequentialEvidence | None,
    code: int,
    verdict: str,
    *,
    app: Any,
    at: list[str],
    view: Views,
    report: Report,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_790_000_000.0)
    app.shown = view(reports=[report(evidence)])

    found = main(["gate", "--model", "risk", "--candidate", "v2", "--max-loss", "1%", *at])

    assert (found, capsys.readouterr().out.startswith(verdict)) == (code, True)


def test_a_gate_finds_what_was_judged_long_ago_and_does_not_let_pass(
    app: Any, at: list[str], view: Views, report: Report
) -> None:
    app.shown = view(reports=[report(NO_WORSE)])

    assert main(["gate", "--model", "risk", "--candidate", "v2", "--max-loss", "1%", "--level", "20%", *at]) == 2


def test_a_wrong_token_stops_a_gate_at_once(app: Any, view: Views) -> None:
    asked = ["gate", "--model", "risk", "--candidate", "v2", "--max-loss", "1%", "--wait", "2h"]

    assert main([*asked, "--url", app.url, "--token", "another"]) == 2
    assert len(app.asked) == 1
