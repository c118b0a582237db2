"""Under which names exchanges are counted, and shown: kinds of failure and refusal, and what was answered. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from dashlight.judge.traffic.rules import Rule
from dashlight.records import Exchange

ModelKey = tuple[str, str]
"""Model and version."""

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""Those of RFC 9110 and RFC 5789, which OpenTelemetry knows; another one is `_OTHER`."""


def trace_name(rule: Rule) -> str:
    """Under which name, or names as a shell has them, traces are kept of what crosses *rule*."""
    if rule.quantity in {"failure_rate", "refusal_rate"}:
        quantity = "error" if rule.quantity == "failure_rate" else "refusal"
        return f"{quantity}_rate" if rule.pattern == "*" else f"{quantity}_kind {rule.pattern}"
    return rule.quantity if rule.quantity == "undecodable_rate" else f"over {rule.quantity} {rule.threshold!r}"


def answers_of(exchanges: Sequence[Exchange]) -> Counter[str]:
    """How many of *exchanges* had the same method, status and outcome, as OutcomeCounts.answers has them."""
    found: Counter[str] = Counter()
    for (method, status, outcome), count in Counter(
        (each.method, each.status, each.outcome) for each in exchanges
    ).items():
        found[f"{method if method in _METHODS else '_OTHER'} {status} {outcome}"] += count
    return found


def refusal_kinds(exchange: Exchange, reasons: Mapping[int, Sequence[str]]) -> Sequence[str]:
    """In what ways an exchange was refused: `http_422`, or one for each thing that *reasons*, by id, know it was for."""
    return [f"http_{exchange.status} {reason}" for reason in reasons.get(exchange.id, ())] or [
        f"http_{exchange.status}"
    ]


def model_of_failed(said: ModelKey, known: Collection[ModelKey], unsaid: ModelKey) -> ModelKey | None:
    """Which of the *known* models was asked by an exchange without an answer, of which its request and path have *said* it.

    *unsaid* is what stands for a name and a version that they do not say: any fits. None where more than one may be meant.
    """
    if said in known:
        return said
    fitting = [
        key
        for key in known
        if all(told in {own, "", usual} for told, own, usual in zip(said, key, unsaid, strict=True))
    ]
    return fitting[0] if len(fitting) == 1 else None


def failure_kind(exchange: Exchange, *, inside: str = "") -> str:
    """In what way an exchange failed: `exception:ValueError`, `http_503`, `client_disconnect`, `cancelled`; else empty.

    *inside* is the kind of failure that was found in the answer: the last that an exchange can be.
    """
    if exchange.outcome == "refused":
        return ""
    if exchange.outcome not in {"ok", "error"}:
        return exchange.outcome
    if exchange.outcome == "error" and exchange.error:
        return f"exception:{exchange.error}"
    if exchange.outcome == "error" and (exchange.status >= 500 or not inside):
        return f"http_{exchange.status}"
    return inside
