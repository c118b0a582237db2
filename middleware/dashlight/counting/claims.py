"""What an exchange says of its endpoint before it is decoded: whether that may be one that asks a model. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, TypeAlias

from dashlight.counting.agents import Agents
from dashlight.decode.exchange import METHODS
from dashlight.decode.protocols.detect import place_of
from dashlight.records import Exchange, Outcome

Claim: TypeAlias = Literal["earned", "provisional", "none"]
"""On a place among the endpoints that are judged: by a prediction; until one comes, for its failures and refusals must
not go unseen; by nothing, so that it is counted at an endpoint that has a place already."""

UNMATCHED = "unmatched"
_PAGE = "GET without a query"
_NOBODY_SERVES_THIS = frozenset({404, 405})


def claim_of(exchange: Exchange, agents: Agents) -> Claim | None:
    """The claim of *exchange*; None of plumbing, which belongs to no endpoint: probes, documentation, OPTIONS and the like.

    A GET of one of the *agents* is a probe whatever its path.
    """
    if exchange.handed is not None:
        return "provisional"
    if exchange.method == "GET" and agents.name_of(exchange.request_headers):
        return None
    route = exchange.route
    # The template tells as much, and there are few of them; a GET is a probe more often than not.
    path = exchange.path if exchange.method == "GET" or route == UNMATCHED else route
    # A GET without a query asks nothing, so that it is not refused either.
    method = exchange.method if exchange.query or exchange.method != "GET" else _PAGE
    return _claim(method, path, exchange.status, exchange.outcome, is_unmatched=route == UNMATCHED)


@lru_cache(maxsize=2048)
def _claim(method: str, path: str, status: int, outcome: Outcome, *, is_unmatched: bool) -> Claim | None:
    if method not in {*METHODS, _PAGE} or not place_of(path).is_prediction:
        return None
    if status in _NOBODY_SERVES_THIS:
        return None if is_unmatched else "none"
    if outcome == "error" or status >= 500:
        return "provisional"
    if 400 <= status < 500:
        # A refusal of what nobody has routed says nothing of a model.
        return "none" if is_unmatched or method == _PAGE else "provisional"
    # Where a GET goes well, decoding says what it was; most are pages.
    return "provisional" if 200 <= status < 300 and method not in {"GET", _PAGE} else "none"
