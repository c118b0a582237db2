"""Whether a candidate may go on: asks again and again until that is decided, or the wait is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dashlight.cli.viewing.source import NotSeenError, ViewSource, is_stale, seen
from dashlight.cli.viewing.versions_text import of_figure, value_of
from dashlight.judge.versions.evidence import Decision
from dashlight.judge.versions.report import VersionFigure, VersionReport, decide
from dashlight.judge.words import listed, percent, printable, span
from dashlight.metrics.instruments import label
from dashlight.page.versions import ShownVersions, report_of

_LEAST_PAUSE_SECONDS: Final = 1.0
_MOST_PAUSE_SECONDS: Final = 60.0
Verdict: TypeAlias = Literal["worse", "no_worse", "undecided", "cannot_ask"]


@dataclass(frozen=True, slots=True)
class GateQuestion:
    """What is asked, chosen before anything is looked at."""

    model: str
    candidate: str
    stable: str
    """Empty: whichever it is compared with."""
    endpoint: str
    """Empty: at the only endpoint where it is compared."""
    figure: str
    max_loss: float
    """In the unit of the figure."""
    level: float
    """Chance of a wrong decision, at most, however often it is asked."""

    def matches(self, report: VersionReport) -> bool:
        """Whether *report* is about the versions that are asked for."""
        asked = (
            (self.model, report.model),
            (self.candidate, report.candidate),
            (self.stable, report.stable),
            (self.endpoint, report.endpoint),
        )
        return all(not wanted or label(wanted) == told for wanted, told in asked)


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen at one look."""

    verdict: Verdict
    kind: str
    """What it is said once for."""
    words: str


class Gate:
    """Asks a source until the question is decided. A gate that cannot ask never lets pass."""

    def __init__(
        self,
        question: GateQuestion,
        source: ViewSource,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        tell: Callable[[str], None],
    ) -> None:
        """*tell* hears of what changes, a line each."""
        self._question = question
        self._source = source
        self._now, self._monotonic, self._sleep = now, monotonic, sleep
        self._tell = tell
        self._told = ""
        self._first_at: float | None = None
        """Of the view that was there at the first look."""
        self._has_asked = False
        self._pane_seconds = 10.0

    def decided(self, wait_seconds: float) -> tuple[Verdict, str]:
        """What is decided within *wait_seconds*, and why, in words.

        Raises:
            NotSeenError: what was asked for has to be corrected first, or cannot be told apart.
        """
        end_at = self._monotonic() + wait_seconds
        while True:
            look = self._look()
            if look.verdict in {"worse", "no_worse"}:
                return look.verdict, look.words
            if look.kind != self._told:
                self._told = look.kind
                self._tell(look.words)
            left = end_at - self._monotonic()
            if left <= 0:
                is_known = look.verdict == "undecided" or self._has_asked
                waited = f"; waited {span(wait_seconds)}" if wait_seconds > 0 else ""
                return "undecided" if is_known else "cannot_ask", f"{look.words}{waited}"
            self._sleep(min(left, max(_LEAST_PAUSE_SECONDS, min(self._pane_seconds, _MOST_PAUSE_SECONDS))))

    def _look(self) -> _Look:
        try:
            shown = seen(self._source("versions"), ShownVersions)
        except NotSeenError as error:
            if error.is_mistake:
                raise
            return _Look("cannot_ask", str(error), str(error))
        self._pane_seconds = shown.pane_seconds
        if self._first_at is None:
            self._first_at = shown.at
        # One that moves is judged now, whatever the clocks say; one that stands may be about a release of last week.
        age_seconds = self._now() - shown.at
        if shown.at == self._first_at and is_stale(age_seconds, shown.pane_seconds):
            return _Look(
                "cannot_ask", "stale", f"nothing has been judged for {span(abs(age_seconds))}: is the app running?"
            )
        self._has_asked = True
        return self._of(list(map(report_of, shown.comparisons)))

    def _of(self, reports: Sequence[VersionReport]) -> _Look:
        asked = self._question
        found = [report for report in reports if asked.matches(report)]
        if len(found) > 1:
            several = [f"{each.stable} at {each.endpoint}" for each in found]
            raise NotSeenError(
                f"{printable(asked.candidate)} is compared with several: say which with --endpoint or --stable:"
                f" {listed(several)}",
                is_mistake=True,
            )
        if not found:
            there = [f"{each.model} {each.candidate} with {each.stable} at {each.endpoint}" for each in reports]
            words = f"{printable(asked.model)} {printable(asked.candidate)} is not compared with anything yet"
            return _Look("undecided", "absent", f"{words}; compared are: {listed(there) or 'none'}")
        (report,) = found
        named = {figure.name: figure for figure in report.figures}
        figure = named.get(label(asked.figure))
        if figure is None:
            words = f"there is no {printable(asked.figure)} so far; there are: {listed(list(named)) or 'none'}"
            return _Look("undecided", "no figure", words)
        return _decided(asked, report, figure)


def _decided(asked: GateQuestion, report: VersionReport, figure: VersionFigure) -> _Look:
    decision: Decision = decide(report, figure.name, max_loss=asked.max_loss, level=asked.level)
    stable, candidate = printable(report.stable), printable(report.candidate)
    shown = f"{printable(figure.name)} {of_figure(figure, stable, candidate, level=asked.level)}"
    allowed = f"the allowed {value_of(figure, asked.max_loss)} (level {percent(asked.level)})"
    words = {
        "worse": f"{candidate} is worse than {stable}, by more than {allowed}: {shown}",
        "no_worse": f"{candidate} is no worse than {stable}, or by at most {allowed}: {shown}",
        "undecided": f"too little is known to say whether {candidate} is worse than {stable} by more than {allowed}: {shown}",
    }[decision]
    # Said again each time that there is twice as much.
    return _Look(decision, f"undecided {figure.candidate_rows.bit_length()}", words)
