"""What the build of a reference decided, in words: its columns, what is left out and why, and what is doubtful."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TextIO

import msgspec

from dashlight.cli.performance_text import performance_words
from dashlight.cli.progress import print_table
from dashlight.cli.reference_text import column_words, summary
from dashlight.judge.words import percent
from dashlight.window.columns import LeftOutColumn, Reference
from dashlight.window.inspection.doubts import Doubt
from dashlight.window.inspection.left_out import WHY

_HEAD = ("role", "column", "kind", "missing", "values")


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know of a column, and what to type where it is meant otherwise."""

    kind: str
    column: str
    """Empty for whole rows."""
    says: str
    """Follows the name of the column."""
    type: str
    """Options of `dashlight reference build`, or what to do to the file."""

    @property
    def words(self) -> str:
        """In one line."""
        name = f"{self.column!r} " if self.column or self.kind == "index" else ""
        return f"{name}{self.says}: {self.type}" if self.type else f"{name}{self.says}"


@dataclass(frozen=True, slots=True)
class BuildReport:
    """All of it."""

    file: str
    summary: str
    columns: tuple[tuple[str, ...], ...]
    """Role, name, kind, share of missing rows, and values of each."""
    performance: tuple[str, ...]
    """What it knows of how good the model was, a line each."""
    left_out: tuple[Remark, ...]
    doubts: tuple[Remark, ...]


def build_report(file: str, reference: Reference, left_out: Sequence[Remark], doubts: Sequence[Doubt]) -> BuildReport:
    """The report of *reference*, which *file* holds; *left_out* are columns that it did not look at."""
    return BuildReport(
        file,
        summary(reference),
        tuple(column_words(column) for column in reference.columns if not column.of),
        tuple(performance_words(reference)),
        (*left_out, *map(_left_out, reference.left_out)),
        tuple(map(_doubt, doubts)),
    )


def of_names(left_out: Sequence[tuple[str, str]]) -> list[Remark]:
    """What to say of columns whose names or types say that they are none of traffic."""
    return [_of_name(name, why) for name, why in left_out]


def as_json(report: BuildReport) -> str:
    """*report* as one JSON object."""
    told = asdict(report) | {"columns": [dict(zip(_HEAD, cells, strict=True)) for cells in report.columns]}
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def print_report(report: BuildReport, out: TextIO) -> None:
    """Writes *report*, without its summary."""
    print_table(_HEAD, report.columns, out)
    print("", *report.performance, sep="\n", file=out)
    for title, remarks in (("Left out:", report.left_out), ("Doubtful:", report.doubts)):
        if remarks:
            print(f"\n{title}", file=out)
            for remark in remarks:
                print(f"  {remark.words}", file=out)


def _left_out(column: LeftOutColumn) -> Remark:
    name = shlex.quote(column.name)
    typed = f"--keep {name}"
    if column.why == "time":
        typed = f"--time {name} orders the rows by it and shows daily patterns, --keep {name} makes it a column"
    return Remark(column.why, column.name, WHY[column.why], typed)


def _of_name(name: str, why: str) -> Remark:
    quoted = shlex.quote(name)
    match why:
        case "index":
            return Remark(why, name, WHY["index"], f"--keep {quoted}")
        case "id":
            typed = f"--keep {quoted}, and name it in DASHLIGHT_FEATURES as well"
            return Remark(why, name, "identifies a row, as its name says; it is left out of traffic too", typed)
        case "credential":
            return Remark(why, name, "may be a credential or personal data, which is left out of traffic too", "")
        case _:
            return Remark(why, name, "does not hold single values", "")


def _doubt(doubt: Doubt) -> Remark:
    says, typed = _words(doubt)
    return Remark(doubt.kind, doubt.column, says, typed.replace("{}", shlex.quote(doubt.column)))


def _words(doubt: Doubt) -> tuple[str, str]:  # one for each kind
    """What is doubtful, and what to type, with {} for the column."""
    match doubt.kind:
        case "empty":
            return "has no value in any row, so that only missing rows are judged", "--ignore {}"
        case "odd_cells":
            return (
                f"has {_rows(doubt.rows)} of another type, {doubt.text!r} in row {doubt.row}, counted as of a wrong type",
                "leave such cells empty, or --categorical {} if all are codes",
            )
        case "mixed":
            return (
                f"mixes types, {percent(doubt.share)} of its values are not like the others, {doubt.text!r} in row {doubt.row}",
                "--categorical {} counts them all as words, --ignore {} leaves it out",
            )
        case "constant":
            return f"is {doubt.text!r} in every row, so that any other value is drift", "--ignore {}"
        case "nearly_constant":
            share = f"{100 * doubt.share:.1f}" if doubt.share < 0.9995 else "more than 99.9"
            return f"is {doubt.text!r} in {share} % of its rows", "--ignore {}, if that is no feature"
        case "id":
            return f"may be an id, {percent(doubt.share)} of its values differ", "--ignore {}"
        case "rising":
            return (
                "rises from the first row to the last",
                "--unordered if the rows are sorted by it, --ignore {} if it is a counter",
            )
        case "label":
            return (
                "has the name of a true answer, which no request brings",
                "--label {}, or --prediction {} if the model predicts it",
            )
        case "duplicate":
            return f"equals {doubt.other!r} in every row", "--ignore {}"
        case "dates":
            return (
                "holds dates that do not tell the day from the month, counted as words",
                "write them as 2024-12-31, or --ignore {}",
            )
        case "repeated":
            return (
                f"One row is {percent(doubt.share)} of all, row {doubt.row} the first of at least {_rows(doubt.rows)} that are equal",
                "remove the others, if traffic does not repeat it so often",
            )


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
