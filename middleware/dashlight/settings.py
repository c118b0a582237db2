"""Every DASHLIGHT_* variable: name, type, default and meaning."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, TypeAlias, cast, get_args
from urllib.parse import urlsplit

from dashlight import units
from dashlight.errors import SettingsError

PREFIX = "DASHLIGHT_"
SpanSource: TypeAlias = Literal["auto", "enrich", "server", "own", "off"]
CollectorFormat: TypeAlias = Literal["otlp", "ndjson", "cloudevents"]
WebhookFormat: TypeAlias = Literal["auto", "json", "slack"]
Payloads: TypeAlias = Literal["off", "features"]
TaskSetting: TypeAlias = Literal["auto", "binary", "multiclass", "regression", "ranking", "text"]
SpoolFsync: TypeAlias = Literal["never", "segment", "batch"]

_OF_KUBERNETES = re.compile(
    r"(DASHLIGHT(?:_[A-Z0-9_]+?)??)_(?:SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)|PORT(?:_[0-9]+_[A-Z_]+)?)"
)
"""What Kubernetes tells every container of a service that is called dashlight, or dashlight and more."""


def _variable(default: str, wanted: str, read: Callable[[str], Any], *, is_secret: bool = False) -> Any:
    """A field whose default is written as in the environment; what is secret is shown in no message."""
    metadata = {"default": default, "wanted": wanted, "read": read, "is_secret": is_secret}
    return field(default_factory=lambda: read(default), metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings read from the environment. The variable of a field is `DASHLIGHT_` and its name in capitals."""

    enabled: bool = _variable("true", "true or false", units.flag)
    """Whether to monitor; `false` leaves the app as if Dashlight were not there."""
    strict: bool = _variable("false", "true or false", units.flag)
    """Whether a mistake in a setting stops the server from starting, instead of disabling monitoring."""
    model: str = _variable("", "a name", str.strip)
    """Name of the model, where neither payload nor path gives one."""
    model_version: str = _variable("", "a version", str.strip)
    """Version of the model, where the payload gives none."""
    reference: str = _variable("", "the path of a reference file", str.strip)
    """Reference file made by `dashlight reference build`; unset: learn one from the first rows."""
    reference_rows: int = _variable("5000", "a whole number of at least 200", units.at_least(200, int))
    """Number of rows to learn a reference from."""
    pane: float = _variable("10s", "a duration of at least 100ms, such as 10s", units.at_least(0.1, units.seconds))
    """Length of a pane; the false-alarm budget is counted in panes."""
    window: float = _variable("1h", "a duration above zero, such as 1h", units.above_zero(units.seconds))
    """Window that the scores cover; alerts do not depend on it, but that labels are judged once in it where it is below an hour."""
    false_alarms: float = _variable("1/30d", "a budget such as 1/30d", units.seconds_between)
    """Budget of false drift alarms for the whole model."""
    tolerance: float = _variable("0.02", "a share above 0 and up to 1", units.above_zero(units.share))
    """Smallest shift worth an alert, as squared Cohen's h (similar to PSI)."""
    importance: Mapping[str, float] = _variable("", "column=number pairs such as age=3, zip=0", units.weights)
    """Weight of a column's share of the false-alarm budget, 1 by default; 0 leaves the column out."""
    thresholds: str = _variable("default", "limits such as failure_rate>2% for 5m, latency_p99>300ms for 5m", str.strip)
    """Fixed limits in addition to the budget and to the three of `default`; `none` switches these off."""
    features: tuple[str, ...] = _variable("", "names or globs between commas", units.words)
    """The only features to use, ids only if named; unset: all but ids. Credentials are never used."""
    prediction: tuple[str, ...] = _variable("", "names or globs between commas", units.words)
    """The only outputs to use, ids only if named; unset: all but ids."""
    columns: Mapping[str, str] = _variable(
        "", "pairs such as data[0]=age,data[1]=income, or a file of them", units.renamed
    )
    """Other names for columns: `data[0]=age,data[1]=income`, or a file with a pair a line or a JSON object."""
    signals: Mapping[str, str] = _variable(
        "", "pairs such as revenue=header:x-revenue, conversion=field:order.total", units.signals
    )
    """Business numbers to watch: in a header of the response, or in a field of its JSON."""
    segments: tuple[str, ...] = _variable("", "names of features between commas", units.words)
    """Features each of whose values (at most 32) is watched by itself: `carrier,origin`."""
    segment_metrics: bool = _variable("false", "true or false", units.flag)
    """Whether metrics show segments as well."""
    ignore: tuple[str, ...] = _variable("", "names or globs between commas", units.words)
    """Columns to ignore, even if DASHLIGHT_FEATURES or DASHLIGHT_PREDICTION names them."""
    collector: str = _variable("", "an http or https URL", str.strip)
    """Where events and alerts go; unset: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, else nowhere."""
    collector_format: CollectorFormat = _variable(
        "otlp", "otlp, ndjson or cloudevents", units.one_of(*get_args(CollectorFormat))
    )
    """Format of events: OTLP logs, newline-delimited JSON, or batches of CloudEvents."""
    collector_headers: Mapping[str, str] = _variable(
        "", "name=value pairs between commas", units.headers, is_secret=True
    )
    """Headers to send to the collector."""
    alertmanager: tuple[str, ...] = _variable("", "http or https URLs between commas", units.words, is_secret=True)
    """Alertmanagers that get alerts, between commas: every member of a cluster."""
    alertmanager_headers: Mapping[str, str] = _variable(
        "", "name=value pairs between commas", units.headers, is_secret=True
    )
    """Headers to send to Alertmanager."""
    webhook: tuple[str, ...] = _variable("", "http or https URLs between commas", units.words, is_secret=True)
    """Webhooks that get alerts, between commas. Their URLs are secrets: only scheme and host are ever shown."""
    webhook_headers: Mapping[str, str] = _variable("", "name=value pairs between commas", units.headers, is_secret=True)
    """Headers to send to webhooks."""
    webhook_format: WebhookFormat = _variable("auto", "auto, json or slack", units.one_of(*get_args(WebhookFormat)))
    """What webhooks get: JSON as `docs/alerting.md` describes it, or a message for Slack, Mattermost and the like; `auto`: by the URL."""
    webhook_template: str = _variable("", "the path of a JSON file", str.strip)
    """File with the JSON to send to webhooks instead, with placeholders such as `{{summary}}`."""
    pagerduty: str = _variable("", "a routing key, or key@https://events.eu.pagerduty.com", str.strip, is_secret=True)
    """Routing key of PagerDuty's Events API v2; `key@https://events.eu.pagerduty.com` for another service region."""
    on_alert: tuple[str, ...] = _variable("", "a command", units.command, is_secret=True)
    """Command to run once for each alert that begins, changes or ends, with the alert as JSON on its standard input; no shell runs it."""
    on_alert_timeout: float = _variable("5m", "a duration above zero, such as 5m", units.above_zero(units.seconds))
    """How long the command may take before it is ended."""
    heartbeat: tuple[str, ...] = _variable("", "http or https URLs between commas", units.words, is_secret=True)
    """Where a heartbeat goes each minute for as long as panes are judged: URLs of dead-man services, or `alertmanager`."""
    ca: str = _variable("", "a file of certificates in PEM", str.strip)
    """Certificates of authorities to trust, besides the usual ones, for all that is delivered."""
    proxy: str = _variable("", "an http or https URL", str.strip, is_secret=True)
    """Proxy for all that is delivered, except to hosts of NO_PROXY."""
    sample_rate: float = _variable("0.01", "a number from 0 to 1", units.share)
    """Share of exchanges sent as events, drawn by trace id; failures, anomalies and slow ones are always sent, within rate limits."""
    payloads: Payloads = _variable("off", "off or features", units.one_of(*get_args(Payloads)))
    """What events carry of features and outputs: nothing, or their values after redaction."""
    redact: tuple[str, ...] = _variable("", "names or globs between commas", units.words)
    """Columns to redact in events, in addition to those whose names suggest credentials."""
    show: tuple[str, ...] = _variable("", "names or globs between commas", units.words)
    """Columns whose categories may be told by name, in alerts, logs and state files; of others their numbers are told."""
    hash_key: str = _variable("", "16 to 4096 visible characters of ASCII", units.secret, is_secret=True)
    """Secret under which values are hashed, so that they can be followed without being known; unset: one per machine."""
    trace_url: str = _variable("", "an http or https URL with {trace_id} in it", units.with_field("{trace_id}"))
    """URL of a trace, with `{trace_id}` in it, for links in alerts."""
    state_dir: str = _variable("", "a directory", str.strip)
    """Directory for what must survive a restart: learned references, windows, evidence, states of alerts, and what could not be delivered yet."""
    spool: int = _variable("256MiB", "a size such as 256MiB, or 0 for none", units.size_bytes)
    """Bytes in the state directory for spans and events that wait for a collector, over all workers; the oldest give way. `0`: none."""
    spool_fsync: SpoolFsync = _variable("never", "never, segment or batch", units.one_of(*get_args(SpoolFsync)))
    """When the spool waits for the disk: only at shutdown, after each segment, or after each batch. A power cut costs what did not reach it."""
    spool_key: str = _variable("", "16 to 4096 visible characters of ASCII", units.secret, is_secret=True)
    """Secret with which the spool is encrypted (`pip install 'dashlight[sealed]'`); unset: it is not."""
    app: str = _variable("", "an import path such as package.module:app", str.strip)
    """The ASGI app that `dashlight.wrap:app` wraps."""
    path: str = _variable("/dashlight", "a path that begins with /, such as /dashlight", units.url_path)
    """Path prefix of the endpoints that Dashlight serves itself, where any is enabled."""
    metrics: bool = _variable("false", "true or false", units.flag)
    """Whether to serve totals over all workers of this machine for Prometheus at `<DASHLIGHT_PATH>/metrics`."""
    token: str = _variable("", "16 to 4096 visible characters of ASCII", units.secret, is_secret=True)
    """Secret of at least 16 characters that requests below DASHLIGHT_PATH must show; unset: one is generated and kept in a file."""
    labels: bool = _variable("false", "true or false", units.flag)
    """Whether predictions wait for their labels, which come to `<DASHLIGHT_PATH>/labels` or by `dashlight.label`."""
    labels_token: str = _variable("", "16 to 4096 visible characters of ASCII", units.secret, is_secret=True)
    """Token that is good for sending labels and for nothing else; unset: labels want DASHLIGHT_TOKEN."""
    label_window: float = _variable("90d", "a duration above zero, such as 90d", units.above_zero(units.seconds))
    """How long predictions wait for their labels."""
    positive_within: float = _variable("0s", "a duration such as 30m", units.seconds)
    """After how long without a label a prediction counts as negative, as one that nobody clicked; `0s`: never."""
    score: str = _variable("", "the name of an output", str.strip)
    """Output that holds the score, the probability or the number predicted; unset: as the reference says, else by its name."""
    task: TaskSetting = _variable(
        "auto", "auto, binary, multiclass, regression, ranking or text", units.one_of(*get_args(TaskSetting))
    )
    """What the model predicts, and so how it is measured; `auto`: as the reference says, else by its outputs."""
    entity: str = _variable("", "the name of a feature", str.strip)
    """Feature that says whom a prediction is about, such as user_id, for labels that come without an id; it is hashed."""
    store: str = _variable("", "a redis:// or rediss:// URL", str.strip, is_secret=True)
    """Where predictions wait: `redis://...` where several machines serve one model; unset: in the state directory."""
    store_size: int = _variable(
        "1GiB", "a size of at least 16MiB, such as 1GiB", units.at_least(units.size_bytes("16MiB"), units.size_bytes)
    )
    """Bytes for predictions that wait; the oldest give way."""
    secret: tuple[str, ...] = _variable(
        "", "secrets of 16 to 4096 visible characters of ASCII between commas", units.secrets, is_secret=True
    )
    """Seals the prediction into its id, so that its label finds it without a store (`pip install 'dashlight[sealed]'`); the first seals, all open."""
    prediction_id_header: str = _variable("", "the name of a response header", str.strip)
    """Response header in which to send the prediction id; unset: none."""
    spans: SpanSource = _variable("auto", "auto, enrich, server, own or off", units.one_of(*get_args(SpanSource)))
    """Who creates the span of a request."""
    client_address: bool = _variable("false", "true or false", units.flag)
    """Whether spans carry the address of the client, which may be that of a person."""
    excluded_urls: tuple[str, ...] = _variable(
        "/healthz/?$,/livez/?$,/readyz/?$,/metrics/?$", "regular expressions between commas", units.words
    )
    """URLs whose requests are counted, and not watched: regular expressions, searched for in the URL without its query."""
    excluded_agents: tuple[str, ...] = _variable(
        "default", "product tokens between commas, such as k6,Locust", units.words
    )
    """Clients whose rows are not judged, in addition to the well-known probes of `default`: product tokens of User-Agent; `none` switches these off."""
    max_body: int = _variable("256KiB", "a size such as 256KiB", units.above_zero(units.size_bytes))
    """Bytes to keep of each body."""
    memory: int = _variable(
        "256MB", "a size of at least 32MB, such as 256MB", units.at_least(units.size_bytes("32MB"), units.size_bytes)
    )
    """What the process that judges may keep; the columns, models and endpoints asked least go without statistics."""
    worker_memory: int = _variable(
        "128MB", "a size of at least 16MB, such as 128MB", units.at_least(units.size_bytes("16MB"), units.size_bytes)
    )
    """What any other process may keep; never more than half of DASHLIGHT_MEMORY."""
    cpu: float = _variable("10%", "a share above 0 and up to 100%", units.above_zero(units.share))
    """Share of one core that the analysis may use; above it, a uniform sample of the exchanges is analysed."""
    shutdown_timeout: float = _variable("5s", "a duration such as 5s", units.seconds)
    """How long shutdown may wait for data that is still to be sent."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads every variable of *environ*; a blank value counts as unset.

        Raises:
            SettingsError: all mistakes, each with variable, value and what was expected.
        """
        settings, mistakes = cls.read(environ)
        if mistakes:
            raise SettingsError.of(mistakes)
        return settings

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "tuple[Settings, list[SettingsError]]":
        """As from_env, with the default in place of each mistake, and the mistakes: there may be more elsewhere."""
        found: dict[str, Any] = {}
        mistakes: list[SettingsError] = []
        for each in fields(cls):
            if environ.get(variable_of(each.name), "").strip():
                try:
                    found[each.name] = _read(each, environ)
                except SettingsError as mistake:
                    mistakes.append(mistake)
        settings = cls(**found)
        if settings.strict:
            mistakes += _unknown(environ)
        return settings, mistakes

    def __repr__(self) -> str:
        """All settings; of those that may be secrets, the names of headers, and of URLs scheme and host."""
        return f"Settings({', '.join(f'{each.name}={self._shown(each)!r}' for each in fields(self))})"

    def shown(self) -> dict[str, Any]:
        """What is set to something else than its default, by variable, as it may be shown."""
        default = type(self)()
        is_set = [each for each in fields(self) if getattr(self, each.name) != getattr(default, each.name)]
        return {variable_of(each.name): self._shown(each) for each in is_set}

    def _shown(self, each: "Field[Any]") -> Any:
        value = getattr(self, each.name)
        return _masked(value) if each.metadata["is_secret"] else value

    @classmethod
    def secret_variables(cls) -> tuple[str, ...]:
        """The variables whose values may be secrets."""
        return tuple(variable_of(each.name) for each in fields(cls) if each.metadata["is_secret"])


