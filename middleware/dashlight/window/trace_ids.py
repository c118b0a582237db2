"""Trace ids of the last exchanges that show something, in bounded memory."""

from collections import OrderedDict, deque

MOST_EACH = 5
MOST_NAMES = 64


class TraceIds:
    """The last MOST_EACH trace ids under each of the MOST_NAMES names that were heard of last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()

    def keep(self, name: str, trace_id: int, *, started_at: float) -> None:
        """Remember the trace of an exchange under *name*; an id of 0 is none."""
        if not trace_id:
            return
        kept = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = deque(maxlen=MOST_EACH)
            if len(self._kept) > MOST_NAMES:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(name)
        kept.append((started_at, trace_id))

    def take(self) -> dict[str, tuple[tuple[float, int], ...]]:
        """All that are kept, by name: when each exchange began, and its trace id. None is kept any more."""
        kept, self._kept = self._kept, OrderedDict()
        return {name: tuple(traces) for name, traces in kept.items()}

    def since(self, at: float, *names: str) -> tuple[str, ...]:
        """Up to MOST_EACH trace ids, 32 hexadecimal digits, of exchanges that began after *at*.

        Those under the first of *names* come first, of each the newest.
        """
        found = [
            f"{trace_id:032x}"
            for name in names
            for started_at, trace_id in reversed(self._kept.get(name, ()))
            if started_at > at
        ]
        return tuple(dict.fromkeys(found))[:MOST_EACH]
