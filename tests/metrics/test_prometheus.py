"""What Prometheus reads, read again with the parsers of its own library."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_plain

from dashlight.metrics.figures import Figure, Figures, HistogramFigure
from dashlight.metrics.prometheus import exposition, prefers_openmetrics

OPEN = "application/openmetrics-text; version=1.0.0"
FIGURES = Figures(
    1_790_000_010.5,
    1_790_000_000.0,
    (
        Figure(
            "dashlight.requests", "counter", "{request}", "Requests", 7, {"http.route": "/p", "dashlight.outcome": "ok"}
        ),
        Figure("dashlight.requests", "counter", "{request}", "Requests", 1, {"http.route": "/q"}),
        Figure("dashlight.workers", "updowncounter", "{worker}", "Workers", 4, {}),
        Figure("dashlight.column.drift", "gauge", "", "Distance", 0.25, {"dashlight.column.name": "age"}),
    ),
    (HistogramFigure("dashlight.request.duration", "s", "Time", (0.5, 1.0), (3, 2, 1), 4.5, {"http.route": "/p"}),),
)


def read(figures: Figures, accept: str = "") -> list[Metric]:
    body, content_type = exposition(figures, accept)
    if content_type.startswith("application/openmetrics-text"):
        return list(read_openmetrics(body.decode()))  # type: ignore[no-untyped-call]
    return list(read_plain(body.decode()))


def samples(figures: Figures, accept: str = "") -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(f"{key}={text}" for key, text in sorted(sample.labels.items()) if text)): sample.value
        for family in read(figures, accept)
        for sample in family.samples
    }


@pytest.mark.parametrize("accept", ["", OPEN], ids=["plain", "OpenMetrics"])
def test_prometheus_reads_what_was_counted(accept: str) -> None:
    found = samples(FIGURES, accept)

    created = {key: value for key, value in found.items() if key[0].endswith("_created")}
    assert {key: value for key, value in found.items() if key not in created} == {
        ("dashlight_requests_total", "dashlight_outcome=ok", "http_route=/p"): 7,
        ("dashlight_requests_total", "http_route=/q"): 1,
        ("dashlight_workers",): 4,
        ("dashlight_column_drift", "dashlight_column_name=age"): 0.25,
        ("dashlight_request_duration_seconds_bucket", "http_route=/p", "le=0.5"): 3,
        ("dashlight_request_duration_seconds_bucket", "http_route=/p", "le=1.0"): 5,
        ("dashlight_request_duration_seconds_bucket", "http_route=/p", "le=+Inf"): 6,
        ("dashlight_request_duration_seconds_count", "http_route=/p"): 6,
        ("dashlight_request_duration_seconds_sum", "http_route=/p"): 4.5,
    }
    assert set(created.values()) == ({1_790_000_000.0} if accept else set())


def test_types_and_units_are_told() -> None:
    families = {family.name: (family.type, family.unit) for family in read(FIGURES, OPEN)}

    assert families == {
        "dashlight_requests": ("counter", ""),
        "dashlight_workers": ("gauge", ""),
        "dashlight_column_drift": ("gauge", ""),
        "dashlight_request_duration_seconds": ("histogram", "seconds"),
    }


def test_no_label_of_opentelemetrys_scope_is_added() -> None:
    assert b"otel_scope" not in exposition(FIGURES, "")[0]


@pytest.mark.parametrize("accept", ["", OPEN], ids=["plain", "OpenMetrics"])
@pytest.mark.parametrize("evil", ['a"b', "a\nb 1\nfake_total 1", "a\\", "{}", "\x00", "größe", ""])
def test_a_value_cannot_forge_a_series(evil: str, accept: str) -> None:
    figures = Figures(2.0, 1.0, (Figure("a", "gauge", "", "", 1, {"name": evil, "other": "x"}),), ())

    [family] = read(figures, accept)

    [sample] = family.samples
    assert (sample.name, sample.labels.get("name", ""), sample.labels["other"]) == ("a", evil, "x")


@pytest.mark.parametrize("accept", ["", OPEN], ids=["plain", "OpenMetrics"])
def test_a_value_that_utf8_cannot_say_is_replaced(accept: str) -> None:
    figures = Figures(2.0, 1.0, (Figure("a", "gauge", "", "", 1, {"name": "\ud800"}),), ())

    assert samples(figures, accept) == {("a", "name=?"): 1}


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=6), max_size=4))
def test_any_attributes_can_be_read_again(attributes: dict[str, str]) -> None:
    figures = Figures(2.0, 1.0, (Figure("a.b", "counter", "By", "x\ny\\", 1, attributes),), ())

    [family] = read(figures, OPEN)

    assert sum(sample.name == "a_b_bytes_total" for sample in family.samples) == 1


def test_no_figures_are_an_empty_page() -> None:
    assert exposition(Figures(2.0, 1.0, (), ()), "")[0] == b""
    assert exposition(Figures(2.0, 1.0, (), ()), OPEN)[0] == b"# EOF\n"


def test_nothing_is_put_into_the_hosts_registry() -> None:
    exposition(FIGURES, "")

    assert not any(family.name.startswith("dashlight") for family in REGISTRY.collect())


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", True),
        ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1", False),
        ("application/openmetrics-text;q=0,text/plain;q=0", False),
        ("application/openmetrics-text;q=nonsense", False),
        ("APPLICATION/OpenMetrics-Text ; Q=1", True),
    ],
)  # fmt: skip
def test_the_format_is_the_one_preferred(accept: str, wanted: bool) -> None:  # noqa: FBT001
    assert prefers_openmetrics(accept) is wanted


def test_without_the_package_the_message_says_what_to_install() -> None:
    script = """
import sys
sys.modules["prometheus_client"] = None
from dashlight.metrics.prometheus import exposition
from dashlight.errors import MissingExtraError
from dashlight.metrics.figures import Figures
try:
    exposition(Figures(2.0, 1.0, (), ()), "")
except MissingExtraError as missing:
    print(missing)
"""
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert found.stdout == "prometheus-client is not installed: pip install 'dashlight[prometheus]'\n"
