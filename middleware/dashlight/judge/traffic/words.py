"""What an alarm about traffic means, in words and shares. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashlight.judge.traffic.events import QUANTILES, Quantity, Slow, TrafficEvents
from dashlight.judge.words import percent, printable, span
from dashlight.records import BinShare, Cause
from dashlight.window.histogram import LATENCY, quantile
from dashlight.window.outcomes import ANOTHER_FIELD, NOT_FAILURES, OutcomeCounts

KINDS_NAMED = 3
FEWEST_FOR_QUANTILE = 20
"""Exchanges of the recent panes without which no quantile of them is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What a window shows of one event."""

    quantity: Quantity
    place: int
    """Of the event."""
    after: float
    """Its share, 0 to 1."""
    failures: Mapping[str, int]
    """Of the window, by kind, most frequent first."""
    undecodable: Mapping[str, int]
    """Likewise, by reason."""
    refusals: Mapping[str, int]
    """Likewise, by kind of refusal."""
    trials: int
    """Exchanges of the window of which the share is one."""


def explain(
    shown: Shown, events: TrafficEvents, *, reference: OutcomeCounts, recent: OutcomeCounts
) -> tuple[str, Cause]:
    """One sentence on what moved, and the kinds, reasons or times behind it.

    *recent* are the panes since the change, as far as they are kept: the quantiles of now are read from them.
    """
    slow = events.slow_at(shown.place)
    if slow is not None:
        return _slower(shown, slow, reference, recent)
    words, before, after = _tallies(shown, events, reference)
    rows = max(reference.analysed if shown.quantity.name == "undecodable_rate" else reference.exchanges, 1)
    # A refusal may be of several kinds: they add up to more than there were.
    share = (reference.refused if shown.quantity.name == "refusal_rate" else sum(before.values())) / rows
    moved = sorted(after, key=lambda kind: before.get(kind, 0) / rows - after[kind] / max(shown.trials, 1))
    named = ", ".join(f"{in_words(kind)} x {after[kind]}" for kind in moved[:KINDS_NAMED])
    more = ", ..." if len(after) > KINDS_NAMED else ""
    bins = [
        BinShare(in_words(kind), before.get(kind, 0) / rows, after.get(kind, 0) / max(shown.trials, 1))
        for kind in {**before, **after}
    ]
    sentence = f"{words} rose from {percent(share)} to {percent(shown.after)} of exchanges: {named}{more}"
    return sentence, Cause(words, share, shown.after, tuple(bins))


def in_words(kind: str) -> str:
    """A kind of failure or refusal: `http_422 age missing` is 422 because of `age` missing."""
    status, parted, problem = kind.partition(" ")
    if not parted or not status.startswith("http_"):
        return printable(kind)
    field, _, what = problem.partition(" ")
    field = "another field" if field == ANOTHER_FIELD else f"`{field}`"
    return printable(f"{status.removeprefix('http_')} because of {field} {what}".rstrip())


def _tallies(
    shown: Shown, events: TrafficEvents, reference: OutcomeCounts
) -> tuple[str, Mapping[str, int], Mapping[str, int]]:
    """The quantity in words, and its counts by kind in the reference and now."""
    quantity = shown.quantity
    if quantity.name == "undecodable_rate":
        return "undecodable share", reference.undecodable, shown.undecodable
    is_refusal = quantity.name in {"refusal_rate", "refusal_kind", "new_refusal"}
    both = (reference.refusals, shown.refusals) if is_refusal else (reference.failures, shown.failures)
    if quantity.name in {"error_kind", "refusal_kind"}:
        kind = quantity.kind
        before, after = ({kind: counts.get(kind, 0)} for counts in both)
        return f"{'refusal' if is_refusal else 'error'} rate of {in_words(kind)}", before, after
    if quantity.name == "new_refusal":
        return "refusal rate of kinds never seen in the reference", {}, events.new_refusals(shown.refusals)
    if quantity.name == "new_failure":
        words = "error rate of kinds never seen in the reference"
        return words, {}, events.new_failures(shown.failures)
    before, after = ({kind: count for kind, count in counts.items() if kind not in NOT_FAILURES} for counts in both)
    return "refusal rate" if is_refusal else "error rate", before, after


def _slower(shown: Shown, slow: Slow, reference: OutcomeCounts, recent: OutcomeCounts) -> tuple[str, Cause]:
    is_latency = slow.quantity == "latency"
    name = "latency" if is_latency else "time to first byte"
    before = float(slow.share)
    words = f"{name} above {span(slow.seconds)} ({slow.quantile} of the reference)"
    sentence = f"{words} rose from {percent(before)} to {percent(shown.after)} of exchanges"
    old, new = (counts.durations if is_latency else counts.first_bytes for counts in (reference, recent))
    if new.sum() >= FEWEST_FOR_QUANTILE:
        share = QUANTILES[slow.quantile]
        was, is_ = (quantile(histogram, LATENCY, share).value for histogram in (old, new))
        sentence += f": {slow.quantile} {span(was)} -> {span(is_)}"
    return sentence, Cause(words, before, shown.after)
