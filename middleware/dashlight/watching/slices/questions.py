"""What an alert asks of the sampled rows: which of them hurt, since when, and which columns explain nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import isfinite
from typing import Final, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.realised import REALISED
from dashlight.judge.slices.copies import no_explanation
from dashlight.judge.slices.rows import BinWords, HurtRows
from dashlight.judge.slices.search import search_slice
from dashlight.judge.slices.words import bin_words
from dashlight.records import Alert, Role, Slice
from dashlight.watching.rows import Comparison
from dashlight.watching.slices.history import MOST_SINCE
from dashlight.watching.slices.onset import began_at
from dashlight.window.columns import ColumnReference
from dashlight.window.parts.sampled_rows import FAILED, FINE, REFUSED, SampledRows
from dashlight.window.performance.drawn_rows import DrawnSample
from dashlight.window.reference.steps import Steps

MOST_EXEMPLARS: Final = 5
_Number = TypeVar("_Number", np.uint8, np.float64)
Hurting: TypeAlias = Literal["failed", "refused", "drifted", "lost"]
"""What rows do that hurt."""
_OUTCOMES: Final = {"failed": FAILED, "refused": REFUSED}
_FAILED: Final = frozenset({"error_rate", "error_kind", "new_failure", "failure_rate"})
_REFUSED: Final = frozenset({"refusal_rate", "refusal_kind", "new_refusal"})
_TRAFFIC_NAME, _RULE_NAME = 2, 3
"""Places in the keys of alerts."""


class LabelledSample(Protocol):
    """What `PerformanceParts` has of labelled rows."""

    @property
    def columns(self) -> Sequence[ColumnReference]:
        """Of their bins; none where nobody knows these."""
        ...

    def slice_rows(self, since_at: float) -> DrawnSample:
        """Those that were predicted since then, drawn uniformly."""
        ...

    def slice_reference(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
        """Bins and losses of the reference's rows; None where nobody knows them."""
        ...


def hurting_of(alert: Alert) -> Hurting | None:
    """What hurts where *alert* is the origin; None where no slice is searched for it."""
    if alert.segment or alert.state != "firing":
        return None
    parts = [unquote(part) for part in alert.key.split("/")]
    if alert.source == "drift":
        return "drifted" if alert.column is not None and alert.role is not None else None
    if alert.source == "performance":
        return "lost" if parts[_RULE_NAME : _RULE_NAME + 1] == [REALISED] else None
    place = _TRAFFIC_NAME if alert.source == "traffic" else _RULE_NAME
    if alert.source not in {"traffic", "threshold"} or len(parts) <= place:
        return None
    name = parts[place]
    if alert.source == "threshold":  # as an operator writes rules: failure_rate[http_503]>5% for 5m
        name = next((known for known in _FAILED | _REFUSED if name.startswith(known)), "")
    return "failed" if name in _FAILED else "refused" if name in _REFUSED else None


def rows_since(comparison: Comparison, alert: Alert) -> int:
    """Sampled rows since the change behind *alert*."""
    return comparison.history.count_since(alert.since_at)


def find_slice(
    alert: Alert, hurting: Hurting, comparison: Comparison, moved: Collection[tuple[Role | None, str | None]]
) -> Steps[Slice | None]:
    """In steps: where *alert* hurts, by the rows of *comparison*; None where there are none to look at.

    Columns of the incident that *moved* as well, by role and name, explain no drift: they are what is to be explained.
    """
    columns = comparison.columns
    now = comparison.history.since(alert.since_at)
    if now is None or all(column.role != "feature" for column in columns):
        return None
    before = comparison.history.before(alert.since_earliest_at if isfinite(alert.since_earliest_at) else alert.since_at)
    yield
    left_out = {
        place for place, column in enumerate(columns) if column.role == "output" or column.name in comparison.hidden
    }
    if hurting == "drifted":
        left_out |= {place for place, each in enumerate(columns) if (each.role, each.of or each.name) in moved}
        place = _place_of(alert, columns)
        if place is None:
            return None
        now = now.taken(now.outcomes == FINE, now.bound)
        sample = comparison.reference.sample
        usual_codes = None if sample is None else _some(sample)
        if usual_codes is None and before is not None:
            usual_codes = before.codes[:, before.outcomes == FINE]
        rose = comparison.examples.rose(place, alert.since_at)
        now_hurt, usual_hurt = rose[now.codes[place]], None if usual_codes is None else rose[usual_codes[place]]
        left_out |= yield from no_explanation(columns, place, now.codes if usual_codes is None else usual_codes)
    else:
        code = _OUTCOMES[hurting]
        if alert.source == "threshold":  # which says when its window was over a limit
            onset = began_at(before, now, code, alert.since_at)
            now, before = comparison.history.since(onset) or now, comparison.history.before(onset)
        now = _one_an_exchange(now)
        before = None if before is None else _one_an_exchange(before)
        now_hurt = now.outcomes == code
        usual_codes = None if before is None else before.codes
        usual_hurt = None if before is None else before.outcomes == code
    usual = None
    if usual_codes is not None and usual_hurt is not None and usual_hurt.size:
        usual = HurtRows(usual_codes, usual_hurt.astype(np.float64))
    words, rows = _RememberedWords(bin_words(columns)), HurtRows(now.codes, now_hurt.astype(np.float64))
    found = yield from search_slice(rows, usual, columns, leave_out=frozenset(left_out), words=words)
    return replace(found, exemplars=_exemplars(found, words, now, rows, columns))


