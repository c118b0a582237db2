"""Every DASHLIGHT_* variable: name, type, default and meaning."""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

from dashlight import units
from dashlight.errors import SettingsError

PREFIX = "DASHLIGHT_"
SpanSource: TypeAlias = Literal["auto", "enrich", "server", "own", "off"]
CollectorFormat: TypeAlias = Literal["otlp", "ndjson"]
Payloads: TypeAlias = Literal["off", "features"]
SpoolFsync: TypeAlias = Literal["never", "segment", "batch"]


def _variable(default: str, wanted: str, read: Callable[[str], Any], *, is_secret: bool = False) -> Any:
    """A field whose default is written as in the environment; what is secret is shown in no message."""
    metadata = {"default": default, "wanted": wanted, "read": read, "is_secret": is_secret}
    return field(default_factory=lambda: read(default), metadata=metadata)


def _text(text: str) -> str:
    return text.strip()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _headers(text: str) -> Mapping[str, str]:
    pairs = [pair.partition("=") for pair in _names(text)]
    if any(not name.strip() or not sign for name, sign, _ in pairs):
        raise ValueError(text)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _importance(text: str) -> Mapping[str, float]:
    pairs = [pair.partition("=") for pair in _names(text)]
    weights = {name.strip(): float(value) for name, _, value in pairs}
    # Written so that NaN is refused too.
    if not all(name and 0 <= weight <= 1000 for name, weight in weights.items()):
        raise ValueError(text)
    return weights


def _columns(text: str) -> Mapping[str, str]:
    """Pairs of names between commas, or those in a file: a pair a line, or a JSON object."""
    if text.strip() and "=" not in text:
        try:
            text = Path(text.strip()).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(text) from error
        if text.lstrip().startswith("{"):
            named = cast("dict[str, object]", json.loads(text))
            if not all(isinstance(name, str) and name for name in named.values()):
                raise ValueError(text)
            return {old: str(new) for old, new in named.items()}
        text = ",".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    pairs = [pair.partition("=") for pair in _names(text)]
    names_by_old = {old.strip(): new.strip() for old, _, new in pairs}
    if not all(old and new for old, new in names_by_old.items()) or len(set(names_by_old.values())) < len(pairs):
        raise ValueError(text)
    return names_by_old


def _above_zero(read: Callable[[str], float]) -> Callable[[str], float]:
    def checked(text: str) -> float:
        value = read(text)
        if value <= 0:
            raise ValueError(text)
        return value

    return checked


def _path(text: str) -> str:
    path = "/" + text.strip().strip("/")
    if path == "/":
        raise ValueError(text)
    return path


def _rows(text: str) -> int:
    count = int(text)
    if count < 200:
        raise ValueError(text)
    return count


def _bytes_above_zero(text: str) -> int:
    size = units.size_bytes(text)
    if size <= 0:
        raise ValueError(text)
    return size


def _long_secret(text: str) -> str:
    secret = text.strip()
    if 0 < len(secret) < 16:
        raise ValueError(text)
    return secret


