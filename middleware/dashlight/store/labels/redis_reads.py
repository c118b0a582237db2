"""What is read of predictions and labels in a Redis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from dashlight.errors import StateError
from dashlight.labels.row_sets import RowLayout, in_time, joined, taken
from dashlight.labels.rows import KEY_BYTES, LabelledRows, ModelKey, ScoredRows
from dashlight.labels.store import Met
from dashlight.store.labels.joining import HOUR_SECONDS, TASKS_WITH_A_NEGATIVE
from dashlight.store.labels.packing import labelled_of
from dashlight.store.labels.redis_home import BUCKETS, RedisHome, model_digest
from dashlight.store.labels.redis_link import Argument, Reply, as_number, blob, replies, whole
from dashlight.store.labels.redis_rows import rows_by_layout, with_codes
from dashlight.store.labels.redis_scripts import COUNTS
from dashlight.store.labels.sampling import is_drawn

_BUCKETS_AT_ONCE = 64
_SETS_AT_ONCE = 16


def labelled_since(home: RedisHome, cursor: int, *, most_rows: int) -> Met:
    """At most *most_rows* of what has met since *cursor*."""
    name = f"{home.prefix}met"
    next_number = whole(home.link.call("GET", f"{home.prefix}next"))
    if cursor > next_number:
        cursor = 0
    found: list[LabelledRows] = []
    left = most_rows
    while left > 0:
        entries = replies(home.link.call("ZRANGEBYSCORE", name, f"({cursor}", "+inf", "LIMIT", 0, _SETS_AT_ONCE))
        for entry in entries:
            number, count, layout, content = _entry(entry)
            begin = max(cursor - number, 0)
            end = min(count, begin + left)
            if end > begin:
                found.append(labelled_of(content, home.layout(layout), begin=begin, end=end))
                left -= end - begin
                cursor = number + end
        if len(entries) < _SETS_AT_ONCE and left:
            return Met(tuple(found), cursor)
    return Met(tuple(found), cursor, cursor >= next_number)


def waiting_since(home: RedisHome, model: ModelKey, *, since_at: float) -> list[tuple[int, int, int, int]]:
    """Hour, tenth of the score, predictions and labelled ones, from the hour on in which *since_at* lies."""
    since_hour = math.floor(max(since_at, 0.0) / HOUR_SECONDS)
    slices = [each for each in home.slices() if (each + 1) * home.slice_seconds > since_at]
    names = [home.counts_name(model, each) for each in slices]
    told = blob(home.link.run(COUNTS, (home.prefix, *names))).split()
    fields, counts = np.array(told, np.int64).reshape(len(told) // 2, 2).T
    cells, places = np.unique(fields >> 1, return_inverse=True)
    both = np.zeros((len(cells), 2), np.int64)
    np.add.at(both, (places, fields & 1), counts)
    hours, tenths = cells >> 4, (cells & 15) - 1
    is_wanted = hours >= since_hour
    columns = np.column_stack([hours, tenths, both])[is_wanted]
    return [(hour, tenth, predictions, labelled) for hour, tenth, predictions, labelled in columns.tolist()]


def newest_unlabelled(home: RedisHome, model: ModelKey, *, since_at: float, most_rows: int) -> ScoredRows | None:
    """The newest predictions without a label, the newest first; of the layout of the newest of them."""
    implied_before = implied_before_of(home, model)
    found: list[ScoredRows] = []
    for place in reversed(home.slices()):
        if sum(rows.row_count for rows in found) >= most_rows or (place + 1) * home.slice_seconds <= since_at:
            break
        labelled = labelled_keys(home, place)
        in_slice: list[ScoredRows] = []
        for _, rows in rows_of_slices(home, model, [place], range(BUCKETS)):
            floor_at = max(since_at, implied_before) if rows.task in TASKS_WITH_A_NEGATIVE else since_at
            is_open = np.array([key.tobytes() not in labelled for key in rows.keys]) & (rows.predicted_at >= floor_at)
            if is_open.any():
                in_slice.append(taken(rows, np.flatnonzero(is_open)))
        if not found and in_slice:
            found.append(max(in_slice, key=lambda rows: float(rows.predicted_at[-1])))
            in_slice = [rows for rows in in_slice if rows is not found[0]]
        found += [rows for rows in in_slice if RowLayout.of(rows) == RowLayout.of(found[0])]
    if not found:
        return None
    alike = joined(found)
    return taken(alike, np.argsort(-alike.predicted_at, kind="stable")[:most_rows])


def sample_between(
    home: RedisHome, model: ModelKey, *, since_at: float, until_at: float, most_rows: int
) -> list[ScoredRows]:
    """Predictions from *since_at* up to *until_at*; where there are more than *most_rows*, a uniform share of about so many.

    Hashes are read until there are enough: which one a prediction lies in is as good as drawn.
    """
    slices = [
        each
        for each in home.slices()
        if (each + 1) * home.slice_seconds > since_at and each * home.slice_seconds < until_at
    ]
    found: dict[int, list[ScoredRows]] = {}
    row_count = 0
    for begin in range(0, BUCKETS, _BUCKETS_AT_ONCE):
        for layout, rows in rows_of_slices(home, model, slices, range(begin, begin + _BUCKETS_AT_ONCE)):
            is_within = (rows.predicted_at >= since_at) & (rows.predicted_at < until_at)
            if is_within.any():
                found.setdefault(layout, []).append(taken(rows, np.flatnonzero(is_within)))
                row_count += int(is_within.sum())
        if row_count >= most_rows:
            break
    share = most_rows / max(row_count, 1)
    chosen: list[ScoredRows] = []
    for layout, sets in found.items():
        rows = in_time(joined(sets))
        rows = taken(rows, np.flatnonzero(is_drawn(rows.keys, share)))
        if rows.row_count:
            chosen.append(with_codes(home, layout, rows))
    return chosen


def rows_of_slices(
    home: RedisHome, model: ModelKey, slices: Sequence[int], buckets: range
) -> Iterator[tuple[int, ScoredRows]]:
    """Layout and rows of a model in some of the hashes of *slices*, in the order of their moments."""
    layouts = home.layouts_of(model)
    for number in slices:
        commands = [("HGETALL", f"{home.prefix}r:{number}:{bucket}") for bucket in buckets]
        pairs = [pair for reply in home.link.call_all(commands) for pair in _pairs(reply)]
        for numbers, rows in rows_by_layout(pairs, layouts):
            layout = int.from_bytes(pairs[numbers[0]][1][:4], "little")
            yield layout, in_time(rows)


def labelled_keys(home: RedisHome, number: int) -> set[bytes]:
    """Keys of a slice that have a label."""
    commands: list[tuple[Argument, ...]] = [("HKEYS", f"{home.prefix}l:{number}:{bucket}") for bucket in range(BUCKETS)]
    return {blob(key) for reply in home.link.call_all(commands) for key in replies(reply)}


def implied_before_of(home: RedisHome, model: ModelKey) -> float:
    """The moment before which all is decided; -inf where nothing is."""
    return as_number(home.link.call("GET", f"{home.prefix}implied:{model_digest(model)}"), none=-math.inf)


def _pairs(reply: Reply) -> list[tuple[bytes, bytes]]:
    found = replies(reply)
    pairs = [(blob(key), blob(value)) for key, value in zip(found[::2], found[1::2], strict=True)]
    if any(len(key) != KEY_BYTES for key, _ in pairs):
        raise StateError("corrupt", "predictions have keys of another length")
    return pairs


def _entry(entry: Reply) -> tuple[int, int, int, bytes]:
    """Number of the first row, rows, layout, content."""
    fields = blob(entry).split(b" ", 3)
    if len(fields) != 4 or not all(field.isdigit() for field in fields[:3]):
        raise StateError("corrupt", "labels that have met are damaged")
    return int(fields[0]), int(fields[1]), int(fields[2]), fields[3]
