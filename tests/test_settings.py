"""Settings from an environment: what is read, and what each mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashlight.errors import SettingsError
from dashlight.settings import Settings, unknown_variables


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_env({})

    assert settings.enabled is True
    assert (settings.pane, settings.window, settings.false_alarms) == (10.0, 3600.0, 2_592_000.0)
    assert (settings.max_body, settings.cpu, settings.sample_rate) == (262_144, 0.1, 0.01)
    assert settings.excluded_urls == ("/healthz/?$", "/livez/?$", "/readyz/?$", "/metrics/?$")


def test_every_kind_of_value_is_read() -> None:
    settings = Settings.from_env(
        {
            "DASHLIGHT_PANE": "500ms",
            "DASHLIGHT_IGNORE": "id, user_*",
            "DASHLIGHT_SPANS": "OWN",
            "DASHLIGHT_COLLECTOR_HEADERS": "Authorization=Bearer x=y,b=2",
            "DASHLIGHT_REFERENCE_ROWS": "300",
            "DASHLIGHT_MODEL": " fraud ",
            "DASHLIGHT_IMPORTANCE": "age=3, zip code = 0",
        }
    )

    assert settings.pane == 0.5
    assert settings.ignore == ("id", "user_*")
    assert settings.spans == "own"
    assert settings.collector_headers == {"authorization": "Bearer x=y", "b": "2"}
    assert (settings.reference_rows, settings.model) == (300, "fraud")
    assert settings.importance == {"age": 3.0, "zip code": 0.0}


def test_an_empty_value_counts_as_unset() -> None:
    assert Settings.from_env({"DASHLIGHT_PANE": ""}).pane == 10.0


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("DASHLIGHT_SAMPLE_RATE", "2", "a number from 0 to 1"),
        ("DASHLIGHT_PANE", "0s", "a duration above zero"),
        ("DASHLIGHT_PANE", "10", "a duration above zero"),
        ("DASHLIGHT_REFERENCE_ROWS", "199", "a whole number of at least 200"),
        ("DASHLIGHT_REFERENCE_ROWS", "many", "a whole number of at least 200"),
        ("DASHLIGHT_MAX_BODY", "0", "a size"),
        ("DASHLIGHT_MEMORY", "31MB", "a size of at least 32MB"),
        ("DASHLIGHT_MEMORY", "lots", "a size of at least 32MB"),
        ("DASHLIGHT_WORKER_MEMORY", "256KiB", "a size of at least 16MB"),
        ("DASHLIGHT_SPANS", "both", "auto, enrich, server, own or off"),
        ("DASHLIGHT_ENABLED", "perhaps", "true or false"),
        ("DASHLIGHT_FALSE_ALARMS", "never", "a budget such as 1/30d"),
        ("DASHLIGHT_IMPORTANCE", "age", "column=number pairs"),
        ("DASHLIGHT_IMPORTANCE", "age=-1", "column=number pairs"),
        ("DASHLIGHT_IMPORTANCE", "age=nan", "column=number pairs"),
        ("DASHLIGHT_IMPORTANCE", "=2", "column=number pairs"),
    ],
)
def test_a_mistake_names_variable_value_and_what_was_wanted(variable: str, value: str, wanted: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({variable: value})

    assert str(caught.value).startswith(f"{variable}={value!r}: expected {wanted}")
    assert caught.value.variable == variable


def test_a_mistake_in_what_may_be_secret_does_not_show_it() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DASHLIGHT_COLLECTOR_HEADERS": "authorization: Bearer s3cret"})

    assert str(caught.value) == "DASHLIGHT_COLLECTOR_HEADERS='***': expected name=value pairs between commas"


def test_a_secret_header_is_not_shown() -> None:
    shown = repr(Settings.from_env({"DASHLIGHT_COLLECTOR_HEADERS": "authorization=hunter2"}))

    assert "hunter2" not in shown
    assert "authorization" in shown


def test_a_variable_that_nobody_knows_is_named_with_its_nearest() -> None:
    found = unknown_variables({"DASHLIGHT_TOLERANC": "1", "DASHLIGHT_XYZZY": "1", "OTHER": "1", "DASHLIGHT_PANE": "1s"})

    assert found == {"DASHLIGHT_TOLERANC": "DASHLIGHT_TOLERANCE", "DASHLIGHT_XYZZY": None}


def test_names_of_columns_are_pairs_or_a_file_of_them(tmp_path: Path) -> None:
    pairs = {"data[0]": "age", "data[1]": "income"}
    (tmp_path / "lines").write_text("# of the first model\ndata[0]=age\n\ndata[1] = income\n")
    (tmp_path / "json").write_text('{"data[0]": "age", "data[1]": "income"}')

    for text in ("data[0]=age, data[1]=income", str(tmp_path / "lines"), str(tmp_path / "json")):
        assert Settings.from_env({"DASHLIGHT_COLUMNS": text}).columns == pairs


@pytest.mark.parametrize("text", ["a=", "=b", "a=x,b=x", "/no/such/file"])
def test_names_of_columns_that_cannot_be_read_are_a_mistake(text: str) -> None:
    with pytest.raises(SettingsError, match="DASHLIGHT_COLUMNS"):
        Settings.from_env({"DASHLIGHT_COLUMNS": text})