def _one_of(words: Any) -> Callable[[str], str]:
    allowed = get_args(words)

    def checked(text: str) -> str:
        word = text.strip().lower()
        if word not in allowed:
            raise ValueError(text)
        return word

    return checked


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings read from the environment. The variable of a field is `DASHLIGHT_` and its name in capitals."""

    enabled: bool = _variable("true", "true or false", units.flag)
    """Whether to monitor; `false` leaves the app as if Dashlight were not there."""
    strict: bool = _variable("false", "true or false", units.flag)
    """Whether a mistake in a setting stops the server from starting, instead of disabling monitoring."""
    model: str = _variable("", "a name", _text)
    """Name of the model, where neither payload nor path gives one."""
    model_version: str = _variable("", "a version", _text)
    """Version of the model, where the payload gives none."""
    reference: str = _variable("", "the path of a reference file", _text)
    """Reference file made by `dashlight reference build`; unset: learn one from the first rows."""
    reference_rows: int = _variable("5000", "a whole number of at least 200", _rows)
    """Number of rows to learn a reference from."""
    pane: float = _variable("10s", "a duration above zero, such as 10s", _above_zero(units.seconds))
    """Length of a pane; the false-alarm budget is counted in panes."""
    window: float = _variable("1h", "a duration above zero, such as 1h", _above_zero(units.seconds))
    """Window that the scores cover; alerts do not depend on it."""
    false_alarms: float = _variable("1/30d", "a budget such as 1/30d", units.seconds_between)
    """Budget of false drift alarms for the whole model."""
    tolerance: float = _variable("0.02", "a share above 0 and up to 1", _above_zero(units.share))
    """Smallest shift worth an alert, as squared Cohen's h (similar to PSI)."""
    importance: Mapping[str, float] = _variable("", "column=number pairs such as age=3, zip=0", _importance)
    """Weight of a column's share of the false-alarm budget, 1 by default; 0 leaves the column out."""
    thresholds: str = _variable("default", "limits such as failure_rate>2% for 5m, latency_p99>300ms for 5m", _text)
    """Fixed limits in addition to the budget and to the three of `default`; `none` switches these off."""
    features: tuple[str, ...] = _variable("", "names or globs between commas", _names)
    """The only features to use, ids only if named; unset: all but ids. Credentials are never used."""
    prediction: tuple[str, ...] = _variable("", "names or globs between commas", _names)
    """The only outputs to use, ids only if named; unset: all but ids."""
    columns: Mapping[str, str] = _variable("", "pairs such as data[0]=age,data[1]=income, or a file of them", _columns)
    """Other names for columns: `data[0]=age,data[1]=income`, or a file with a pair a line or a JSON object."""
    ignore: tuple[str, ...] = _variable("", "names or globs between commas", _names)
    """Columns to ignore, even if DASHLIGHT_FEATURES or DASHLIGHT_PREDICTION names them."""
    collector: str = _variable("", "an http or https URL", _text)
    """Where events and alerts go; unset: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, else nowhere."""
    collector_format: CollectorFormat = _variable("otlp", "otlp or ndjson", _one_of(CollectorFormat))
    """Format of events: OTLP logs or newline-delimited JSON."""
    collector_headers: Mapping[str, str] = _variable("", "name=value pairs between commas", _headers, is_secret=True)
    """Headers to send to the collector."""
    sample_rate: float = _variable("0.01", "a number from 0 to 1", units.share)
    """Share of exchanges sent as events, drawn by trace id; failures, anomalies and slow ones are always sent, within rate limits."""
    payloads: Payloads = _variable("off", "off or features", _one_of(Payloads))
    """What events carry of features and outputs: nothing, or their values after redaction."""
    redact: tuple[str, ...] = _variable("", "names or globs between commas", _names)
    """Columns to redact in events, in addition to those whose names suggest credentials."""
    trace_url: str = _variable("", "a URL with {trace_id} in it", _text)
    """URL of a trace, with `{trace_id}` in it, for links in alerts."""
    state_dir: str = _variable("", "a directory", _text)
    """Directory for what must survive a restart: learned references, windows, evidence, states of alerts, and what could not be delivered yet."""
    spool: int = _variable("256MiB", "a size such as 256MiB, or 0 for none", units.size_bytes)
    """Bytes in the state directory for spans and events that wait for a collector, over all workers; the oldest give way. `0`: none."""
    spool_fsync: SpoolFsync = _variable("never", "never, segment or batch", _one_of(SpoolFsync))
    """When the spool waits for the disk: only at shutdown, after each segment, or after each batch. A power cut costs what did not reach it."""
    spool_key: str = _variable("", "a secret of at least 16 characters", _long_secret, is_secret=True)
    """Secret with which the spool is encrypted (`pip install 'dashlight[sealed]'`); unset: it is not."""
    app: str = _variable("", "an import path such as package.module:app", _text)
    """The ASGI app that `dashlight.wrap:app` wraps."""
    path: str = _variable("/dashlight", "a path such as /dashlight", _path)
    """Path prefix of the endpoints that Dashlight serves itself, where any is enabled."""
    metrics: bool = _variable("false", "true or false", units.flag)
    """Whether to serve totals over all workers of this machine for Prometheus at `<DASHLIGHT_PATH>/metrics`."""
    token: str = _variable("", "a secret", _text, is_secret=True)
    """Secret that requests below DASHLIGHT_PATH must show; unset: one is generated and kept in a file."""
    prediction_id_header: str = _variable("", "the name of a response header", _text)
    """Response header in which to send the prediction id; unset: none."""
    spans: SpanSource = _variable("auto", "auto, enrich, server, own or off", _one_of(SpanSource))
    """Who creates the span of a request."""
    client_address: bool = _variable("false", "true or false", units.flag)
    """Whether spans carry the address of the client, which may be that of a person."""
    excluded_urls: tuple[str, ...] = _variable(
        "/healthz/?$,/livez/?$,/readyz/?$,/metrics/?$", "regular expressions between commas", _names
    )
    """URLs whose requests are counted, and not watched: regular expressions, searched for in the URL without its query."""
    excluded_agents: tuple[str, ...] = _variable("default", "product tokens between commas, such as k6,Locust", _names)
    """Clients whose rows are not judged, in addition to the well-known probes of `default`: product tokens of User-Agent; `none` switches these off."""
    max_body: int = _variable("256KiB", "a size such as 256KiB", _bytes_above_zero)
    """Bytes to keep of each body."""
    cpu: float = _variable("10%", "a share above 0 and up to 100%", _above_zero(units.share))
    """Share of one core that the analysis may use; above it, a uniform sample of the exchanges is analysed."""
    shutdown_timeout: float = _variable("5s", "a duration such as 5s", units.seconds)
    """How long shutdown may wait for data that is still to be sent."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads every variable of *environ*; an empty value counts as unset.

        Raises:
            SettingsError: at the first mistake, naming variable, value and what was expected.
        """
        return cls(**{each.name: _read(each, environ) for each in fields(cls) if environ.get(variable_of(each.name))})

    def __repr__(self) -> str:
        """All settings, with the token, the key of the spool and the values of the collector's headers masked: they may be secrets."""
        shown = {each.name: getattr(self, each.name) for each in fields(self)}
        shown["collector_headers"] = dict.fromkeys(self.collector_headers, "***")
        shown["token"] = "***" if self.token else ""
        shown["spool_key"] = "***" if self.spool_key else ""
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def variable_of(name: str) -> str:
    """The environment variable of the field *name*."""
    return PREFIX + name.upper()


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str | None]:
    """DASHLIGHT_* variables that do not exist, each with the most similar one that does, or None."""
    known = [variable_of(each.name) for each in fields(Settings)]
    unknown = [name for name in environ if name.startswith(PREFIX) and name not in known]
    return {name: next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.85)), None) for name in unknown}


def _read(each: "Field[Any]", environ: Mapping[str, str]) -> Any:
    text = environ[variable_of(each.name)]
    try:
        return each.metadata["read"](text)
    except ValueError:
        shown = "***" if each.metadata["is_secret"] else text
        raise SettingsError(variable_of(each.name), shown, each.metadata["wanted"]) from None
