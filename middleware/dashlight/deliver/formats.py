"""What delivery asks of a format."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from dashlight.deliver.encoding.envelope import Envelope


class Format(Protocol):
    """How entries become a request, and what its answer says."""

    @property
    def content_type(self) -> str:
        """Of the request."""
        ...

    @property
    def speaks_otlp(self) -> bool:
        """Whether OTLP's rules tell which answers are worth a retry."""
        ...

    def request(self, entries: Sequence[bytes], /) -> bytes:
        """One request for all *entries*."""
        ...

    def rejected_count(self, answer: bytes, /) -> int:
        """Entries of a request that its answer says were not taken."""
        ...


@runtime_checkable
class EnvelopedFormat(Protocol):
    """A format whose requests say once, around all entries, which process made them."""

    envelope: Envelope
