import json
from pathlib import Path

from examples.flights.arrivals import AlertReport, Tail, alerts_of, figures_of
from examples.flights.performance import ShownFigures


def test_an_alert_event_becomes_a_report_of_each_member() -> None:
    member: dict[str, object] = {
        "key": "drift /predict temp",
        "state": "firing",
        "source": "drift",
        "summary": "temp rose",
        "at": 12.5,
        "causes": [{"event": "57.9 or more", "reference": 0.02, "current": 0.6, "bins": []}],
        "column": "temp",
        "role": "feature",
    }
    about_no_column = {"key": "error_rate", "state": "firing", "at": 11.0}
    attributes: dict[str, object] = {
        "dashlight.alert.incident": "i",
        "dashlight.alert.members": [member, about_no_column],
    }
    line = json.dumps({"kind": "event", "name": "dashlight.alert", "at": 13.0, "attributes": attributes})

    assert alerts_of(line) == [
        AlertReport(
            "drift /predict temp", "drift", "temp", "feature", "firing", "temp rose", 12.5, ("57.9 or more",), "i"
        ),
        AlertReport("error_rate", "", "", "", "firing", "", 11.0, (), "i"),
    ]


def test_other_events_are_no_alerts() -> None:
    assert alerts_of('{"kind": "event", "name": "dashlight.scores", "attributes": {}}') == []
    assert alerts_of('{"kind": "span"}') == []


def test_a_tail_gives_whole_lines_once(tmp_path: Path) -> None:
    path = tmp_path / "arrived.jsonl"
    tail = Tail(path)

    before = list(tail.lines())
    path.write_text("one\ntwo\nthr")
    first = list(tail.lines())
    path.write_text("one\ntwo\nthree\n")
    second = list(tail.lines())

    assert (before, first, second) == ([], ["one\n", "two\n"], ["three\n"])


def test_the_figures_about_no_column_are_shown_of_all_rows_and_by_segment() -> None:
    scores = [
        {"column": None, "statistic": "accuracy", "value": 0.7, "rows": 300},
        {"column": None, "segment": "origin=LGA", "statistic": "accuracy", "value": 0.5, "rows": 90},
        {"column": "temp", "statistic": "psi", "value": 0.2, "rows": 300},
    ]
    event = {"kind": "event", "name": "dashlight.scores", "at": 13.0, "attributes": {"dashlight.scores": scores}}

    assert figures_of(json.dumps(event)) == ShownFigures(13.0, {"accuracy": (0.7, 300)}, {"origin=LGA": (0.5, 90)})
    assert figures_of('{"kind": "event", "name": "dashlight.alert", "attributes": {}}') is None
