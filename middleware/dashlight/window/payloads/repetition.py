"""What was repeated in a pane, in constant memory and without a value of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

MINUTE_SECONDS = 60.0
"""In which a payload that comes too often is a repeat."""
MOST_TOLD = 8
"""Payloads that a pane tells of: those that were repeated most."""
TRACES_TOLD = 5


@dataclass(frozen=True, slots=True)
class RepeatedPayload:
    """One payload that came too often in a pane."""

    hash: int
    rows: int
    """Of the pane with this payload."""
    left_out: int
    """Those of them that are no evidence."""
    traces: tuple[str, ...] = ()
    """Up to five trace ids, in 32 hexadecimal digits, of exchanges that brought it; the newest last."""


@dataclass(frozen=True, slots=True)
class RepetitionPane:
    """What was repeated in one pane; panes of several processes merge."""

    rows: int
    """All rows of the pane."""
    exchanges: int
    """That brought them."""
    left_out: int
    """Those that said again what was just said."""
    payloads: tuple[RepeatedPayload, ...]
    """At most MOST_TOLD, the most repeated first."""


def merged_repetition(panes: Sequence[RepetitionPane]) -> RepetitionPane:
    """What several processes saw repeated, as if one had."""
    by_hash: dict[int, list[RepeatedPayload]] = {}
    for pane in panes:
        for payload in pane.payloads:
            by_hash.setdefault(payload.hash, []).append(payload)
    told = sorted(map(sum_of_alike, by_hash.values()), key=lambda each: -each.left_out)[:MOST_TOLD]
    return RepetitionPane(
        sum(pane.rows for pane in panes),
        sum(pane.exchanges for pane in panes),
        sum(pane.left_out for pane in panes),
        tuple(told),
    )


def sum_of_alike(alike: Sequence[RepeatedPayload]) -> RepeatedPayload:
    """What several panes, at least one, say of one payload."""
    return RepeatedPayload(
        alike[0].hash,
        sum(each.rows for each in alike),
        sum(each.left_out for each in alike),
        tuple(dict.fromkeys(trace for each in alike for trace in each.traces))[-TRACES_TOLD:],
    )
