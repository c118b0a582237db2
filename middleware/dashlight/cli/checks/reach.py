"""Whether every destination can be reached and trusted, and whether it takes what it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dashlight.cli.checks.observation import Observation
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.transport.http import HttpSender
from dashlight.deliver.transport.retry import meaning

_MOST_AT_ONCE = 8
_ADVICE = {
    "name": "there is no host of that name",
    "tls": "its certificate is not trusted (DASHLIGHT_CA names further authorities), or it speaks no TLS",
    "unreachable": "nobody listens there, or a firewall is in between",
    "timeout": "it does not answer in time",
    "cut": "it hangs up, or speaks no HTTP",
    "refused address": "credentials of the machine are kept at that address",
    "setting": "a certificate, a key or a header in the settings is of no use",
}


@dataclass(frozen=True, slots=True)
class Reachable:
    """Somewhere to send to."""

    kind: str
    """What goes there, or which route it is."""
    endpoint: Endpoint
    speaks_otlp: bool
    """Whether an empty request is one that it can be asked to take."""


def reach_findings(destinations: Sequence[Reachable]) -> Iterator[Observation]:
    """A finding for each of *destinations*, all tried at once; nothing is sent but, over OTLP, a request without contents."""
    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        yield from pool.map(_reached, destinations)


def judged(kind: str, endpoint: Endpoint, answer: CollectorAnswer, *, speaks_otlp: bool, sent: bool) -> Observation:
    """What *answer* means; *sent*: it is that to a request that it is meant to take."""
    where = f"{endpoint.shown}: "
    if answer.failure:
        return Observation("wrong", kind, f"{where}{_ADVICE[answer.failure]} ({answer})")
    found = meaning(answer, speaks_otlp=speaks_otlp)
    if not sent:
        refused = {401: "the credentials are refused", 403: "it is forbidden", 407: "the proxy wants credentials"}
        if answer.status in refused:
            return Observation("unusual", kind, f"{where}{refused[answer.status]}, at least to OPTIONS ({answer})")
        return Observation("ok", kind, f"{where}can be reached ({answer} to OPTIONS)")
    if found == "delivered":
        return Observation("ok", kind, f"{where}takes what it is sent ({answer})")
    reasons = {401: "the credentials are refused", 403: "it is forbidden", 404: "there is no such path"}
    reason = reasons.get(answer.status, "it does not take what it is sent" if found != "retry" else "it is not ready")
    return Observation("wrong", kind, f"{where}{reason} ({answer})")


def asked(
    endpoint: Endpoint, body: bytes | None, *, content_type: str = "", key: str = "dashlight-check"
) -> CollectorAnswer:
    """The answer to *body*, or to a question that changes nothing where it is None."""
    try:
        sender = HttpSender(endpoint)
    except (OSError, ValueError) as error:
        return CollectorAnswer(failure="setting", detail=type(error).__name__)
    try:
        return sender.reach() if body is None else sender(body, content_type=content_type, key=key)
    finally:
        sender.close()


def _reached(each: Reachable) -> Observation:
    body = b"" if each.speaks_otlp else None
    answer = asked(each.endpoint, body, content_type="application/x-protobuf")
    return judged(each.kind, each.endpoint, answer, speaks_otlp=each.speaks_otlp, sent=each.speaks_otlp)
