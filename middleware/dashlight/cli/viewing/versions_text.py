"""Two versions of a model side by side, told in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isfinite
from typing import Final, TextIO

from dashlight.cli.progress import print_table
from dashlight.judge.versions.report import VersionFigure, VersionReport
from dashlight.judge.words import number, percent, printable, span
from dashlight.page.values import sentence

DECISIONS: Final = {"worse": "worse", "no_worse": "no worse", "undecided": "undecided"}
_SECONDS: Final = ("latency", "first_byte")
_RATE: Final = "_rate"


def print_comparison(report: VersionReport, out: TextIO) -> None:
    """Writes *report* as a person reads it: who has how much of the traffic, what is decided, every figure."""
    how = "side by side" if report.is_simultaneous else "before and after: the traffic may differ"
    where = f"{printable(report.model)} at {printable(report.endpoint)}"
    print(
        f"{where}: {printable(report.stable)} (stable) and {printable(report.candidate)} (candidate), {how}", file=out
    )
    shares = sorted(report.shares.items(), key=lambda item: -item[1])
    told = (f"{printable(name)} {percent(share)} ({report.rows.get(name, 0):,})" for name, share in shares)
    print(f"traffic: {', '.join(told)}", file=out)
    print(f"{DECISIONS[report.decision]} by {printable(report.figure)}: {sentence(report.words)}", file=out)
    head = (
        "figure",
        "stable",
        "candidate",
        "difference",
        f"at {percent(1 - report.level)}, at any look",
        "rows of each",
        "",
    )
    print_table(head, list(map(_row, report.figures)), out)


def of_figure(figure: VersionFigure, stable: str, candidate: str, *, level: float) -> str:
    """What *figure* shows of two versions at *level*.

    As `2.1 % (v1, of 900) and 2.4 % (v2, of 100), difference 0.3 % (-0.1 % to 0.7 %)`.
    """
    own, other = f"{stable}, of {figure.stable_rows:,}", f"{candidate}, of {figure.candidate_rows:,}"
    if figure.evidence is None or not isfinite(figure.difference):
        return f"{sentence(figure.words)} ({own}; {other})"
    low, high = figure.evidence.interval(level)
    both = f"{value_of(figure, figure.stable)} ({own}) and {value_of(figure, figure.candidate)} ({other})"
    return f"{both}, difference {value_of(figure, figure.difference)} ({_bounds(figure, low, high)})"


def value_of(figure: VersionFigure, value: float) -> str:
    """*value* of *figure* in its unit."""
    if not isfinite(value):
        return ""
    if figure.name.startswith(_SECONDS):
        return f"-{span(-value)}" if value < 0 else span(value) if value else "0 s"
    if figure.name.endswith(_RATE):
        return f"-{percent(-value)}" if value < 0 else percent(value)
    return number(value)


def _row(figure: VersionFigure) -> tuple[str, ...]:
    marks = [*(["decides"] if figure.is_deciding else []), *(["for many rows only"] if figure.is_asymptotic else [])]
    if isfinite(figure.difference):
        marks.append(DECISIONS[figure.decision])
    else:
        marks.append(sentence(figure.words))
    return (
        printable(figure.name),
        value_of(figure, figure.stable),
        value_of(figure, figure.candidate),
        value_of(figure, figure.difference),
        _bounds(figure, figure.low, figure.high) if isfinite(figure.difference) else "",
        f"{figure.stable_rows:,} and {figure.candidate_rows:,}",
        ", ".join(marks),
    )


def _bounds(figure: VersionFigure, low: float, high: float) -> str:
    return "not bounded yet" if (low, high) == (-inf, inf) else " to ".join(_ends(figure, low, high))


def _ends(figure: VersionFigure, low: float, high: float) -> Iterator[str]:
    yield "anything" if low == -inf else value_of(figure, low)
    yield "anything" if high == inf else value_of(figure, high)
