"""The table of all methods on all streams, as text or as Markdown, and what it says of the targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.detection_cost import Figure
from benchmarks.detection_months import Month
from benchmarks.detection_oracle import oracle_rows
from benchmarks.detection_outcome import ONSETS_PER, Outcome, Summary, summary
from benchmarks.detection_runs import OURS, SLOW, Kind, Line
from benchmarks.detection_shifts import Promise

_HEADINGS: Mapping[Kind, str] = {
    "quiet": f"nothing changes: false alarms per {ONSETS_PER:,} evaluations (share of time in alarm)",
    "change": "something changes: rows until the alarm, median (share of runs that missed it)",
    "order": "real rows in time order, changes unknown: rows until the first alarm; share of time in alarm; alarms",
}
LEGEND = (
    "references: 10,000 rows where not told; clusters, runs, sessions and AR 20,000, rhythms 48,000 and 56,000, flights in order 5,002",
    "* in false alarm before the change in most runs: the delay proves nothing",
    "missed: in more than half of the runs",
)
SLOW_ONE = f"{SLOW} takes long: it watches one column (one that changes, where one does), on the first seed only"

QUIET_TARGETS: Mapping[str, tuple[float, float]] = {"AR(1) 0.99": (20, 1)}
"""False alarms per ONSETS_PER evaluations: at most, and at best. Others: (1, 0)."""
DELAY_TARGETS: Mapping[str, tuple[int, int]] = {
    "mean +0.15 sd, ten columns": (2500, 500),
    "mean +0.25 sd": (1500, 900),
    "mean +0.5 sd": (400, 300),
    "mean +1 sd": (200, 100),
    "sd x 1.25": (1000, 600),
    "sd x 1.5": (300, 200),
    "bimodal, same mean and sd": (2500, 1300),
    "laplace, same mean and sd": (1500, 800),
    "tail, 2 % of rows x 10": (4000, 2000),
    "new category 1 %": (3000, 1500),
    "new category 5 %": (400, 200),
    "missing 1 -> 3 %": (4000, 2500),
    "missing 1 -> 10 %": (400, 200),
    "correlation 0 -> 0.5": (700, 400),
    "correlation 0 -> 0.8": (300, 200),
    "car loans, change at 25,000": (200, 100),
    "all missing among AR(1) 0.99, R = 1,000": (300, 300),
    "all missing among AR(1) 0.98": (300, 300),
    "all of a wrong type among AR(1) 0.99, R = 1,000": (300, 300),
    "rare flag 0.5 -> 2 %, R = 20,000": (3000, 3000),
}
"""Rows: at most, and at best."""


def rendered(lines: Sequence[Line], methods: Sequence[str], *, markdown: bool) -> str:
    """The table of *lines*, one column for each of *methods*."""
    rows: list[Sequence[str]] = [("", *methods)]
    kind: Kind | None = None
    for line in lines:
        if line.kind != kind:
            kind = line.kind
            heading = _HEADINGS[kind]
            rows.append((f"**{heading}**" if markdown else heading, *[""] * len(methods)))
        rows.append((line.name, *_cells(line, methods, markdown=markdown)))
    return _markdown(rows) if markdown else _text(rows)


def notes(lines: Sequence[Line]) -> Iterator[str]:
    """What the table's reader has to know."""
    yield from LEGEND
    if any(line.outcomes.get(SLOW) for line in lines):
        yield SLOW_ONE
    yield from (f"{line.name}: not run, {line.why_not}" for line in lines if line.why_not)


def verdicts(lines: Sequence[Line]) -> Iterator[str]:
    """What ours says of each target: `met`, `best` where it meets the better one, `MISSED`."""
    for line in lines:
        if not line.outcomes.get(OURS):
            continue
        found = summary(line.outcomes[OURS])
        value: float | None
        if line.kind == "quiet":
            most, best = QUIET_TARGETS.get(line.name, (1, 0))
            value = found.onsets
        elif line.name in DELAY_TARGETS:
            most, best = DELAY_TARGETS[line.name]
            value = found.delay_rows
        else:
            continue
        shown = "missed" if value is None else _number(value)
        yield f"{_verdict(value, most, best):6}  {line.name}: {shown}, at most {most:,}, at best {best:,}"