def variable_of(name: str) -> str:
    """The environment variable of the field *name*."""
    return PREFIX + name.upper()


def _masked(value: Any) -> Any:
    """*value*, a text, some of them or headers, as it may be shown."""
    if isinstance(value, Mapping):
        return dict.fromkeys(cast("Mapping[str, str]", value), "***")
    if isinstance(value, tuple):
        return tuple(map(_masked, cast("tuple[str, ...]", value)))
    text = str(value)
    try:
        parts = urlsplit(text)
        # Of a password in which / ? or # stands as it is the beginning would be the host.
        is_clear = parts.scheme and parts.hostname and "@" not in parts.path + parts.query + parts.fragment
        return f"{parts.scheme}://{parts.hostname}/***" if is_clear else "***" if text else ""
    except ValueError:
        return "***"


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str | None]:
    """DASHLIGHT_* variables that do not exist, each with the most similar one that does, or None."""
    known = [variable_of(each.name) for each in fields(Settings)]
    unknown = [name for name in environ if name.upper().startswith(PREFIX) and name not in known]
    return {
        name: next(iter(difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)), None)
        for name in unknown
        if not _is_of_kubernetes(name, environ)
    }


def _unknown(environ: Mapping[str, str]) -> list[SettingsError]:
    # Its value may be a secret: DASHLIGHT_TOKN.
    return [
        SettingsError(name, "***", f"no such variable{f', but perhaps {near}' if near else ''}")
        for name, near in unknown_variables(environ).items()
    ]


def _is_of_kubernetes(name: str, environ: Mapping[str, str]) -> bool:
    found = _OF_KUBERNETES.fullmatch(name)
    return found is not None and f"{found[1]}_SERVICE_HOST" in environ


def _read(each: "Field[Any]", environ: Mapping[str, str]) -> Any:
    text = environ[variable_of(each.name)]
    try:
        return each.metadata["read"](text)
    except ValueError:
        shown = "***" if each.metadata["is_secret"] else text
        raise SettingsError(variable_of(each.name), shown, each.metadata["wanted"]) from None
