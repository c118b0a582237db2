"""What docs say of segments, slices, versions and the state as JSON is so: their limits, fields, commands and exit statuses."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import msgspec
import pytest

from dashlight.cli import gate, status, versions
from dashlight.cli.main import parser
from dashlight.cli.viewing.source import LEAST_STALE_SECONDS, STALE_PANES
from dashlight.cli.viewing.status_text import MOST_LISTED
from dashlight.counting.parts.sampling import MOST_PANE_ROWS
from dashlight.judge.segments.references import LEAST_ROWS as LEAST_ROWS_OF_A_SEGMENT
from dashlight.judge.slices.search import LEAST_HURT, LEAST_ROWS
from dashlight.judge.versions.pair import ALONE_PANES
from dashlight.metrics.segments import MOST_SEGMENT_SERIES
from dashlight.page import alerts, columns, measures, segments, shape
from dashlight.page import status as page_status
from dashlight.page import versions as page_versions
from dashlight.settings import Settings, variable_of
from dashlight.watching.slices.history import MOST_SINCE
from dashlight.watching.versions.group import MOST_COMPARED
from dashlight.watching.versions.side_by_side import MOST_GROUPS, MOST_PAIRS
from dashlight.window.parts.segments import MOST_SEGMENT_COLUMNS, MOST_VALUES

DOCS = Path(__file__).parents[1] / "docs"
NAMES = ("segments", "slices", "versions", "gate", "api")
PAGES = {name: (DOCS / f"{name}.md").read_text() for name in (*NAMES, "alarms", "metrics")}
NUMBERS = {4: "Four", 8: "eight"}


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("segments", f"the most frequent ({MOST_VALUES - 1} at most), and `other`"),
        ("segments", f"Up to {NUMBERS[MOST_SEGMENT_COLUMNS]} columns have segments"),
        ("segments", f"A segment with fewer than {LEAST_ROWS_OF_A_SEGMENT} rows in the reference's sample"),
        ("segments", f"A slice needs rows: {LEAST_ROWS} since the change"),
        ("slices", f"fewer than {LEAST_ROWS} rows, or fewer than {LEAST_HURT} in a half that hurt"),
        ("slices", f"up to {MOST_SINCE:,} rows since the onset"),
        ("alarms", f"up to {MOST_PANE_ROWS} rows of each pane"),
        (
            "metrics",
            f"At most {MOST_SEGMENT_COLUMNS}\n  columns of {MOST_VALUES} values a model, and {MOST_SEGMENT_SERIES}",
        ),
        ("versions", f"{NUMBERS[MOST_COMPARED]} versions of a model are told apart; {MOST_GROUPS} models have places"),
        ("versions", f"and {MOST_PAIRS} pairs"),
        ("versions", f"asked in {ALONE_PANES} panes in which stable was not"),
        ("gate", f"older than\n{STALE_PANES} panes, or {LEAST_STALE_SECONDS / 60:.0f} minutes".replace(" 2 ", " two ")),
        ("api", "segments (ten a model".replace("ten", {10: "ten"}[MOST_LISTED])),
        ("api", f"the likeliest origin first; at most {alerts.MOST_ALERTS}"),
        ("api", f"then by traffic; at most {page_status.MOST_ENDPOINTS}"),
        ("api", f"| `models` | at most {page_status.MOST_MODELS} |"),
        ("api", f"| `performance` | at most {measures.MOST_MEASURES} of"),
        ("api", f"| `facts` | at most {measures.MOST_FACTS} other scores"),
        ("api", f"how far they moved for sure; at most {columns.MOST_COLUMNS}"),
        ("api", f"`performance` (at most {segments.MOST_MEASURES})"),
        ("api", f"then by rows; at most {segments.MOST_SEGMENTS}"),
        ("api", f"`comparisons` (at most {page_versions.MOST_COMPARISONS};"),
        ("api", f"| `figures` | at most {page_versions.MOST_FIGURES},"),
    ],
)
def test_the_limits_are_those_of_the_code(page: str, words: str) -> None:
    assert words in PAGES[page]


@pytest.mark.parametrize(
    ("begin", "kinds"),
    [
        ("A *value* is", [shape.ShownValue]),
        ("### `status`", [shape.ShownStatus]),
        ("| of an alert", [shape.ShownAlert, shape.ShownSlice, shape.ShownCondition]),
        ("| of an endpoint", [shape.ShownEndpoint]),
        ("| of a model", [shape.ShownModel, shape.ShownMeasure, shape.ShownColumn, shape.ShownSegment]),
        ("### `versions`", [page_versions.ShownVersions]),
        ("| of a comparison", [page_versions.ShownComparison]),
        ("| of a figure", [page_versions.ShownFigure, page_versions.ShownEvidence]),
    ],
)
def test_every_field_that_is_shown_is_told_of(begin: str, kinds: list[type[msgspec.Struct]]) -> None:
    everywhere = {"version", "at", "pane_seconds"}
    section = re.split(r"\n\n(?=\| of |### )", PAGES["api"].partition(begin)[2])[0]

    told = set(re.findall(r"`(\w+)`", section)) | everywhere
    fields = {name for kind in kinds for name in kind.__struct_fields__}
    assert fields <= told
    if begin.startswith("|"):
        rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, flags=re.MULTILINE)
        assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} <= fields


@pytest.mark.parametrize("name", NAMES)
def test_every_command_option_and_setting_of_a_page_is_there(name: str) -> None:
    page = PAGES[name]
    shown = re.findall(r"^ *(?:\$ |(?:- )?run: )?(dashlight .*?)(?: +#.*)?$", page, flags=re.MULTILINE)
    for command in shown:
        assert callable(parser().parse_args(shlex.split(command)[1:]).run)
    assert set(re.findall(r"DASHLIGHT_[A-Z_]+[A-Z]", page)) <= {*map(variable_of, Settings.__dataclass_fields__)}
    for module in re.findall(r"`python -m (benchmarks\.\w+)", page):
        assert (DOCS.parent / module.replace(".", "/")).with_suffix(".py").exists() or (
            DOCS.parent / module.replace(".", "/") / "__main__.py"
        ).exists()


def test_the_exit_statuses_are_those_that_are_told() -> None:
    of_gate = dict(re.findall(r"^\| (\d) \| ([\w ]+\w)", PAGES["gate"], flags=re.MULTILINE))
    of_status = [int(code) for code in re.findall(r"^\| (\d) \|", PAGES["api"], flags=re.MULTILINE)]

    assert gate.EXITS == {"no_worse": 0, "worse": 1, "cannot_ask": 2, "undecided": 3}
    assert of_gate == {"0": "no worse", "1": "worse", "3": "undecided when the wait was over", "2": "wrong usage"}
    assert of_status == [status.FINE, status.FIRING, status.UNKNOWN]
    assert (versions.SHOWN, versions.NONE_FOUND) == (0, 1)


def test_every_page_can_be_found_from_another() -> None:
    texts = [path.read_text() for path in (DOCS.parent / "README.md", *DOCS.glob("*.md"))]

    for path in DOCS.glob("*.md"):
        assert any(path.name in text for text in texts), path.name


def test_nothing_is_told_twice() -> None:
    for name in ("changelog", "promises"):
        text = (DOCS / f"{name}.md").read_text()
        entries = re.findall(r"^- .*(?:\n  .*)*|^\| `?[^-|].*", text, flags=re.MULTILINE)

        assert len(entries) == len(set(entries)), name
