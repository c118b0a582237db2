"""Which model and version an exchange asked for, as far as that can be told without its bodies."""

from __future__ import annotations

from itertools import chain

from dashlight.decode.protocols.detect import place_of
from dashlight.privacy.names import told_name
from dashlight.records import Exchange

_MODEL_HEADERS = frozenset({b"x-amzn-sagemaker-target-model"})
_VERSION_HEADERS = frozenset({b"azureml-model-deployment", b"x-amzn-sagemaker-target-variant"})


def addressed_to(exchange: Exchange) -> tuple[str, str]:
    """Model and version by what an adapter handed over, the path, and headers of the answer or the request; empty: not said."""
    place = place_of(exchange.path)
    model, version = place.model, place.version
    for name, value in chain(exchange.response_headers, exchange.request_headers):
        if not model and name in _MODEL_HEADERS:
            model = value.decode("latin-1")
        if not version and name in _VERSION_HEADERS:
            version = value.decode("latin-1")
    if exchange.handed is not None:
        model, version = exchange.handed.model or model, exchange.handed.version or version
    return told_name(model), told_name(version)
