"""What other packages offer to OpenTelemetry, found as its SDK finds it: by the names of entry points.

Read here, and not through `opentelemetry.propagate` or a TracerProvider: the one raises when it is imported, the other
passes over samplers that it does not know itself.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Final, Protocol, TypeAlias, cast

from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dashlight.capture.trace_headers import HeadersGetter
from dashlight.records import Headers

logger = logging.getLogger(__name__)

Describe: TypeAlias = Callable[[], tuple[str, dict[str, Any]]]
"""Gives the name and the first attributes of a span that is about to be made."""
PROPAGATORS: Final = "opentelemetry_propagator"
SAMPLERS: Final = "opentelemetry_traces_sampler"
RESOURCE_DETECTORS: Final = "opentelemetry_resource_detector"
_USUAL: Final[Mapping[str, Callable[[], TextMapPropagator]]] = {
    "tracecontext": TraceContextTextMapPropagator,
    "baggage": W3CBaggagePropagator,
}


class Sampler(Protocol):
    """Decides whether to sample a trace."""

    def __call__(self, trace_id: int, parent: trace.SpanContext | None, describe: Describe = ..., /) -> bool:
        """By its id, the span of its caller or None, and what *describe* says of the span."""
        ...


def undescribed() -> tuple[str, dict[str, Any]]:
    """Says nothing of a span."""
    return "", {}


def offered(group: str, name: str) -> Any:
    """What an installed package offers under *name*.

    Raises:
        LookupError: none offers anything, or what it offers cannot be loaded.
    """
    for entry_point in entry_points(group=group, name=name):
        try:
            return entry_point.load()
        except Exception as error:
            raise LookupError(f"{name} cannot be loaded ({type(error).__name__}: {error})") from error
    raise LookupError(f"no installed package offers {name}")


@dataclass(frozen=True, slots=True)
class Propagation:
    """How a caller's trace is read from headers: by the propagators of OTEL_PROPAGATORS."""

    propagator: TextMapPropagator
    header_names: frozenset[bytes]
    """Those that the propagators name as theirs, in lower case."""
    needs_all_headers: bool = False
    """Whether one of them names none, so that it has to be shown all."""

    def extract(self, headers: Headers, before: Context | None = None) -> Context:
        """*before* (None: the current context) with the caller's span and baggage, as far as they can be read."""
        try:
            return self.propagator.extract(headers, context=before, getter=_HEADERS)
        except Exception as error:
            _tell_once(f"a propagator fails ({type(error).__name__}); requests go on without their caller's trace")
            return Context() if before is None else before


def propagation_of(propagators: Sequence[TextMapPropagator]) -> Propagation:
    """That of *propagators*, all of them asked in turn."""
    names = frozenset(name.lower().encode("latin-1") for each in propagators for name in each.fields)
    needs_all = any(not each.fields for each in propagators)
    return Propagation(CompositePropagator(list(propagators)), names, needs_all)


def propagation_from(environ: Mapping[str, str]) -> Propagation:
    """What OTEL_PROPAGATORS asks for, else what the app has set in code, else tracecontext and baggage.

    Propagators that are not there are one warning; where none is left, the default is used.
    """
    names = [name.strip().lower() for name in environ.get("OTEL_PROPAGATORS", "").split(",") if name.strip()]
    if not names:
        return _set_in_code() or W3C
    if "none" in names:
        return propagation_of([])
    found: list[TextMapPropagator] = []
    missing: list[str] = []
    for name in dict.fromkeys(names):
        try:
            make = _USUAL.get(name) or offered(PROPAGATORS, name)
            found.append(cast("TextMapPropagator", make()))
        except Exception as error:
            missing.append(str(error))
    if missing:
        rest = "the others are used" if found else "tracecontext and baggage are used"
        logger.warning("OTEL_PROPAGATORS: %s; %s", "; ".join(missing), rest)
    return propagation_of(found) if found else W3C


def _set_in_code() -> Propagation | None:
    """That of the global propagator, if the app has loaded the module that holds it."""
    module = sys.modules.get("opentelemetry.propagate")
    return None if module is None else propagation_of([module.get_global_textmap()])


_told: set[str] = set()


def _tell_once(sentence: str) -> None:
    if sentence not in _told:
        _told.add(sentence)
        logger.warning("%s", sentence)


def offered_sampler(name: str, argument: str) -> Sampler:
    """The decision of a sampler that a package offers, made as the SDK makes it: from the argument's text.

    What such a sampler would write on a span besides its decision is left out.

    Raises:
        LookupError: there is none, or it cannot be made of *argument*.
    """
    factory = offered(SAMPLERS, name)
    try:
        sampler = factory(argument or None)
        should_sample = sampler.should_sample
    except Exception as error:
        raise LookupError(f"{name} cannot be made ({type(error).__name__}: {error})") from error

    def sample(trace_id: int, parent: trace.SpanContext | None, describe: Describe = undescribed) -> bool:
        span_name, attributes = describe()
        context = Context() if parent is None else trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())
        try:
            result = should_sample(context, trace_id, span_name, trace.SpanKind.SERVER, attributes)
            return bool(result.decision.is_sampled())
        except Exception as error:
            _tell_once(
                f"the sampler {name} fails ({type(error).__name__}); its requests are sampled like their callers"
            )
            return parent is None or bool(parent.trace_flags & trace.TraceFlags.SAMPLED)

    return sample


_HEADERS = HeadersGetter()
W3C: Final = propagation_of([make() for make in _USUAL.values()])
