"""Trace ids of the last exchanges that show something, in bounded memory."""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

import msgspec

Trace: TypeAlias = tuple[float, Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]]
"""When an exchange began, and its trace id."""

MOST_EACH = 5
MOST_NAMES = 64


class TraceIds:
    """The last MOST_EACH trace ids under each of the MOST_NAMES names that were heard of last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, deque[Trace]] = OrderedDict()

    def keep(self, name: str, trace_id: int, *, started_at: float) -> None:
        """Remember the trace of an exchange under *name*; an id of 0 is none."""
        if trace_id:
            self._add(name, (started_at, trace_id.to_bytes(16, "big")))

    def add_all(self, taken: Mapping[str, Sequence[Trace]]) -> None:
        """Remember what was taken elsewhere."""
        for name, traces in taken.items():
            for trace in traces:
                self._add(name, trace)

    def take(self) -> dict[str, tuple[Trace, ...]]:
        """All that are kept, by name. None is kept any more."""
        kept, self._kept = self._kept, OrderedDict()
        return {name: tuple(traces) for name, traces in kept.items()}

    def since(self, at: float, *names: str) -> tuple[str, ...]:
        """Up to MOST_EACH trace ids, 32 hexadecimal digits, of exchanges that began after *at*.

        Those under the first of *names* come first, of each the newest.
        """
        found = [
            trace_id.hex()
            for name in names
            for started_at, trace_id in reversed(self._kept.get(name, ()))
            if started_at > at
        ]
        return tuple(dict.fromkeys(found))[:MOST_EACH]

    def _add(self, name: str, trace: Trace) -> None:
        kept = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = deque(maxlen=MOST_EACH)
            if len(self._kept) > MOST_NAMES:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(name)
        kept.append(trace)
