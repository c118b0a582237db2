import json
from pathlib import Path

from examples.flights.arrivals import AlertReport, Tail, alert_of


def test_an_alert_event_becomes_a_report() -> None:
    attributes = {
        "dashlight.alert.key": "drift /predict temp",
        "dashlight.alert.state": "firing",
        "dashlight.alert.source": "drift",
        "dashlight.alert.summary": "temp rose",
        "dashlight.alert.causes": [{"event": "57.9 or more", "reference": 0.02, "current": 0.6, "bins": []}],
        "dashlight.column.name": "temp",
        "dashlight.column.role": "feature",
    }
    line = json.dumps({"kind": "event", "name": "dashlight.alert", "at": 12.5, "attributes": attributes})

    assert alert_of(line) == AlertReport(
        "drift /predict temp", "drift", "temp", "feature", "firing", "temp rose", 12.5, ("57.9 or more",)
    )


def test_an_alert_about_no_column_has_an_empty_one() -> None:
    attributes = {"dashlight.alert.key": "error_rate", "dashlight.alert.state": "pending"}

    report = alert_of(json.dumps({"name": "dashlight.alert", "at": 1.0, "attributes": attributes}))

    assert report is not None
    assert (report.column, report.causes) == ("", ())


def test_other_events_are_no_alerts() -> None:
    assert alert_of('{"kind": "event", "name": "dashlight.scores", "attributes": {}}') is None
    assert alert_of('{"kind": "span"}') is None


def test_a_tail_gives_whole_lines_once(tmp_path: Path) -> None:
    path = tmp_path / "arrived.jsonl"
    tail = Tail(path)

    before = list(tail.lines())
    path.write_text("one\ntwo\nthr")
    first = list(tail.lines())
    path.write_text("one\ntwo\nthree\n")
    second = list(tail.lines())

    assert (before, first, second) == ([], ["one\n", "two\n"], ["three\n"])
