"""What keeps predictions in a Redis within their bounds: the oldest slices go, and samples thin themselves."""

from __future__ import annotations

from collections import Counter
from typing import Final

from dashlight.clock import Clock
from dashlight.store.labels.joining import MET_SECONDS
from dashlight.store.labels.redis_home import BUCKETS, RedisHome
from dashlight.store.labels.redis_link import Argument, blob, replies, whole
from dashlight.store.labels.sampling import MOST_DRAWN, MOST_ZEROS

_TEND_SECONDS: Final = 30.0
_NAMES_AT_ONCE: Final = 512


class RedisTending:
    """Tends what one application has in a Redis. Several machines may do so at once."""

    def __init__(self, home: RedisHome, *, clock: Clock, most_bytes: int, most_drawn: int = MOST_DRAWN) -> None:
        self._home, self._clock, self._most_bytes, self._most_drawn = home, clock, most_bytes, most_drawn
        self._looked_at = float("-inf")
        self.troubles: Counter[str] = Counter()

    def step(self) -> None:
        """Lets go, now and then, of what is too old or too much."""
        if self._clock.monotonic() - self._looked_at < _TEND_SECONDS:
            return
        self._looked_at = self._clock.monotonic()
        home, at = self._home, self._clock.now()
        oldest_met = max(int(at - MET_SECONDS), 0) << 20
        home.link.call("ZREMRANGEBYSCORE", f"{home.prefix}met", "-inf", oldest_met)
        for place in home.slices():
            if not home.seconds_left(place):
                self._remove(place)
        self._shrink()
        self._thin()

    def _shrink(self) -> None:
        home = self._home
        fields = replies(home.link.call("HGETALL", f"{home.prefix}bytes"))
        sizes = {whole(place): whole(size) for place, size in zip(fields[::2], fields[1::2], strict=True)}
        for place in sorted(sizes):
            if sum(sizes.values()) <= self._most_bytes:
                return
            sizes.pop(place)
            self.troubles["gave_way"] += self._remove(place)

    def _thin(self) -> None:
        """Raises the level of models that have drawn too many, and drops what is drawn no more."""
        home = self._home
        slices, layouts = home.slices(), home.layouts()
        for model in {layout.model for layout in layouts.values() if layout.code_count}:
            by_level: Counter[int] = Counter()
            for found in home.link.call_all([("HGETALL", home.drawn_name(model, place)) for place in slices]):
                fields = replies(found)
                by_level.update(
                    {whole(level): whole(count) for level, count in zip(fields[::2], fields[1::2], strict=True)}
                )
            level = whole(home.link.call("GET", home.level_name(model)))
            while level < MOST_ZEROS and sum(n for each, n in by_level.items() if each >= level) > self._most_drawn:
                level += 1
                home.link.call("SET", home.level_name(model), level)
            stale = [each for each in by_level if each < level]
            numbers = [number for number, layout in layouts.items() if layout.model == model]
            self._unlink(
                [home.sample_name(number, place, each) for number in numbers for place in slices for each in stale]
            )
            if stale:
                home.link.call_all([("HDEL", home.drawn_name(model, place), *stale) for place in slices])

    def _remove(self, place: int) -> int:
        """Removes a slice; how many predictions it had, 0 where another machine was faster."""
        home = self._home
        rows = home.link.call("HGET", f"{home.prefix}rows", place)
        is_ours = whole(home.link.call("HDEL", f"{home.prefix}rows", place))
        names = [f"{home.prefix}{kind}:{place}:{bucket}" for kind in "rlxy" for bucket in range(BUCKETS)]
        for number, layout in home.layouts().items():
            if layout.code_count:
                names += [home.sample_name(number, place, level) for level in range(MOST_ZEROS + 1)]
                names.append(home.drawn_name(layout.model, place))
        self._unlink(names)
        home.link.call_all([("ZREM", f"{home.prefix}slices", place), ("HDEL", f"{home.prefix}bytes", place)])
        return int(blob(rows)) if rows is not None and is_ours else 0

    def _unlink(self, names: list[str]) -> None:
        commands: list[tuple[Argument, ...]] = [
            ("UNLINK", *names[begin : begin + _NAMES_AT_ONCE]) for begin in range(0, len(names), _NAMES_AT_ONCE)
        ]
        self._home.link.call_all(commands)
