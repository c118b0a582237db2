"""One file for each family of inference protocols, most specific first. Pure."""

from typing import Final

from dashlight.decode.protocols import kserve_v1, kserve_v2, plain
from dashlight.decode.reading import Protocol

PROTOCOLS: Final[tuple[Protocol, ...]] = (kserve_v2.PROTOCOL, kserve_v1.PROTOCOL)
FALLBACK: Final[Protocol] = plain.PROTOCOL
"""Reads what no protocol claims."""
