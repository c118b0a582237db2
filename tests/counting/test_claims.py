"""Which exchanges make their endpoint one that is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from dashlight.counting.agents import agents_of
from dashlight.counting.claims import Claim, claim_of
from dashlight.records import Exchange, HandedOver

Exchanges = Callable[..., Exchange]


FAILED: dict[str, Any] = {"status": 500, "outcome": "error"}
RAISED: dict[str, Any] = {"status": 0, "outcome": "error", "error": "ValueError"}
ANYWHERE: dict[str, Any] = {"route": "unmatched"}
PAGE: dict[str, Any] = {"method": "GET"}
QUERY: dict[str, Any] = {"method": "GET", "query": b"age=40"}


def agent(name: bytes) -> dict[str, Any]:
    return {"request_headers": ((b"user-agent", name),)}


@pytest.mark.parametrize(
    ("made", "claim"),
    [
        pytest.param({}, "provisional", id="an answer that may be a prediction"),
        pytest.param({"method": "PUT"}, "provisional", id="likewise"),
        pytest.param(FAILED, "provisional", id="a failure"),
        pytest.param(RAISED, "provisional", id="an exception"),
        pytest.param({"status": 422}, "provisional", id="a refusal"),
        pytest.param({"status": 429}, "provisional", id="another"),
        pytest.param({"status": 404}, "none", id="a model that is not there"),
        pytest.param({"status": 405}, "none", id="another method is served there"),
        pytest.param({"status": 307}, "none", id="a redirection"),
        pytest.param({"status": 0, "outcome": "client_disconnect"}, "none", id="a client that left"),
        pytest.param(QUERY, "none", id="a GET, of which decoding says what it was"),
        pytest.param({**QUERY, **FAILED}, "provisional", id="a GET with a query that fails"),
        pytest.param({**QUERY, "status": 422}, "provisional", id="or is refused"),
        pytest.param(PAGE, "none", id="a page"),
        pytest.param({**PAGE, **FAILED}, "provisional", id="a page that fails"),
        pytest.param({**PAGE, "status": 403}, "none", id="a page that is refused"),
        pytest.param({**PAGE, "route": "/static/{path}", "path": "/static/x.js"}, None, id="a file"),
        pytest.param({**PAGE, "route": "/static/{path}", "path": "/static/x", "status": 404}, None, id="no file"),
        pytest.param({**PAGE, "route": "/{path}", "path": "/favicon.ico"}, None, id="an icon"),
        pytest.param({**PAGE, "route": "/health", "path": "/health", **FAILED}, None, id="a probe that fails"),
        pytest.param({**PAGE, **agent(b"kube-probe/1.29"), **FAILED}, None, id="a probe of Kubernetes that fails"),
        pytest.param({**QUERY, **agent(b"GoogleHC/1.0"), "status": 400}, None, id="one of Google that is refused"),
        pytest.param({**PAGE, **agent(b"Pingdom.com_bot_version_1.4"), **FAILED}, None, id="one of Pingdom"),
        pytest.param({**PAGE, **agent(b"kube-prober"), **FAILED}, "provisional", id="an agent with a name like that"),
        pytest.param({**agent(b"kube-probe/1.29"), **FAILED}, "provisional", id="a body sent as a probe"),
        pytest.param({**QUERY, "route": "/docs", "path": "/docs"}, None, id="documentation"),
        pytest.param({"method": "OPTIONS"}, None, id="a preflight request"),
        pytest.param({"method": "HEAD"}, None, id="a question for the headers"),
        pytest.param({"method": "DELETE", **FAILED}, None, id="what asks no model"),
        pytest.param({**ANYWHERE, "status": 404}, None, id="a scanner"),
        pytest.param({**ANYWHERE, **PAGE, "status": 404}, None, id="likewise a scanner"),
        pytest.param({**ANYWHERE, "status": 401}, "none", id="a stranger who is refused at the door"),
        pytest.param(ANYWHERE, "provisional", id="a model without a router"),
        pytest.param({**ANYWHERE, **FAILED}, "provisional", id="that fails"),
        pytest.param(
            {"route": "/health", "handed": HandedOver([1])}, "provisional", id="what an adapter has handed over"
        ),
    ],
)
def test_an_exchange_claims_a_place_as_far_as_it_may_be_a_prediction(
    exchange: Exchanges, made: dict[str, Any], claim: Claim | None
) -> None:
    assert claim_of(structs.replace(exchange(), **made), agents_of(())) == claim


def test_who_is_a_probe_is_for_the_operator_to_say(exchange: Exchanges) -> None:
    page = structs.replace(exchange(), **PAGE, **FAILED, request_headers=((b"user-agent", b"k6/0.49"),))
    probe = structs.replace(page, request_headers=((b"user-agent", b"kube-probe/1.29"),))

    assert claim_of(page, agents_of(("k6",))) is claim_of(probe, agents_of(("k6",))) is None
    assert claim_of(probe, agents_of(("none",))) == claim_of(page, agents_of(())) == "provisional"
