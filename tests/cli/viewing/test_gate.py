"""Whether a candidate may go on: asked until it is decided; what cannot be asked never lets pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, log, nan
from typing import Any

import msgspec
import pytest

from dashlight.cli.viewing.gate import Gate, GateQuestion
from dashlight.cli.viewing.source import NotSeenError, Part
from dashlight.judge.versions.evidence import SequentialEvidence
from dashlight.judge.versions.report import VersionFigure, VersionReport
from dashlight.page.versions import versions_of

NOTHING = SequentialEvidence((0.0, 0.01, 0.02), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
WORSE = SequentialEvidence((0.0, 0.01, 0.02), (9.0, log(20) + 0.01, 0.0), (0.0, 0.0, 0.0))
NO_WORSE = SequentialEvidence((0.0, 0.01, 0.02), (0.0, 0.0, 0.0), (0.0, log(20) + 0.01, 9.0))
QUESTION = GateQuestion("risk", "v2", "", "", "failure_rate", max_loss=0.01, level=0.05)
NOW = 1_790_000_000.0


def report(evidence: SequentialEvidence | None = NOTHING, *, rows: int = 100, **others: Any) -> VersionReport:
    figure = VersionFigure(
        "failure_rate", 0.02, 0.03, 0.01, 0.0, inf,
        higher_is_worse=True, stable_rows=900, candidate_rows=rows, is_deciding=True, is_asymptotic=False,
        decision="undecided", words="too few", evidence=evidence,
    )  # fmt: skip
    made = VersionReport(
        "/predict", "risk", "v1", "v2", is_simultaneous=True, shares={"v1": 0.9, "v2": 0.1}, rows={},
        figures=(figure,), figure="failure_rate", max_loss=0.0, level=0.05, decision="undecided", decided_at=nan,
        words="",
    )  # fmt: skip
    return replace(made, **others)


Answer = Sequence[VersionReport] | NotSeenError


class Played:
    """A source that answers one thing after the other, the last for ever, and the clock of who asks it."""

    def __init__(self, *answers: Answer, age_seconds: float = 5.0, stands: bool = False) -> None:
        self.answers = list(answers)
        self.age_seconds = age_seconds
        self.stands = stands
        self.seconds = 0.0
        self.lines: list[str] = []

    def __call__(self, part: Part, /) -> bytes:
        assert part == "versions"
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, NotSeenError):
            raise answer
        at = NOW - self.age_seconds + (0.0 if self.stands else self.seconds)
        return msgspec.json.encode(versions_of(answer, at=at, pane_seconds=10.0))

    def ask(self, question: GateQuestion = QUESTION, *, wait_seconds: float = 60.0) -> tuple[str, str]:
        return Gate(
            question,
            self,
            now=lambda: NOW + self.seconds,
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            tell=self.lines.append,
        ).decided(wait_seconds)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds


def test_it_asks_until_it_is_decided() -> None:
    played = Played([report()], [report()], [report(NO_WORSE)])

    verdict, words = played.ask()

    assert (verdict, played.seconds) == ("no_worse", 20.0)
    assert words == (
        "v2 is no worse than v1, or by at most the allowed 1 % (level 5 %): failure_rate 2 % (v1, of 900) and 3 % (v2, of 100),"
        " difference 1 % (anything to 2 %)"
    )
    assert len(played.lines) == 1


def test_a_worse_candidate_is_told_at_once() -> None:
    verdict, words = Played([report(WORSE)]).ask(wait_seconds=0.0)

    assert verdict == "worse"
    assert words.startswith(
        "v2 is worse than v1, by more than the allowed 1 % (level 5 %): failure_rate 2 % (v1, of 900)"
    )


def test_it_goes_by_the_loss_and_level_that_were_chosen_and_not_by_the_report() -> None:
    assert Played([report(WORSE)]).ask(replace(QUESTION, max_loss=0.02))[0] == "undecided"
    assert Played([report(WORSE)]).ask(replace(QUESTION, level=0.01))[0] == "undecided"
    assert Played([report(NO_WORSE)]).ask(replace(QUESTION, max_loss=0.02, level=0.001))[0] == "no_worse"


def test_when_the_wait_is_over_it_is_undecided_and_says_why() -> None:
    played = Played([report()])

    verdict, words = played.ask(wait_seconds=60.0)

    assert (verdict, played.seconds) == ("undecided", 60.0)
    assert words.endswith("difference 1 % (not bounded yet); waited 1 min")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([], "risk v2 is not compared with anything yet; compared are: none; waited 30 s"),
        (
            [report(candidate="v3")],
            "risk v2 is not compared with anything yet; compared are: risk v3 with v1 at /predict; waited 30 s",
        ),
        ([replace(report(), figures=())], "there is no failure_rate so far; there are: none; waited 30 s"),
    ],
    ids=["nothing", "another", "no figure"],
)
def test_what_is_not_there_yet_is_waited_for_and_never_lets_pass(answer: Answer, words: str) -> None:
    assert Played(answer).ask(wait_seconds=30.0) == ("undecided", words)


def test_what_could_never_be_asked_is_not_undecided() -> None:
    played = Played(NotSeenError("http://a: unreachable: ConnectError"))

    verdict, words = played.ask(wait_seconds=30.0)

    assert (verdict, words) == ("cannot_ask", "http://a: unreachable: ConnectError; waited 30 s")
    assert played.lines == ["http://a: unreachable: ConnectError"]


def test_contact_that_is_lost_leaves_it_undecided_and_one_that_returns_decides() -> None:
    lost = Played([report()], NotSeenError("gone"))
    back = Played([report()], NotSeenError("gone"), [report(NO_WORSE)])

    assert lost.ask(wait_seconds=30.0)[0] == "undecided"
    assert back.ask(wait_seconds=30.0)[0] == "no_worse"
    assert back.lines[1] == "gone"


def test_a_mistake_is_not_waited_for() -> None:
    played = Played(NotSeenError("the token is another one", is_mistake=True))

    with pytest.raises(NotSeenError, match="the token is another one"):
        played.ask(wait_seconds=7200.0)
    assert played.seconds == 0


def test_a_decision_of_last_week_lets_nothing_pass() -> None:
    verdict, words = Played([report(NO_WORSE)], age_seconds=7 * 86_400.0, stands=True).ask(wait_seconds=30.0)

    assert verdict == "cannot_ask"
    assert words == "nothing has been judged for 7 d: is the app running?; waited 30 s"


def test_a_clock_that_is_wrong_does_not_matter_while_something_is_judged() -> None:
    assert Played([report(NO_WORSE)], age_seconds=-7200.0).ask(wait_seconds=30.0)[0] == "no_worse"


def test_where_several_match_it_has_to_be_said_which() -> None:
    several = [report(NO_WORSE), report(WORSE, endpoint="/score")]

    with pytest.raises(NotSeenError, match="--endpoint or --stable: v1 at /predict, v1 at /score") as caught:
        Played(several).ask()
    assert caught.value.is_mistake
    assert Played(several).ask(replace(QUESTION, endpoint="/score"))[0] == "worse"


def test_a_line_is_told_when_something_changes_and_when_there_is_twice_as_much() -> None:
    looks: list[Answer] = [[], [], [report(rows=100)], [report(rows=110)], [report(rows=200)], [report(WORSE)]]
    played = Played(*looks)

    assert played.ask(wait_seconds=600.0)[0] == "worse"

    assert [line.split(" ")[0:3] for line in played.lines] == [
        ["risk", "v2", "is"],
        ["too", "little", "is"],
        ["too", "little", "is"],
    ]


def test_hostile_names_are_asked_for_as_they_are_and_told_on_one_line() -> None:
    name = "\x1b[31m\n\u202e" + "x" * 200

    verdict, words = Played([report(NO_WORSE, candidate=name)]).ask(replace(QUESTION, candidate=name))

    assert verdict == "no_worse"
    assert words.isprintable()


def test_without_evidence_nothing_is_decided() -> None:
    verdict, words = Played([report(None)]).ask(wait_seconds=0.0)

    assert (verdict, words.endswith("failure_rate too few (v1, of 900; v2, of 100)")) == ("undecided", True)
