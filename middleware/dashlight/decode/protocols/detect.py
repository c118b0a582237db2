"""Whether an exchange is a prediction, and of which protocol: by path, by headers, then by the keys of its body.

What a protocol is recognised by stands in its own file, in protocols/.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Final, Literal, TypeAlias

from dashlight.decode.protocols import FALLBACK, PROTOCOLS
from dashlight.decode.rows.jsonvalue import is_object
from dashlight.decode.rows.reading import Place, Protocol
from dashlight.records import Headers

MAX_REMEMBERED_PATH: Final = 256
"""Decisions for longer paths are made anew, so that the cache stays small."""

_OTHER = re.compile(
    r"""(?ix) (?:^|/) (?:
        health | healthcheck | health/(?:live|ready|liveness|readiness|ping|status) | healthz | livez | readyz | ready | live
      | liveness | readiness | ping | version | metrics | docs | docs/oauth2-redirect | redoc | swagger
      | schema/(?:swagger|redoc|elements|rapidoc) | openapi\.json | schema\.json | docs\.json | swagger\.json
      | favicon\.ico | robots\.txt | -/(?:healthz|routes)
      | login | logout | token | signup | oauth2?
      | v1/models | v2 | v2/health/[^/]* | v2/models/[^/]+(?:/versions/[^/]+)?/(?:ready|stats|config|trace/setting)
      | api/v[01]\.[01]/(?:feedback|metadata)
    ) /? $ | (?:^|/)(?:static|assets|v2/repository)/ | \.(?:js|css|map|png|jpg|svg|woff2?|html)$"""
)
_EXPLANATION = re.compile(r"(?:^|[/:])expla(?:in|iner|nations?)$")
"""Its answer says why, not what."""


_BY_NAME: Final = {protocol.name: protocol for protocol in PROTOCOLS}
_BY_RANK: Final = tuple(sorted(PROTOCOLS, key=lambda protocol: protocol.rank))
_BY_HEADER: Final = {
    name: [(pattern, other.name) for other in _BY_RANK for also, pattern in other.headers if also == name]
    for protocol in _BY_RANK
    for name, _ in protocol.headers
}


Candidates: TypeAlias = tuple[tuple[Protocol, Literal["header", "path", "keys"]], ...]
"""The protocols that may have written a body, most specific first, and the evidence for each."""


def place_of(path: str) -> Place:
    """What *path* alone tells."""
    return (_place if len(path) <= MAX_REMEMBERED_PATH else _place.__wrapped__)(path)


def place_in(path: str, request_headers: Headers, response_headers: Headers) -> Place:
    """What *path* and the headers tell."""
    place = place_of(path)
    names: list[str] = []
    for name, value in chain(request_headers, response_headers):
        for pattern, protocol in _BY_HEADER.get(name, ()):
            if protocol not in names and pattern.fullmatch(value.decode("latin-1")):
                names.append(protocol)
    return replace(place, signed=tuple(names)) if names else place


def protocol_of(value: object, place: Place) -> tuple[Protocol, str]:
    """The protocol that reads the request *value*, and the rule that chose it, in words."""
    if place.protocol:
        return _protocol_by_path(value, place)
    keys = tuple(sorted(value)) if is_object(value) else ()
    is_small = len(keys) <= 256 and sum(map(len, keys)) <= 4096
    candidates = (_candidates if is_small else _candidates.__wrapped__)(keys, place.hints, place.signed)
    for protocol, evidence in candidates:
        if evidence == "header":
            return (protocol, f"a header that only {protocol.name} sends")
        if evidence == "path" and protocol.claims_there(value):
            return (protocol, f"a path that {protocol.name} uses, and the layout of the body")
        if evidence == "keys" and protocol.claims(value):
            marks = ", ".join(sorted(protocol.keys | (protocol.any_keys & set(keys))))
            return (protocol, f"the keys {marks} and what is under them")
    return (FALLBACK, "no protocol's keys: plain JSON" if is_object(value) else "the body is no object: plain JSON")


def _protocol_by_path(value: object, place: Place) -> tuple[Protocol, str]:
    owner = _BY_NAME[place.protocol]
    for name in place.hints:
        protocol = _BY_NAME[name]
        if protocol.rank < owner.rank and protocol.claims_there(value):
            return (protocol, f"{place.why}, and the layout of the body is {name}'s")
    return (owner, place.why)


@lru_cache(maxsize=1024)
def _place(path: str) -> Place:
    trimmed = path.rstrip("/")
    shared = [(protocol.name, found) for protocol in _BY_RANK for found in _found(protocol.shared_paths, trimmed)]
    hints = tuple(dict.fromkeys(name for name, _ in shared))
    is_explanation = _EXPLANATION.search(trimmed) is not None
    # Protocols first: /v1/models/ready:predict is a model with an unlucky name.
    for protocol in _BY_RANK:
        for found in _found(protocol.paths, trimmed):
            why = f"the path ends like {protocol.name}'s"
            return Place(True, protocol.name, *_model(found), why, hints, is_explanation=is_explanation)
    if _OTHER.search(path):
        return Place(False, "", "", "", "the path is one of health, documentation, metrics, login and the like")
    model, version = next((told for _, found in shared if any(told := _model(found))), ("", ""))
    return Place(True, "", model, version, "", hints, is_explanation=is_explanation)


def _found(patterns: tuple[re.Pattern[str], ...], path: str) -> Iterator[re.Match[str]]:
    for pattern in patterns:
        found = pattern.search(path)
        if found is not None:
            yield found


def _model(found: re.Match[str]) -> tuple[str, str]:
    """The model and the version that a path names."""
    groups = found.groupdict()
    return (groups.get("model") or "", groups.get("version") or "")


# Route, method and content type have had their say before: bodies with the same keys are read alike everywhere.
@lru_cache(maxsize=1024)
def _candidates(keys: tuple[str, ...], hints: tuple[str, ...], signed: tuple[str, ...]) -> Candidates:
    present = frozenset(keys)
    found: list[tuple[Protocol, Literal["header", "path", "keys"]]] = []
    for protocol in _BY_RANK:
        if protocol.name in signed:
            found.append((protocol, "header"))
            continue
        if protocol.name in hints:
            found.append((protocol, "path"))
        if _has_keys(protocol, present):
            found.append((protocol, "keys"))
    return tuple(found)


def _has_keys(protocol: Protocol, present: frozenset[str]) -> bool:
    if not protocol.keys and not protocol.any_keys:
        return False
    return protocol.keys <= present and (not protocol.any_keys or not protocol.any_keys.isdisjoint(present))
