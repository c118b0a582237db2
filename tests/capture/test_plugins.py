"""What packages offer to OpenTelemetry, as their entry points name it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.trace import SpanContext, TraceFlags

from dashlight.capture.plugins import PROPAGATORS, SAMPLERS, W3C, offered, propagation_from
from dashlight.capture.trace_parent import propagated_parent, sampler_from

MODULE = """
from opentelemetry import trace
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

class Odd(TextMapPropagator):
    fields = {"X-Odd"}
    def extract(self, carrier, context=None, getter=None):
        found = getter.get(carrier, "x-odd")
        if not found:
            return context
        ids = trace.SpanContext(int(found[0]), 1, True, trace.TraceFlags(1))
        return trace.set_span_in_context(trace.NonRecordingSpan(ids), context)
    def inject(self, carrier, context=None, setter=None):
        pass

class Even(Sampler):
    def __init__(self, argument):
        if argument == "refused":
            raise ValueError(argument)
        self.argument = argument
    def should_sample(self, parent_context, trace_id, name, kind=None, attributes=None, links=None, trace_state=None):
        if self.argument == "fails":
            raise KeyError(name)
        has_parent = trace.get_current_span(parent_context).get_span_context().is_valid
        sampled = trace_id % 2 == 0 or has_parent or name == self.argument
        return SamplingResult(Decision.RECORD_AND_SAMPLE if sampled else Decision.DROP)
    def get_description(self):
        return "Even"
"""
POINTS = """
[opentelemetry_propagator]
odd = odd_telemetry:Odd
absent = no_such_module:Odd
[opentelemetry_traces_sampler]
even = odd_telemetry:Even
"""
ODD = [(b"x-odd", b"7")]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that offers a propagator and a sampler."""
    (tmp_path / "odd_telemetry.py").write_text(MODULE)
    described = tmp_path / "odd_telemetry-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-telemetry\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "odd_telemetry", raising=False)


@pytest.mark.usefixtures("installed")
def test_a_propagator_of_another_package_is_used_beside_the_usual_ones() -> None:
    found = propagation_from({"OTEL_PROPAGATORS": "tracecontext, ODD"})

    parent = propagated_parent(found.extract(ODD))
    assert found.header_names == {b"traceparent", b"tracestate", b"x-odd"}
    assert parent is not None
    assert parent.trace_id == 7


@pytest.mark.usefixtures("installed")
def test_what_cannot_be_loaded_is_one_warning_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    found = propagation_from({"OTEL_PROPAGATORS": "absent,odd,b4"})

    (record,) = caplog.records
    assert found.header_names == {b"x-odd"}
    assert record.message == (
        "OTEL_PROPAGATORS: absent cannot be loaded (ModuleNotFoundError: No module named 'no_such_module'); "
        "no installed package offers b4; the others are used"
    )


@pytest.mark.parametrize("names", ["none", "tracecontext,none"])
def test_none_means_no_propagator_at_all(names: str) -> None:
    found = propagation_from({"OTEL_PROPAGATORS": names})

    assert (found.header_names, found.needs_all_headers) == (frozenset(), False)


@pytest.mark.parametrize("names", ["", " , ", "tracecontext,baggage", "b3"])
def test_the_usual_ones_are_the_default(names: str) -> None:
    found = propagation_from({"OTEL_PROPAGATORS": names})

    assert found.header_names == W3C.header_names == {b"traceparent", b"tracestate", b"baggage"}


@pytest.mark.parametrize(
    ("argument", "trace_id", "parent", "sampled"),
    [
        ("", 2, None, True), ("", 3, None, False), ("POST", 3, None, True), ("GET", 3, None, False),
        ("", 3, SpanContext(3, 1, True, TraceFlags(0)), True),
        ("fails", 3, None, True), ("fails", 3, SpanContext(3, 1, True, TraceFlags(0)), False),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("installed")
def test_a_sampler_of_another_package_decides(
    argument: str,
    trace_id: int,
    parent: SpanContext | None,
    sampled: bool,  # noqa: FBT001
) -> None:
    sample = sampler_from({"OTEL_TRACES_SAMPLER": "even", "OTEL_TRACES_SAMPLER_ARG": argument})

    assert sample(trace_id, parent, lambda: ("POST", {})) is sampled


@pytest.mark.usefixtures("installed")
def test_a_sampler_that_cannot_be_made_is_one_warning_and_the_default(caplog: pytest.LogCaptureFixture) -> None:
    sample = sampler_from({"OTEL_TRACES_SAMPLER": "even", "OTEL_TRACES_SAMPLER_ARG": "refused"})

    (record,) = caplog.records
    assert sample(3, None)
    assert record.message == (
        "OTEL_TRACES_SAMPLER: even cannot be made (ValueError: refused); parentbased_always_on is used"
    )


@pytest.mark.parametrize("group", [PROPAGATORS, SAMPLERS])
def test_what_nobody_offers_is_not_found(group: str) -> None:
    with pytest.raises(LookupError, match="no installed package offers nothing"):
        offered(group, "nothing")


SCRIPT = """
import os, sys
os.environ.update(OTEL_PROPAGATORS="b3", OTEL_TRACES_SAMPLER="dice", OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="gcp",
                  OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="many", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
from dashlight.runtime.process import process
import dashlight
async def app(scope, receive, send): pass
dashlight.watch(app)
monitor = process.start(app)
monitor.ready.wait(60)
assert monitor.refusal is None
assert "opentelemetry.propagate" not in sys.modules
print("watched")
"""


def test_nothing_that_opentelemetry_s_variables_say_keeps_the_app_from_being_watched() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False)

    assert run.stdout == "watched\n", run.stderr
    assert "Traceback" not in run.stderr


def test_what_the_app_has_set_in_code_is_used_where_the_environment_says_nothing() -> None:
    code = (
        "from opentelemetry import propagate\n"
        "from opentelemetry.baggage.propagation import W3CBaggagePropagator\n"
        "propagate.set_global_textmap(W3CBaggagePropagator())\n"
        "from dashlight.capture.plugins import propagation_from\n"
        "print(sorted(propagation_from({}).header_names), len(propagation_from({'OTEL_PROPAGATORS': 'tracecontext'}).header_names))"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert run.stdout == "[b'baggage'] 2\n"
