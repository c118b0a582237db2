import io
from collections.abc import Callable

from examples.flights.arrivals import AlertReport
from examples.flights.board import Board
from examples.flights.figures import PartFigures, Pulse
from examples.flights.panel import panel_for, performance_table, segment_table, summary_table
from examples.flights.performance import ShownFigures
from rich.console import Console


def shown(board: Board, *, terminal: bool) -> str:
    console = Console(file=io.StringIO(), width=110, force_terminal=terminal, color_system=None, highlight=False)
    with panel_for(console) as panel:
        panel.show(board)
        panel.show(board)
    written = console.file
    assert isinstance(written, io.StringIO)
    return written.getvalue()


def board_in_march(alert: Callable[..., AlertReport]) -> Board:
    board = Board()
    board.take_report(Pulse("03", 10.0, 500, 1000, 299.0, 0.0042, 0.00021))
    board.take_report(PartFigures("03", 3487, 7, 41.18, 0.226, 0.782, 0.158))
    board.take_alert(alert(at=15.0))
    board.take_figures(
        ShownFigures(16.0, {"accuracy": (0.78, 300), "brier": (0.16, 300), "estimated_accuracy": (0.8, 300)})
    )
    return board


def test_without_a_terminal_each_month_and_each_alert_is_one_line(alert: Callable[..., AlertReport]) -> None:
    lines = shown(board_in_march(alert), terminal=False).splitlines()

    assert lines == [
        "March      firing    temp: temp above 57.9 rose from 2 % to 60 %",
        "March      3487 requests, 7 failed, 41.2 F, probability 0.226, accuracy 0.782, Brier 0.158",
    ]


def test_on_a_terminal_the_panel_shows_month_rate_latency_lights_and_alerts(alert: Callable[..., AlertReport]) -> None:
    panel = shown(board_in_march(alert), terminal=True)

    for words in ("March", "299 requests/s", "added latency +0.21 ms", "p99 4.2 ms", "inputs FIRING", "errors quiet"):
        assert words in panel
    assert "March: accuracy 0.780, brier 0.160; estimate of the accuracy: off by +0.020" in panel
    assert "temp above 57.9 rose from 2 % to 60 %" in panel


def test_an_empty_board_can_be_drawn() -> None:
    panel = shown(Board(), terminal=True)

    assert "starting ..." in panel
    assert "no alerts" in panel


def test_the_summary_has_a_row_for_each_month_with_its_alerts(alert: Callable[..., AlertReport]) -> None:
    board = board_in_march(alert)
    board.take_alert(alert(column="dewp", at=16.0))
    board.take_alert(alert(column="temp", state="resolved", at=17.0))
    console = Console(file=io.StringIO(), width=110)

    with console.capture() as written:
        console.print(summary_table(board))

    row = next(line.split() for line in written.get().splitlines() if "March" in line)
    assert row == ["March", "3487", "7", "41.2", "0.226", "0.782", "0.158", "temp"]
    assert [line.strip() for line in written.get().splitlines() if "dewp" in line or "resolved" in line] == [
        "dewp",
        "temp resolved",
    ]
    assert "added latency +0.21 ms" in written.get()


def test_the_estimate_of_each_month_is_said_to_be_off_or_missing(alert: Callable[..., AlertReport]) -> None:
    board = board_in_march(alert)
    board.take_report(Pulse("04", 20.0, 700, 1000, 299.0, 0.0042, 0.00021))
    board.take_figures(ShownFigures(25.0, {"accuracy": (0.72, 300), "outside_reference_rate": (0.33, 300)}))
    console = Console(file=io.StringIO(), width=110)

    with console.capture() as written:
        console.print(performance_table(board))

    march, april = (
        next(line.split() for line in written.get().splitlines() if name in line) for name in ("March", "April")
    )
    assert march == ["March", "0.780", "0.800", "0.160", "-", "off", "by", "+0.020"]
    assert april[:5] == ["April", "0.720", "-", "-", "-"]
    assert " ".join(april[5:]) == "none: outside the reference (33% of the rows)"


def test_the_accuracy_of_each_segment_is_shown_by_season(alert: Callable[..., AlertReport]) -> None:
    board = board_in_march(alert)
    board.take_figures(
        ShownFigures(16.0, {}, {"carrier=UA": (0.9, 100), "origin=LGA": (0.8, 90), "carrier=HA": (1, 9)})
    )
    board.take_report(Pulse("04", 20.0, 700, 1000, 299.0, 0.0042, 0.00021))
    board.take_figures(ShownFigures(25.0, {}, {"carrier=UA": (0.7, 60), "origin=LGA": (0.5, 40)}))
    board.take_figures(ShownFigures(28.0, {}, {"carrier=UA": (0.6, 60)}))
    console = Console(file=io.StringIO(), width=110)

    with console.capture() as written:
        console.print(segment_table(board))

    assert [line.split() for line in written.get().splitlines() if "=" in line] == [
        ["origin=LGA", "130", "0.80", "-", "-", "-"],
        ["carrier=UA", "220", "0.90", "0.65", "-", "-"],
    ]
