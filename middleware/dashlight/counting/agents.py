"""Whose rows are left out: probes, monitors and load tests, by the product tokens of their User-Agent. Pure.

Nobody hides by a header: what they ask, its failures and its latency still count, and the share of their rows is told.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Exchange, Headers, Prediction
from dashlight.window.tables import taken

WELL_KNOWN = (
    # Orchestrators, load balancers and service meshes.
    "kube-probe", "ELB-HealthChecker", "Amazon-Route53-Health-Check-Service", "GoogleHC", "Edge Health Probe",
    "Load Balancer Agent", "AlwaysOn", "ReadyForRequest", "Envoy/HC", "Consul Health Check",
    "Cloudflare-Traffic-Manager", "Cloudflare-Healthchecks",
    # Monitors.
    "Pingdom.com_bot", "PingdomTMS", "UptimeRobot", "Better Uptime Bot", "StatusCake", "Site24x7",
    "Datadog/Synthetics", "DatadogSynthetics", "CloudWatchSynthetics", "GoogleStackdriverMonitoring-UptimeChecks",
    "NewRelicPinger", "Checkly", "Uptime-Kuma", "updown.io", "check_http", "Blackbox Exporter", "Prometheus",
)  # fmt: skip
"""As they send them, without their versions."""
DEFAULT, NONE = "default", "none"
_LONGEST = 256
"""Bytes of a User-Agent that are looked at."""
_BETWEEN = bytes.maketrans(b"()[]{};,+\t", b" " * 10)
"""Tokens stand between these: monitors that pass for browsers name themselves in a comment."""
_VERSIONED = ("/", "_version")
"""What a version is written after."""


class Agents:
    """The agents of these *names*: of one token each, or of several words in a row."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._words = tuple(tuple(name.lower().split()) for name in self.names)
        self._first = frozenset(words[0] for words in self._words if words)
        self._of = lru_cache(maxsize=1024)(self._name_of)

    def __bool__(self) -> bool:
        return bool(self._first)

    def name_of(self, headers: Headers) -> str:
        """The name under which the agent of a request with these *headers* is left out; empty where it is not."""
        for name, value in headers:
            if name == b"user-agent":
                return self._of(value[:_LONGEST])
        return ""

    def _name_of(self, agent: bytes) -> str:
        tokens = agent.translate(_BETWEEN).decode("latin-1").lower().split()
        for place, token in enumerate(tokens):
            forms = {token, *(token.split(mark, 1)[0] for mark in _VERSIONED)}
            if forms.isdisjoint(self._first):
                continue
            for name, words in zip(self.names, self._words, strict=True):
                rest = tokens[place + 1 : place + len(words)]
                if words[:1] and words[0] in forms and _are(rest, words[1:]):
                    return name
        return ""


def agents_of(names: Iterable[str]) -> Agents:
    """The agents that a setting *names*, and the well-known ones unless it says `none`."""
    own = [name for name in names if name.lower() not in {DEFAULT, NONE}]
    is_alone = any(name.lower() == NONE for name in names)
    return Agents(dict.fromkeys([*(() if is_alone else WELL_KNOWN), *own]))


def without_rows_of(prediction: Prediction, excluded: NDArray[np.bool_]) -> Prediction:
    """*prediction* without the rows of those exchanges of its batch that are *excluded*."""
    features, outputs = (
        taken(table, np.flatnonzero(~excluded[table.exchange])) for table in (prediction.features, prediction.outputs)
    )
    return Prediction(prediction.endpoint, prediction.model, prediction.version, prediction.protocol, features, outputs)


def are_excluded(exchanges: Iterable[Exchange], agents: Agents) -> NDArray[np.bool_]:
    """Which *exchanges* come by one of the *agents*."""
    return np.array([bool(agents.name_of(each.request_headers)) for each in exchanges], np.bool_)


def _are(tokens: list[str], words: tuple[str, ...]) -> bool:
    """Whether *tokens* are these *words*, the last of which may have a version."""
    if len(tokens) != len(words):
        return False
    if not words:
        return True
    last = {tokens[-1], *(tokens[-1].split(mark, 1)[0] for mark in _VERSIONED)}
    return tuple(tokens[:-1]) == words[:-1] and words[-1] in last
