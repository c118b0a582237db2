"""What an answer means for a batch, and how long to wait before the next attempt."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal, TypeAlias

from dashlight.deliver.transport.answer import CollectorAnswer

Meaning: TypeAlias = Literal["delivered", "retry", "too_large", "poisoned", "misconfigured", "rejected", "refused"]

MOST_BACKOFF_SECONDS = 30.0
MOST_RETRY_AFTER_SECONDS = 300.0
PROBE_SECONDS = 60.0

# Of a server's failures these alone will not pass. OTLP would have a 500 dropped, but a collector that restarts answers so,
# and a proxy whose server is away has numbers of its own.
_FINAL_FAILURES = frozenset({501, 505})
_RETRY = frozenset({429, *range(500, 600)}) - _FINAL_FAILURES
# OTLP says of these that a retry is no use; other collectors mean them to pass.
_RETRY_ELSEWHERE = frozenset({408, 425})
_POISONED = frozenset({400, 415, 422})
# A token that was rotated must not cost a day of data, so these wait. Stricter than OTLP, which says: drop.
_MISCONFIGURED = frozenset({401, 403, 404, 405, 407})
_HOPELESS = frozenset({"name", "tls", "setting"})


def meaning(answer: CollectorAnswer, *, speaks_otlp: bool) -> Meaning:
    """What an attempt that ended in *answer* means for its batch."""
    status = answer.status
    if answer.failure == "refused address":
        return "refused"
    if answer.failure:
        return "misconfigured" if answer.failure in _HOPELESS else "retry"
    if 200 <= status < 300:
        return "delivered"
    if status in _RETRY or (status in _RETRY_ELSEWHERE and not speaks_otlp):
        return "retry"
    if status == 413:
        return "too_large"
    if status in _POISONED:
        return "poisoned"
    if status in _MISCONFIGURED or status < 400:
        return "misconfigured"
    return "rejected"


def backoff_seconds(attempt: int, *, jitter: float) -> float:
    """Full jitter: *jitter* (0 to 1) of min(30, 0.5 * 2^attempt), with *attempt* from 0.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return jitter * min(MOST_BACKOFF_SECONDS, 0.5 * 2.0 ** min(attempt, 10))


def retry_after_seconds(header: str, *, at: float, jitter: float) -> float | None:
    """What a Retry-After asks for, in seconds or as a date, at most 300 s and up to a tenth more by *jitter*.

    *at* is the moment of the answer, seconds since the epoch. None for what is neither, or not there.
    """
    text = header.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            wanted_at = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        # A date without a zone is in GMT: HTTP knows no other.
        seconds = (wanted_at if wanted_at.tzinfo else wanted_at.replace(tzinfo=UTC)).timestamp() - at
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), MOST_RETRY_AFTER_SECONDS) * (1 + 0.1 * jitter)
