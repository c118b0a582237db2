"""Whether the Redis in which predictions wait for their labels answers."""

from __future__ import annotations

from collections.abc import Iterator

from dashlight.cli.checks.observation import Observation
from dashlight.errors import DashlightError, StateError
from dashlight.store.labels.redis_link import RedisLink

_STORE = "labels"


def store_findings(url: str, *, authorities: str) -> Iterator[Observation]:
    """What is to be known of DASHLIGHT_STORE, and of an empty one nothing. It is asked PING, and nothing is written to it."""
    if not url:
        return
    try:
        link = RedisLink(url, authorities=authorities)
    except DashlightError:  # told as a mistake of the settings
        return
    try:
        link.call("PING")
    except StateError as error:
        yield Observation("wrong", _STORE, f"predictions cannot wait there: {error}")
    else:
        yield Observation("ok", _STORE, f"{link.shown}: answers")
    finally:
        link.close()
