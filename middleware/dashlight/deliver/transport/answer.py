"""How an attempt to deliver a batch ended."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Failure: TypeAlias = Literal["", "unreachable", "timeout", "cut", "name", "tls", "refused address", "setting"]
"""Why there was no answer: refused or no way there, too slow, connection cut or nonsense said, no such host, no
trust, an address that must not be used, a file or header of the settings that is of no use. Empty where there was one."""


@dataclass(frozen=True, slots=True)
class CollectorAnswer:
    """What the collector said, or why it said nothing."""

    status: int = 0
    """0 where there was no answer."""
    failure: Failure = ""
    detail: str = ""
    """Name of the exception behind *failure*, or which address was refused."""
    retry_after: str = ""
    body: bytes = b""

    def __str__(self) -> str:
        """In words for a log, without anything that the collector wrote."""
        if not self.failure:
            return f"status {self.status}"
        return f"{self.failure}: {self.detail}" if self.detail else self.failure


class Send(Protocol):
    """Posts one request to one collector. Reports every failure in its answer and raises nothing."""

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        """Sends *body*; *key* stays the same for as long as the same entries are tried."""
        ...

    def close(self) -> None:
        """Closes the connection."""
        ...
