"""Figures -> the body of a scrape, in the format that Prometheus asks for."""

from collections.abc import Sequence

from dashlight.errors import MissingExtraError
from dashlight.metrics.figures import Figures

PLAIN_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def exposition(figures: Figures, accept: str) -> tuple[bytes, str]:
    """(body, content type) of *figures* in OpenMetrics where the header *accept* prefers it, else in plain text.

    Moments at which counters began are in OpenMetrics alone: in plain text they would be families of their own.

    Raises:
        MissingExtraError: prometheus-client is not installed.
    """
    try:
        # Loaded with the first scrape: it is an extra, and it puts collectors into a registry as it loads.
        from dashlight.metrics import prometheus_families  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("prometheus-client", "prometheus") from None
    if prefers_openmetrics(accept):
        return prometheus_families.openmetrics_text(figures), OPENMETRICS_TYPE
    return prometheus_families.plain_text(figures), PLAIN_TYPE


def prefers_openmetrics(accept: str) -> bool:
    """Whether an Accept header wants OpenMetrics at least as much as plain text; an empty one does not."""
    wanted = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for part in accept.split(","):
        kind, *parameters = (each.strip().lower() for each in part.split(";"))
        if kind in wanted:
            wanted[kind] = max(wanted[kind], _weight(parameters))
    openmetrics, plain = wanted.values()
    return openmetrics > 0 and openmetrics >= plain


def _weight(parameters: Sequence[str]) -> float:
    """The quality that the parameters of a media type give it, 1 where they say nothing."""
    for each in parameters:
        name, _, text = each.partition("=")
        if name.strip() == "q":
            try:
                return float(text)
            except ValueError:
                return 0.0
    return 1.0
