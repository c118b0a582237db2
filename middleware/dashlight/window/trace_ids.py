"""Trace ids of the last exchanges that show something, in bounded memory."""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, TypeAlias

import msgspec

from dashlight.window.fitting import moment, within

Trace: TypeAlias = tuple[float, Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]]
"""When an exchange began, and its trace id."""

MOST_EACH = 5
MOST_NAMES = 64


class TraceIds:
    """The last MOST_EACH trace ids under each of the MOST_NAMES names that were heard of last."""

    def __init__(self) -> None:
        self._traces: OrderedDict[str, deque[Trace]] = OrderedDict()
        """By name, the one heard of last at the end."""

    @property
    def state(self) -> dict[str, tuple[Trace, ...]]:
        """All that are remembered, by name."""
        return {name: tuple(traces) for name, traces in self._traces.items()}

    def restore(self, state: Mapping[str, tuple[Trace, ...]]) -> None:
        """Go on from *state*; ValueError where it holds too many, or none under a name."""
        within("names of traces", len(state), 0, MOST_NAMES)
        for name, traces in state.items():
            within("traces of a name", len(traces), 1, MOST_EACH)
            for started_at, _ in traces:
                moment("begin of an exchange", started_at)
            self._traces[name] = deque(traces, MOST_EACH)

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
        """As `state`, and forget them."""
        traces, self._traces = self.state, OrderedDict()
        return traces

    def since(self, at: float, *names: str) -> tuple[str, ...]:
        """Up to MOST_EACH trace ids, 32 hexadecimal digits, of exchanges that began after *at*.

        Those under the first of *names* come first, of each the newest.
        """
        trace_ids = [
            trace_id.hex()
            for name in names
            for started_at, trace_id in reversed(self._traces.get(name, ()))
            if started_at > at
        ]
        return tuple(dict.fromkeys(trace_ids))[:MOST_EACH]

    def like(self, pattern: str) -> tuple[str, ...]:
        """The names, as in a shell, that *pattern* fits, the one heard of last first."""
        return tuple(name for name in reversed(self._traces) if fnmatchcase(name, pattern))

    def _add(self, name: str, trace: Trace) -> None:
        traces = self._traces.get(name)
        if traces is None:
            traces = self._traces[name] = deque(maxlen=MOST_EACH)
            if len(self._traces) > MOST_NAMES:
                self._traces.popitem(last=False)
        else:
            self._traces.move_to_end(name)
        traces.append(trace)
