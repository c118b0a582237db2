"""A year of flights in two minutes, watched by Dashlight: what `make demo` runs.

python -m examples.flights.demo --fault celsius

Exit status: 0 where everything happened as it should, 1 where an alert fired in the held-out part, `temp` did not
fire by the end of May, performance had not fired by the end of July, an injected fault was not reported in its month, or
a process failed; 130 when interrupted.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from secrets import token_urlsafe

from examples.flights.arrivals import Tail, alerts_of, figures_of
from examples.flights.board import PANE_SECONDS, Board, failures, month
from examples.flights.children import ChildError, Children, InterruptedByUserError, free_ports
from examples.flights.faults import FAULT_PART, FAULTS, Fault
from examples.flights.figures import from_line
from examples.flights.flights import LABEL, TIME
from examples.flights.panel import panel_for, performance_table, segment_table, summary_table
from examples.flights.prepare import PREDICTION, prepare
from rich.console import Console

ROOT = Path(__file__).parents[2]
RUN = ROOT / "demo-run"
DASHLIGHT = str(Path(sys.executable).with_name("dashlight"))
REDRAW_SECONDS = 0.25

WATCHED = {
    # A year in two minutes: the pane is a twentieth of its default so that a month still has twenty of them. The
    # budget counts in panes, so it shrinks likewise: as many panes between false alarms as with the defaults.
    "DASHLIGHT_PANE": f"{PANE_SECONDS * 1000:.0f}ms",
    "DASHLIGHT_FALSE_ALARMS": "1/36h",
    "DASHLIGHT_WINDOW": "1s",  # three days
    "DASHLIGHT_THRESHOLDS": "latency_p99>500ms for 5s",
    "DASHLIGHT_SHUTDOWN_TIMEOUT": "5s",
    "DASHLIGHT_STRICT": "true",
    "DASHLIGHT_LABELS": "true",
    "DASHLIGHT_PREDICTION_ID_HEADER": "x-prediction-id",
    "DASHLIGHT_SEGMENTS": "origin,carrier",
    "DASHLIGHT_SHOW": "origin,carrier,dest",
    # What judging costs comes with each pane, here twenty times as often as with the defaults.
    "DASHLIGHT_CPU": "60%",
}


def main() -> None:
    """Run the demo and exit with its status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault", choices=FAULTS, default="none", help=f"break the upstream in {month(FAULT_PART)}")
    parser.add_argument("--seconds", type=float, default=120.0, help="for the whole replay (default 120)")
    chosen = parser.parse_args()
    console = Console(highlight=False)
    try:
        board = run(chosen.fault, seconds=chosen.seconds, console=console)
    except InterruptedByUserError:
        console.print("interrupted")
        sys.exit(130)
    except ChildError as error:
        console.print(str(error), markup=False)
        sys.exit(1)
    console.print(summary_table(board))
    console.print(performance_table(board))
    console.print(segment_table(board))
    found = failures(board, chosen.fault)
    for sentence in found:
        console.print(f"FAILED: {sentence}", style="bold red", markup=False)
    if not found:
        console.print("Quiet while nothing had changed, and told when it had.", style="bold green")
    sys.exit(1 if found else 0)


def run(fault: Fault, *, seconds: float, console: Console) -> Board:
    """Prepare everything, replay the flights and give what was seen; no process is left behind."""
    console.print(
        f"Training on January and February, building the reference. All files are in {RUN.name}/.", soft_wrap=True
    )
    shutil.rmtree(RUN, ignore_errors=True)
    files = prepare(RUN)
    reference, arrived, report = RUN / "reference.json", RUN / "arrived.jsonl", RUN / "replay.jsonl"
    collector, watched, bare = free_ports(3)
    with Children(logs=RUN, environ=_environ(files.model), directory=ROOT) as children:
        columns = ["--time", TIME, "--prediction", PREDICTION, "--score", PREDICTION, "--label", LABEL]
        children.start(
            "reference",
            [DASHLIGHT, "reference", "build", str(files.train), *columns, "--output", str(reference)],
        )
        children.finish("reference")

        children.start(
            "collector", [DASHLIGHT, "collect", "--listen", f"127.0.0.1:{collector}", "--output", str(arrived)]
        )
        children.await_port("collector", collector)
        addresses = {
            "DASHLIGHT_REFERENCE": str(reference),
            "DASHLIGHT_COLLECTOR": f"http://127.0.0.1:{collector}",
        }
        token = {"DASHLIGHT_LABELS_TOKEN": token_urlsafe()}
        children.start("app", _server(watched), WATCHED | addresses | token)
        children.start("bare-app", _server(bare), {"DASHLIGHT_ENABLED": "false"})
        children.await_port("app", watched)
        children.await_port("bare-app", bare)

        console.print(
            f"Replaying the held-out fifth of January and February, then March to December, in {seconds:.0f} s. "
            f"Pane {WATCHED['DASHLIGHT_PANE']}, window {WATCHED['DASHLIGHT_WINDOW']}: short, to fit a year so compressed.",
            soft_wrap=True,
        )
        replay = [sys.executable, "-m", "examples.flights.replay", str(files.replay), "--report", str(report)]
        targets = ["--url", _predict(watched), "--bare", _predict(bare), "--labels", _labels(watched)]
        children.start("replay", [*replay, *targets, "--seconds", str(seconds), "--fault", fault], token)
        return _follow(children, replayed=Tail(report), arrived=Tail(arrived), console=console)


def _follow(children: Children, *, replayed: Tail, arrived: Tail, console: Console) -> Board:
    """Show what happens until the replay is over and the app has sent what it still had."""
    board = Board()
    with panel_for(console) as panel:
        while children.is_running("replay"):
            children.pause(REDRAW_SECONDS)
            children.is_running("app")
            _take(board, replayed=replayed, arrived=arrived)
            panel.show(board)
        children.stop("app")
        _take(board, replayed=replayed, arrived=arrived)
        panel.show(board)
    return board


def _take(board: Board, *, replayed: Tail, arrived: Tail) -> None:
    """Put what is new on *board*; the replay first, so that an alert finds its month begun."""
    for line in replayed.lines():
        board.take_report(from_line(line))
    for line in arrived.lines():
        figures = figures_of(line)
        if figures is not None:
            board.take_figures(figures)
        for alert in alerts_of(line):
            board.take_alert(alert)


def _environ(model: Path) -> dict[str, str]:
    """The environment of every process: the caller's, without what would change the demo."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DASHLIGHT_", "OTEL_"))}
    return {**kept, "FLIGHTS_MODEL": str(model)}


def _server(port: int) -> Sequence[str]:
    app = "examples.flights.app:app"
    return [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "warning", "--no-access-log"]


def _labels(port: int) -> str:
    return f"http://127.0.0.1:{port}/dashlight/labels"


def _predict(port: int) -> str:
    return f"http://127.0.0.1:{port}/predict"


if __name__ == "__main__":
    main()
