"""How things are called in a Redis, in which slice of time they lie, and when they expire."""

from __future__ import annotations

import json
import math
from hashlib import blake2b
from typing import Final

from dashlight.clock import Clock
from dashlight.errors import StateError
from dashlight.labels.row_sets import RowLayout
from dashlight.labels.rows import ModelKey
from dashlight.store.labels.joining import HOUR_SECONDS
from dashlight.store.labels.packing import layout_of, packed_layout
from dashlight.store.labels.redis_link import RedisLink, blob, replies, whole
from dashlight.store.labels.redis_scripts import LAYOUT

BUCKETS: Final = 1024
"""Hashes of one slice."""
_SLICES: Final = 64
"""About so many slices make a label window."""


class RedisHome:
    """What one application has in a Redis."""

    def __init__(self, link: RedisLink, application: str, *, label_window: float, clock: Clock) -> None:
        """*application* is what its machines have in common; *label_window* is in seconds."""
        self.link, self._clock = link, clock
        self.label_window = label_window
        digest = blake2b(application.encode(errors="surrogatepass"), digest_size=8).hexdigest()
        self.prefix = f"dashlight:{{{digest}}}:"
        self.slice_seconds = max(math.ceil(label_window / _SLICES / HOUR_SECONDS), 1) * HOUR_SECONDS
        self._numbers: dict[RowLayout, int] = {}
        self._layouts: dict[int, RowLayout] = {}

    def forget(self) -> None:
        """Forgets what it read."""
        self._numbers.clear()
        self._layouts.clear()

    def slice_of(self, at: float) -> int:
        """The slice in which a moment lies."""
        return math.floor(at / self.slice_seconds)

    def seconds_left(self, number: int) -> int:
        """After how long, by our clock, the last prediction of a slice has waited long enough; 0: it has."""
        return max(math.ceil((number + 1) * self.slice_seconds + self.label_window - self._clock.now()), 0)

    def layout_number(self, layout: RowLayout) -> int:
        """The number of *layout*, given to it where it has none."""
        number = self._numbers.get(layout)
        if number is None:
            number = self._numbers[layout] = whole(self.link.run(LAYOUT, (self.prefix, packed_layout(layout))))
        return number

    def layouts(self) -> dict[int, RowLayout]:
        """All layouts by number."""
        if whole(self.link.call("HLEN", f"{self.prefix}layouts")) != len(self._layouts):
            found = replies(self.link.call("HGETALL", f"{self.prefix}layouts"))
            for number, content in zip(found[::2], found[1::2], strict=True):
                self._layouts[whole(number)] = layout_of(blob(content).decode())
        return self._layouts

    def layouts_of(self, model: ModelKey) -> dict[int, RowLayout]:
        """Those of one model."""
        return {number: layout for number, layout in self.layouts().items() if layout.model == model}

    def layout(self, number: int) -> RowLayout:
        """The layout of that *number*."""
        found = self._layouts.get(number) or self.layouts().get(number)
        if found is None:
            raise StateError("corrupt", "predictions have no layout")
        return found

    def slices(self) -> list[int]:
        """The slices that hold something, the oldest first."""
        return [whole(each) for each in replies(self.link.call("ZRANGE", f"{self.prefix}slices", 0, -1))]

    def counts_name(self, model: ModelKey, place: int) -> str:
        """Counts of a model's predictions of one slice."""
        return f"{self.prefix}c:{model_digest(model)}:{place}"

    def level_name(self, model: ModelKey) -> str:
        """The level at which bins of a model are drawn."""
        return f"{self.prefix}level:{model_digest(model)}"

    def drawn_name(self, model: ModelKey, place: int) -> str:
        """How many predictions of a slice keep their bins, by level."""
        return f"{self.prefix}drawn:{model_digest(model)}:{place}"

    def sample_name(self, layout: int, place: int, level: int) -> str:
        """Bins of those predictions of a slice that are drawn up to a level."""
        return f"{self.prefix}s:{layout}:{place}:{level}"


def cell_field(hour: int, tenth: int, *, is_labelled: bool = False) -> int:
    """The field that counts predictions, or those of them with a label, of an hour and a tenth of the score, -1 to 9."""
    return hour << 5 | (tenth + 1) << 1 | is_labelled


def model_digest(model: ModelKey) -> str:
    """By which a model is known in the names of keys."""
    return blake2b(json.dumps(model).encode(errors="surrogatepass"), digest_size=8).hexdigest()
