"""Where spans, events and metrics go, as the environment says."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast
from urllib.parse import unquote

from dashlight.deliver.transport.egress import Egress
from dashlight.deliver.transport.urls import checked_url, joined, masked, origin
from dashlight.errors import SettingsError

Compression: TypeAlias = Literal["none", "gzip", "deflate"]
EventFormat: TypeAlias = Literal["otlp", "ndjson", "cloudevents"]
_Signal: TypeAlias = Literal["TRACES", "LOGS", "METRICS"]

ATTEMPT_SECONDS = 15.0
INTERVAL_SECONDS = 60.0
"""Between two deliveries of metrics."""
# A larger OTEL_EXPORTER_OTLP_TIMEOUT was meant as milliseconds; obeyed, it would keep the thread for hours.
_MOST_SECONDS = 60.0

_PATHS: dict[_Signal, str] = {"TRACES": "/v1/traces", "LOGS": "/v1/logs", "METRICS": "/v1/metrics"}
_OTLP_EXPORTERS = {"otlp", "otlp_proto_http", "otlp_proto_grpc"}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110, section 5.5: visible characters, spaces and tabs between them.
_HEADER_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")
_OF_THE_BODY = frozenset({"content-length", "transfer-encoding"})
_STRAIGHT = Egress()
_PROTOCOL_WANTED = "http/protobuf, the one OTLP protocol that Dashlight speaks"


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """One address to send to, and how."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names in lower case. Never shown: the values may be secrets."""
    timeout_seconds: float = ATTEMPT_SECONDS
    """For a whole attempt, from the connection to the end of the answer."""
    compression: Compression = "none"
    certificate: str = ""
    """File of the authorities to trust; empty: the usual ones."""
    client_certificate: str = ""
    client_key: str = ""
    egress: Egress = _STRAIGHT
    is_secret: bool = False
    """Whether the URL is a secret beyond scheme and host."""

    @property
    def shown(self) -> str:
        """The URL as it may stand in a log."""
        return f"{origin(self.url)}/***" if self.is_secret else masked(self.url)

    def __repr__(self) -> str:
        """Everything but what may be secret."""
        headers = dict.fromkeys(self.headers, "***")
        return (
            f"Endpoint(url={self.shown!r}, headers={headers!r}, timeout_seconds={self.timeout_seconds!r}, "
            f"compression={self.compression!r}, certificate={self.certificate!r}, "
            f"client_certificate={self.client_certificate!r}, client_key={self.client_key!r}, "
            f"egress={self.egress!r})"
        )


def trace_endpoint(environ: Mapping[str, str]) -> Endpoint | None:
    """Where OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT want spans; None for nowhere.

    The variables for traces come before the general ones, one by one. Read as the OpenTelemetry SDK for Python 1.45
    reads them, also where the specification says otherwise: OTEL_EXPORTER_OTLP_TIMEOUT is in seconds, not
    milliseconds, and headers need not be percent-encoded. OTEL_SDK_DISABLED=true and an OTEL_TRACES_EXPORTER
    without `otlp` mean nowhere.

    Raises:
        SettingsError: a URL that must not be used, or a protocol other than http/protobuf.
    """
    return _opentelemetry_endpoint(environ, "TRACES", compression="none")


def metric_endpoint(environ: Mapping[str, str]) -> Endpoint | None:
    """Where OTEL_EXPORTER_OTLP_METRICS_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT want metrics; None for nowhere.

    Read as trace_endpoint reads the variables for traces; an OTEL_METRICS_EXPORTER without `otlp` means nowhere.

    Raises:
        SettingsError: as trace_endpoint.
    """
    return _opentelemetry_endpoint(environ, "METRICS", compression="none")


def metric_interval_seconds(environ: Mapping[str, str]) -> float:
    """How often OTEL_METRIC_EXPORT_INTERVAL, in milliseconds, wants metrics; 60 s where it says nothing of use."""
    try:
        seconds = float(environ.get("OTEL_METRIC_EXPORT_INTERVAL", "")) / 1000
    except ValueError:
        return INTERVAL_SECONDS
    return seconds if 0 < seconds < math.inf else INTERVAL_SECONDS


