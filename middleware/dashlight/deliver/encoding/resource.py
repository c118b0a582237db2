"""The OpenTelemetry resource: who sends."""

from collections.abc import Mapping
from urllib.parse import unquote

_NOTHING: Mapping[str, object] = {}


def resource_attributes(
    environ: Mapping[str, str],
    *,
    instance_id: str,
    sdk_version: str,
    executable: str = "",
    service: str = "",
    detected: Mapping[str, object] = _NOTHING,
) -> dict[str, object]:
    """Attributes of the resource that the OpenTelemetry SDK would make of *environ*.

    OTEL_SERVICE_NAME beats OTEL_RESOURCE_ATTRIBUTES, whose values are percent-decoded and whose pairs without a name
    or a sign of equality are passed over. *instance_id* is a new UUID for each process; what the environment says of
    it comes first. *service* is the name of a service that has none in the environment; without it *executable*, the file
    name of the interpreter, is part of the name. *detected* is what the detectors of OTEL_EXPERIMENTAL_RESOURCE_DETECTORS
    found; what the environment says wins over it.
    """
    found: dict[str, object] = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": sdk_version,
        "service.instance.id": instance_id,
        **detected,
    }
    for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        name, sign, value = pair.partition("=")
        if sign and name.strip():
            found[name.strip()] = unquote(value.strip())
    if environ.get("OTEL_SERVICE_NAME"):
        found["service.name"] = environ["OTEL_SERVICE_NAME"]
    if not found.get("service.name"):
        found["service.name"] = service or (f"unknown_service:{executable}" if executable else "unknown_service")
    return found
