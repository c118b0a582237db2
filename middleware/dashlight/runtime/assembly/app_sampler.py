"""How the app itself samples its traces, as far as the draw of events has to follow it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry import trace

_RATIO = "TraceIdRatioBased{"
_RATIO_NAMES = frozenset({"traceidratio", "parentbased_traceidratio"})


def samples_by_ratio(
    environ: Mapping[str, str], *, provider: Callable[[], object] = trace.get_tracer_provider
) -> Callable[[], bool]:
    """Whether traces are sampled by OpenTelemetry's TraceIdRatioBased, whenever it is asked.

    The *provider* that the app has set says so, for it may be set later; without one OTEL_TRACES_SAMPLER does.
    """
    is_named = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower() in _RATIO_NAMES
    seen: object = None
    follows = is_named

    def follow() -> bool:
        nonlocal seen, follows
        sampler = getattr(provider(), "sampler", None)
        if sampler is not seen:
            seen, follows = sampler, is_named if sampler is None else _is_by_ratio(sampler)
        return follows

    return follow


def _is_by_ratio(sampler: object) -> bool:
    """Whether *sampler*, or the one that a sampler by parents has for the root, is one; its description tells."""
    try:
        said = str(sampler.get_description())  # type: ignore[attr-defined]
    except Exception:  # somebody else's sampler
        return False
    return said.removeprefix("ParentBased{root:").startswith(_RATIO)
