"""What surrounds spans and log records in an OTLP request: resource, scope, and the answer to it.

Traces and logs use the same field numbers for all of it.
"""

from collections.abc import Mapping, Sequence

from dashlight.deliver.encoding.plain import Budget
from dashlight.deliver.encoding.protobuf import attribute, length_delimited
from dashlight.deliver.encoding.varint import varint
from dashlight.deliver.encoding.wire import WireError, fields

CONTENT_TYPE = "application/x-protobuf"


class Envelope:
    """A resource and a scope, encoded once."""

    def __init__(self, resource: Mapping[str, object], scope_name: str, scope_version: str) -> None:
        budget = Budget()
        described = b"".join(attribute(1, key, value=value, budget=budget) for key, value in resource.items())
        self._resource = length_delimited(1, described)
        scope = length_delimited(1, scope_name.encode()) + length_delimited(2, scope_version.encode())
        self._scope = length_delimited(1, scope)

    def around(self, items: Sequence[bytes]) -> bytes:
        """The ExportTraceServiceRequest or ExportLogsServiceRequest of *items*, each with its field number before it."""
        return _around(self._resource, self._scope, items)

    @property
    def told(self) -> bytes:
        """Both, to be kept beside items that are sent later, perhaps by another process."""
        return length_delimited(1, self._resource) + length_delimited(2, self._scope)

    def around_others(self, told: bytes, items: Sequence[bytes]) -> bytes:
        """A request with *items* of the process that *told* its envelope; with ours, where that cannot be read."""
        try:
            resource, scope = (bytes(value) for _, value in fields(told) if not isinstance(value, int))
        except ValueError:
            return self.around(items)
        return _around(resource, scope, items)


def _around(resource: bytes, scope: bytes, items: Sequence[bytes]) -> bytes:
    # The lengths are worked out first so that the items, often a megabyte, are copied once.
    size = len(scope) + sum(map(len, items))
    of_scope = b"\x12" + varint(size)
    of_resource = b"\x0a" + varint(len(resource) + len(of_scope) + size)
    return b"".join((of_resource, resource, of_scope, scope, *items))


def framed(content: bytes) -> bytes:
    """A Span or LogRecord as `around` wants it."""
    return length_delimited(2, content)


def rejected_count(answer: bytes) -> int:
    """Items that the collector says it did not take, in the `partial_success` of its answer; 0 if it says nothing."""
    try:
        partial = next((value for field, value in fields(answer) if field == 1), b"")
        rejected = next((value for field, value in fields(bytes(partial)) if field == 1), 0)
    except (WireError, TypeError, ValueError):
        return 0
    return rejected if isinstance(rejected, int) and rejected < 2**63 else 0
