"""Whether an exchange is a prediction, and of which protocol: by path first, then by the keys of its body."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from dashlight.decode.jsonvalue import fields_of, is_object
from dashlight.decode.protocols import FALLBACK, PROTOCOLS
from dashlight.decode.reading import Place, Protocol
from dashlight.decode.reasons import undecodable

MAX_REMEMBERED_PATH: Final = 256
"""Decisions for longer paths are made anew, so that the cache stays small."""

_OTHER = re.compile(
    r"""(?ix) (?:^|/) (?:
        health | healthz | livez | readyz | ready | live | ping | metrics | docs | redoc
      | openapi\.json | schema\.json | docs\.json | favicon\.ico | robots\.txt
      | login | logout | token | signup | oauth2?
      | v1/models | v2 | v2/health/[^/]* | v2/models/[^/]+(?:/versions/[^/]+)?/(?:stats|config|trace/setting)
      | v2/repository/.* | [^/]*:explain
    ) /? $ | (?:^|/)(?:static|assets)/ | \.(?:js|css|map|png|jpg|svg|woff2?|html)$"""
)
_WITHOUT_A_READER = (
    ("triton_generate", re.compile(r"/v2/models/[^/]+(?:/versions/[^/]+)?/(?:generate|generate_stream|infer_stream)$")),
    ("tf_serving", re.compile(r"/v1/models/[^/]+:(?:classify|regress)$")),
    ("vertex", re.compile(r"/endpoints/[^/]+:(?:predict|rawPredict)$")),
    ("seldon_v1", re.compile(r"/api/v(?:0\.1|1\.0)/predictions$")),
    ("openai", re.compile(r"/v1/(?:chat/completions|completions|embeddings|responses)$")),
    ("anthropic", re.compile(r"/v1/messages$")),
)
_KEYS_WITHOUT_A_READER = (
    ("mlflow", frozenset({"dataframe_split"})),
    ("mlflow", frozenset({"dataframe_records"})),
    ("azureml", frozenset({"input_data"})),
    ("seldon_v1", frozenset({"strData"})),
    ("seldon_v1", frozenset({"jsonData"})),
    ("seldon_v1", frozenset({"binData"})),
    ("openai", frozenset({"messages", "model"})),
)
_SELDON_KEYS = frozenset({"ndarray", "tensor", "tftensor"})


@dataclass(frozen=True, slots=True)
class Candidates:
    """The protocols that may have written a body with certain keys, most specific first."""

    protocols: tuple[Protocol, ...]
    without_reader: str
    """Name of a protocol that is recognised by these keys, and not read yet."""


def place_of(path: str) -> Place:
    """What *path* alone tells."""
    return (_place if len(path) <= MAX_REMEMBERED_PATH else _place.__wrapped__)(path)


def protocol_of(value: object, place: Place) -> tuple[Protocol, str]:
    """The protocol that reads the request *value*, and the rule that chose it, in words.

    Raises:
        DecodeError: unsupported_protocol.
    """
    if place.protocol:
        for protocol in PROTOCOLS:
            if protocol.name == place.protocol:
                return (protocol, place.why)
        raise undecodable("unsupported_protocol", place.protocol)
    if not is_object(value):
        return (FALLBACK, "the body is no object: plain JSON")
    keys = tuple(sorted(value))
    is_small = len(keys) <= 256 and sum(map(len, keys)) <= 4096
    candidates = (_candidates if is_small else _candidates.__wrapped__)(keys)
    for protocol in candidates.protocols:
        if protocol.claims(value):
            return (protocol, f"the keys {', '.join(sorted(protocol.keys))} and what is under them")
    if candidates.without_reader:
        raise undecodable("unsupported_protocol", candidates.without_reader)
    if not _SELDON_KEYS.isdisjoint(fields_of(value.get("data"))):
        raise undecodable("unsupported_protocol", "seldon_v1")
    return (FALLBACK, "no protocol's keys: plain JSON")


@lru_cache(maxsize=1024)
def _place(path: str) -> Place:
    trimmed = path.rstrip("/")
    # Protocols first: /v1/models/ready:predict is a model with an unlucky name.
    for protocol in PROTOCOLS:
        for pattern in protocol.paths:
            found = pattern.search(trimmed)
            if found is not None:
                groups = found.groupdict()
                why = f"the path ends like {protocol.name}'s"
                return Place(True, protocol.name, groups.get("model") or "", groups.get("version") or "", why)
    for name, pattern in _WITHOUT_A_READER:
        if pattern.search(trimmed):
            return Place(True, name, "", "", f"the path ends like {name}'s")
    if _OTHER.search(path):
        return Place(False, "", "", "", "the path is one of health, documentation, metrics, login and the like")
    return Place(True, "", "", "", "")


# Route, method and content type have had their say before: bodies with the same keys are read alike everywhere.
@lru_cache(maxsize=1024)
def _candidates(keys: tuple[str, ...]) -> Candidates:
    present = frozenset(keys)
    protocols = tuple(protocol for protocol in PROTOCOLS if protocol.keys and protocol.keys <= present)
    unread = next((name for name, wanted in _KEYS_WITHOUT_A_READER if wanted <= present), "")
    return Candidates(protocols, unread)