def event_endpoint(
    environ: Mapping[str, str],
    *,
    url: str = "",
    event_format: EventFormat = "otlp",
    headers: Mapping[str, str] | None = None,
) -> Endpoint | None:
    """Where events go: to *url* (DASHLIGHT_COLLECTOR), else where OpenTelemetry's variables want logs, else nowhere.

    *headers* go to *url* alone, and those of OpenTelemetry's variables never: they may be secrets between the
    operator and another collector. OTLP adds `/v1/logs` to *url* unless it ends so. Timeout, compression (gzip if
    unset) and certificates follow OpenTelemetry's variables in both cases.

    Raises:
        SettingsError: as trace_endpoint; another format than OTLP without a *url*; a header that cannot be sent.
    """
    if url.strip():
        checked = checked_url(url, variable="DASHLIGHT_COLLECTOR")
        return _endpoint(
            environ,
            "LOGS",
            url=joined(checked, path=_PATHS["LOGS"]) if event_format == "otlp" else checked,
            headers=checked_headers("DASHLIGHT_COLLECTOR_HEADERS", headers or {}),
            compression="gzip",
        )
    if event_format != "otlp":
        raise SettingsError("DASHLIGHT_COLLECTOR_FORMAT", event_format, "DASHLIGHT_COLLECTOR beside it")
    return _opentelemetry_endpoint(environ, "LOGS", compression="gzip")


def _opentelemetry_endpoint(
    environ: Mapping[str, str], signal: _Signal, *, compression: Compression
) -> Endpoint | None:
    exporter = f"OTEL_{signal}_EXPORTER"
    exporters = {name.strip().lower() for name in environ.get(exporter, "").split(",")} - {""} or {"otlp"}
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or not exporters & _OTLP_EXPORTERS:
        return None
    own, general = f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
    if environ.get(own, "").strip():
        url = checked_url(environ[own], variable=own)
    elif environ.get(general, "").strip():
        url = checked_url(environ[general].strip().removesuffix("/") + _PATHS[signal], variable=general)
    else:
        return None
    if exporters & _OTLP_EXPORTERS == {"otlp_proto_grpc"}:
        raise SettingsError(exporter, environ[exporter], f"otlp over {_PROTOCOL_WANTED}")
    variable, protocol = _first(environ, signal, "PROTOCOL")
    if protocol.lower() not in {"", "http/protobuf"}:
        raise SettingsError(variable, protocol, _PROTOCOL_WANTED)
    variable, text = _first(environ, signal, "HEADERS")
    headers = checked_headers(variable, _headers(text))
    return _endpoint(environ, signal, url=url, headers=headers, compression=compression)


def _endpoint(
    environ: Mapping[str, str],
    signal: _Signal,
    *,
    url: str,
    headers: Mapping[str, str],
    compression: Compression,
) -> Endpoint:
    return Endpoint(
        url=url,
        headers=headers,
        timeout_seconds=_timeout(_first(environ, signal, "TIMEOUT")[1]),
        compression=_compression(_first(environ, signal, "COMPRESSION")[1], compression),
        certificate=_first(environ, signal, "CERTIFICATE")[1],
        client_certificate=_first(environ, signal, "CLIENT_CERTIFICATE")[1],
        client_key=_first(environ, signal, "CLIENT_KEY")[1],
    )


def _first(environ: Mapping[str, str], signal: _Signal, ending: str) -> tuple[str, str]:
    """(variable, its value) of the signal's own variable if it says anything, else of the general one."""
    own, general = f"OTEL_EXPORTER_OTLP_{signal}_{ending}", f"OTEL_EXPORTER_OTLP_{ending}"
    variable = own if environ.get(own, "").strip() else general
    return variable, environ.get(variable, "").strip()


def _headers(text: str) -> dict[str, str]:
    """Headers of `name=value,name=value`, percent-decoded; what is not such a pair is passed over, as in the SDK."""
    pairs = (pair.partition("=") for pair in text.split(","))
    found = {unquote(name).strip().lower(): unquote(value).strip() for name, sign, value in pairs if sign}
    return {name: value for name, value in found.items() if _HEADER_NAME.fullmatch(name)}


def checked_headers(variable: str, headers: Mapping[str, str]) -> dict[str, str]:
    """*headers* with names in lower case.

    Raises:
        SettingsError: one that cannot be sent. It shows a name at most, and none that may hold a secret.
    """
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise SettingsError(variable, "***", "name=value pairs with names that HTTP allows for a header")
        if name.lower() in _OF_THE_BODY:
            raise SettingsError(variable, f"{name}=***", "headers other than those that say how long the body is")
        if not _HEADER_VALUE.fullmatch(value):
            raise SettingsError(variable, f"{name}=***", "a value on one line, of characters of ISO 8859-1")
    return {name.lower(): value for name, value in headers.items()}


def _timeout(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return ATTEMPT_SECONDS
    return min(seconds, _MOST_SECONDS) if seconds > 0 and not math.isnan(seconds) else ATTEMPT_SECONDS


def _compression(text: str, default: Compression) -> Compression:
    word = text.lower()
    if not word:
        return default
    # An unknown word means none, as in the SDK.
    return cast("Compression", word) if word in {"gzip", "deflate"} else "none"