def find_lost(alert: Alert, parts: LabelledSample, hidden: Collection[str]) -> Steps[Slice | None]:
    """In steps: where the losses of labelled rows rose, by *parts* of the model; None where no row has its bins.

    What is usual is what the rows of the reference lost, or else those that were predicted before. Examples have no traces.
    """
    columns, now = parts.columns, parts.slice_rows(alert.since_at)
    if not columns or not len(now.losses):
        return None
    yield
    known = parts.slice_reference()
    if known is not None:
        usual = HurtRows(_some(known[0]), _some(known[1][np.newaxis])[0])
    else:
        past = parts.slice_rows(float("-inf"))
        past = past.chosen(past.predicted_at < alert.since_at)
        usual = HurtRows(past.codes, past.losses)
    left_out = {place for place, column in enumerate(columns) if column.role == "output" or column.name in hidden}
    rows = HurtRows(now.codes, now.losses)
    words = bin_words(columns)
    told = usual if usual.row_count else None
    return (yield from search_slice(rows, told, columns, leave_out=frozenset(left_out), words=words))


class _RememberedWords:
    """Says what bins are, and remembers of which."""

    def __init__(self, said_by: BinWords) -> None:
        self._said_by = said_by
        self.bins: dict[tuple[int, str], Collection[int]] = {}

    def __call__(self, place: int, bins: Collection[int]) -> str:
        words = self._said_by(place, bins)
        self.bins[place, words] = tuple(bins)
        return words


def _exemplars(
    found: Slice,
    words: _RememberedWords,
    sampled: SampledRows,
    rows: HurtRows,
    columns: Sequence[ColumnReference],
) -> tuple[str, ...]:
    """The last exchanges in the slice that hurt."""
    if not found.conditions:
        return ()
    inside = rows.hurt > 0
    places = {(column.role, column.name): place for place, column in enumerate(columns)}
    for condition in found.conditions:
        place = places[condition.role, condition.column]
        inside &= rows.within(place, words.bins[place, condition.bin])
    chosen = np.flatnonzero(inside)
    chosen = chosen[np.argsort(-sampled.at[chosen], kind="stable")]
    traces = dict.fromkeys(bytes(each).hex() for each in sampled.trace_ids[chosen[: 4 * MOST_EXEMPLARS]])
    return tuple(trace for trace in traces if trace.strip("0"))[:MOST_EXEMPLARS]


def _place_of(alert: Alert, columns: Sequence[ColumnReference]) -> int | None:
    """Of the column that *alert* is of; of a facet, that itself, by which the key names it."""
    name = unquote(alert.key.rsplit("/", 1)[-1])
    return next((at for at, column in enumerate(columns) if (column.role, column.name) == (alert.role, name)), None)


def _one_an_exchange(rows: SampledRows) -> SampledRows:
    """Of every exchange the row with the lowest draw: all rows of one fail together."""
    if not rows.row_count:
        return rows
    order = np.argsort(rows.draws, kind="stable")
    traces = np.ascontiguousarray(rows.trace_ids[order]).view(np.uint64).reshape(-1, 2)
    first = np.unique(traces, axis=0, return_index=True)[1]
    kept = np.zeros(len(order), np.bool_)
    kept[first] = True
    kept |= ~traces.any(axis=1)  # of those nobody knows
    return rows.taken(np.sort(order[kept]), rows.bound)


def _some(sample: NDArray[_Number]) -> NDArray[_Number]:
    """Some rows of a reference's *sample*, evenly chosen."""
    return sample[:, :: max(1, -(-sample.shape[1] // MOST_SINCE))]
