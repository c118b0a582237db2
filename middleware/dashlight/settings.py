"""Every DASHLIGHT_* variable, once: its name, type, default and meaning."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, TypeAlias, get_args

from dashlight import units
from dashlight.errors import SettingsError

PREFIX = "DASHLIGHT_"
SpanSource: TypeAlias = Literal["auto", "enrich", "server", "own", "off"]
CollectorFormat: TypeAlias = Literal["otlp", "ndjson"]
Payloads: TypeAlias = Literal["off", "features"]


def _variable(default: str, wanted: str, read: Callable[[str], Any]) -> Any:
    """A field whose default is written as a person would write it in the environment."""
    metadata = {"default": default, "wanted": wanted, "read": read}
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
    # Written so that what is no number is refused too.
    if not all(name and 0 <= weight <= 1000 for name, weight in weights.items()):
        raise ValueError(text)
    return weights


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
    """What the environment asks for. The variable of a field is DASHLIGHT_ and its name in capitals."""

    enabled: bool = _variable("true", "true or false", units.flag)
    """Whether to monitor at all; `false` leaves the app as if Dashlight were not there."""
    strict: bool = _variable("false", "true or false", units.flag)
    """Whether a mistake in a setting stops the start of the server instead of disabling monitoring."""
    model: str = _variable("", "a name", _text)
    """Name of the model where neither payload nor path says."""
    model_version: str = _variable("", "a version", _text)
    """Its version where the payload does not say."""
    reference: str = _variable("", "the path of a reference file", _text)
    """Reference file made by `dashlight reference build`; unset: learned from the first rows."""
    reference_rows: int = _variable("5000", "a whole number of at least 200", _rows)
    """Rows to learn a reference from."""
    pane: float = _variable("10s", "a duration above zero, such as 10s", _above_zero(units.seconds))
    """Length of a pane; the false-alarm budget counts in panes."""
    window: float = _variable("1h", "a duration above zero, such as 1h", _above_zero(units.seconds))
    """Window whose scores are shown; the alarm has a memory of its own."""
    false_alarms: float = _variable("1/30d", "a budget such as 1/30d", units.seconds_between)
    """Budget of false drift alarms for the whole model."""
    tolerance: float = _variable("0.02", "a share above 0 and up to 1", _above_zero(units.share))
    """Smallest shift worth waking somebody, as a PSI-like squared Cohen's h."""
    importance: Mapping[str, float] = _variable("", "column=number pairs such as age=3, zip=0", _importance)
    """Columns that matter more or less than others: so many times the budget of false alarms; 0 leaves one out."""
    thresholds: str = _variable("", "limits such as error_rate>2% for 5m, latency_p99>300ms for 5m", _text)
    """Fixed limits on failures, latency and traffic, beside the budget."""
    features: tuple[str, ...] = _variable("", "names or globs between commas", _names)
    """The only features to look at, ids among them where named; unset: all but ids. Never credentials."""
    prediction: tuple[str, ...] = _variable("", "names or globs between commas", _names)
    """The only outputs to look at, ids among them where named; unset: all but ids."""
    ignore: tuple[str, ...] = _variable("", "names or globs between commas", _names)
    """Columns never looked at, whatever the two above say."""
    collector: str = _variable("", "an http or https URL", _text)
    """Where events and alerts go; unset: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, else nowhere."""
    collector_format: CollectorFormat = _variable("otlp", "otlp or ndjson", _one_of(CollectorFormat))
    """How events are written: OTLP logs or newline-delimited JSON."""
    collector_headers: Mapping[str, str] = _variable("", "name=value pairs between commas", _headers)
    """Headers sent along to the collector."""
    sample_rate: float = _variable("0.01", "a number from 0 to 1", units.share)
    """Share of exchanges sent as events; failures always, within a rate limit."""
    payloads: Payloads = _variable("off", "off or features", _one_of(Payloads))
    """What an event may carry of features and outputs: nothing, or their values after redaction."""
    redact: tuple[str, ...] = _variable("", "names or globs between commas", _names)
    """Columns to redact in events, beside those whose names tell of credentials."""
    trace_url: str = _variable("", "a URL with {trace_id} in it", _text)
    """Template of a link to a trace, for alerts."""
    state_dir: str = _variable("", "a directory", _text)
    """Directory for what must outlive the processes: learned references, windows, evidence, states of alerts."""
    app: str = _variable("", "an import path such as package.module:app", _text)
    """The ASGI app that `dashlight.wrap:app` stands for."""
    path: str = _variable("/dashlight", "a path such as /dashlight", _path)
    """Path below which Dashlight answers itself, where it is asked to."""
    metrics: bool = _variable("false", "true or false", units.flag)
    """Whether the host's figures are served for Prometheus at `<DASHLIGHT_PATH>/metrics`."""
    token: str = _variable("", "a secret", _text)
    """Secret that whoever asks below DASHLIGHT_PATH has to know; unset: one is generated for the host and kept in a file."""
    prediction_id_header: str = _variable("", "the name of a response header", _text)
    """Response header that carries the prediction id; unset: none."""
    spans: SpanSource = _variable("auto", "auto, enrich, server, own or off", _one_of(SpanSource))
    """Who makes the span of a request."""
    excluded_urls: tuple[str, ...] = _variable(
        "/healthz$,/livez$,/readyz$,/metrics$", "regular expressions between commas", _names
    )
    """URLs not watched at all, searched without the query."""
    max_body: int = _variable("256KiB", "a size such as 256KiB", _bytes_above_zero)
    """Bytes kept of each body."""
    cpu: float = _variable("10%", "a share above 0 and up to 100%", _above_zero(units.share))
    """Share of one core that analysis may take; above it, a uniform sample of the exchanges is analysed."""
    shutdown_timeout: float = _variable("5s", "a duration such as 5s", units.seconds)
    """How long the end of the process may wait for what is still to be sent."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads every variable of *environ*; an empty value counts as unset.

        Raises:
            SettingsError: at the first mistake, naming variable, value and what was expected.
        """
        return cls(**{each.name: _read(each, environ) for each in fields(cls) if environ.get(variable_of(each.name))})

    def __repr__(self) -> str:
        """All but the values of the collector's headers, which may be secrets."""
        shown = {each.name: getattr(self, each.name) for each in fields(self)}
        shown["collector_headers"] = dict.fromkeys(self.collector_headers, "***")
        shown["token"] = "***" if self.token else ""
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def variable_of(name: str) -> str:
    """The environment variable of the field *name*."""
    return PREFIX + name.upper()


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str | None]:
    """DASHLIGHT_* variables that no field knows, each with the nearest known one if any is near."""
    known = [variable_of(each.name) for each in fields(Settings)]
    unknown = [name for name in environ if name.startswith(PREFIX) and name not in known]
    return {name: next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.85)), None) for name in unknown}


def _read(each: "Field[Any]", environ: Mapping[str, str]) -> Any:
    text = environ[variable_of(each.name)]
    try:
        return each.metadata["read"](text)
    except ValueError:
        raise SettingsError(variable_of(each.name), text, each.metadata["wanted"]) from None
