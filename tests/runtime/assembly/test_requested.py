"""Whatever stands in a variable: it is read, or it is a mistake, and nothing else happens."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from dashlight.errors import SettingsError
from dashlight.runtime.assembly.requested import requested
from dashlight.settings import Settings, variable_of

MOST_CHARACTERS = 1000
"""Of a message about one variable."""
VARIABLES = [variable_of(each.name) for each in fields(Settings)]
NASTY = [
    "inf", "nan", "-1", "1e999", "0", "1_000", "\N{ARABIC-INDIC DIGIT THREE}", "\N{VULGAR FRACTION ONE HALF}", "\udcff",
    "\N{LATIN SMALL LETTER E WITH ACUTE}" * 300, "x" * 100_000, "1/", " , , ", "=", "a=b=c", "a=1,a=2", "[", "(", "*",
    "(?P<a", "a{99999999999}", "(a" * 5000, "{", "{}", "'", '"', "\\", "9" * 400 + "GiB", "9" * 400 + "d", "1/1ms", "101%",
    "http://", "https://:80", "http://[", "http://[::1", "//host/x", "http://host:99999", "http://user:pass@host",
    "http://host/\r\nX: y", "http://ho st", "http://{host}", "file:///etc/passwd", "http://169.254.169.254/", "http://a..b/",
    "/etc", "/dev/zero", "/dev/null", "/no/such/file", "~", "..", "speed>", "failure_rate>2% for", "failure_rate>1e400",
    "http://{trace_id}", "http://h/{trace_id}?{trace_id}", "key@", "@", "alertmanager",
]  # fmt: skip


@pytest.mark.parametrize("variable", VARIABLES)
def test_whatever_stands_there_it_is_read_or_is_a_mistake(variable: str) -> None:
    told: list[str] = []
    for text in NASTY:
        try:
            requested({variable: text})
        except SettingsError as mistake:
            told.append(str(mistake))

    assert [each for each in told if len(each) > MOST_CHARACTERS] == []


@pytest.mark.parametrize("variable", ["DASHLIGHT_COLUMNS", "DASHLIGHT_WEBHOOK_TEMPLATE", "DASHLIGHT_CA"])
def test_a_file_that_never_ends_is_a_mistake_at_once(tmp_path: Path, variable: str) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path, tmp_path / "none"):
        with pytest.raises(SettingsError, match=variable):
            requested({variable: str(path), "DASHLIGHT_WEBHOOK": "http://hook"})


def test_a_mistake_in_each_kind_of_route_is_told() -> None:
    wrong = {
        "DASHLIGHT_ALERTMANAGER": "alerts:9093",
        "DASHLIGHT_WEBHOOK": "https:///hook",
        "DASHLIGHT_WEBHOOK_TEMPLATE": "/no/such/file",
        "DASHLIGHT_ON_ALERT": "/no/such/program",
        "DASHLIGHT_HEARTBEAT": "ftp://host",
        "DASHLIGHT_PROXY": "ftp://host",
        "DASHLIGHT_CA": "/no/such/file",
    }

    with pytest.raises(SettingsError) as caught:
        requested(wrong)

    assert {each.partition("=")[0] for each in caught.value.mistakes} == set(wrong)


def test_what_does_nothing_without_another_setting_is_unusual(tmp_path: Path) -> None:
    (tmp_path / "template.json").write_text("{}")
    idle = {
        "DASHLIGHT_COLLECTOR_HEADERS": "a=b",
        "DASHLIGHT_ALERTMANAGER_HEADERS": "a=b",
        "DASHLIGHT_WEBHOOK_HEADERS": "a=b",
        "DASHLIGHT_WEBHOOK_TEMPLATE": str(tmp_path / "template.json"),
        "DASHLIGHT_SPOOL_KEY": "a-long-secret-of-ours",
    }
    needed = {
        "DASHLIGHT_COLLECTOR": "http://collector",
        "DASHLIGHT_ALERTMANAGER": "http://alerts",
        "DASHLIGHT_WEBHOOK": "http://hook",
        "DASHLIGHT_STATE_DIR": str(tmp_path),
    }

    assert [each.partition(" ")[0] for each in requested(idle).unusual] == list(idle)
    assert requested(idle | needed).unusual == ()
