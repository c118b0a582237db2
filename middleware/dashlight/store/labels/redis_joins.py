"""Predictions and labels on their way into a Redis: each step there happens at once, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from dashlight.errors import StateError
from dashlight.labels.ids import entity_of, key_of
from dashlight.labels.label import JOINED_LATER, Fate, Label
from dashlight.labels.row_sets import RowLayout, known_by, labelled, taken
from dashlight.labels.rows import KEY_BYTES, ModelKey, ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.joining import (
    MOST_ORPHANS,
    NEGATIVE,
    ORPHAN_SECONDS,
    TASKS_WITH_A_NEGATIVE,
    Rules,
    cells_of,
    grouped,
    join,
    orphan_of,
    packed_orphan,
    span_of,
    until_of,
)
from dashlight.store.labels.redis_commit import commit, known_of, packed_value
from dashlight.store.labels.redis_home import BUCKETS, RedisHome, cell_field
from dashlight.store.labels.redis_link import Argument, blob, replies, whole
from dashlight.store.labels.redis_reads import implied_before_of, labelled_keys, rows_of_slices
from dashlight.store.labels.redis_rows import (
    LAYOUT_BYTES,
    codes_to_write,
    records_of,
    rows_by_layout,
    with_codes,
)
from dashlight.store.labels.redis_scripts import FIND, WRITE

MOST_ABOUT_ONE = 32
"""Predictions about one entity, in one slice, that labels find without an id."""
_AT_ONCE = 2000
"""Rows of one script: others wait while it runs, for a few milliseconds."""
_TRIES = 20

_ABOUT = np.dtype([("at", "<f8"), ("key", f"V{KEY_BYTES}")])


class RedisJoins:
    """Joins labels with predictions, whichever comes first."""

    def __init__(self, home: RedisHome, key: HashKey) -> None:
        self._home, self._key = home, key

    def keep(self, rows: ScoredRows, *, at: float, troubles: Counter[str]) -> None:
        """Writes *rows*, all of one layout, and joins those whose labels were here before them."""
        layout = RowLayout.of(rows)
        number = self._home.layout_number(layout)
        slices = np.floor(rows.predicted_at / self._home.slice_seconds).astype(np.int64)
        for each in np.unique(slices).tolist():
            places = np.flatnonzero(slices == each)
            for begin in range(0, len(places), _AT_ONCE):
                part = taken(rows, places[begin : begin + _AT_ONCE])
                self._write(part, layout, number, each, at=at, troubles=troubles)
        implied_before = implied_before_of(self._home, layout.model)
        if layout.task in TASKS_WITH_A_NEGATIVE and rows.predicted_at.min() < implied_before:
            late = taken(rows, np.flatnonzero(rows.predicted_at < implied_before))
            if not self._imply(layout.model, [late], implied_before, None, at=at):
                troubles["implied_not_told"] += late.row_count

    def _write(
        self, rows: ScoredRows, layout: RowLayout, number: int, place: int, *, at: float, troubles: Counter[str]
    ) -> None:
        home = self._home
        records = records_of(rows, layout, number)
        orphans, cells = int(at // ORPHAN_SECONDS), cells_of(rows)
        arguments: list[Argument] = [home.prefix, place, max(home.seconds_left(place), 1)]
        arguments += [rows.keys.tobytes(), records.tobytes(), records.itemsize, orphans, orphans - 1]
        arguments += [b"" if rows.entities is None else rows.entities.tobytes(), rows.predicted_at.tobytes()]
        arguments += [MOST_ABOUT_ONE, b"" if rows.other_keys is None else rows.other_keys.tobytes(), len(cells)]
        for hour, tenth, count in cells:
            arguments += [home.counts_name(layout.model, place), cell_field(hour, tenth), count]
        if rows.sampled is not None and rows.codes is not None and layout.code_count:
            arguments += codes_to_write(home, rows, rows.sampled, rows.codes, layout=number, place=place)
        found = replies(home.link.run(WRITE, arguments))
        if found:
            places = [whole(each) for each in found[::2]]
            labels = [orphan_of(blob(each)) for each in found[1::2]]
            awaited = taken(rows, np.array(places, np.intp))
            for fate in self._join(awaited, labels, at=at, troubles=troubles):
                troubles[f"{JOINED_LATER}{fate}"] += 1
            keys = [key.tobytes() for key in known_by(awaited)[0]]
            home.link.call_all([("HDEL", f"{home.prefix}o:{each}", *keys) for each in (orphans, orphans - 1)])

    def label(
        self, labels: Sequence[Label], *, at: float, opened: Mapping[int, ScoredRows], troubles: Counter[str]
    ) -> list[Fate]:
        """Joins *labels* with their predictions; what became of each."""
        fates: list[Fate] = ["unknown"] * len(labels)
        keys = {number: key_of(label.id, self._key) for number, label in enumerate(labels) if label.id}
        for number, label in enumerate(labels):
            if not label.id and label.entity and number not in opened:
                found = self._about(label, at)
                if found is not None:
                    keys[number] = found
        keys.update({number: rows.keys[0].tobytes() for number, rows in opened.items()})
        groups: list[tuple[list[int], ScoredRows]] = []
        for numbers, rows in self._find(labels, keys, opened, at=at, troubles=troubles):
            groups.append((numbers, rows))
        known = {number for numbers, _ in groups for number in numbers}
        sealed = [([number], rows) for number, rows in opened.items() if number not in known]
        for some, is_counted in ((groups, True), (sealed, False)):
            for numbers, rows in grouped(some):
                given = [labels[each] for each in numbers]
                came_to = self._join(rows, given, at=at, troubles=troubles, is_counted=is_counted)
                for number, fate in zip(numbers, came_to, strict=True):
                    fates[number] = fate
        return fates

    def imply(self, model: ModelKey, *, since_at: float, before_at: float, most_rows: int, at: float) -> int:
        """Takes predictions made from *since_at* to *before_at* that have no label for negative, the oldest first; how many."""
        home = self._home
        for _ in range(_TRIES):
            implied_before = implied_before_of(home, model)
            if before_at <= implied_before or most_rows < 1:
                return 0
            found: list[tuple[int, ScoredRows]] = []
            for number in home.slices():
                begin_at = number * home.slice_seconds
                if begin_at >= before_at or begin_at + home.slice_seconds <= implied_before:
                    continue
                known = labelled_keys(home, number)
                for layout, rows in rows_of_slices(home, model, [number], range(BUCKETS)):
                    is_due = (rows.predicted_at >= max(implied_before, since_at)) & (rows.predicted_at < before_at)
                    is_due &= np.array([key.tobytes() not in known for key in rows.keys])
                    if rows.task in TASKS_WITH_A_NEGATIVE and is_due.any():
                        found.append((layout, taken(rows, np.flatnonzero(is_due))))
                if sum(rows.row_count for _, rows in found) > most_rows:
                    break
            until_at = until_of([rows for _, rows in found], before_at=before_at, most_rows=most_rows)
            due = [(layout, taken(rows, np.flatnonzero(rows.predicted_at < until_at))) for layout, rows in found]
            chosen = [with_codes(home, layout, rows) for layout, rows in due if rows.row_count]
            if self._imply(model, chosen, implied_before, until_at, at=at):
                return sum(rows.row_count for rows in chosen)
        raise StateError("unusable", f"{home.link.shown}: others change the same labels all the time")

    def _imply(
        self, model: ModelKey, sets: Sequence[ScoredRows], known: float, until_at: float | None, *, at: float
    ) -> bool:
        handed = [
            labelled(rows, np.full(rows.row_count, NEGATIVE), np.full(rows.row_count, at), is_implied=True)
            for rows in sets
        ]
        numbers = [self._home.layout_number(RowLayout.of(rows)) for rows in sets]
        unlabelled = [
            (self._home.slice_of(moment), key.tobytes(), b"")
            for rows in sets
            for moment, key in zip(rows.predicted_at.tolist(), rows.keys, strict=True)
        ]
        return commit(
            self._home, model, known, until_at, list(zip(numbers, handed, strict=True)), labels=unlabelled, at=at
        )

    def _find(
        self,
        labels: Sequence[Label],
        keys: Mapping[int, bytes],
        opened: Mapping[int, ScoredRows],
        *,
        at: float,
        troubles: Counter[str],
    ) -> list[tuple[list[int], ScoredRows]]:
        """Rows of *keys* that are here; labels of those that are not wait for them."""
        home, numbers = self._home, list(keys)
        arguments: list[Argument] = [home.prefix, int(at // ORPHAN_SECONDS), 2 * ORPHAN_SECONDS, MOST_ORPHANS]
        for number in numbers:
            label = labels[number]
            waits = label.id and number not in opened
            arguments += [keys[number], packed_orphan(label, at) if waits else b""]
        if not numbers:
            return []
        *found, lost = replies(home.link.run(FIND, arguments))
        if lost:
            troubles["orphans_not_kept"] += whole(lost)
        pairs = zip(numbers, found[::2], found[1::2], strict=True)
        here = [(number, blob(first), blob(record)) for number, record, first in pairs if record]
        found_rows: list[tuple[list[int], ScoredRows]] = []
        for places, rows in rows_by_layout([(first, record) for _, first, record in here], home.layouts()):
            layout = int.from_bytes(here[places[0]][2][:LAYOUT_BYTES], "little")
            found_rows.append(([here[each][0] for each in places], with_codes(home, layout, rows)))
        return found_rows

    def _about(self, label: Label, at: float) -> bytes | None:
        """The key of the latest prediction about whom *label* is."""
        home = self._home
        since_at, until_at = span_of(label, at, home.label_window)
        entity = entity_of(label.entity, self._key)
        bucket = entity[0] * 4 + entity[1] // 64
        slices = [each for each in home.slices() if home.slice_of(since_at) <= each <= home.slice_of(until_at)]
        names = [f"{home.prefix}y:{each}:{bucket}" for each in slices]
        records = b"".join(
            blob(found) for found in home.link.call_all([("HGET", name, entity) for name in names]) if found
        )
        if len(records) % _ABOUT.itemsize:
            raise StateError("corrupt", "what is known about an entity is cut")
        about = np.frombuffer(records, _ABOUT)
        about = about[(about["at"] >= since_at) & (about["at"] <= until_at)]
        if not len(about):
            return None
        latest = len(about) - 1 - int(np.argmax(about["at"][::-1]))
        return bytes(about["key"][latest].tobytes())

    def _join(
        self,
        rows: ScoredRows,
        labels: Sequence[Label],
        *,
        at: float,
        troubles: Counter[str],
        is_counted: bool = True,
    ) -> Sequence[Fate]:
        home, layout = self._home, RowLayout.of(rows)
        slices = [home.slice_of(moment) for moment in rows.predicted_at.tolist()]
        keys = [key.tobytes() for key in rows.keys]
        for _ in range(_TRIES):
            implied_before, known = known_of(home, layout.model, list(zip(slices, keys, strict=True)))
            met = join(rows, labels, known, Rules(at, home.label_window, implied_before, self._key))
            if met.rows is not None:
                values: list[float] = met.rows.labels.tolist()
                said = [
                    (home.slice_of(moment), key, packed_value(value))
                    for moment, key, value in zip(met.rows.predicted_at.tolist(), met.keys, values, strict=True)
                ]
                cells = [
                    (hour, cell_field(hour, tenth, is_labelled=True), count)
                    for hour, tenth, count in cells_of(met.rows)
                ]
                sets = [(home.layout_number(layout), met.rows)]
                if not commit(
                    home,
                    layout.model,
                    implied_before,
                    None,
                    sets,
                    cells=cells if is_counted else (),
                    labels=said,
                    at=at,
                ):
                    continue
            troubles.update(met.troubles)
            return met.fates
        raise StateError("unusable", f"{home.link.shown}: others change the same labels all the time")