def of_months(months: Sequence[Month], *, markdown: bool) -> str:
    """Simulated months, one row each."""
    rows: list[Sequence[str]] = [
        ("R", "seed", "panes", "false alarms", "evidence alone", "largest margin", "us a pane", "seconds drawing")
    ]
    rows.extend(
        (
            f"{month.reference_rows:,}",
            str(month.seed),
            f"{month.panes:,}",
            str(month.alarms),
            str(month.evidence_onsets),
            f"{month.largest_margin:.1f} nats",
            f"{1e6 * month.judge_seconds / max(month.panes, 1):.0f}",
            f"{month.drawing_seconds:.1f}",
        )
        for month in months
    )
    return _markdown(rows) if markdown else _text(rows)


def of_costs(figures: Sequence[Figure], *, markdown: bool) -> str:
    """Costs, one row each, beside their targets."""
    rows: list[Sequence[str]] = [("cost", "measured", "at most", "")]
    for each in figures:
        most = "" if each.most is None else f"{each.most:,g} {each.unit}"
        rows.append((each.what, f"{each.value:,.3g} {each.unit}", most, each.verdict))
    return _markdown(rows) if markdown else _text(rows)


def _cells(line: Line, methods: Sequence[str], *, markdown: bool) -> list[str]:
    if line.why_not:
        return ["not run"] * len(methods)
    cells = [_cell(line.kind, line.outcomes[method]) for method in methods]
    return [f"**{cell}**" if markdown and method == OURS else cell for method, cell in zip(methods, cells, strict=True)]


def _cell(kind: Kind, outcomes: Sequence[Outcome]) -> str:
    found = summary(outcomes)
    if kind == "quiet":
        return _number(found.onsets) + (f" ({found.alarm_share:.0%})" if found.onsets else "")
    if kind == "change":
        return _delay(found)
    first = "none" if found.delay_rows is None else _number(found.delay_rows)
    return f"{first}; {found.alarm_share:.0%}; {sum(each.false_onsets for each in outcomes)}"


def _delay(found: Summary) -> str:
    star = "*" if found.mostly_false else ""
    if found.delay_rows is None:
        return f"missed{star}"
    share = f" ({found.missed_share:.0%})" if found.missed_share else ""
    return f"{_number(found.delay_rows)}{star}{share}"


def _number(value: float) -> str:
    return f"{value:.1f}" if 0 < value < 10 else f"{value:,.0f}"


def against_the_oracle(lines: Sequence[Line], *, pane_rows: int, markdown: bool) -> str:
    """How many times as long ours takes as an oracle that knows the change, see `detection_oracle`."""
    rows: list[Sequence[str]] = [("", OURS, "an oracle", "times")]
    for line in lines:
        best = oracle_rows(line.name, pane_rows=pane_rows)
        if best is None or not line.outcomes.get(OURS):
            continue
        delay = summary(line.outcomes[OURS]).delay_rows
        times = "" if delay is None else f"{delay / best:.1f}"
        rows.append((line.name, "missed" if delay is None else _number(delay), _number(best), times))
    return _markdown(rows) if markdown else _text(rows)


def of_promises(promises: Sequence[Promise], *, markdown: bool) -> str:
    """The table of what was told as detectable, and in how many columns it was detected."""
    rows: list[Sequence[str]] = [("what moves", "reference", "rows", "h", "found")]
    for each in promises:
        sizes = f"{each.reference_rows:,}", f"{each.watched_rows:,}", f"{each.shift:.2f}"
        rows.append((each.kind, *sizes, f"{each.found_share:.0%}"))
    return _markdown(rows) if markdown else _text(rows)


def _verdict(value: float | None, most: float, best: float) -> str:
    if value is None or value > most:
        return "MISSED"
    return "best" if value <= best else "met"


def _text(rows: Sequence[Sequence[str]]) -> str:
    full = [row for row in rows if len(row) == 1 or any(row[1:])]
    widths = [max(len(row[place]) for row in full) for place in range(len(rows[0]))]
    shown: list[str] = []
    for row in rows:
        if not any(row[1:]):
            shown.extend(["", row[0]])
        else:
            cells = [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
            shown.append("  ".join([f"{row[0]:{widths[0]}}", *cells]).rstrip())
    return "\n".join(shown)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    shown = ["| " + " | ".join(row) + " |" for row in rows]
    shown.insert(1, "|---" + "|---:" * (len(rows[0]) - 1) + "|")
    return "\n".join(shown)
