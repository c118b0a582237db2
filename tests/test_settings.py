"""Settings from an environment: what is read, and what each mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashlight.errors import SettingsError
from dashlight.settings import Settings, unknown_variables

BUDGETS = (
    "inf/30d",
    "nan/30d",
    "-1/30d",
    "1e400/30d",
    "0/30d",
    "1%/30d",
    "1/infd",
    "1/-1d",
    "1/30",
    "/",
    "\N{ARABIC-INDIC DIGIT ONE}/30d",
)
PATHS = (
    "dashlight",
    "/",
    "//",
    "/a//b",
    "/a b",
    "/a?b",
    "/a#b",
    "/../a",
    "/./a",
    "/{name}",
    "/m\N{LATIN SMALL LETTER U WITH DIAERESIS}ller",
    "http://host/dashlight",
)


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


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_value_counts_as_unset(blank: str) -> None:
    assert Settings.from_env({"DASHLIGHT_PANE": blank}).pane == 10.0


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DASHLIGHT_PANE": "soon", "DASHLIGHT_CPU": "0", "DASHLIGHT_MODEL": "fraud"})

    assert caught.value.mistakes == (
        "DASHLIGHT_PANE='soon': expected a duration of at least 100ms, such as 10s",
        "DASHLIGHT_CPU='0': expected a share above 0 and up to 100%",
    )
    assert str(caught.value) == "; ".join(caught.value.mistakes)
    assert caught.value.variable == "DASHLIGHT_PANE"


def test_under_strict_a_variable_that_nobody_knows_is_a_mistake_and_its_value_is_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DASHLIGHT_STRICT": "true", "DASHLIGHT_TOKN": "hunter2-hunter2-h", "DASHLIGHT_XYZZY": "1"})

    assert caught.value.mistakes == (
        "DASHLIGHT_TOKN='***': expected no such variable, but perhaps DASHLIGHT_TOKEN",
        "DASHLIGHT_XYZZY='***': expected no such variable",
    )


def test_what_kubernetes_tells_of_a_service_called_dashlight_is_no_variable_of_ours() -> None:
    of_service = {
        "DASHLIGHT_SERVICE_HOST": "10.0.0.1",
        "DASHLIGHT_SERVICE_PORT": "80",
        "DASHLIGHT_SERVICE_PORT_HTTP": "80",
        "DASHLIGHT_PORT": "tcp://10.0.0.1:80",
        "DASHLIGHT_PORT_80_TCP_ADDR": "10.0.0.1",
        "DASHLIGHT_DEMO_SERVICE_HOST": "10.0.0.2",
        "DASHLIGHT_DEMO_PORT_80_TCP": "tcp://10.0.0.2:80",
    }

    assert unknown_variables(of_service) == {}
    assert Settings.from_env({**of_service, "DASHLIGHT_STRICT": "true"}).strict is True
    assert "DASHLIGHT_PORT" in unknown_variables({"DASHLIGHT_PORT": "8000"})


@pytest.mark.parametrize(
    "token",
    [
        "short",
        "fifteen-letters",
        "with a space inside it",
        "m\N{LATIN SMALL LETTER U WITH DIAERESIS}ller-m\N{LATIN SMALL LETTER U WITH DIAERESIS}ller-1234",
        "x" * 4097,
    ],
)
def test_a_token_that_is_too_short_or_that_no_header_carries_is_a_mistake_and_is_not_shown(token: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DASHLIGHT_TOKEN": token})

    assert str(caught.value) == "DASHLIGHT_TOKEN='***': expected 16 to 4096 visible characters of ASCII"


@pytest.mark.parametrize("headers", ["a=1,a=2", "X-Key=1,x-key=2", "=1", "a"])
def test_headers_that_are_named_twice_or_not_at_all_are_a_mistake(headers: str) -> None:
    with pytest.raises(SettingsError, match="DASHLIGHT_COLLECTOR_HEADERS"):
        Settings.from_env({"DASHLIGHT_COLLECTOR_HEADERS": headers})


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("DASHLIGHT_SAMPLE_RATE", "2", "a number from 0 to 1"),
        ("DASHLIGHT_PANE", "0s", "a duration of at least 100ms"),
        ("DASHLIGHT_PANE", "1ms", "a duration of at least 100ms"),
        ("DASHLIGHT_WINDOW", "0s", "a duration above zero"),
        ("DASHLIGHT_PANE", "10", "a duration of at least 100ms"),
        ("DASHLIGHT_REFERENCE_ROWS", "199", "a whole number of at least 200"),
        ("DASHLIGHT_REFERENCE_ROWS", "many", "a whole number of at least 200"),
        ("DASHLIGHT_MAX_BODY", "0", "a size"),
        ("DASHLIGHT_MEMORY", "31MB", "a size of at least 32MB"),
        ("DASHLIGHT_MEMORY", "lots", "a size of at least 32MB"),
        ("DASHLIGHT_WORKER_MEMORY", "256KiB", "a size of at least 16MB"),
        ("DASHLIGHT_SPANS", "both", "auto, enrich, server, own or off"),
        ("DASHLIGHT_SPOOL", "much", "a size such as 256MiB, or 0 for none"),
        ("DASHLIGHT_SPOOL", "-1", "a size such as 256MiB, or 0 for none"),
        ("DASHLIGHT_SPOOL_FSYNC", "always", "never, segment or batch"),
        ("DASHLIGHT_ENABLED", "perhaps", "true or false"),
        ("DASHLIGHT_FALSE_ALARMS", "never", "a budget such as 1/30d"),
        ("DASHLIGHT_IMPORTANCE", "age", "column=number pairs"),
        ("DASHLIGHT_IMPORTANCE", "age=-1", "column=number pairs"),
        ("DASHLIGHT_IMPORTANCE", "age=nan", "column=number pairs"),
        ("DASHLIGHT_IMPORTANCE", "=2", "column=number pairs"),
        ("DASHLIGHT_IMPORTANCE", "age=inf", "column=number pairs"),
        ("DASHLIGHT_IMPORTANCE", "age=1,zip=2,age=3", "column=number pairs"),
        *(("DASHLIGHT_FALSE_ALARMS", text, "a budget such as 1/30d") for text in BUDGETS),
        *(("DASHLIGHT_PATH", text, "a path that begins with /") for text in PATHS),
        ("DASHLIGHT_TRACE_URL", "https://traces/trace", "an http or https URL with {trace_id} in it"),
        ("DASHLIGHT_TRACE_URL", "https://traces/{traceid}", "an http or https URL with {trace_id} in it"),
        ("DASHLIGHT_MAX_BODY", "9" * 30 + "GiB", "a size"),
        ("DASHLIGHT_SHUTDOWN_TIMEOUT", "9999999d", "a duration"),
        ("DASHLIGHT_SHUTDOWN_TIMEOUT", "inf", "a duration"),
        ("DASHLIGHT_SAMPLE_RATE", "nan", "a number from 0 to 1"),
        ("DASHLIGHT_CPU", "-10%", "a share above 0"),
        ("DASHLIGHT_REFERENCE_ROWS", "5e3", "a whole number of at least 200"),
        ("DASHLIGHT_REFERENCE_ROWS", "9" * 5000, "a whole number of at least 200"),
    ],
)
def test_a_mistake_names_variable_value_and_what_was_wanted(variable: str, value: str, wanted: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({variable: value})

    shown = repr(value if len(value) <= 200 else f"{value[:200]}...")
    assert str(caught.value).startswith(f"{variable}={shown}: expected {wanted}")
    assert caught.value.variable == variable


def test_a_mistake_in_what_may_be_secret_does_not_show_it() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DASHLIGHT_COLLECTOR_HEADERS": "authorization: Bearer s3cret"})

    assert str(caught.value) == "DASHLIGHT_COLLECTOR_HEADERS='***': expected name=value pairs between commas"


def test_a_secret_header_is_not_shown() -> None:
    shown = repr(Settings.from_env({"DASHLIGHT_COLLECTOR_HEADERS": "authorization=hunter2"}))

    assert "hunter2" not in shown
    assert "authorization" in shown


@pytest.mark.parametrize("store", ["redis://hunter2/x@h:6379", "redis://hunter2?x@h", "redis://hunter2#x@h"])
def test_a_password_that_ends_the_host_of_a_url_is_not_shown(store: str) -> None:
    settings = Settings.from_env({"DASHLIGHT_STORE": store})

    assert "hunter2" not in repr(settings)
    assert settings.shown()["DASHLIGHT_STORE"] == "***"


def test_a_variable_that_nobody_knows_is_named_with_its_nearest() -> None:
    found = unknown_variables({"DASHLIGHT_TOLERANC": "1", "DASHLIGHT_XYZZY": "1", "OTHER": "1", "DASHLIGHT_PANE": "1s"})

    assert found == {"DASHLIGHT_TOLERANC": "DASHLIGHT_TOLERANCE", "DASHLIGHT_XYZZY": None}


def test_names_of_columns_are_pairs_or_a_file_of_them(tmp_path: Path) -> None:
    pairs = {"data[0]": "age", "data[1]": "income"}
    (tmp_path / "lines").write_text("# of the first model\ndata[0]=age\n\ndata[1] = income\n")
    (tmp_path / "json").write_text('{"data[0]": "age", "data[1]": "income"}')

    for text in ("data[0]=age, data[1]=income", str(tmp_path / "lines"), str(tmp_path / "json")):
        assert Settings.from_env({"DASHLIGHT_COLUMNS": text}).columns == pairs


@pytest.mark.parametrize("text", ["a=", "=b", "a=x,b=x", "a=x,a=y", "/no/such/file", "/", "/dev/zero", "/etc/\udcff"])
def test_names_of_columns_that_cannot_be_read_are_a_mistake(text: str) -> None:
    with pytest.raises(SettingsError, match="DASHLIGHT_COLUMNS"):
        Settings.from_env({"DASHLIGHT_COLUMNS": text})


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": "x", "b": "x"}',
        b'{"a": "x", "a": "y"}',
        b'{"a": 1}',
        b'{"a":' * 100_000,
        b"{",
        b"\xff",
        b"a",
        b" " * (2**20 + 1),
    ],
    ids=["one name for two", "one column twice", "no name", "deep", "half", "no UTF-8", "no pair", "too large"],
)
def test_files_of_names_that_cannot_be_meant_are_a_mistake(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "names").write_bytes(content)

    with pytest.raises(SettingsError, match="DASHLIGHT_COLUMNS"):
        Settings.from_env({"DASHLIGHT_COLUMNS": str(tmp_path / "names")})


def test_what_may_be_secret_is_never_shown() -> None:
    environ = {
        "DASHLIGHT_WEBHOOK": "https://hooks.example/services/T0/hunter2, http://hunter2@[bad/hunter2",
        "DASHLIGHT_WEBHOOK_HEADERS": "authorization=hunter2",
        "DASHLIGHT_ALERTMANAGER": "https://user:hunter2@alerts.example/?key=hunter2",
        "DASHLIGHT_ALERTMANAGER_HEADERS": "x-scope=hunter2",
        "DASHLIGHT_PAGERDUTY": "hunter2@https://events.eu.pagerduty.com",
        "DASHLIGHT_ON_ALERT": "retrain --token hunter2",
        "DASHLIGHT_PROXY": "http://user:hunter2@proxy:3128",
        "DASHLIGHT_TOKEN": "hunter2-hunter2-hunter2",
    }

    shown = repr(Settings.from_env(environ))

    assert "hunter2" not in shown
    assert "webhook=('https://hooks.example/***', '***')" in shown
    assert "alertmanager=('https://alerts.example/***',)" in shown
    assert set(environ) <= set(Settings.secret_variables())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DASHLIGHT_ON_ALERT", "retrain 'hunter2"),
        ("DASHLIGHT_WEBHOOK_FORMAT", "teams"),
        ("DASHLIGHT_ON_ALERT_TIMEOUT", "0s"),
        ("DASHLIGHT_WEBHOOK_HEADERS", "hunter2"),
    ],
)
def test_a_way_for_alerts_that_cannot_be_read_is_a_mistake_without_its_secret(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable) as caught:
        Settings.from_env({variable: value})

    assert "hunter2" not in str(caught.value)


def test_a_command_is_split_as_a_shell_would() -> None:
    assert Settings.from_env({"DASHLIGHT_ON_ALERT": "sh -c 'a \"b c\"' $HOME"}).on_alert == (
        "sh",
        "-c",
        'a "b c"',
        "$HOME",
    )


def test_the_key_of_the_spool_is_long_and_shown_nowhere() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"DASHLIGHT_SPOOL_KEY": "too short"})
    settings = Settings.from_env({"DASHLIGHT_SPOOL_KEY": " a-secret-of-24-letters  "})

    assert str(refused.value) == "DASHLIGHT_SPOOL_KEY='***': expected 16 to 4096 visible characters of ASCII"
    assert settings.spool_key == "a-secret-of-24-letters"
    assert "letters" not in repr(settings)


def test_the_spool_has_a_size_or_there_is_none() -> None:
    assert Settings.from_env({}).spool == 2**28
    assert Settings.from_env({"DASHLIGHT_SPOOL": "0"}).spool == 0
    assert Settings.from_env({"DASHLIGHT_SPOOL_FSYNC": "Batch"}).spool_fsync == "batch"
