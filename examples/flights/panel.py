"""The board on a terminal: a live panel, or a line for each month and alert where there is no terminal."""

from types import TracebackType
from typing import Protocol, Self

from examples.flights.arrivals import AlertReport
from examples.flights.board import Board, Colour, month, subject
from examples.flights.figures import PartFigures, Pulse
from examples.flights.performance import MEASURES, SEASONS, Mean
from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel as Frame
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

SHOWN_ALERTS = 10
FEWEST_LABELS = 50
"""Of a season, where an accuracy is shown: it has a standard error of 0.06 then."""
LIGHTS_A_ROW = 4
STATE_STYLES = {"firing": "bold red", "resolved": "green"}
WORDS: dict[Colour, str] = {"green": "quiet", "red": "FIRING"}


class Panel(Protocol):
    """Shows a board while it changes."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, board: Board) -> None:
        """Show *board* as it is now."""
        ...


def panel_for(console: Console) -> Panel:
    """A live panel where *console* is a terminal, else lines."""
    return LivePanel(console) if console.is_terminal else LinePanel(console)


class LivePanel:
    """Redraws the whole board in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, board: Board) -> None:
        """Draw *board*."""
        self._live.update(_drawn(board), refresh=True)


class LinePanel:
    """Prints each month when it is over and each alert when it fires or resolves."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._months = 0
        self._changes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, board: Board) -> None:
        """Print what is new on *board*."""
        for part, alert in board.changes[self._changes :]:
            self._say(f"{month(part):<10} {alert.state:<9} {subject(alert)}: {alert.summary}")
        for figures in list(board.figures.values())[self._months :]:
            self._say(
                f"{month(figures.part):<10} {figures.requests} requests, {figures.failed} failed, "
                f"{figures.temp:.1f} F, probability {figures.probability:.3f}, "
                f"accuracy {figures.accuracy:.3f}, Brier {figures.brier:.3f}"
            )
        self._months, self._changes = len(board.figures), len(board.changes)

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def summary_table(board: Board) -> Table:
    """How every month went: the model measured from outside, and the alerts."""
    caption = f"added latency {_added(board.pulse)} (median of the watched app less that of its bare copy)"
    table = Table(
        caption=caption, caption_justify="left", box=SIMPLE, padding=(0, 1), collapse_padding=True, pad_edge=False
    )
    for name in ("month", "sent", "failed", "temp F", "prob.", "acc.", "Brier"):
        table.add_column(name, justify="left" if name == "month" else "right", no_wrap=True)
    table.add_column("alerts", min_width=24)
    for figures in board.figures.values():
        changes = [alert for part, alert in board.changes if part == figures.part]
        table.add_row(*_cells(figures), Text("\n").join(map(_changed, changes)))
    return table


def _changed(alert: AlertReport) -> Text:
    """What *alert* is about, and whether it began or ended."""
    words = {"firing": subject(alert), "resolved": f"{subject(alert)} resolved"}
    return Text(words[alert.state], style=STATE_STYLES[alert.state])


def performance_table(board: Board) -> Table:
    """Which month's estimate was how far off: accuracy and Brier as labels told them, and as they were estimated before."""
    caption = "means of what Dashlight showed in the month; an estimate needs rows that are like those of the reference"
    table = Table(
        caption=caption, caption_justify="left", box=SIMPLE, padding=(0, 1), collapse_padding=True, pad_edge=False
    )
    table.add_column("month", no_wrap=True)
    for name in ("acc.", "estimated", "Brier", "estimated"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("estimate of the accuracy")
    for part, shown in board.performance.items():
        means = [each[measure] for measure in MEASURES for each in (shown.realised, shown.estimated)]
        cells = ["-" if mean.value is None else f"{mean.value:.3f}" for mean in means]
        table.add_row(month(part), *cells, shown.verdict("accuracy"))
    return table


def segment_table(board: Board) -> Table:
    """How accurate the model was for each airport and carrier, as Dashlight showed it: the largest segments of a column first."""
    caption = (
        f"means of what Dashlight showed of DASHLIGHT_SEGMENTS; -: fewer than {FEWEST_LABELS} labels in the season"
    )
    table = Table(
        caption=caption, caption_justify="left", box=SIMPLE, padding=(0, 1), collapse_padding=True, pad_edge=False
    )
    table.add_column("accuracy of", no_wrap=True)
    for name in ("labels", *SEASONS):
        table.add_column(name, justify="right", no_wrap=True)
    order = sorted(board.segments.items(), key=lambda each: (each[0].partition("=")[0] != "origin", -each[1].rows))
    for segment, shown in order:
        means = [shown.season(name) for name in SEASONS]
        if any(mean.rows >= FEWEST_LABELS for mean in means):
            table.add_row(segment, str(shown.rows), *map(_accuracy, means))
    return table


def _accuracy(mean: Mean) -> str:
    return "-" if mean.value is None or mean.rows < FEWEST_LABELS else f"{mean.value:.2f}"


def _cells(figures: PartFigures) -> list[str]:
    return [
        month(figures.part),
        str(figures.requests),
        str(figures.failed),
        f"{figures.temp:.1f}",
        f"{figures.probability:.3f}",
        f"{figures.accuracy:.3f}",
        f"{figures.brier:.3f}",
    ]


def _drawn(board: Board) -> RenderableType:
    return Frame(
        Group(_progress(board), Text(), _lights(board), _performance(board), Text(), _alerts(board)),
        title="Dashlight - flights from New York, 2013",
        title_align="left",
    )


def _progress(board: Board) -> RenderableType:
    pulse = board.pulse
    if pulse is None:
        return Text("starting ...")
    line = Table.grid(padding=(0, 3))
    line.add_row(
        Text(f"{month(pulse.part):<10}", style="bold"),
        ProgressBar(pulse.total_count, pulse.sent_count, width=24),
        f"{pulse.request_rate:4.0f} requests/s",
        f"added latency {_added(pulse)}",
        f"p99 {pulse.p99_seconds * 1000:.1f} ms",
    )
    return line


def _added(pulse: Pulse | None) -> str:
    if pulse is None or pulse.added_seconds is None:
        return "not measured yet"
    return f"{pulse.added_seconds * 1000:+.2f} ms"


def _lights(board: Board) -> RenderableType:
    line = Table.grid(padding=(0, 3))
    cells = [
        Text.assemble(("● ", f"bold {colour}"), light, (f" {WORDS[colour]}", f"{colour}"))
        for light, colour in board.lights().items()
    ]
    for first in range(0, len(cells), LIGHTS_A_ROW):
        line.add_row(*cells[first : first + LIGHTS_A_ROW])
    return line


def _performance(board: Board) -> RenderableType:
    """The latest month of which labels have come: what they say, and what was estimated."""
    told = [(part, shown) for part, shown in board.performance.items() if shown.realised["accuracy"].rows]
    if not told:
        return Text("no labels yet", style="dim")
    part, shown = told[-1]
    realised = ", ".join(f"{name} {shown.realised[name].value:.3f}" for name in MEASURES)
    return Text(f"{month(part)}: {realised}; estimate of the accuracy: {shown.verdict('accuracy')}")


def _alerts(board: Board) -> RenderableType:
    if not board.changes:
        return Text("no alerts", style="dim")
    table = Table.grid(padding=(0, 2))
    for part, alert in board.changes[-SHOWN_ALERTS:]:
        state = Text(alert.state, style=STATE_STYLES[alert.state])
        told = Text(alert.summary)
        if alert.state == "firing" and alert.causes and alert.causes[0] not in alert.summary:
            told.append(f" ({alert.causes[0]})", style="dim")
        table.add_row(Text(month(part)), state, Text(subject(alert), style="bold"), told)
    return table
